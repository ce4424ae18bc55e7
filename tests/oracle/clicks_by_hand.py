"""Records of some clicks, and their statistics click by click."""

from dataclasses import replace
from itertools import pairwise

import numpy as np

import trajbatt as tb

NAMES = ("a", "b", "c")


def hand_made(seed, ntraj=7, first=3, most=12, together=False):
    """Clicks at multiples of 1/16 up to 4, `together` if some of one record may coincide."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(0, most, ntraj) * (rng.random(ntraj) < 0.8)
    times = [np.sort(rng.choice(np.arange(1, 65), n, replace=together)) / 16 for n in sizes]
    return tb.Clicks(
        trajectory=first + np.repeat(np.arange(ntraj), sizes),
        time=np.concatenate(times),
        channel=rng.integers(0, 3, sizes.sum()).astype(np.int8),
        channels=NAMES,
        first=first,
        ntraj=ntraj,
        duration=4.25,
    )


def no_clicks(ntraj):
    return replace(hand_made(0).where(slice(0)), first=2, ntraj=ntraj)


DISTINCT = [hand_made(1), hand_made(2, first=0), hand_made(3, ntraj=2), hand_made(4, ntraj=20)]
ALONE = [hand_made(5, ntraj=1, most=30), hand_made(6, ntraj=1, most=50), no_clicks(1)]
RECORDS = [*DISTINCT, *ALONE, hand_made(7, most=40, together=True), no_clicks(4)]


def tracks(clicks):
    """The (time, channel) of each click, a list for each trajectory."""
    found = [[] for _ in range(clicks.ntraj)]
    for trajectory, at, channel in zip(clicks.trajectory, clicks.time, clicks.channel, strict=True):
        found[trajectory - clicks.first].append((at, clicks.channels[channel]))
    return found


def is_of(name, channel):
    return channel in (name, "total")


def number(track, channel, start, stop):
    return sum(
        is_of(name, channel) and (start < at <= stop or at == start == 0) for at, name in track
    )


def fraction(hits, ntraj):
    value = np.asarray(hits) / ntraj
    return value, np.sqrt(value * (1 - value) / ntraj)


def weighted(value, n):
    """A statistic of n trajectories, given as a function of their weights, and its error."""
    step = 1e-4 * np.eye(n)
    with np.errstate(invalid="ignore", divide="ignore"):
        slopes = [(value(1 + up) - value(1 - up)) / 2e-4 for up in step]
        sem = n * np.std(slopes, axis=0) / np.sqrt(n - 1) if n > 1 else None
        return value(np.ones(n)), sem


def next_by_hand(clicks, first, wanted, start, stop):
    """The fraction of the first clicks after which comes one that is `wanted`."""
    firsts, found = np.zeros((2, clicks.ntraj))
    for k, track in enumerate(tracks(clicks)):
        for i, (at, name) in enumerate(track):
            if is_of(name, first) and start < at <= stop:
                firsts[k] += 1
                if i + 1 < len(track):
                    found[k] += wanted(track[i + 1][0] - at, track[i + 1][1])
    return weighted(lambda w: w @ found / (w @ firsts), clicks.ntraj)


def of_pairs(within, across):
    """What pairs within trajectories are to those across: functions of the weights."""
    n = len(within)

    def value(w):
        own = np.tensordot(w, within, 1) / w.sum()
        other = np.einsum("p,q,pq...->...", w, w, across) / (w.sum() ** 2 - w @ w)
        return np.where(other > 0, own / other, np.nan)

    return weighted(value, n)


def g2_by_hand(clicks, edges, a, b, start, stop):
    n, n_bins = clicks.ntraj, len(edges) - 1
    pairs = np.zeros((n, n, n_bins))
    for p, one in enumerate(tracks(clicks)):
        for q, other in enumerate(tracks(clicks)):
            for i, (t, x) in enumerate(one):
                for j, (u, y) in enumerate(other):
                    if is_of(x, a) and is_of(y, b) and start < t <= stop and (p != q or i < j):
                        for k in range(n_bins):
                            pairs[p, q, k] += edges[k] <= u - t < edges[k + 1]
    within = np.array([pairs[p, p] for p in range(n)])
    pairs[range(n), range(n)] = 0.0
    if n > 1:
        return of_pairs(within, pairs)
    # One trajectory is as bright at any time: as in the window, as much later as the delay.
    (track,) = tracks(clicks)
    firsts = number(track, a, start, stop)
    reached = [
        [max(0.0, min(later, u - start) - max(delay, u - stop)) for u, y in track if is_of(y, b)]
        for delay, later in pairwise(edges)
    ]
    expected = firsts * np.sum(reached, axis=1) / (stop - start)
    with np.errstate(invalid="ignore", divide="ignore"):
        return within[0] / expected, None


def same_estimate(estimate, expected):
    value, sem = expected
    np.testing.assert_allclose(estimate.value, value, rtol=1e-12, atol=1e-12)
    if sem is not None:
        np.testing.assert_allclose(estimate.sem, sem, rtol=1e-7, atol=1e-9)
    assert estimate.value.shape == estimate.sem.shape
