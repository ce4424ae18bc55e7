"""The coherent energy of an ensemble."""

import numpy as np

import trajbatt as tb


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
