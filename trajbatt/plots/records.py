"""Panels of what detectors saw of one battery: clicks as a raster, currents by their integrals."""

import textwrap

import numpy as np

from trajbatt.plots.style import NOTE, channel_style, plain_text

WIDEST_NAME = 16  # characters of a channel beside its line


def draw_clicks(axes, trajectory):
    """Draw the clicks of one trajectory as a raster, one line per channel, by frequency.

    Of one without clicks, the integrals of its currents.
    """
    model = trajectory.model
    axes.set_ylabel(f"{model.counted_as} of\ntrajectory {trajectory.index}")
    if not model.has_clicks:
        return _draw_integrals(axes, trajectory.times, trajectory.counts, trajectory.channels)
    clicks, shown = trajectory.clicks, trajectory.model.lit_channels
    return _draw_raster(axes, clicks.time, clicks.channel, clicks.channels, shown)


def draw_seen(axes, found):
    """Draw the clicks of a `FilterResult` in the same way."""
    axes.set_ylabel(f"{found.model.counted_as}\nseen")
    if found.current is not None:
        edges, current = found.current.edges, found.current.current
        integrals = np.pad(np.cumsum(current * np.diff(edges), axis=1), [(0, 0), (1, 0)])
        return _draw_integrals(axes, edges, integrals, found.channels)
    shown = found.model.lit_channels
    return _draw_raster(axes, found.click_time, found.click_channel, found.channels, shown)


def _draw_integrals(axes, times, integrals, channels):
    """Draw the integrals of currents (nd, nt)."""
    artists = []
    for name, integral in zip(channels, integrals, strict=True):
        color = channel_style(name, channels).color
        artists += axes.plot(times, integral, color=color, lw=0.9, label=plain_text(name))
    axes.set_ylabel(f"{axes.get_ylabel()},\nintegrated")
    axes.legend(loc="upper left", frameon=False, fontsize=9)
    return artists


def _draw_raster(axes, time, channel, channels, shown):
    artists = []
    colors = [channel_style(name, channels).color for name in shown]
    for row, (name, color) in enumerate(zip(shown, colors, strict=True)):
        times = time[channel == channels.index(name)]
        artists += axes.eventplot(
            [times],
            lineoffsets=row,
            linelengths=0.7,
            linewidths=0.9,
            colors=color,
            # Where clicks overlap, shades still tell how many there are.
            alpha=min(1.0, max(0.02, 150 / max(1, times.size))),
        )
        if times.size == 0:
            axes.text(0.5, row, "no photons", transform=axes.get_yaxis_transform(), **NOTE)
    axes.set_yticks(range(len(shown)), [plain_text(_shortened(name)) for name in shown])
    for label, color in zip(axes.get_yticklabels(), colors, strict=True):
        label.set_color(color)
    axes.set_ylim(-0.6, len(shown) - 0.4)
    axes.tick_params(axis="y", length=0)
    return artists


def _shortened(name):
    """Return a long name in two lines, so that it leaves room for the panels."""
    if len(name) > WIDEST_NAME:
        name = name.replace("_", " ")
    return "\n".join(textwrap.wrap(name, WIDEST_NAME, max_lines=2, placeholder="…")) or name
