"""Photon numbers in records, by hand."""

import numpy as np
import pytest
from oracle.clicks_by_hand import NAMES, RECORDS, fraction, number, same_estimate, tracks
from oracle.statistics import mean_and_sem

import trajbatt as tb
from trajbatt import photons


@pytest.mark.parametrize("clicks", RECORDS)
@pytest.mark.parametrize(("start", "stop"), [(0.0, 4.25), (0.5, 3.0), (2.0, 2.0)])
def test_numbers_by_hand(clicks, start, stop):
    found = photons.counts(clicks, stop, start)
    table = [[number(track, name, start, stop) for name in NAMES] for track in tracks(clicks)]
    np.testing.assert_array_equal(found, table)
    assert found.dtype == np.int64
    for channel in ("b", "total"):
        n = np.array([number(track, channel, start, stop) for track in tracks(clicks)])
        hits = [np.sum(n == k) for k in range(n.max() + 1)]
        same_estimate(
            photons.distribution(clicks, stop, channel, start), fraction(hits, clicks.ntraj)
        )
        same_estimate(
            photons.factorial_moments(clicks, stop, channel, 3, start),
            mean_and_sem(np.transpose([n, n * (n - 1), n * (n - 1) * (n - 2)])),
        )
    n, m = np.array(table)[:, 2], np.sum(table, axis=1)
    hits = [[np.sum((n == j) & (m == k)) for k in range(max(m) + 1)] for j in range(max(n) + 1)]
    joint = photons.joint_distribution(clicks, stop, ("c", "total"), start)
    same_estimate(joint, fraction(hits, clicks.ntraj))
    assert joint.value.sum() == pytest.approx(1.0)


def test_clicks_at_the_ends_of_a_window():
    clicks = tb.Clicks(
        np.zeros(4, dtype=int),
        np.array([0.0, 1.0, 2.0, 3.0]),
        np.zeros(4, dtype=np.int8),
        ("a",),
    )
    # (start, end]: a click belongs to the bin that ends with it; from 0 on, [0, end].
    assert photons.counts(clicks, 2.0, 1.0) == 1
    assert photons.counts(clicks) == 4
    np.testing.assert_array_equal(photons.photocurrent(clicks, [0.0, 1.0, 3.0]).value, [[2.0, 1.0]])
    np.testing.assert_array_equal(photons.photocurrent(clicks, [1.0, 2.0, 3.0]).value, [[1.0, 1.0]])
    np.testing.assert_array_equal(photons.mean(clicks, [0.0, 1.0, 3.0], "a").value, [1, 2, 4])
    np.testing.assert_array_equal(photons.mean(clicks, [1.0, 3.0], "a", 1.0).value, [0, 2])
    np.testing.assert_array_equal(photons.first_click(clicks, [0.0, 1.0]).value, [1.0, 1.0])
    # Delays belong to the bin that begins with them.
    found = photons.waiting_time(clicks, [0.5, 1.0, 1.5], ("a", "a"))
    np.testing.assert_array_equal(found.value, [0.0, 2.0])


def test_a_click_at_the_very_beginning():
    clicks = tb.Clicks([0, 0, 1], [0.0, 0.4, 0.0], [0, 0, 0], ("a",), ntraj=2, duration=1.0)
    np.testing.assert_array_equal(photons.counts(clicks), [[2], [1]])
    np.testing.assert_array_equal(photons.counts(clicks, 0.4, 0.2), [[1], [0]])
    assert photons.mean(clicks, [1.0], "a").value == 1.5
    assert photons.variance(clicks, [1.0], "a").value == 0.5
    assert photons.fano(clicks, [1.0], "a").value == pytest.approx(1 / 3)
    np.testing.assert_array_equal(photons.distribution(clicks, 1.0, "a").value, [0, 0.5, 0.5])
    np.testing.assert_array_equal(photons.distribution(clicks, 0.0, "a").value, [0, 1])
    joint = photons.joint_distribution(clicks, 0.0, ("a", "total")).value
    np.testing.assert_array_equal(joint, [[0, 0], [0, 1]])
    np.testing.assert_array_equal(photons.factorial_moments(clicks, 1.0, "a", 2).value, [1.5, 1.0])
    np.testing.assert_array_equal(photons.photocurrent(clicks, [0.0, 0.5]).value, [[3.0]])
    np.testing.assert_array_equal(photons.first_click(clicks, [0.0, 1.0]).value, [1.0, 1.0])
    np.testing.assert_array_equal(photons.next_channel(clicks).value, [1.0])
    found = photons.waiting_time(clicks, [0.0, 0.5], ("a", "a"), 0.0, 0.5)
    assert found.value == pytest.approx(1 / 3 / 0.5)
    # Pairs: one within, of the two clicks at 0 and the other ones.
    assert photons.g2(clicks, [0.2, 0.5], ("a", "a"), 0.0, 0.5).value == 1.0
    same = photons.g2_matrix(clicks, [0.0, 0.5], ("a", "a"))
    assert same.value == 2 / ((9 - 5) / 1)
    one = clicks.of_trajectory(0)
    assert photons.g2(one, [0.2, 0.5], ("a", "a"), 0.0, 0.5).value > 0
    model = tb.Battery(2, 1.2, 10.0).discharge()
    at_once, later = (
        tb.filter(
            model,
            tb.Clicks([0], [t], [0], ("all",), duration=1.0),
            [0.0, 1.0],
            initial=tb.excited_state(2),
        )
        for t in (0.0, 1e-9)
    )
    np.testing.assert_allclose(at_once.energy, [1.0, later.energy[1]], rtol=1e-6)


def test_orders_that_nobody_can_want():
    clicks = tb.Clicks([0], [0.5], [0], ("a",), ntraj=2, duration=1.0)
    assert photons.factorial_moments(clicks, 1.0, "a", 100).value.shape == (100,)
    for order in (101, 10**7):
        with pytest.raises(ValueError, match=f"`order` must be at most 100, but is {order}"):
            photons.factorial_moments(clicks, 1.0, "a", order)
