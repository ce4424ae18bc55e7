"""Bursts: superradiance beside its closed law, and clicks beside the exact numbers."""

import numpy as np
import pytest
from scipy.integrate import trapezoid

import trajbatt as tb

N = 20
MODEL, START = tb.Battery(N, 1.87, 200.0).discharge(), tb.excited_state(N)
EDGES = np.linspace(0.0, 1.0, 81)
EXACT = tb.counting.burst(MODEL, EDGES, "all", START)


def clicks_of(ntraj, seed):
    return tb.mcsolve(MODEL, [1.0], ntraj, START, seed=seed, keep_clicks=True, threads=1).clicks


def test_superradiance_peaks_after_a_delay():
    # Gross and Haroche: t = ln N/(N gamma), peak N^2 gamma/4, to the leading order.
    assert EXACT.peak_time == pytest.approx(np.log(N) / N, rel=0.2)
    assert EXACT.peak_rate == pytest.approx(N**2 / 4, rel=0.25)
    rate = tb.counting.intensity(MODEL, np.linspace(0, 1, 2001), START)[0]
    times = np.linspace(0, 1, 2001)
    mean = trapezoid(times * rate, times) / trapezoid(rate, times)
    assert EXACT.delay == pytest.approx(mean, rel=1e-3)


def test_clicks_have_the_exact_burst():
    found = tb.photons.burst(clicks_of(4000, 1), EDGES, "all")
    for name in ("delay", "delay_deviation"):
        estimate, exact = getattr(found, name), getattr(EXACT, name)
        assert abs(estimate.value - exact) < 4 * estimate.sem, name
        assert abs(1.05 * estimate.value - exact) > 4 * estimate.sem  # negative control
    bin_of_peak = np.searchsorted(EDGES, found.peak_time) - 1
    rate = tb.counting.photocurrent(MODEL, EDGES, START)[0, bin_of_peak]
    assert abs(found.peak_rate.value - rate) < 4 * found.peak_rate.sem
    assert np.nanstd(found.delays) == pytest.approx(found.delay_deviation.value, rel=0.1)


def test_errors_cover():
    z = []
    for seed in range(150):
        found = tb.photons.burst(clicks_of(150, 100 + seed), EDGES, "all")
        z.append(
            [
                (getattr(found, name).value - getattr(EXACT, name)) / getattr(found, name).sem
                for name in ("delay", "delay_deviation")
            ]
        )
    np.testing.assert_allclose(np.std(z, axis=0), 1.0, atol=0.25)


def test_no_light_and_bad_arguments():
    dark = tb.counting.burst(MODEL, EDGES, "all", tb.ground_state(N))
    assert np.all(np.isnan(dark))
    clicks = tb.Clicks([], [], [], ("all",), ntraj=3, duration=1.0)
    assert np.isnan(tb.photons.burst(clicks, EDGES, "all").delay.value)
    with pytest.raises(ValueError, match="`channel` must be"):
        tb.counting.burst(MODEL, EDGES, "red", START)
    with pytest.raises(ValueError, match="two trajectories at least"):
        tb.photons.burst(tb.Clicks([], [], [], ("all",), ntraj=1, duration=1.0), EDGES, "all")
    record = tb.Clicks([0], [0.3], [0], ("all",), ntraj=2, duration=1.0)
    with pytest.raises(ValueError, match="`edges` must end by the end of the record"):
        tb.photons.burst(record, [0.0, 2.0], "all")
    assert np.isnan(tb.photons.burst(clicks, EDGES, "all").peak_time)
    with pytest.raises(ValueError, match="must have a channel"):
        tb.counting.spectrum(tb.Battery(3, 1.2, 5.0).store(), [0.0], "all")
