"""Pictures: one function per picture, results and axes in, artists out.

Photons keep one colour and one mark everywhere: red, center and blue in vermilion, green and blue
of a palette that colour-blind readers can tell apart.
"""

import io

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from trajbatt import asymptotics

CHANNEL_COLORS = {"red": "#d55e00", "center": "#009e73", "blue": "#0072b2"}
CHANNEL_MARKS = {"red": "^", "center": "o", "blue": "v"}
EXACT_COLOR = "black"
ENSEMBLE_COLOR = "#cc3377"
TRAJECTORY_COLOR = "#7777aa"
ASYMPTOTIC_COLOR = "#e69f00"
NOTE = {"ha": "center", "va": "center", "fontsize": 9, "color": "#777777"}
MOST_PERIODS = 400  # with more of them in a picture, 3201 times no longer follow Eq. (14)


def draw_energy(axes, runs, exact, battery, trajectories=()):
    """Draw the energy per atom: ensemble, exact curve, Eq. (14) and single trajectories."""
    n_atoms, times = runs.model.n_atoms, runs.times
    mean, width = runs.energy / n_atoms, np.sqrt(runs.energy_variance) / n_atoms
    artists = []
    if runs.ntraj > 1:
        artists.append(
            axes.fill_between(
                times,
                np.clip(mean - width, 0.0, 1.0),
                np.clip(mean + width, 0.0, 1.0),
                color=ENSEMBLE_COLOR,
                alpha=0.18,
                lw=0,
                label=r"mean $\pm\,\Delta E$",
            )
        )
        artists += axes.plot(
            times,
            mean,
            color=ENSEMBLE_COLOR,
            lw=3.5,
            alpha=0.6,
            label=f"mean of {runs.ntraj:,} trajectories",
        )
    artists += axes.plot(times, exact.energy / n_atoms, color=EXACT_COLOR, lw=1.0, label="exact")
    if _periods(battery, times) < MOST_PERIODS:
        artists += axes.plot(
            times,
            asymptotics.energy(battery, times) / n_atoms,
            color=ASYMPTOTIC_COLOR,
            lw=1.4,
            ls=(0, (4, 2)),
            label=r"$N\to\infty$, Eq. (14)",
        )
    for i, trajectory in enumerate(trajectories):
        artists += axes.plot(
            trajectory.times,
            trajectory.energy / n_atoms,
            color=TRAJECTORY_COLOR,
            lw=0.8,
            label="single trajectories" if i == 0 else None,
        )
    axes.set_ylabel(r"energy per atom ($\hbar\omega_0$)")
    axes.set_ylim(-0.03, 1.05)
    return artists


def _periods(battery, times):
    return battery.omega_p * times[-1] / (2 * np.pi)


def draw_clicks(axes, trajectory):
    """Draw the clicks of one trajectory as a raster, one line per channel, by frequency."""
    clicks = trajectory.clicks
    artists = []
    for row, name in enumerate(clicks.channels):
        times = clicks.time[clicks.channel == row]
        artists += axes.eventplot(
            [times],
            lineoffsets=row,
            linelengths=0.7,
            linewidths=0.9,
            colors=CHANNEL_COLORS[name],
            # Where clicks overlap, shades still tell how many there are.
            alpha=min(1.0, max(0.02, 150 / max(1, times.size))),
        )
        if times.size == 0:
            axes.text(0.5, row, "no photons", transform=axes.get_yaxis_transform(), **NOTE)
    axes.set_yticks(range(len(clicks.channels)), clicks.channels)
    for label, name in zip(axes.get_yticklabels(), clicks.channels, strict=True):
        label.set_color(CHANNEL_COLORS[name])
    axes.set_ylim(-0.6, len(clicks.channels) - 0.4)
    axes.set_ylabel(f"photons of\ntrajectory {trajectory.index}")
    axes.tick_params(axis="y", length=0)
    return artists


def draw_counts(axes, runs, exact):
    """Draw the mean photon counts: the ensemble as marks, the exact curves as lines."""
    artists = []
    shown = slice(None, None, max(1, runs.times.size // 16))
    for i, name in enumerate(runs.channels):
        color = CHANNEL_COLORS[name]
        artists += axes.plot(exact.times, exact.counts[i], color=color, lw=1.2)
        artists += axes.plot(
            runs.times[shown],
            runs.counts[i, shown],
            ls="",
            marker=CHANNEL_MARKS[name],
            ms=5.5,
            markerfacecolor="white" if name == "red" else color,
            color=color,
            clip_on=False,
            label=name,
        )
    axes.set_ylabel("mean photons")
    top = max(float(exact.counts.max()), float(runs.counts.max())) or 1.0
    axes.set_ylim(-0.04 * top, 1.06 * top)
    return artists


def charging_figure(runs, exact, battery, trajectories):
    """Return the picture of a charging run: energy, clicks of the first trajectory, counts."""
    figure = Figure(figsize=(7.2, 8.4), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    energy, clicks, counts = figure.subplots(
        3, 1, sharex=True, gridspec_kw={"height_ratios": [3, 1, 1.7]}
    )
    draw_energy(energy, runs, exact, battery, trajectories)
    energy.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=3, frameon=False, fontsize=9)
    figure.suptitle(
        f"Charging $N = {battery.n_atoms}$: $\\theta = {battery.theta:.4g}$, "
        f"$\\gamma_+/\\gamma_- = {battery.r:.4g}$, "
        f"$\\gamma_0/\\gamma_- = {battery.gamma_0 / battery.gamma_minus:.4g}$, "
        f"$\\Omega_P/\\gamma_- = {battery.omega_p / battery.gamma_minus:.6g}$",
        fontsize=11,
    )
    draw_clicks(clicks, trajectories[0])
    draw_counts(counts, runs, exact)
    counts.legend(
        loc="upper left",
        frameon=False,
        fontsize=9,
        title="marks: mean\nlines: exact",
        title_fontsize=9,
        alignment="left",
    )
    counts.set_xlabel(r"time $t$ ($1/\gamma_-$)")
    counts.set_xlim(0, runs.times[-1])
    counts.ticklabel_format(axis="x", style="sci", scilimits=(-3, 4))
    for axes in (energy, clicks, counts):
        axes.spines[["top", "right"]].set_visible(False)
    return figure


def as_png(figure):
    """Return a figure as the bytes of a PNG file."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()
