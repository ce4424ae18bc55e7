"""Pictures: one function per picture, results and axes in, artists out.

Photons keep one colour and one mark everywhere: red, center and blue in vermilion, green and blue
of a palette that colour-blind readers can tell apart.
"""

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from trajbatt import asymptotics

CHANNEL_COLORS = {"red": "#d55e00", "center": "#009e73", "blue": "#0072b2"}
CHANNEL_MARKS = {"red": "^", "center": "o", "blue": "v"}
EXACT_COLOR = "black"
ENSEMBLE_COLOR = "#cc3377"
TRAJECTORY_COLOR = "#8888aa"
ASYMPTOTIC_COLOR = "#e69f00"


def draw_energy(axes, runs, exact, battery, trajectories=()):
    """Draw the energy per atom: ensemble, exact curve, Eq. (14) and single trajectories."""
    n_atoms, times = runs.model.n_atoms, runs.times
    mean, width = runs.energy / n_atoms, np.sqrt(runs.energy_variance) / n_atoms
    artists = []
    for i, trajectory in enumerate(trajectories):
        artists += axes.plot(
            trajectory.times,
            trajectory.energy / n_atoms,
            color=TRAJECTORY_COLOR,
            lw=0.7,
            label="single trajectories" if i == 0 else None,
        )
    artists.append(
        axes.fill_between(
            times, mean - width, mean + width, color=ENSEMBLE_COLOR, alpha=0.18, lw=0, label="±ΔE"
        )
    )
    artists += axes.plot(
        times,
        mean,
        color=ENSEMBLE_COLOR,
        lw=3.0,
        label=f"mean of {runs.ntraj:,} trajectories",
    )
    artists += axes.plot(
        times,
        asymptotics.energy(battery, times) / n_atoms,
        color=ASYMPTOTIC_COLOR,
        lw=1.4,
        ls=(0, (4, 2)),
        label="large N, Eq. (14)",
    )
    artists += axes.plot(times, exact.energy / n_atoms, color=EXACT_COLOR, lw=0.9, label="exact")
    axes.set_ylabel(r"energy per atom ($\hbar\omega_0$)")
    axes.set_ylim(bottom=-0.03)
    return artists


def draw_clicks(axes, trajectory):
    """Draw the clicks of one trajectory as a raster, one line per channel, by frequency."""
    clicks = trajectory.clicks
    artists = []
    for row, name in enumerate(clicks.channels):
        times = clicks.time[clicks.channel == row]
        artists += axes.eventplot(
            [times], lineoffsets=row, linelengths=0.7, linewidths=0.9, colors=CHANNEL_COLORS[name]
        )
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
            ms=5,
            color=color,
            label=name,
        )
    axes.set_ylabel("mean photons")
    axes.set_ylim(bottom=0.0)
    return artists


def charging_figure(runs, exact, battery, trajectories):
    """Return the picture of a charging run: energy, clicks of the first trajectory, counts."""
    figure = Figure(figsize=(7.2, 8.0), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    energy, clicks, counts = figure.subplots(
        3, 1, sharex=True, gridspec_kw={"height_ratios": [3, 1, 1.7]}
    )
    draw_energy(energy, runs, exact, battery, trajectories)
    energy.legend(loc="lower right", frameon=False, fontsize=9)
    energy.set_title(
        f"Charging {battery.n_atoms:,} atoms: θ = {battery.theta:.4g}, "
        f"γ₊/γ₋ = {battery.r:.4g}, Ω_P = {battery.omega_p:.4g}",
        fontsize=11,
        loc="left",
    )
    draw_clicks(clicks, trajectories[0])
    draw_counts(counts, runs, exact)
    counts.legend(loc="upper left", frameon=False, fontsize=9, title="marks: mean; lines: exact")
    counts.set_xlabel(r"time $t$ ($1/\gamma_-$)")
    counts.set_xlim(0, runs.times[-1])
    for axes in (energy, clicks, counts):
        axes.spines[["top", "right"]].set_visible(False)
    return figure
