"""Waiting times of clicks: how long until the next one, and which, with errors."""

import numpy as np
from numpy.typing import ArrayLike

from trajbatt.base import checks
from trajbatt.base.checks import shown
from trajbatt.base.types import Pair
from trajbatt.light.clicks import Clicks
from trajbatt.light.input import check_clicks
from trajbatt.photons.estimate import Estimate, counted, groups_of, inside, pair_of, ratio
from trajbatt.photons.estimate import window as window_of


def first_click(clicks: Clicks, tlist: ArrayLike) -> Estimate:
    """Return the fraction of trajectories that have clicked by each time, an `Estimate` (nt,).

    Parameters
    ----------
    clicks : Clicks
    tlist : array_like (nt,)
        Strictly increasing times, up to the end of the record.

    Returns
    -------
    Estimate
        Arrays (nt,).

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range or of the wrong kind.
    """
    check_clicks(clicks)
    times = checks.times("tlist", tlist)
    window_of(clicks, 0.0, times[-1])
    offsets = clicks.offsets
    first = clicks.time[offsets[:-1][np.diff(offsets) > 0]]
    value = np.searchsorted(np.sort(first), times, side="right") / clicks.ntraj
    return Estimate(value, np.sqrt(value * (1.0 - value) / clicks.ntraj))


def waiting_time(
    clicks: Clicks, edges: ArrayLike, channels: Pair, start: float = 0.0, stop: float | None = None
) -> Estimate:
    """Return the density of the time from a click to the next one, an `Estimate` (n_bins,).

    As in `trajbatt.counting.waiting_time` it counts those next clicks only that are of the second
    channel. The value of a bin is the mean over it. The exact twin is
    `trajbatt.counting.waiting_time(..., at=(start, stop))`.

    Parameters
    ----------
    clicks : Clicks
    edges : array_like (n_bins + 1,)
        Strictly increasing edges of the bins of delays.
    channels : pair of str
        Of the first and of the second click: names of channels, or "total".
    start, stop : float
        First clicks in (start, stop] are taken, from 0 on in [0, stop]; by default, all for which
        the longest delay ends in the record.

    Returns
    -------
    Estimate
        In the unit of rates; nan if there is no first click.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range or of the wrong kind.
    """
    edges = checks.times("edges", edges)
    start, stop = window_of(clicks, start, stop, edges[-1])
    is_first, is_second = pair_of(clicks, channels)
    taken, following, delays = _next(clicks, is_first, start, stop)
    n_groups, groups = groups_of(clicks, start, stop)
    found = np.flatnonzero(
        is_second[following] & (delays >= edges[0]) & (delays < edges[-1]) & (following > 0)
    )
    bins = np.searchsorted(edges, delays[found], side="right") - 1
    n_bins = edges.size - 1
    place = groups[taken[found]] * n_bins + bins
    numbers = np.bincount(place, minlength=n_groups * n_bins).reshape(n_groups, n_bins)
    firsts = np.bincount(groups[taken], minlength=n_groups)
    return ratio(numbers / np.diff(edges), firsts[:, None])


def next_channel(
    clicks: Clicks, after: str | None = None, start: float = 0.0, stop: float | None = None
) -> Estimate:
    """Return the fractions of next clicks that are of each channel, an `Estimate` (nc,).

    Parameters
    ----------
    clicks : Clicks
    after : str, optional
        Next to clicks of this channel, or of any with "total"; by default, to the time `start`.
    start, stop : float
        Clicks `after` in (start, stop], from 0 on in [0, stop], are taken; by default all. A next
        click after the end of the record is not seen, and counts as none: the exact twin is
        `trajbatt.counting.next_channel(..., until=clicks.duration)`.

    Returns
    -------
    Estimate
        nan if there is no click `after`.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range or of the wrong kind.
    """
    if after is None and stop is not None:
        raise ValueError(f"`stop` must be left out where no photon is given, but is {shown(stop)}")
    start, stop = window_of(clicks, start, stop)
    n_channels = len(clicks.channels)
    if after is None:
        later = np.flatnonzero(inside(clicks.time, start, np.inf))
        _, first = np.unique(clicks.trajectory[later], return_index=True)
        value = np.bincount(clicks.channel[later[first]], minlength=n_channels) / clicks.ntraj
        return Estimate(value, np.sqrt(value * (1.0 - value) / clicks.ntraj))
    taken, following, _ = _next(clicks, counted(clicks, after, "after"), start, stop)
    n_groups, groups = groups_of(clicks, start, stop)
    there = following > 0
    place = groups[taken[there]] * n_channels + clicks.channel[following[there]]
    found = np.bincount(place, minlength=n_groups * n_channels).reshape(n_groups, n_channels)
    firsts = np.bincount(groups[taken], minlength=n_groups)
    return ratio(found, firsts[:, None])


def _next(clicks, is_first, start, stop):
    """Return the first clicks in a window, the clicks next to them (0 for none), and the delays."""
    taken = np.flatnonzero(is_first & inside(clicks.time, start, stop))
    following = np.minimum(taken + 1, len(clicks) - 1)
    same = (clicks.trajectory[following] == clicks.trajectory[taken]) & (following > taken)
    delays = np.where(same, clicks.time[following] - clicks.time[taken], np.inf)
    return taken, np.where(same, following, 0), delays
