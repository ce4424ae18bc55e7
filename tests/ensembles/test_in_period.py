"""Energies and waste that do not hang on the phase of Omega_P at which a charging ends."""

from dataclasses import replace

import numpy as np
import pytest

import trajbatt as tb

BATTERY = tb.Battery(10, 1.87, 100.0, gamma_plus=10.0)
TIMES = np.array([0.3, 1.0]) * BATTERY.charging_time


def test_exact_bounds_are_those_of_a_period():
    exact = tb.mesolve(BATTERY.charge(), TIMES)
    # The same battery with another Omega_P ends at another phase, and is the same else.
    energies = []
    for omega_p in np.linspace(100.0, 130.0, 400):
        other = replace(BATTERY, omega_p=omega_p).charge()
        energies.append(tb.mesolve(other, TIMES, rtol=1e-8).energy)
    energies = np.array(energies)
    low, mean, high = exact.energy_in_period
    np.testing.assert_allclose(low, energies.min(axis=0), atol=2e-3)
    np.testing.assert_allclose(high, energies.max(axis=0), atol=2e-3)
    np.testing.assert_allclose(mean, (low + high) / 2)
    photons = exact.counts.sum(axis=0)
    np.testing.assert_allclose(exact.waste_in_period, photons / exact.energy_in_period)


@pytest.mark.parametrize("seed", [1, 2])
def test_ensembles_have_them_with_errors(seed):
    model = tb.Protocol([(BATTERY.charge(), 0.5), (BATTERY.store(), 0.5)])
    times = np.array([0.2, 0.7])
    exact, runs = tb.mesolve(model, times), tb.mcsolve(model, times, 4000, seed=seed)
    for name in ("energy_in_period", "waste_in_period"):
        z = (getattr(runs, name) - getattr(exact, name)) / getattr(runs, f"{name}_sem")
        assert np.abs(z).max() < 4.5, name
    wrong = (runs.energy - exact.energy_in_period) / runs.energy_in_period_sem
    assert np.abs(wrong).max() > 5  # negative control: the phase matters


@pytest.mark.slow
def test_errors_cover():
    known = tb.mesolve(BATTERY.charge(), TIMES).energy_in_period
    z = []
    for seed in range(300):
        runs = tb.mcsolve(BATTERY.charge(), TIMES, 300, seed=seed, threads=1)
        z.append((runs.energy_in_period - known) / runs.energy_in_period_sem)
    np.testing.assert_allclose(np.std(z, axis=0), 1.0, atol=0.2)
    assert np.abs(np.mean(z, axis=0)).max() < 0.3
