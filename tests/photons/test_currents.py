"""Intensities of conditional states."""

from dataclasses import replace

import numpy as np
import pytest
from oracle.clicks_by_hand import same_estimate
from oracle.statistics import mean_and_sem

import trajbatt as tb
from trajbatt import counting, photons

BATTERY = tb.Battery(4, 1.87, 40.0, gamma_plus=10.0)


@pytest.mark.slow
def test_intensities_of_conditional_states():
    times = np.linspace(0.0, 1.0, 4)
    model, off = BATTERY.charge(), replace(BATTERY, gamma_0=1.05).charge()
    runs = tb.mcsolve(model, times, 2000, seed=4, keep_clicks=True)
    clicks = replace(runs.clicks, duration=1.5)
    few = replace(clicks.where(clicks.trajectory < 30), ntraj=30)
    rates = np.array([tb.filter(model, few.of_trajectory(i), times).rates for i in range(30)])
    same_estimate(photons.intensity(few, model, times), mean_and_sem(rates))
    # Only clicks until the last time are read.
    early = photons.intensity(few, model, times[:2])
    np.testing.assert_allclose(early.value, rates.mean(axis=0)[:, :2])

    found = photons.intensity(clicks, model, times)
    exact, wrong = counting.intensity(model, times), counting.intensity(off, times)
    np.testing.assert_allclose(found.value[:, 0], exact[:, 0])

    def worst(estimate, expected):
        return np.abs((estimate.value - expected)[:, 1:] / estimate.sem[:, 1:]).max()

    assert worst(found, exact) < 4
    assert worst(found, wrong) > 5
    # It is less noisy than the photocurrent.
    current = photons.photocurrent(clicks, times)
    assert np.all(current.sem > found.sem[:, 1:])
    # Detectors that see half of it: the same mean.
    half = tb.Detectors(0.5).see(clicks, seed=1)
    half = replace(half.where(half.trajectory < 300), ntraj=300)
    assert worst(photons.intensity(half, model, times, efficiency=0.5), exact) < 4
    assert worst(photons.intensity(half, model, times, efficiency=0.95), exact) > 5
