"""Estimates with standard errors, and what they are made from.

Clicks of one trajectory are correlated, trajectories are independent. So errors come from how
trajectories differ; where that would take too much memory, from how `GROUPS` groups of them do. A
single trajectory is taken as stationary and cut into blocks of time, which must be long compared
with its correlations.
"""

from typing import NamedTuple

import numpy as np

from trajbatt.base import checks
from trajbatt.base.types import FloatArray
from trajbatt.light.checking import AT_THE_END, TOTAL
from trajbatt.light.input import check_clicks

GROUPS = 64  # the error of an error is then about 9 %
BLOCKS = 32


class Estimate(NamedTuple):
    """A value and its standard error, arrays of one shape; the error is nan where it is unknown.

    Attributes
    ----------
    value, sem : ndarray, float64
    """

    value: FloatArray
    sem: FloatArray


def counted(clicks, channel, name="channel"):
    """Return which clicks are of a channel, or of any with "total", bool (n_clicks,)."""
    check_clicks(clicks)
    checks.choice(name, channel, (*clicks.channels, TOTAL))
    if channel == TOTAL:
        return np.ones(len(clicks), dtype=bool)
    return clicks.channel == clicks.channels.index(channel)


def pair_of(clicks, channels):
    """Return which clicks are of the first and of the second of a pair of channels."""
    return [counted(clicks, channel, "channels") for channel in checks.pair("channels", channels)]


def window(clicks, start, stop, reach=0.0):
    """Return `start` and `stop`, by default when a delay of `reach` still ends in the record.

    Raises
    ------
    ValueError
        If they are not in this order, or `stop` is later than that.
    """
    check_clicks(clicks)
    last = clicks.duration - reach
    start = checks.real("start", start, 0.0)
    if stop is None and not start < last:
        raise ValueError(
            f"the record must go on for longer than `start` and the longest delay, "
            f"{start + reach:g}, but ends at {clicks.duration:g}"
        )
    stop = last if stop is None else checks.real("stop", stop, 0.0)
    if stop > last * (1.0 + AT_THE_END):
        raise ValueError(
            f"`stop` must leave room for the longest delay, {reach:g}, before the end of the "
            f"record at {clicks.duration:g}, but is {stop:g}"
        )
    if not start < stop:
        raise ValueError(f"`start` must be below `stop`, {stop:g}, but is {start:g}")
    return start, stop


def inside(time, start, stop):
    """Return which times are in (start, stop], bool; a record's window begins with its beginning.

    So that one that begins at 0 is [0, stop]: a click at 0 is in no other.
    """
    return ((time > start) | ((time == 0.0) & (start == 0.0))) & (time <= stop)


def bins_of(time, edges):
    """Return the bin (start, end] of each time, int64; -1 before them all, n_bins after.

    That of a click at 0 is the first one, if it begins there.
    """
    bins = np.searchsorted(edges, time, side="left") - 1
    if edges[0] == 0.0:
        bins[time == 0.0] = 0
    return bins


def groups_of(clicks, start, stop):
    """Return the number of groups, and the group of each click, int64 (n_clicks,)."""
    if clicks.ntraj > 1:
        n = min(GROUPS, clicks.ntraj)
        return n, (clicks.trajectory - clicks.first) * n // clicks.ntraj
    place = (clicks.time - start) / (stop - start) * BLOCKS
    return BLOCKS, np.clip(place.astype(np.int64), 0, BLOCKS - 1)


def group_sizes(clicks, n_groups):
    """Return how many trajectories each group has, int64 (n_groups,)."""
    groups = np.arange(clicks.ntraj) * n_groups // clicks.ntraj
    return np.bincount(groups, minlength=n_groups)


def ratio(numerators, denominators):
    """Return the `Estimate` of the ratio of two sums over groups.

    Parameters
    ----------
    numerators : ndarray (n_groups, ...)
    denominators : ndarray (n_groups, ...)
        Broadcast against the numerators.
    """
    total = denominators.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        value = numerators.sum(axis=0) / total
        return Estimate(value, spread((numerators - value * denominators) / total))


def spread(shares):
    """Return the standard error of a sum whose independent `shares` (n_groups, ...) are alike."""
    n = len(shares)
    if n < 2:
        return np.full(shares.shape[1:], np.nan)
    return np.sqrt(n / (n - 1) * ((shares - shares.mean(axis=0)) ** 2).sum(axis=0))
