"""Pictures: one function each, results in, a figure out."""

import io
import math

import matplotlib
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from trajbatt.pictures import panels

MOST_LABELS = 12
SYMBOLS = {
    "n_atoms": "$N$",
    "ratio": r"$\gamma_+/\gamma_-$",
    "gamma_0": r"$\gamma_0/\gamma_-$",
    "drive": r"$\Omega_P/N\gamma_-$",
}


def charging_figure(runs, exact, battery, trajectories, secular=None):
    """Return the picture of a charging run: energy, clicks of the first trajectory, counts.

    `secular` is the exact solution of Eq. (7) beside that of Eq. (5).
    """
    figure, (energy, clicks, counts) = _stack([3, 1 if len(runs.channels) > 1 else 0.6, 1.7])
    panels.draw_energy(energy, runs, exact, trajectories)
    if secular is None:
        panels.draw_asymptotic(energy, battery, runs.times)
    else:
        panels.draw_secular(energy, secular)
    _legend_above(energy)
    equation = "" if secular is None else " by Eq. (5)"
    figure.suptitle(f"Charging {_parameters(battery)}{equation}", fontsize=11)
    _finish(runs, exact, battery, trajectories, clicks, counts)
    return figure


def discharge_figure(runs, exact, battery, trajectories):
    """Return the picture of a discharge: energy, coherent energy, clicks, counts."""
    figure, (energy, coherent, clicks, counts) = _stack([3, 1.5, 0.6, 1.7])
    panels.draw_energy(energy, runs, exact, trajectories)
    _legend_above(energy)
    panels.draw_coherent(coherent, runs, exact)
    figure.suptitle(f"Discharging {_parameters(battery)}", fontsize=11)
    _finish(runs, exact, battery, trajectories, clicks, counts)
    return figure


def protocol_figure(runs, exact, battery, trajectories):
    """Return the picture of a protocol, its stages shaded: energy, coherent energy, clicks, counts.

    Without a discharge there is no coherent energy.
    """
    with_coherent = runs.coherent_energy is not None
    heights = [3, 1.5, 1.2, 1.7] if with_coherent else [3, 1.2, 1.7]
    figure, axes = _stack(heights)
    energy, *_, clicks, counts = axes
    panels.draw_energy(energy, runs, exact, trajectories)
    if with_coherent:
        panels.draw_coherent(axes[1], runs, exact)
    for one in axes:
        panels.draw_stages(one, runs.model, named=one is energy)
    _legend_above(energy, anchor=1.07)
    figure.suptitle(_parameters(battery), fontsize=11)
    _finish(runs, exact, battery, trajectories, clicks, counts, legend_above=True)
    return figure


def photons_figure(found, name, battery):
    """Return the picture of a `PhotonReport`: numbers, Fano factors, waiting times, g2."""
    figure = Figure(figsize=(10.0, 7.6), dpi=130, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(2, 2)
    for one in axes.ravel():
        one.spines[["top", "right"]].set_visible(False)
    (numbers, fano), (waiting, g2) = axes
    of_time, of_rate = _units(battery)
    panels.draw_numbers(numbers, found)
    panels.draw_curves(fano, found.fano)
    fano.axhline(1.0, color=panels.NOTE["color"], lw=0.8, ls=":")
    fano.set_xlabel(f"length of the window from $t = 0${of_time}")
    fano.set_ylabel("Fano factor, Var(n)/⟨n⟩")
    panels.draw_curves(waiting, {k: v for k, v in found.waiting.items() if k != "total"})
    waiting.set_yscale("log")
    waiting.set_xlabel(f"time from any photon to the next{of_time}")
    waiting.set_ylabel(f"density, by the next one's channel{of_rate}")
    panels.draw_curves(g2, found.g2)
    g2.axhline(1.0, color=panels.NOTE["color"], lw=0.8, ls=":")
    g2.set_xlabel(f"delay $\\tau$ of pairs in one channel{of_time}")
    g2.set_ylabel(r"$g^{(2)}(\tau)$")
    for one in (fano, waiting, g2):
        one.ticklabel_format(axis="x", style="sci", scilimits=(-3, 4))
        one.set_xlim(left=0.0)
    handles, labels = fano.get_legend_handles_labels()
    has_exact = any(curve.exact is not None for curve in found.fano.values())
    figure.legend(
        handles,
        labels,
        loc="outside lower center",
        ncols=5,
        frameon=False,
        title="marks: with two standard errors" + ("; lines: exact" if has_exact else ""),
        title_fontsize=9,
    )
    figure.suptitle(
        f"Photons of {found.ntraj:,} trajectories ({name}), {_parameters(battery)}", fontsize=11
    )
    return figure


def filter_figure(found, unseen, battery, what):
    """Return the picture of a filtered record: energy as the photons tell it, and the photons.

    `what` says what the battery does, and the detectors.
    """
    rows = len(found.channels)
    figure, (energy, clicks) = _stack([3, 1 if rows > 1 else 0.6])
    panels.draw_conditional_energy(energy, found, unseen)
    _legend_above(energy)
    panels.draw_seen(clicks, found)
    _label_time(clicks, found.times, _units(battery)[0])
    figure.suptitle(
        f"The charge as its photons tell it: {what}\n{_parameters(battery)}", fontsize=11
    )
    return figure


def secular_figure(check):
    """Return the picture of one comparison of Eqs. (5) and (7): energies and their difference."""
    figure, (energy, difference) = _stack([2, 1], height=6.0)
    n_atoms, times = check.battery.n_atoms, check.full.times
    energy.plot(
        times, check.full.energy / n_atoms, color=panels.EXACT_COLOR, lw=1.2, label="Eq. (5)"
    )
    energy.plot(
        times,
        check.secular.energy / n_atoms,
        color=panels.SECULAR_COLOR,
        lw=1.4,
        ls=(0, (4, 2)),
        label="Eq. (7)",
    )
    energy.set_ylabel(r"energy per atom ($\hbar\omega_0$)")
    energy.legend(frameon=False, fontsize=9)
    difference.axhline(0.0, color="#bbbbbb", lw=0.8)
    difference.plot(
        times,
        (check.secular.energy - check.full.energy) / n_atoms,
        color=panels.SECULAR_COLOR,
        lw=1.0,
    )
    difference.set_ylabel("Eq. (7) minus Eq. (5)")
    _label_time(difference, times, r" ($1/\gamma$)")
    figure.suptitle(
        f"$N = {n_atoms}$, $\\theta = {check.battery.theta:.4g}$, "
        f"$\\Omega_P/N\\gamma = {check.drive:.4g}$: "
        f"trace distance in the end {check.trace_distance:.2g}",
        fontsize=11,
    )
    return figure


def secular_sweep_figure(checks):
    """Return the picture of a sweep of the drive: how Eq. (7) comes to stand for Eq. (5)."""
    figure, (axes,) = _stack([1], height=5.0)
    drive = np.array([check.drive for check in checks])
    curves = {
        "trace distance of the steady states": ([c.trace_distance for c in checks], "o", "#555555"),
        "energy per atom, largest difference on the way": (
            [c.transient_difference for c in checks],
            "v",
            panels.SECULAR_COLOR,
        ),
        "energy per atom, difference in the end": (
            [abs(c.energy_difference) for c in checks],
            "^",
            panels.CHANNEL_COLORS["red"],
        ),
    }
    for label, (values, mark, color) in curves.items():
        axes.loglog(drive, np.maximum(values, 1e-16), marker=mark, color=color, label=label)
    axes.set_xlabel(r"$\Omega_P/N\gamma$")
    axes.set_ylabel("difference of Eqs. (5) and (7)")
    axes.legend(frameon=False, fontsize=9)
    battery = checks[0].battery
    figure.suptitle(f"$N = {battery.n_atoms}$, $\\theta = {battery.theta:.4g}$", fontsize=11)
    return figure


def sweep_figure(data):
    """Return the picture of a sweep: power, fluctuation and waste against the final charge.

    Each line joins the points that differ in theta only.
    """
    figure, axes = _stack([1.6, 1.6, 1.6])
    lines = data.stack(line=[name for name in data.dims if name != "theta"])
    several = [name for name in lines.line.to_index().names if data.sizes[name] > 1]
    for i in range(lines.sizes["line"]):
        one = lines.isel(line=i)
        n_atoms = int(one.n_atoms)
        label = ", ".join(f"{SYMBOLS[name]} = {float(one[name]):g}" for name in several)
        curves = (one.power / n_atoms**2, one.relative_fluctuation, one.waste_per_quantum)
        color = matplotlib.colormaps["viridis"](i / max(1, lines.sizes["line"] - 0.5))
        for panel, values in zip(axes, curves, strict=True):
            panel.plot(
                one.final_energy_per_atom, values, "o-", ms=3.5, lw=1.2, color=color, label=label
            )
        if "relative_fluctuation_estimate" in data:
            axes[1].errorbar(
                one.final_energy_per_atom,
                one.relative_fluctuation_estimate,
                2 * one.relative_fluctuation_sem,
                ls="",
                color=color,
                elinewidth=3,
                alpha=0.4,
            )
    axes[0].set_ylabel(r"$P/N^2$ ($\hbar\omega_0\gamma_-$)")
    axes[1].set_ylabel(r"$\Delta E/E$")
    axes[2].set_ylabel("photons per\nstored quantum")
    axes[2].set_xlabel(r"final charge: steady-state energy per atom ($\hbar\omega_0$)")
    axes[1].set_yscale("log")
    axes[2].set_yscale("log")
    if several and lines.sizes["line"] <= MOST_LABELS:
        _legend_above(axes[0])
    figure.suptitle(r"Charging to $T_{90}$; along a line, $\theta$", fontsize=11)
    return figure


def as_png(figure):
    """Return a figure as the bytes of a PNG file."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()


def _stack(heights, height=None):
    """Return a figure and its axes, one above the other, with a common abscissa."""
    figure = Figure(
        figsize=(7.2, height or 2.2 + 1.1 * sum(heights)), dpi=150, layout="constrained"
    )
    FigureCanvasAgg(figure)
    axes = figure.subplots(
        len(heights), 1, sharex=True, squeeze=False, gridspec_kw={"height_ratios": heights}
    )[:, 0]
    for one in axes:
        one.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _legend_above(axes, anchor=1.0):
    axes.legend(loc="lower left", bbox_to_anchor=(0.0, anchor), ncols=3, frameon=False, fontsize=9)


def _is_of_unit_rate(battery):
    """Whether rates are in units of gamma_minus; else they are in the user's."""
    return math.isclose(battery.gamma_minus, 1.0, rel_tol=1e-9)


def _units(battery):
    """Return the units of times and of rates as parts of labels, empty for the user's own."""
    return (r" ($1/\gamma_-$)", r" ($\gamma_-$)") if _is_of_unit_rate(battery) else ("", "")


def _parameters(battery):
    if _is_of_unit_rate(battery):
        rates = (
            f"$\\gamma_+/\\gamma_- = {battery.r:.4g}$, "
            f"$\\gamma_0/\\gamma_- = {battery.gamma_0:.4g}$, "
            f"$\\Omega_P/\\gamma_- = {battery.omega_p:.6g}$"
        )
    else:
        rates = (
            f"$\\gamma_+ = {battery.gamma_plus:.4g}$, $\\gamma_- = {battery.gamma_minus:.4g}$, "
            f"$\\gamma_0 = {battery.gamma_0:.4g}$, $\\Omega_P = {battery.omega_p:.6g}$"
        )
    return f"$N = {battery.n_atoms}$: $\\theta = {battery.theta:.4g}$, {rates}"


def _label_time(axes, times, unit):
    axes.set_xlabel(f"time $t${unit}")
    axes.set_xlim(0, times[-1])
    axes.ticklabel_format(axis="x", style="sci", scilimits=(-3, 4))


def _finish(runs, exact, battery, trajectories, clicks, counts, legend_above=False):
    """Draw the two panels of photons that every run has, and label the time."""
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
        title="marks: mean\nlines: exact" if not legend_above else "marks: mean, lines: exact",
        title_fontsize=9,
        alignment="left",
    )
    _label_time(counts, runs.times, _units(battery)[0])
