"""The coherent energy of an ensemble."""

import itertools

import numpy as np
import pytest

import trajbatt as tb
from trajbatt.models.coherent_emission import CoherentEmission


@pytest.mark.slow
def test_coherent_energy_of_an_ensemble():
    model = tb.Battery(20, 1.87, 200.0, gamma_plus=10.0).discharge()
    times = np.array([0.02, 0.1, 0.4])
    exact = tb.mesolve(model, times).coherent_energy
    estimates = np.array(
        [tb.mcsolve(model, times, ntraj=300, seed=seed).coherent_energy for seed in range(40)]
    )
    error = estimates.std(axis=0, ddof=1) / np.sqrt(40)
    assert np.abs((estimates.mean(axis=0) - exact) / error).max() < 4.5
    # Negative control: the battery was charged with gamma_+ 5 % higher.
    off = tb.mesolve(tb.Battery(20, 1.87, 200.0, gamma_plus=10.5).discharge(), times)
    assert np.abs((estimates.mean(axis=0) - off.coherent_energy) / error).max() > 4.5


@pytest.mark.parametrize("ntraj", [2, 3, 5])
def test_the_square_of_a_mean_dipole_has_no_bias(ntraj):
    # The square of the mean of few samples exceeds that of the expectation by the variance of the
    # mean. Freed of it, it is the mean product of two *different* trajectories, here pair by pair.
    model = tb.Battery(4, 1.87, 40.0, gamma_plus=10.0).discharge()
    times = np.array([0.1, 0.5])
    runs = tb.mcsolve(model, times, ntraj, seed=4)
    emission = CoherentEmission.of(model, times)
    grid = np.append(emission.nodes, times[-1])
    dipoles = np.array([runs.replay(i, grid).dipole[:-1] for i in range(ntraj)])
    pairs = [(a * b.conj()).real for a, b in itertools.combinations(dipoles, 2)]
    expected = emission.energy(np.mean(pairs, axis=0))
    np.testing.assert_allclose(runs.coherent_energy, expected, rtol=1e-9)
    # Negative control: the square of the mean itself.
    biased = emission.energy(np.abs(dipoles.mean(axis=0)) ** 2)
    assert np.abs(runs.coherent_energy / biased - 1.0).max() > 0.01
