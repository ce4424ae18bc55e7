"""A million clicks, and what photon statistics refuse."""

import time

import numpy as np
import pytest
from oracle.clicks_by_hand import NAMES, hand_made

import trajbatt as tb
from trajbatt import photons

BATTERY = tb.Battery(4, 1.87, 40.0, gamma_plus=10.0)


@pytest.mark.slow
def test_a_million_clicks():
    rng = np.random.default_rng(7)
    sizes = rng.poisson(100, 10_000)
    trajectory = np.repeat(np.arange(10_000), sizes)
    at = rng.random(sizes.sum())
    clicks = tb.Clicks(
        trajectory,
        at[np.lexsort((at, trajectory))],
        rng.integers(0, 3, at.size).astype(np.int8),
        NAMES,
        ntraj=10_000,
        duration=1.0,
    )
    edges = np.linspace(0.0, 0.1, 11)
    begin = time.perf_counter()
    z = [
        (estimate.value - expected) / estimate.sem
        for estimate, expected in (
            (photons.mean(clicks, edges[1:], "a"), 100 / 3 * edges[1:]),
            (photons.fano(clicks, edges[1:], "total"), 1.0),
            (photons.waiting_time(clicks, edges, ("a", "b")), None),
            (photons.next_channel(clicks, "a", 0.0, 0.5), 1 / 3),
            (photons.g2(clicks, edges, ("a", "b")), 1.0),
            (photons.g2_matrix(clicks, edges, ("a", "b")), 1.0),
            (photons.photocurrent(clicks, edges), 100 / 3),
        )
        if expected is not None
    ]
    assert time.perf_counter() - begin < 20
    assert max(np.abs(one).max() for one in z) < 4.5


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda c: photons.counts(None), "`clicks` must be the clicks of a run with keep_clicks"),
        (lambda c: photons.g2(3, [0, 1], ("a", "b")), "`clicks` must be the clicks of a run"),
        (lambda c: photons.counts(c, 9.0), "`t` must not be after the end of the record, 4.25, "),
        (lambda c: photons.counts(c, -1.0), "`t` must be a finite number, zero or positive, but"),
        (lambda c: photons.counts(c, 1.0, 2.0), r"`start` must lie in \[0.0, 1.0\], but is 2.0"),
        (lambda c: photons.counts(c, "x"), "`t` must be a finite number, zero or positive, but is"),
        (
            lambda c: photons.distribution(c, 1.0, "red"),
            "`channel` must be 'a', 'b', 'c' or 'total', but is 'red'",
        ),
        (
            lambda c: photons.joint_distribution(c, 1.0, "ab"),
            "`channels` must be a pair of channels, but is 'ab'",
        ),
        (lambda c: photons.joint_distribution(c, 1.0, ("a", "x")), "must be 'a', 'b', 'c' or 'tot"),
        (
            lambda c: photons.factorial_moments(c, 1.0, "a", 0),
            "`order` must be a positive integer, but is 0",
        ),
        (lambda c: photons.mean(c, [2.0, 1.0], "a"), "`tlist` must hold .* but 1.0 follows 2.0"),
        (lambda c: photons.mean(c, [1.0, 5.0], "a"), "`t` must not be after the end of the record"),
        (
            lambda c: photons.fano(c, [1.0, 3.0], "a", 2.0),
            "`tlist` must not begin before `start`, 2, but does at 1.0",
        ),
        (lambda c: photons.variance(c, [], "a"), "`tlist` must hold .* but is empty"),
        (lambda c: photons.first_click(c, [9.0]), "`stop` must leave room .* at 4.25, but is 9"),
        (
            lambda c: photons.waiting_time(c, [0.0, 1.0], ("a", "b"), 0.0, 4.0),
            "`stop` must leave room for the longest delay, 1, before the end of the record at 4.25",
        ),
        (
            lambda c: photons.waiting_time(c, [0.0, 1.0], ("a", "b"), 2.0, 2.0),
            "`start` must be below `stop`, 2, but is 2",
        ),
        (lambda c: photons.waiting_time(c, [0, 1], ("a", "b", "c")), "must be a pair of channels"),
        (lambda c: photons.next_channel(c, "x"), "`after` must be 'a', 'b', 'c' or 'total', but"),
        (lambda c: photons.g2(c, [0.0, 1.0, 1.0], ("a", "b")), "`edges` must hold .* 1.0 follows"),
        (lambda c: photons.g2(c, [-1.0, 1.0], ("a", "b")), "`edges` must hold .* starts at -1.0"),
        (lambda c: photons.g2(c, [0, 1], ("a", "x")), "`channels` must be 'a', 'b', 'c' or 'total"),
        (
            lambda c: photons.g2_matrix(c.of_trajectory(4), [0, 1], ("a", "b")),
            "`clicks` must be of two trajectories at least, but are of one",
        ),
        (lambda c: photons.g2_matrix(c, [0, 9], ("a", "b")), "`stop` must leave room"),
        (lambda c: photons.photocurrent(c, [0.0, 5.0]), "`stop` must leave room"),
        (lambda c: photons.intensity(c, BATTERY.charge(), [9.0]), "`stop` must leave room"),
    ],
)
def test_bad_input(function, message):
    with pytest.raises((ValueError, TypeError), match=message):
        function(hand_made(1))


def test_windows_that_are_too_long():
    few = tb.Clicks([0, 1], [0.3, 0.1], [0, 0], ("a",), duration=1.0)
    with pytest.raises(ValueError, match="the record must go on for longer than `start` and the l"):
        photons.g2(few, [0.0, 2.0], ("a", "a"))
    with pytest.raises(ValueError, match="`stop` must be left out where no photon is given"):
        photons.next_channel(few, stop=0.5)
