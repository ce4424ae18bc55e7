"""What the master equation of a schedule is solved for."""

from typing import NamedTuple

import numpy as np


class Solution(NamedTuple):
    """What is read off the density matrix on its way.

    Attributes
    ----------
    energy, energy_variance : ndarray (nt,), float64
    dipole : ndarray (nt,), complex128
    counts : ndarray (nc, nt), float64
        Mean photons since t = 0.
    final_counts : ndarray (n_stages, nc), float64
        By the end of each stage.
    products : ndarray (4, nt), float64
        The means of `trajbatt.states.products.PRODUCTS`.
    spins : ndarray (nJ, nt), float64
        The probability of each J, descending from N/2.
    looks : list
        What `look` returned.
    method : str
        Of the systems of the stages: "ladder", "blocks", "frame", "tensors" or "banded", or
        several.
    """

    energy: np.ndarray
    energy_variance: np.ndarray
    dipole: np.ndarray
    counts: np.ndarray
    final_counts: np.ndarray
    products: np.ndarray
    spins: np.ndarray
    looks: list
    method: str
