"""Observables: a name and the bands of a matrix in the bare basis.

Operators that reach two levels at most, as all products of two spin components do, are known by
their diagonal and two bands beside it: O(N) of them. Samples of trajectories are named by these.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from trajbatt.numerics import spin


@dataclass(frozen=True)
class Observable:
    """A Hermitian operator with at most two bands beside the diagonal.

    Attributes
    ----------
    name : str
    elements : callable
        Of the number of atoms; gives <k|O|k>, <k + 1|O|k> and <k + 2|O|k> for k = 0..N, arrays
        (N+1,) or numbers, in the bare basis, index = number of excited atoms.
    """

    name: str
    elements: Callable

    def bands(self, n_atoms):
        """Return the diagonal and the two bands below it, complex128 or float64 (3, N+1)."""
        rows = [np.broadcast_to(row, n_atoms + 1) for row in self.elements(n_atoms)]
        bands = np.array(rows)
        for q in (1, 2):
            bands[q, max(0, n_atoms + 1 - q) :] = 0.0
        return bands

    def matrix(self, n_atoms):
        """Return the operator, (N+1, N+1)."""
        matrix = np.diag(self.bands(n_atoms)[0])
        for q, band in enumerate(self.bands(n_atoms)[1:], 1):
            below = np.diag(band[: max(0, n_atoms + 1 - q)], -q)
            if below.shape == matrix.shape:
                matrix = matrix + below + below.conj().T
        return matrix

    def mean(self, state):
        """Return the mean in a bare density matrix (N+1, N+1)."""
        n_levels = len(state)
        diagonal, *below = self.bands(n_levels - 1)
        mean = (diagonal * state.diagonal()).real.sum()
        for q, band in enumerate(below, 1):
            if q < n_levels:
                mean += 2.0 * (band[: n_levels - q] * state.diagonal(q)).real.sum()
        return float(mean)


def _jz(n_atoms):
    return spin.magnetic_numbers(n_atoms), 0.0, 0.0


def _jz_square(n_atoms):
    return spin.magnetic_numbers(n_atoms) ** 2, 0.0, 0.0


def _jx(n_atoms):
    return 0.0, 0.5 * spin.raising_elements(n_atoms), 0.0


def _jy(n_atoms):
    return 0.0, -0.5j * spin.raising_elements(n_atoms), 0.0


def _energy(n_atoms):
    return np.arange(n_atoms + 1.0), 0.0, 0.0


JZ, JZ_SQUARE = Observable("jz", _jz), Observable("jz_square", _jz_square)
# The real and the imaginary part of the dipole <J_+>.
JX, JY = Observable("jx", _jx), Observable("jy", _jy)
ENERGY = Observable("energy", _energy)  # J_z + N/2
