"""What all pictures share: figures and axes, legends, units, and titles that tell a model."""

import math

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import LogFormatter

from trajbatt.models.origin import NOISE
from trajbatt.models.recognised import battery_of
from trajbatt.plots.style import as_bytes, plain_text


class Picture(Figure):
    """A figure that notebooks show, whether or not pyplot knows it."""

    def _repr_png_(self):
        return as_bytes(self)


TITLE = {"fontsize": 11}
WIDE_LABEL = 27  # characters: three such columns are wider than a panel
WIDEST_TITLE = 84  # characters that fit above a column of panels
# How a heading calls what a battery does; other names, which are the user's, stand as they are.
GERUNDS = {"charge": "Charging", "store": "Storing", "discharge": "Discharging"}
SYMBOLS = {"theta": r"$\theta$"}


class PlainLogFormatter(LogFormatter):
    """Labels a logarithmic axis with numbers as people write them, 0.16 and not 1.6 x 10^-1."""

    def __call__(self, x, pos=None):
        """Return the label of a tick; empty where there would be too many."""
        return f"{x:g}" if super().__call__(x, pos) else ""


def label_plainly(axis):
    """Label a logarithmic axis, such as `axes.yaxis`, with plain numbers."""
    axis.set_major_formatter(PlainLogFormatter())
    axis.set_minor_formatter(PlainLogFormatter(minor_thresholds=(1.0, 0.4)))


def stack(heights, height=None):
    """Return a figure and its axes, one above the other, with a common abscissa.

    Parameters
    ----------
    heights : sequence of n float
        Of the panels, relative.
    height : float, optional
        Of the figure, in inches.

    Returns
    -------
    figure : Figure
    axes : ndarray (n,) of Axes
    """
    figure = Picture(
        figsize=(7.2, height or 2.2 + 1.1 * sum(heights)), dpi=150, layout="constrained"
    )
    FigureCanvasAgg(figure)
    axes = figure.subplots(
        len(heights), 1, sharex=True, squeeze=False, gridspec_kw={"height_ratios": heights}
    )[:, 0]
    _open(axes)
    return figure, axes


def square():
    """Return a figure and its axes (2, 2), with abscissas of their own."""
    figure = Picture(figsize=(10.0, 7.6), dpi=130, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(2, 2)
    _open(axes.ravel())
    return figure, axes


def _open(axes):
    for one in axes:
        one.spines[["top", "right"]].set_visible(False)


def raster_height(channels, least=None):
    """Return the relative height of a raster with a line for each channel, or `least` of it."""
    if least is None:
        least = 0.6 if len(channels) == 1 else 1.0
    return max(least, 0.3 * len(channels))


TOO_FAST = (
    r"$\Omega_P$ is too fast to be drawn: pairs of lines are the two sides of the oscillation"
)


def legend_above(axes, anchor=1.0, title=None):
    """Put the legend of a panel above it, in up to three columns, with a line that explains it."""
    _, labels = axes.get_legend_handles_labels()
    axes.legend(
        loc="lower left",
        bbox_to_anchor=(0.0, anchor),
        ncols=3 if max(map(len, labels), default=0) < WIDE_LABEL else 2,
        frameon=False,
        fontsize=9,
        title=title,
        title_fontsize=9,
        alignment="left",
    )


def label_time(axes, times, unit):
    """Label the abscissa of the lowest panel, and let it end with `times` (nt,)."""
    axes.set_xlabel(f"time $t${unit}")
    if times[-1] > 0.0:
        axes.set_xlim(0, times[-1])
    axes.ticklabel_format(axis="x", style="sci", scilimits=(-3, 4))


def is_of_unit_rate(battery):
    """Whether rates are in units of gamma_minus; else, or without a battery, in the user's."""
    return battery is not None and math.isclose(battery.gamma_minus, 1.0, rel_tol=1e-9)


def units(model):
    """Return the units of times and of rates as parts of labels, empty for the user's own."""
    if is_of_unit_rate(battery_of(model)):
        return r" ($1/\gamma_-$)", r" ($\gamma_-$)"
    return "", ""


def doing(model):
    """Return what stands before and after the number of atoms to say what a plain model does.

    Such as "Charging " and " by Eq. (5)", or "heat: " and "".
    """
    rest = model.label.removeprefix(model.name)
    gerund = GERUNDS.get(model.name)
    return f"{gerund} " if gerund else f"{model.name}: ", rest


def title(model):
    """Return the title of a picture of a plain model: what it does, and its parameters."""
    before, after = (plain_text(words) for words in doing(model))
    return f"{before}{parameters(model)}{after}"


def parameters(model):
    """Return N and the parameters of the battery that makes a model, or else the model's own.

    Those of a model with many channels take several lines.
    """
    battery = battery_of(model)
    if battery is None:
        own = {SYMBOLS.get(name, plain_text(name)): v for name, v in model.parameters().items()}
        listed = ", ".join(
            [f"$N = {model.n_atoms}$", *(f"{name} = {value:.4g}" for name, value in own.items())]
        )
        return _in_lines(listed)
    if is_of_unit_rate(battery):
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
    noise = [
        f"{words}: {value:.4g}"
        for name, value in battery.arguments().items()
        for words in ([plain_text(name.replace("_", " "))] if name in NOISE else [])
    ]
    listed = f"$N = {battery.n_atoms}$: $\\theta = {battery.theta:.4g}$, {rates}"
    return f"{listed}\n{_in_lines(', '.join(noise))}" if noise else listed


def _in_lines(listed):
    """Return a list with commas, broken at commas where it would be wider than a picture."""
    lines, width = [], 0
    for item in listed.split(", "):
        if lines and width + len(item) <= WIDEST_TITLE:
            lines[-1].append(item)
            width += len(item) + 2
        else:
            lines.append([item])
            width = len(item)
    return ",\n".join(", ".join(line) for line in lines)
