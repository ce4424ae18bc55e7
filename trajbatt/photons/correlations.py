"""Correlations of clicks, with errors.

Pairs of clicks within a trajectory are compared with pairs across trajectories, which are
uncorrelated: so the light need not be stationary. A single trajectory is taken as stationary.
"""

import numpy as np

from trajbatt import checks
from trajbatt.photons.estimate import (
    Estimate,
    group_sizes,
    groups_of,
    pair_of,
    spread,
    window,
)


def g2(clicks, edges, channels, start=0.0, stop=None):
    """Return g2_ab(tau), an `Estimate` (n_bins,).

    For the pairs of a click of channel a and a later one of channel b, whatever comes between, it
    is how many there are with such a delay, in proportion to how many there were if clicks did not
    depend on each other. Its exact twin is `trajbatt.counting.g2(..., at=(start, stop))`.

    Parameters
    ----------
    clicks : Clicks
    edges : array_like (n_bins + 1,)
        Strictly increasing edges of the bins of delays.
    channels : pair of str
        Of the first and of the second click: names of channels, or "total".
    start, stop : float
        First clicks in (start, stop] are taken; by default, all for which the longest delay ends in
        the record.

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
    is_first = is_first & (clicks.time > start) & (clicks.time <= stop)
    n_groups, groups = groups_of(clicks, start, stop)
    pairs = _pairs_within(clicks, is_first, is_second, groups, n_groups, edges)
    if clicks.ntraj == 1:
        return _stationary(clicks, is_first, is_second, groups, n_groups, edges, pairs)
    of_first = _pairs_across(clicks, is_first, is_second, groups, n_groups, edges, 1)
    of_second = _pairs_across(clicks, is_second, is_first, groups, n_groups, edges, -1)
    own = pairs.copy()
    if edges[0] == 0.0:  # across trajectories each click meets itself, too
        own[:, 0] += np.bincount(groups[is_first & is_second], minlength=n_groups)
    return _compared(clicks.ntraj, pairs, own, of_first, of_second)


def g2_matrix(clicks, edges, channels):
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
        bins = np.searchsorted(edges, time, side="left") - 1  # in (start, end]
        place = (clicks.trajectory[part] - clicks.first - starts[g]) * n_bins + bins
        inside = (bins >= 0) & (bins < n_bins)
        a, b = (
            np.bincount(place[inside & one[part]], minlength=size * n_bins)
            .reshape(size, n_bins)
            .astype(float)
            for one in wanted
        )
        sums[:, g] = a.sum(axis=0), b.sum(axis=0)
        own[g] = a.T @ b
        both = inside & wanted[0][part] & wanted[1][part]
        selves[g] = np.bincount(bins[both], minlength=n_bins)
    pairs = own.copy()
    pairs[:, range(n_bins), range(n_bins)] -= selves
    of_first = sums[0][:, :, None] * sums[1].sum(axis=0)[None, None, :]
    of_second = sums[0].sum(axis=0)[None, :, None] * sums[1][:, None, :]
    return _compared(clicks.ntraj, pairs, own, of_first, of_second)


def _compared(ntraj, pairs, own, of_first, of_second):
    """Return pairs within trajectories in proportion to those across.

    Parameters
    ----------
    ntraj : int
    pairs : ndarray (n_groups, ...)
        Within trajectories, by their group.
    own : ndarray (n_groups, ...)
        The same with what makes no pair, but is among the others.
    of_first, of_second : ndarray (n_groups, ...)
        Across all trajectories, by the group of the first and of the second click.
    """
    across = (of_first.sum(axis=0) - own.sum(axis=0)) / (ntraj - 1)
    with np.errstate(invalid="ignore", divide="ignore"):
        value = pairs.sum(axis=0) / across
        expected = (of_first + of_second - 2 * own) / (ntraj - 1)
        return Estimate(
            np.where(across > 0, value, np.nan), spread((pairs - value * expected) / across)
        )


def _stationary(clicks, is_first, is_second, groups, n_groups, edges, pairs):
    """Return g2 of one trajectory, whose mean rates are taken as those at any time."""
    firsts = np.bincount(groups[is_first], minlength=n_groups)[:, None]
    seconds = np.bincount(groups[is_second], minlength=n_groups)[:, None]
    with np.errstate(invalid="ignore", divide="ignore"):
        expected = firsts.sum() * (seconds.sum() / clicks.duration) * np.diff(edges)
        value = pairs.sum(axis=0) / expected
        shares = firsts / firsts.sum() + seconds / seconds.sum()
        return Estimate(value, spread(pairs / expected - value * shares))


def _pairs_within(clicks, is_first, is_second, groups, n_groups, edges):
    from trajbatt.kernels.pairs import pairs_within

    found = np.zeros((n_groups, edges.size - 1), dtype=np.int64)
    pairs_within(clicks.time, clicks.trajectory, is_first, is_second, groups, edges, found)
    return found


def _pairs_across(clicks, is_first, is_second, groups, n_groups, edges, sign):
    from trajbatt.kernels.pairs import pairs_across

    found = np.zeros((n_groups, edges.size - 1), dtype=np.int64)
    first = clicks.time[is_first]
    order = np.argsort(first, kind="stable")
    second = np.sort(clicks.time[is_second])
    pairs_across(first[order], second, groups[is_first][order], edges, sign, found)
    return found
