"""Pictures of how Eqs. (5) and (7) differ."""

import numpy as np

from trajbatt.models.swing import swing_of
from trajbatt.plots import layout, panels
from trajbatt.plots.style import (
    CHANNEL_COLORS,
    DASHED,
    EXACT_COLOR,
    SECULAR_COLOR,
)

SMALLEST = 1e-16  # that a logarithmic axis shows
RESOLVED = 1e-5  # per atom: means over a period differ by less through the solver's accuracy alone


def secular_figure(check, swing=None):
    """Return the picture of one comparison of Eqs. (5) and (7): energies and their difference.

    `swing` is that of Eq. (5) where its times do not follow it.
    """
    figure, (energy, difference) = layout.stack([2, 1], height=6.0)
    n_atoms, times = check.battery.n_atoms, check.full.times
    full, secular = {"color": EXACT_COLOR, "lw": 1.2}, {"color": SECULAR_COLOR, "lw": 1.4}
    secular["ls"] = DASHED
    if swing is None:
        energy.plot(times, check.full.energy / n_atoms, label="Eq. (5)", **full)
        energy.plot(times, check.secular.energy / n_atoms, label="Eq. (7)", **secular)
        of_times, differs = times, check.secular.energy - check.full.energy
        words = "Eq. (7) minus Eq. (5)"
    else:
        other = swing_of(check.secular.model, times, check.secular.energy, check.secular.dipole)
        panels.draw_sides(energy, swing, n_atoms, "Eq. (5)", **full)
        panels.draw_sides(energy, other, n_atoms, "Eq. (7)", **secular)
        of_times = swing.times
        differs = np.interp(of_times, times, other.middle) - swing.middle
        words = "Eq. (7) minus Eq. (5),\nmean over a period"
    energy.set_ylabel(r"energy per atom ($\hbar\omega_0$)")
    if swing is None:
        energy.legend(frameon=False, fontsize=9)
    else:
        layout.legend_above(energy, title=layout.TOO_FAST)
    difference.axhline(0.0, color="#bbbbbb", lw=0.8)
    if swing is not None and np.abs(differs).max() < RESOLVED * n_atoms:
        _say_unresolved(difference)
    else:
        difference.plot(of_times, differs / n_atoms, color=SECULAR_COLOR, lw=1.0)
    difference.set_ylabel(words)
    layout.label_time(difference, times, r" ($1/\gamma$)")
    figure.suptitle(
        f"$N = {n_atoms}$, $\\theta = {check.battery.theta:.4g}$, "
        f"$\\Omega_P/N\\gamma = {check.drive:.4g}$: "
        f"trace distance in the end {check.trace_distance:.2g}",
        **layout.TITLE,
    )
    return figure


def _say_unresolved(axes):
    """Say that a difference is too small to be known: a line would show the solver's errors."""
    axes.set_ylim(-RESOLVED, RESOLVED)
    axes.text(
        0.5,
        0.75,
        f"less than {RESOLVED:g} per atom, which is not resolved",
        transform=axes.transAxes,
        ha="center",
        va="center",
        fontsize=9,
        color="#777777",
    )


def secular_sweep_figure(checks):
    """Return the picture of a sweep of the drive: how Eq. (7) comes to stand for Eq. (5)."""
    figure, (axes,) = layout.stack([1], height=5.0)
    drive = np.array([check.drive for check in checks])
    curves = {
        "trace distance of the steady states": ([c.trace_distance for c in checks], "o", "#555555"),
        "energy per atom, largest difference on the way": (
            [c.transient_difference for c in checks],
            "v",
            SECULAR_COLOR,
        ),
        "energy per atom, difference in the end": (
            [abs(c.energy_difference) for c in checks],
            "^",
            CHANNEL_COLORS["red"],
        ),
    }
    for label, (values, mark, color) in curves.items():
        axes.loglog(drive, np.maximum(values, SMALLEST), marker=mark, color=color, label=label)
    layout.label_plainly(axes.xaxis)
    axes.set_xlabel(r"$\Omega_P/N\gamma$")
    axes.set_ylabel("difference of Eqs. (5) and (7)")
    axes.legend(frameon=False, fontsize=9)
    battery = checks[0].battery
    figure.suptitle(f"$N = {battery.n_atoms}$, $\\theta = {battery.theta:.4g}$", **layout.TITLE)
    return figure
