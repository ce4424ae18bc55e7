"""Pictures of runs: an ensemble, its exact twin and single trajectories of it.

All functions take the same: `runs`, an `EnsembleResult`; `exact`, the `MasterEquationResult` of the
same model, initial state and times; `trajectories`, a list of `Trajectory`, the first of which
shows its clicks; and `swing`, that of the exact energy where its times do not follow it, else None.
They return a `Figure`.
"""

from trajbatt.models.swing import turns_freely
from trajbatt.pictures import layout, panels


def run_figure(runs, exact, trajectories, secular=None, swing=None):
    """Return the picture of any run: of a protocol, a discharge, or what charges; see these."""
    if runs.model.is_staged:
        return protocol_figure(runs, exact, trajectories, swing)
    if runs.model.is_discharge:
        return discharge_figure(runs, exact, trajectories, swing)
    return charging_figure(runs, exact, trajectories, secular, swing)


def charging_figure(runs, exact, trajectories, secular=None, swing=None):
    """Return the picture of a charging, or of storage: energy, clicks, counts.

    `secular` is the exact solution of Eq. (7) beside that of Eq. (5), instead of Eq. (14).
    """
    figure, (energy, *photons) = layout.stack([3, *_photon_heights(runs)])
    panels.draw_energy(energy, runs, exact, trajectories, swing)
    if secular is None:
        panels.draw_asymptotic(energy, runs)
    else:
        panels.draw_secular(energy, secular)
    layout.legend_above(energy, title=_words(runs, swing))
    figure.suptitle(layout.title(runs.model), **layout.TITLE)
    _finish([energy, *photons], runs, exact, trajectories)
    return figure


def discharge_figure(runs, exact, trajectories, swing=None):
    """Return the picture of a discharge: energy, coherent energy, clicks, counts."""
    figure, (energy, coherent, *photons) = layout.stack([3, 1.5, *_photon_heights(runs)])
    panels.draw_energy(energy, runs, exact, trajectories, swing)
    layout.legend_above(energy, title=_words(runs, swing))
    panels.draw_coherent(coherent, runs, exact)
    figure.suptitle(layout.title(runs.model), **layout.TITLE)
    _finish([energy, coherent, *photons], runs, exact, trajectories)
    return figure


def protocol_figure(runs, exact, trajectories, swing=None):
    """Return the picture of a protocol, its stages shaded: energy, coherent energy, clicks, counts.

    Without a discharge there is no coherent energy.
    """
    with_coherent = runs.coherent_energy is not None
    upper = [3, 1.5] if with_coherent else [3]
    figure, axes = layout.stack([*upper, *_photon_heights(runs, least=1.2)])
    energy = axes[0]
    panels.draw_energy(energy, runs, exact, trajectories, swing)
    if with_coherent:
        panels.draw_coherent(axes[1], runs, exact)
    for one in axes:
        panels.draw_stages(one, runs.model, runs.times[-1], named=one is energy)
    layout.legend_above(energy, anchor=1.07, title=_words(runs, swing))
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
    return [layout.raster_height(runs.channels, least), 1.7] if runs.channels else []


def _finish(axes, runs, exact, trajectories, legend_above=False):
    """Draw the two lowest panels, of photons, where there are any, and label the time."""
    if runs.channels:
        *_, clicks, counts = axes
        panels.draw_clicks(clicks, trajectories[0])
        panels.draw_counts(counts, runs, exact)
        if legend_above:
            place = {"loc": "lower left", "bbox_to_anchor": (0.0, 1.0), "ncols": len(runs.channels)}
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
