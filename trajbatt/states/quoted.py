"""The numbers that people quote, of exact averages; those of ensembles are in `statistics`."""

import numpy as np

EMPTY = 1e-12  # of N: less energy is rounding


def average_power(energy, times):
    """Return E/t, float64 (nt,); nan at t = 0."""
    return np.divide(energy, times, out=np.full(energy.shape, np.nan), where=times > 0.0)


def per_quantum(amount, energy, n_atoms):
    """Return `amount` for each stored quantum, float64 (nt,); nan for an empty battery."""
    nothing = np.full(energy.shape, np.nan)
    return np.divide(amount, energy, out=nothing, where=energy >= EMPTY * n_atoms)
