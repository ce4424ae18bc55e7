"""Panels of pictures: one function each, axes and results in, artists out."""

import numpy as np

from trajbatt.models import asymptotics
from trajbatt.models.recognised import battery_of
from trajbatt.models.swing import is_followed, swing_of, turns_freely
from trajbatt.plots.style import (
    ASYMPTOTIC_COLOR,
    CHANNEL_COLORS,
    DASHED,
    ENSEMBLE_COLOR,
    EXACT_COLOR,
    FILTER_COLOR,
    SECULAR_COLOR,
    TRAJECTORY_COLOR,
    channel_style,
    plain_text,
    stage_color,
)

MOST_GROUPS = 20  # of photon numbers, of one channel
MOST_DOTS = 40


def draw_energy(axes, runs, exact, trajectories=(), swing=None):
    """Draw the energy per atom: ensemble, exact curve and single trajectories.

    With the `Swing` of the exact energy, what swings too fast to be followed has its two sides
    drawn instead of a line.
    """
    if swing is None:
        artists = _draw_followed(axes, runs, exact, trajectories)
    else:
        artists = _draw_swings(axes, runs, trajectories, swing)
    axes.set_ylabel(r"energy per atom ($\hbar\omega_0$)")
    axes.set_ylim(-0.03, 1.05)
    return artists


def _draw_followed(axes, runs, exact, trajectories):
    artists = draw_mean_energy(axes, runs) + draw_exact_energy(axes, exact)
    for i, trajectory in enumerate(trajectories):
        label = "single trajectories" if i == 0 else None
        artists += draw_single_energy(axes, trajectory, label)
    return artists


def draw_mean_energy(axes, runs):
    """Draw the mean energy per atom of an ensemble with Delta E, if it is of several runs."""
    if runs.ntraj == 1:
        return []
    n_atoms, times = runs.model.n_atoms, runs.times
    mean, width = runs.energy / n_atoms, np.sqrt(runs.energy_variance) / n_atoms
    low, high = np.clip(mean - width, 0.0, 1.0), np.clip(mean + width, 0.0, 1.0)
    look = {"color": ENSEMBLE_COLOR, "label": r"mean $\pm\,\Delta E$"}
    if times.size > 1:
        band = axes.fill_between(times, low, high, alpha=0.18, lw=0, **look)
    else:
        band = axes.vlines(times, low, high, alpha=0.3, lw=6, **look)
    line = axes.plot(
        times,
        mean,
        point(times),
        color=ENSEMBLE_COLOR,
        lw=3.5,
        ms=9,
        alpha=0.6,
        label=f"mean of {runs.ntraj:,} trajectories",
    )
    return [band, *line]


def draw_exact_energy(axes, exact):
    """Draw the energy per atom of a `MasterEquationResult`."""
    return axes.plot(
        exact.times,
        exact.energy / exact.model.n_atoms,
        point(exact.times),
        color=EXACT_COLOR,
        lw=1.0,
        ms=4,
        label="exact",
        clip_on=exact.times.size > 1,  # a mark at the end of the axis is no half
    )


def draw_single_energy(axes, trajectory, label):
    """Draw the energy per atom of a single `Trajectory`."""
    return axes.plot(
        trajectory.times,
        trajectory.energy / trajectory.n_atoms,
        point(trajectory.times),
        color=TRAJECTORY_COLOR,
        lw=0.8,
        ms=3,
        label=label,
        clip_on=trajectory.times.size > 1,
    )


def _draw_swings(axes, runs, trajectories, swing):
    n_atoms, free = runs.model.n_atoms, turns_freely(runs.model)
    artists = []
    if runs.ntraj > 1 and free:
        mean = swing_of(runs.model, runs.times, runs.energy, runs.dipole)
        label = f"mean of {runs.ntraj:,} trajectories"
        look = {"color": ENSEMBLE_COLOR, "lw": 3.5, "alpha": 0.6}
        artists += draw_sides(axes, mean, n_atoms, label, **look)
    elif runs.ntraj > 1:
        # The state changes within a period: single times tell no side, and no line joins them.
        shown = slice(None, None, max(1, runs.times.size // MOST_DOTS))
        artists += axes.plot(
            runs.times[shown],
            runs.energy[shown] / n_atoms,
            ".",
            color=ENSEMBLE_COLOR,
            label=f"mean of {runs.ntraj:,} at single times",
        )
    artists.append(
        axes.fill_between(
            swing.times, swing.low / n_atoms, swing.high / n_atoms, color="#dddddd", lw=0, zorder=0
        )
    )
    artists += draw_sides(axes, swing, n_atoms, "exact", color=EXACT_COLOR, lw=1.0)
    artists += axes.plot(
        swing.times,
        swing.middle / n_atoms,
        color=EXACT_COLOR,
        lw=0.9,
        ls=DASHED,
        label="exact, mean over a period",
    )
    for i, trajectory in enumerate(trajectories if free else ()):
        one = swing_of(runs.model, trajectory.times, trajectory.energy, trajectory.dipole)
        label = "single trajectories" if i == 0 else None
        artists += draw_sides(axes, one, n_atoms, label, color=TRAJECTORY_COLOR, lw=0.7)
    return artists


def draw_sides(axes, swing, n_atoms, label, **look):
    """Draw the two sides of a `Swing`, per atom."""
    low, high = (np.clip(side / n_atoms, 0.0, 1.0) for side in (swing.low, swing.high))
    return axes.plot(swing.times, low, label=label, **look) + axes.plot(swing.times, high, **look)


def point(times):
    """Return the format of a curve: a single time needs a mark to be seen."""
    return "o" if times.size == 1 else "-"


def draw_asymptotic(axes, runs):
    """Draw Eq. (14), the energy per atom for large N, where it holds and can be seen.

    It holds for what a battery does from the bare ground state, and is not drawn where it
    oscillates too fast.
    """
    model, times = runs.model, runs.times
    battery = battery_of(model)
    if battery is None or runs.initial is not None or model.start is not None:
        return []
    if battery.is_noisy:
        return []
    if not is_followed(model, times) or times.size == 1:
        return []
    return axes.plot(
        times,
        asymptotics.energy(battery, times) / battery.n_atoms,
        color=ASYMPTOTIC_COLOR,
        lw=1.4,
        ls=DASHED,
        label=r"$N\to\infty$, Eq. (14)",
    )


def draw_secular(axes, secular):
    """Draw the energy per atom by the secular Eq. (7), for comparison."""
    model, n_atoms = secular.model, secular.model.n_atoms
    look = {"color": SECULAR_COLOR, "lw": 1.2, "ls": DASHED}
    label = "exact, secular Eq. (7)"
    if is_followed(model, secular.times):
        return axes.plot(secular.times, secular.energy / n_atoms, label=label, **look)
    swing = swing_of(model, secular.times, secular.energy, secular.dipole)
    return draw_sides(axes, swing, n_atoms, label, **look)


def draw_coherent(axes, runs, exact):
    """Draw the energy per atom that has come out coherently, with two standard errors."""
    n_atoms = runs.model.n_atoms
    mean, width = runs.coherent_energy / n_atoms, 2 * runs.coherent_energy_sem / n_atoms
    color = CHANNEL_COLORS["dis"]
    artists = [
        axes.fill_between(runs.times, mean - width, mean + width, color=color, alpha=0.3, lw=0)
    ]
    artists += axes.plot(
        runs.times, mean, color=color, lw=3.5, alpha=0.6, label=r"mean $\pm$ 2 standard errors"
    )
    artists += axes.plot(
        runs.times, exact.coherent_energy / n_atoms, color=EXACT_COLOR, lw=1.0, label="exact"
    )
    axes.set_ylabel("out coherently\nper atom ($\\hbar\\omega_0$)")
    axes.set_ylim(bottom=min(0.0, 1.1 * float((mean - width).min())))
    axes.legend(loc="upper left", frameon=False, fontsize=9)
    return artists


def draw_stages(axes, model, until, named=False):
    """Shade the stages of a protocol that begin before `until`, with their names if wanted.

    None where they end by what is seen, each trajectory's at its own times.
    """
    artists = []
    for stage in () if model.is_steered else model.stages(until):
        end = min(stage.end, until)
        color = stage_color(stage.model)
        artists.append(axes.axvspan(stage.start, end, color=color, lw=0, zorder=-1))
        if named:
            artists.append(
                axes.text(
                    0.5 * (stage.start + end),
                    1.01,
                    plain_text(stage.model.name),
                    transform=axes.get_xaxis_transform(),
                    ha="center",
                    va="bottom",
                )
            )
    return artists


def draw_conditional_energy(axes, found, unseen):
    """Draw the energy per atom of a `FilterResult` with its uncertainty, and of no record.

    Where it swings too fast to be followed, its mean over a period and its two sides are drawn,
    and the uncertainty, which swings as well, is not.
    """
    model, n_atoms = found.model, found.model.n_atoms
    labels = "by its photons", "if nothing is observed"
    if not is_followed(model, found.times):
        artists = []
        for result, color, label in zip(
            (found, unseen), (FILTER_COLOR, EXACT_COLOR), labels, strict=True
        ):
            swing = swing_of(model, result.times, result.energy, result.dipole)
            dashes = DASHED if result is unseen else "-"
            artists += draw_sides(axes, swing, n_atoms, label, color=color, lw=1.2, ls=dashes)
        axes.set_ylabel(r"energy per atom ($\hbar\omega_0$)")
        axes.set_ylim(-0.03, 1.05)
        return artists
    artists = draw_filtered_energy(axes, found, labels[0])
    artists += axes.plot(
        unseen.times,
        unseen.energy / n_atoms,
        color=EXACT_COLOR,
        lw=1.0,
        ls=DASHED,
        label=labels[1],
    )
    axes.set_ylabel(r"energy per atom ($\hbar\omega_0$)")
    axes.set_ylim(-0.03, 1.05)
    return artists


def draw_filtered_energy(axes, found, label):
    """Draw the energy per atom of a `FilterResult` with its uncertainty."""
    n_atoms = found.model.n_atoms
    mean, width = found.energy / n_atoms, np.sqrt(found.energy_variance) / n_atoms
    band = axes.fill_between(
        found.times,
        np.clip(mean - width, 0.0, 1.0),
        np.clip(mean + width, 0.0, 1.0),
        color=FILTER_COLOR,
        alpha=0.3,
        lw=0,
        label=r"$\pm\,\Delta E$",
    )
    line = axes.plot(found.times, mean, color=FILTER_COLOR, lw=1.4, label=label)
    return [band, *line]


def draw_numbers(axes, found):
    """Draw the photon-number distributions of a `PhotonReport`, numbers grouped to be seen."""
    artists = []
    for name, curve in found.numbers.items():
        exact, value = curve.exact, curve.estimate.value
        likely = np.flatnonzero((value if exact is None else np.maximum(exact, value)) > 1e-4)
        low, high = (likely[0], likely[-1] + 1) if likely.size else (0, 1)
        width = -(-(high - low) // MOST_GROUPS)
        starts = np.arange(low, high, width)
        share = np.add.reduceat(value[:high], starts)
        sizes = np.diff(np.append(starts, high))
        sem = np.sqrt(share * (1.0 - share) / found.ntraj)
        style = channel_style(name, found.channels)
        middles = starts + 0.5 * (sizes - 1)
        artists += _draw_marks(axes, name, style, middles, (share / sizes, sem / sizes))
        if exact is not None:
            artists += axes.plot(curve.x[low:high], exact[low:high], color=style.color, lw=1.1)
    axes.set_ylim(bottom=0.0)
    axes.set_xlabel(f"number of photons by $t = {found.duration:.4g}$")
    axes.set_ylabel("probability")
    return artists


def draw_curves(axes, curves, channels):
    """Draw estimates beside exact curves, {name: Curve}, of some of `channels`."""
    artists = []
    for name, curve in curves.items():
        style = channel_style(name, channels)
        artists += _draw_marks(axes, name, style, curve.x, curve.estimate)
        if curve.exact is not None:
            artists += axes.plot(curve.exact_x, curve.exact, color=style.color, lw=1.1)
    return artists


def _draw_marks(axes, name, style, x, estimate):
    """Draw an estimate (value, standard error) with two standard errors."""
    value, sem = estimate
    marks = axes.errorbar(
        x,
        value,
        2 * sem,
        ls="",
        marker=style.mark,
        ms=4,
        markerfacecolor=style.face,
        color=style.color,
        elinewidth=1.0,
        label=plain_text(name),
    )
    return [marks]


def draw_counts(axes, runs, exact):
    """Draw the mean photon counts: the ensemble as marks, the exact curves as lines.

    One of the two may be None.
    """
    artists, tops = [], [1e-300]
    channels, shown_names = (runs or exact).channels, (runs or exact).model.lit_channels
    for i, name in enumerate(channels):
        if name not in shown_names:
            continue
        style = channel_style(name, channels)
        label = plain_text(name)
        if exact is not None:
            line = {"color": style.color, "lw": 1.2, "label": None if runs else label}
            artists += axes.plot(exact.times, exact.counts[i], **line)
            tops.append(float(exact.counts[i].max()))
        if runs is not None:
            # Even in time, as the times of the stages of a cycle are not.
            even = np.linspace(*runs.times[[0, -1]], 17)
            shown = np.unique(np.searchsorted(runs.times, even))
            artists += axes.plot(
                runs.times[shown],
                runs.counts[i, shown],
                ls="",
                marker=style.mark,
                ms=5.5,
                markerfacecolor=style.face,
                color=style.color,
                clip_on=False,
                label=label,
            )
            tops.append(float(runs.counts[i].max()))
    axes.set_ylabel(f"mean {(runs or exact).model.counted_as}")
    top = max(tops) if max(tops) > 1e-300 else 1.0
    axes.set_ylim(-0.04 * top, 1.06 * top)
    return artists
