"""Correlations of clicks, with errors.

Pairs of clicks within a trajectory are compared with pairs across trajectories, which are
uncorrelated: so the light need not be stationary. A single trajectory is taken as stationary.
"""

import numpy as np
from numpy.typing import ArrayLike

from trajbatt.base import checks
from trajbatt.base.types import Pair
from trajbatt.light.clicks import Clicks
from trajbatt.photons.estimate import (
    BLOCKS,
    Estimate,
    bins_of,
    group_sizes,
    groups_of,
    inside,
    pair_of,
    spread,
    window,
)


def g2(
    clicks: Clicks, edges: ArrayLike, channels: Pair, start: float = 0.0, stop: float | None = None
) -> Estimate:
    """Return g2_ab(tau), an `Estimate` (n_bins,).

    For the pairs of a click of channel a and a later one of channel b, whatever comes between, it
    is how many there are with such a delay, in proportion to how many there were if clicks did not
    depend on each other. Its exact twin is `trajbatt.counting.g2(..., at=(start, stop))`. A single
    trajectory is taken as stationary: its first clicks are compared with the clicks of the same
    window, as much later as the delay.

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
        nan where no pair is expected.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range or of the wrong kind.
    """
    edges = checks.times("edges", edges)
    start, stop = window(clicks, start, stop, edges[-1])
    is_first, is_second = pair_of(clicks, channels)
    is_first = is_first & inside(clicks.time, start, stop)
    n_groups, groups = groups_of(clicks, start, stop)
    wanted = is_first, is_second
    own, _ = _pairs(clicks, slice(None), clicks.offsets, wanted, groups, n_groups, edges)
    pairs = own.copy()
    if edges[0] == 0.0:  # a click makes no pair with itself
        pairs[:, 0] -= np.bincount(groups[is_first & is_second], minlength=n_groups)
    if clicks.ntraj == 1:
        firsts = np.bincount(groups[is_first], minlength=n_groups)
        return _stationary(firsts, clicks.time[is_second], pairs, edges, start, stop)
    order = np.flatnonzero(is_first | is_second)
    order = order[np.argsort(clicks.time[order], kind="stable")]
    across = _pairs(clicks, order, [0, order.size], wanted, groups, n_groups, edges)
    return _compared(group_sizes(clicks, n_groups), pairs, own, *across)


def g2_matrix(clicks: Clicks, edges: ArrayLike, channels: Pair) -> Estimate:
    """Return g2_ab(t, t') for clicks in bins of time, an `Estimate` (n_bins, n_bins).

    Element (i, j) is <n_a n_b>/(<n_a><n_b>) of the numbers of channel a in bin i and of channel b
    in bin j; a click makes no pair with itself.

    Parameters
    ----------
    clicks : Clicks
        Of two trajectories at least.
    edges : array_like (n_bins + 1,)
        Strictly increasing edges of the bins of time.
    channels : pair of str
        Names of channels, or "total".

    Returns
    -------
    Estimate
        nan where no pair is expected.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range or of the wrong kind.
    """
    edges = checks.times("edges", edges)
    window(clicks, edges[0], edges[-1])
    if clicks.ntraj < 2:
        raise ValueError("`clicks` must be of two trajectories at least, but are of one")
    wanted = pair_of(clicks, channels)
    n_groups, _ = groups_of(clicks, edges[0], edges[-1])
    n_bins, sizes = edges.size - 1, group_sizes(clicks, n_groups)
    sums = np.zeros((2, n_groups, n_bins))
    own, selves = np.zeros((n_groups, n_bins, n_bins)), np.zeros((n_groups, n_bins))
    starts, offsets = np.append(0, np.cumsum(sizes)), clicks.offsets
    for g, size in enumerate(sizes):
        part = slice(offsets[starts[g]], offsets[starts[g + 1]])
        time = clicks.time[part]
        bins = bins_of(time, edges)
        place = (clicks.trajectory[part] - clicks.first - starts[g]) * n_bins + bins
        watched = (bins >= 0) & (bins < n_bins)
        a, b = (
            np.bincount(place[watched & one[part]], minlength=size * n_bins)
            .reshape(size, n_bins)
            .astype(float)
            for one in wanted
        )
        sums[:, g] = a.sum(axis=0), b.sum(axis=0)
        own[g] = a.T @ b
        both = watched & wanted[0][part] & wanted[1][part]
        selves[g] = np.bincount(bins[both], minlength=n_bins)
    pairs = own.copy()
    pairs[:, range(n_bins), range(n_bins)] -= selves
    of_first = sums[0][:, :, None] * sums[1].sum(axis=0)[None, None, :]
    of_second = sums[0].sum(axis=0)[None, :, None] * sums[1][:, None, :]
    return _compared(sizes, pairs, own, of_first, of_second)


def _compared(sizes, pairs, own, of_first, of_second):
    """Return pairs within trajectories in proportion to those across.

    Parameters
    ----------
    sizes : ndarray (n_groups,), int64
        How many trajectories each group has.
    pairs : ndarray (n_groups, ...)
        Within trajectories, by their group.
    own : ndarray (n_groups, ...)
        The same with what makes no pair, but is among the others.
    of_first, of_second : ndarray (n_groups, ...)
        Across all trajectories, by the group of the first and of the second click.
    """
    ntraj = sizes.sum()
    across = (of_first.sum(axis=0) - own.sum(axis=0)) / (ntraj - 1)
    with np.errstate(invalid="ignore", divide="ignore"):
        value = pairs.sum(axis=0) / across
        expected = (of_first + of_second - 2 * own) / (ntraj - 1)
        # A group that is larger than another has more of all pairs: that is no deviation.
        usual = (sizes / ntraj).reshape(-1, *[1] * value.ndim)
        return Estimate(
            np.where(across > 0, value, np.nan),
            spread((pairs - value * expected) / across + value * usual),
        )


def _stationary(firsts, seconds, pairs, edges, start, stop):
    """Return g2 of one trajectory, whose mean rates are taken as those at any time.

    The first clicks of each block of the window, and the clicks that might be second to one of
    them, are compared with the pairs of that block. Were the second ones counted in any other
    time, their number would not go up and down with that of the pairs, and the pairs would seem to
    be as uncertain as the brightness.

    Parameters
    ----------
    firsts : ndarray (n_blocks,), int64
        How many first clicks there are in each block of (start, stop].
    seconds : ndarray (n,), float64
        Times of clicks that may be second.
    pairs : ndarray (n_blocks, n_bins)
        By the block of the first click.
    edges : ndarray (n_bins + 1,)
    start, stop : float
    """
    firsts, seconds = firsts[:, None], _in_reach(seconds, edges, start, stop)
    with np.errstate(invalid="ignore", divide="ignore"):
        expected = firsts.sum() * seconds.sum(axis=0) / (stop - start)
        value = np.where(expected > 0, pairs.sum(axis=0) / expected, np.nan)
        shares = firsts / firsts.sum() + seconds / seconds.sum(axis=0)
        return Estimate(value, spread(pairs / expected - value * shares))


def _in_reach(seconds, edges, start, stop):
    """Return how many clicks are in each block, delayed, times the delay, (n_blocks, n_bins).

    It is the integral over the delays of a bin of the number of clicks in the delayed block.
    """
    bounds = np.linspace(start, stop, BLOCKS + 1)
    reached = bounds[:, None] + edges
    number = np.searchsorted(seconds, reached, side="right")
    full = np.diff(number, axis=0)[:, :-1] * np.diff(edges)
    # What enters, or leaves, while the delay grows.
    entered = np.array(
        [
            [(end - seconds[i:j]).sum() for end, i, j in zip(*one, strict=True)]
            for one in zip(reached[:, 1:], number[:, :-1], number[:, 1:], strict=True)
        ]
    )
    return full + np.diff(entered, axis=0)


def _pairs(clicks, order, offsets, wanted, groups, n_groups, edges):
    """Return pairs by the group of the first and of the second click, each (n_groups, n_bins).

    Parameters
    ----------
    clicks : Clicks
    order : index
        Of the clicks, so that records lie one after the other, each sorted by time.
    offsets : array_like (n_records + 1,)
        Where the records begin and end; pairs are of clicks of one record.
    wanted : pair of ndarray (n_clicks,), bool
        What clicks may be the first and the second of a pair.
    groups : ndarray (n_clicks,), int64
    n_groups : int
    edges : ndarray (n_bins + 1,)
    """
    from trajbatt.kernels.pairs import pairs_by_delay

    time, groups, sides = clicks.time[order], groups[order], []
    for side in wanted:
        chosen = side[order]
        sides += [time[chosen], np.append(0, np.cumsum(chosen))[offsets], groups[chosen]]
    shorter, longer = np.zeros((2, edges.size, n_groups), dtype=np.int64)
    pairs_by_delay(*sides, edges, shorter, longer)
    return np.diff(shorter, axis=0).T, -np.diff(longer, axis=0).T
