"""Pictures of runs: an ensemble, its exact twin and single trajectories of it.

All functions take the same: `runs`, an `EnsembleResult`; `exact`, the `MasterEquationResult` of the
same model, initial state and times; `trajectories`, a list of `Trajectory`, the first of which
shows its clicks; and `swing`, that of the exact energy where its times do not follow it, else None.
They return a `Figure`.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from trajbatt.models.swing import Swing, is_followed, turns_freely
from trajbatt.plots import layout, panels, records
from trajbatt.plots.on_axes import Result, energy
from trajbatt.plots.style import EXACT_COLOR

MOST_INSIDE, MOST_IN_A_ROW = 5, 4  # channels of a legend in a panel, and above one
WIDE = 14  # characters of a name that takes more room

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def run_figure(
    runs: Result,
    exact: Result,
    trajectories: Sequence[Result],
    secular: Result | None = None,
    swing: Swing | None = None,
) -> "Figure":
    """Return the picture of any run: of a protocol, a discharge, or what charges; see these.

    Parameters
    ----------
    runs : EnsembleResult
    exact : MasterEquationResult
        Of the same model, initial state and times.
    trajectories : list of Trajectory
        Single runs, the first with its clicks.
    secular : MasterEquationResult, optional
        By Eq. (7), beside Eq. (5).
    swing : Swing, optional
        That of the exact energy, where its times do not follow it.

    Returns
    -------
    matplotlib Figure

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range or of the wrong kind.
    """
    if runs.model.is_staged:
        return protocol_figure(runs, exact, trajectories, swing)
    if runs.model.is_discharge:
        return discharge_figure(runs, exact, trajectories, swing)
    return charging_figure(runs, exact, trajectories, secular, swing)


def exact_figure(exact, swing=None):
    """Return the picture of a `MasterEquationResult`: energy and counts."""
    heights = [3, 1.7] if exact.model.lit_channels else [3]
    return _plain_figure(exact, heights, swing, lambda axes: panels.draw_counts(axes, None, exact))


def trajectory_figure(trajectory):
    """Return the picture of a `Trajectory`: energy and clicks."""
    shown = trajectory.model.lit_channels
    heights = [3, layout.raster_height(shown)] if shown else [3]
    return _plain_figure(
        trajectory, heights, None, lambda axes: records.draw_clicks(axes, trajectory)
    )


def _plain_figure(result, heights, swing, draw_photons):
    figure, (above, *below) = layout.stack(heights)
    if swing is None:
        energy(result, ax=above)
    else:
        panels.draw_sides(above, swing, result.model.n_atoms, "exact", color=EXACT_COLOR, lw=1.0)
        above.set_ylabel(r"energy per atom ($\hbar\omega_0$)")
    above.set_ylim(-0.03, 1.05)
    above.set_xlabel("")
    follows = swing is None and is_followed(result.model, result.times)
    layout.legend_above(above, title=None if follows else layout.TOO_FAST)
    for axes in below:
        draw_photons(axes)
        if axes.get_legend_handles_labels()[1]:
            axes.legend(loc="upper left", frameon=False, fontsize=9)
    model = result.model
    heading = layout.parameters(model) if model.is_staged else layout.title(model)
    figure.suptitle(heading, **layout.TITLE)
    layout.label_time([above, *below][-1], result.times, layout.units(model)[0])
    return figure


def charging_figure(runs, exact, trajectories, secular=None, swing=None):
    """Return the picture of a charging, or of storage: energy, clicks, counts.

    `secular` is the exact solution of Eq. (7) beside that of Eq. (5), instead of Eq. (14).
    """
    figure, (upper, *photons) = layout.stack([3, *_photon_heights(runs)])
    panels.draw_energy(upper, runs, exact, trajectories, swing)
    if secular is None:
        panels.draw_asymptotic(upper, runs)
    else:
        panels.draw_secular(upper, secular)
    layout.legend_above(upper, title=_words(runs, swing))
    figure.suptitle(layout.title(runs.model), **layout.TITLE)
    _finish([upper, *photons], runs, exact, trajectories)
    return figure


def discharge_figure(runs, exact, trajectories, swing=None):
    """Return the picture of a discharge: energy, coherent energy, clicks, counts."""
    figure, (upper, coherent, *photons) = layout.stack([3, 1.5, *_photon_heights(runs)])
    panels.draw_energy(upper, runs, exact, trajectories, swing)
    layout.legend_above(upper, title=_words(runs, swing))
    panels.draw_coherent(coherent, runs, exact)
    figure.suptitle(layout.title(runs.model), **layout.TITLE)
    _finish([upper, coherent, *photons], runs, exact, trajectories)
    return figure


def protocol_figure(runs, exact, trajectories, swing=None):
    """Return the picture of a protocol, its stages shaded: energy, coherent energy, clicks, counts.

    Without a discharge there is no coherent energy.
    """
    with_coherent = runs.coherent_energy is not None
    heights = [3, 1.5] if with_coherent else [3]
    figure, axes = layout.stack([*heights, *_photon_heights(runs, least=1.2)])
    upper = axes[0]
    panels.draw_energy(upper, runs, exact, trajectories, swing)
    if with_coherent:
        panels.draw_coherent(axes[1], runs, exact)
    for one in axes:
        panels.draw_stages(one, runs.model, runs.times[-1], named=one is upper)
    layout.legend_above(upper, anchor=1.07, title=_words(runs, swing))
    figure.suptitle(layout.parameters(runs.model), **layout.TITLE)
    _finish(axes, runs, exact, trajectories, legend_above=True)
    return figure


def _words(runs, swing):
    """Return what the legend has to explain: what is drawn of an energy that swings too fast."""
    if swing is None:
        return None
    left_out = "" if turns_freely(runs.model) else "\nsingle trajectories are left out for it"
    return f"{layout.TOO_FAST}{left_out}"


def _photon_heights(runs, least=None):
    """Return the heights of the panels of photons: clicks and counts, or none without channels."""
    shown = runs.model.lit_channels
    return [layout.raster_height(shown, least), 1.7] if shown else []


def _finish(axes, runs, exact, trajectories, legend_above=False):
    """Draw the two lowest panels, of photons, where there are any, and label the time."""
    shown = runs.model.lit_channels
    if shown:
        *_, clicks, counts = axes
        records.draw_clicks(clicks, trajectories[0])
        panels.draw_counts(counts, runs, exact)
        legend_above = legend_above or len(shown) > MOST_INSIDE
        if legend_above:
            is_wide = max(map(len, shown)) > WIDE
            columns = min(len(shown), MOST_IN_A_ROW - is_wide)
            place = {"loc": "lower left", "bbox_to_anchor": (0.0, 1.0), "ncols": columns}
        else:
            place = {"loc": "upper left"}
        counts.legend(
            **place,
            frameon=False,
            fontsize=9,
            title="marks: mean, lines: exact" if legend_above else "marks: mean\nlines: exact",
            title_fontsize=9,
            alignment="left",
        )
    layout.label_time(axes[-1], runs.times, layout.units(runs.model)[0])
