"""Error bars of photon statistics are right."""

from dataclasses import replace

import numpy as np
import pytest
from oracle.bins import POINTS, g2_in_bins, mean_in_bins
from oracle.statistics import coverage

import trajbatt as tb
from trajbatt import counting, photons

SETS, SIZE = 200, 200


@pytest.mark.slow
def test_intervals_cover_the_exact_value():
    model = tb.Battery(3, 1.87, 30.0, gamma_plus=10.0).charge()
    runs = tb.mcsolve(model, [0.8], SETS * SIZE, seed=5, keep_clicks=True).clicks
    cuts = np.searchsorted(runs.trajectory, np.arange(SETS + 1) * SIZE)
    parts = [
        replace(runs.where(slice(*cuts[i : i + 2])), first=i * SIZE, ntraj=SIZE)
        for i in range(SETS)
    ]
    times, edges, bins = np.array([0.4, 0.8]), np.array([0.0, 0.1, 0.2]), np.array([0.0, 0.4, 0.8])
    delays = (edges[:-1, None] + np.diff(edges)[:, None] * (POINTS + 1) / 2).ravel()
    pair, window, b = ("center", "blue"), (0.0, 0.6), "blue"
    exact = tb.mesolve(model, times, covariances=True)
    waiting = mean_in_bins(counting.waiting_time(model, delays, pair, at=window))
    for function, expected in (
        (lambda c: photons.mean(c, times, b), exact.counts[2]),
        (lambda c: photons.variance(c, times, b), exact.counts_covariance[2, 2]),
        (lambda c: photons.fano(c, times, b), counting.fano(model, times, b)),
        (
            lambda c: photons.factorial_moments(c, 0.8, "total", 3),
            counting.factorial_moments(model, 0.8, "total", 3),
        ),
        (lambda c: photons.first_click(c, times / 4), counting.first_click(model, times / 4)),
        (lambda c: photons.photocurrent(c, bins), counting.photocurrent(model, bins)),
        (lambda c: photons.waiting_time(c, edges, pair, *window), waiting),
        (
            lambda c: photons.g2(c, edges, pair, *window),
            g2_in_bins(model, delays, pair, None, window),
        ),
        (
            lambda c: photons.g2(c, edges, ("total", "total"), *window),
            g2_in_bins(model, delays, ("total", "total"), None, window),
        ),
        (lambda c: photons.g2_matrix(c, bins, pair), counting.g2_matrix(model, bins, pair)),
        (lambda c: photons.g2_matrix(c, bins, (b, b)), counting.g2_matrix(model, bins, (b, b))),
    ):
        estimates = [function(part) for part in parts]
        assert 0.90 < coverage(estimates, expected) < 0.98
        # Negative control: errors that are too small, or too large.
        assert coverage(estimates, expected, 0.7 * 1.96) < 0.88
        assert coverage(estimates, expected, 1.5 * 1.96) > 0.97


@pytest.mark.slow
def test_intervals_of_single_records_cover_the_exact_value():
    model = tb.Battery(3, 1.87, 30.0, gamma_plus=10.0).charge()
    steady = tb.steady_state(model)
    runs = tb.mcsolve(model, [500.0], SETS, initial=steady, seed=6, keep_clicks=True)
    parts = [runs.clicks.of_trajectory(i) for i in range(SETS)]
    edges = np.array([0.0, 0.1, 0.2, 0.4, 1.0])
    delays = (edges[:-1, None] + np.diff(edges)[:, None] * (POINTS + 1) / 2).ravel()
    for pair in (("center", "blue"), ("total", "total")):
        for function, exact in (
            (photons.g2, counting.g2),
            (photons.waiting_time, counting.waiting_time),
        ):
            estimates = [function(part, edges, pair) for part in parts]
            expected = mean_in_bins(exact(model, delays, pair, steady))
            assert 0.90 < coverage(estimates, expected) < 0.98
            # In every bin, errors are as large as values scatter.
            value, sem = np.moveaxis(estimates, 1, 0)
            assert np.all(np.abs(value.std(axis=0) / sem.mean(axis=0) - 1) < 0.2)
    estimates = [photons.next_channel(part, "red", 0.0, 490.0) for part in parts]
    assert 0.90 < coverage(estimates, counting.next_channel(model, "red", steady)) < 0.98
