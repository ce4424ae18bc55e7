"""The picture of a sweep of parameters."""

import matplotlib
import numpy as np

from trajbatt.plots import layout

MOST_NAMES = 24  # lines that a legend beside the panels has room for
MOST_BANDS = 8  # lines whose bands can still be told apart
DECADES = 1.3  # of a parameter, above which its axis is logarithmic
MARGIN = 1.5  # on both sides of what a logarithmic axis has to show
BEYOND = 1e30  # what no axis reaches
WIDTH = 9.4  # inches, with a legend beside the panels
SYMBOLS = {
    "n_atoms": "$N$",
    "theta": r"$\theta$",
    "ratio": r"$\gamma_+/\gamma_-$",
    "gamma_0": r"$\gamma_0/\gamma_-$",
    "drive": r"$\Omega_P/N\gamma_-$",
    "time": r"$T\gamma_-$",
    "local": r"$\gamma_{\rm loc}/\gamma$",
    "dephasing": r"$\gamma_\varphi/\gamma_-$",
    "thermal": r"$\bar n$",
}


def default_axis(axes):
    """Return the parameter with most values, a name of `axes`; theta if others have as many."""
    return max(axes, key=lambda name: (len(axes[name]), name == "theta"))


def sweep_figure(grid, axis=None):
    """Return the picture of a sweep: energy, power, fluctuation and waste against a parameter.

    Parameters
    ----------
    grid : Grid
        All that is drawn is free of the phase of Omega_P at the end.
    axis : str, optional
        The parameter on the abscissa; by default that with most values. Each line joins the points
        that differ in it only.

    Returns
    -------
    Figure
    """
    axis = axis or default_axis(grid.axes)
    figure, panels = layout.stack([1.6, 1.4, 1.4, 1.4])
    lines = _lines(grid, axis)
    several = [name for name in grid.axes if name != axis and len(grid.axes[name]) > 1]
    x = np.array(grid.axes[axis], dtype=float)
    shown = max(1, -(-len(lines) // MOST_NAMES))
    for i, line in enumerate(lines):
        color = matplotlib.colormaps["viridis"](0.92 * i / max(1, len(lines) - 1))
        label = ", ".join(f"{SYMBOLS[name]} = {line[name][0]:.4g}" for name in several)
        label = label if i % shown == 0 else None
        _draw(panels, x, line, color, label, len(lines) <= MOST_BANDS)
    panels[0].set_ylabel("stored energy\nper atom ($\\hbar\\omega_0$)")
    panels[0].set_ylim(-0.03, 1.05)
    panels[1].set_ylabel("$P/N^2$\n($\\hbar\\omega_0\\gamma_-$)")
    panels[2].set_ylabel(r"$\Delta E/E$")
    panels[3].set_ylabel("photons per\nstored quantum")
    for one in panels[1:]:
        _logarithmic(one, "y")
    if x.min() > 0 and np.log10(x.max() / x.min()) > DECADES:
        panels[-1].set_xscale("log")
        layout.label_plainly(panels[-1].xaxis)
    if x.size == 1:
        panels[-1].set_xticks(x, [f"{x[0]:.4g}"])
    panels[-1].set_xlabel(SYMBOLS[axis])
    if several:
        figure.set_size_inches(WIDTH, figure.get_size_inches()[1])
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(
            handles,
            labels,
            loc="outside right upper",
            frameon=False,
            fontsize=9,
            title=None if shown == 1 else f"every {shown}th line:",
            title_fontsize=9,
            alignment="left",
        )
    figure.suptitle(_title(grid, axis, len(lines)), **layout.TITLE)
    return figure


def _title(grid, axis, n_lines):
    """Return what is the same in all points, and what is drawn."""
    fixed = [
        f"{SYMBOLS[name]} = {values[0]:.4g}"
        for name, values in grid.axes.items()
        if len(values) == 1 and name != axis
    ]
    until = "for a time $T$" if "time" in grid.axes else "to $T_{90}$"
    words = "means over a period of $\\Omega_P$"
    if n_lines <= MOST_BANDS:
        words += "; bands: between the bounds"
    if grid.ntraj:
        words += f"\nbars: {grid.ntraj:,} trajectories, $\\pm$ 2 standard errors"
    return f"Charging {until}" + (": " if fixed else "") + ", ".join(fixed) + "\n" + words


def _lines(grid, axis):
    """Return parameters and numbers of each line, a list of dicts of arrays (n,)."""
    place = list(grid.axes).index(axis)
    tables = {**grid.coordinates(), **grid.numbers}
    rows = {
        name: np.moveaxis(values, place, -1).reshape(-1, len(grid.axes[axis]))
        for name, values in tables.items()
    }
    n_lines = len(next(iter(rows.values())))
    return [{name: values[i] for name, values in rows.items()} for i in range(n_lines)]


def _draw(panels, x, line, color, label, with_band):
    power = 1.0 / line["n_atoms"] ** 2
    shown = (
        ("mean_energy_per_atom", "lowest_energy_per_atom", "highest_energy_per_atom", 1.0),
        ("power", "lowest_power", "highest_power", power),
        ("relative_fluctuation", None, None, 1.0),
        ("waste_per_quantum", "lowest_waste_per_quantum", "highest_waste_per_quantum", 1.0),
    )
    for panel, (name, low, high, unit) in zip(panels, shown, strict=True):
        panel.plot(x, line[name] * unit, "o-", ms=4, lw=1.2, color=color, label=label)
        if with_band and low is not None:
            # Where the lower bound of the energy is 0, there is no upper bound of the waste.
            upper = np.where(np.isnan(line[high]) & ~np.isnan(line[low]), BEYOND, line[high] * unit)
            if x.size > 1:
                panel.fill_between(x, line[low] * unit, upper, color=color, alpha=0.13, lw=0)
            else:
                panel.vlines(x, line[low] * unit, upper, color=color, alpha=0.3, lw=8)
        if f"{name}_estimate" in line:
            panel.errorbar(
                x,
                line[f"{name}_estimate"] * unit,
                2 * line[f"{name}_sem"] * unit,
                ls="",
                color=color,
                elinewidth=4,
                alpha=0.4,
            )


def _logarithmic(axes, which):
    """Make an axis logarithmic if its lines span much; bands may go beyond what it shows."""
    values = np.concatenate([np.asarray(line.get_ydata(), dtype=float) for line in axes.lines])
    positive = values[np.isfinite(values) & (values > 0.0)]
    if not positive.size:
        axes.set_ylim(0.0, 1.0)
    elif positive.max() > 3.0 * positive.min():
        axes.set(**{f"{which}scale": "log"})
        layout.label_plainly(getattr(axes, f"{which}axis"))
        axes.set_ylim(positive.min() / MARGIN, positive.max() * MARGIN)
    else:
        axes.set_ylim(0.0, 1.15 * positive.max())
