"""The distribution of the energy, read off whole density matrices."""

import numpy as np

from trajbatt.exact.frame_layout import FrameLayout
from trajbatt.numerics import spin

EMPTY = 1e-26  # populations of levels whose coherences, of the square root, do not matter


class BarePopulations:
    """Called with each density matrix; gives the probabilities of the numbers of excited atoms.

    Only levels that are occupied are taken to the bare basis, and only real parts: O(N w^2) for w
    such levels.

    Parameters
    ----------
    n_atoms : int
    """

    def __init__(self, n_atoms):
        self._n_atoms, self._turns = n_atoms, {}

    def __call__(self, layout, orders, phase):
        """Return the probabilities (N+1,) at Omega t = `phase`."""
        from scipy.linalg import blas

        if isinstance(layout, FrameLayout):
            return layout.bare_populations(orders)
        populations = orders[layout.populations].real
        if layout.theta == 0.0:
            return populations.copy()
        occupied = np.flatnonzero(populations > EMPTY)
        first, stop = occupied[0], occupied[-1] + 1
        width = stop - first
        matrix = np.zeros((width, width))
        flat = matrix.reshape(-1)
        turns = 2.0 * np.exp(-1j * phase * np.arange(width))
        turns[0] = 1.0
        for q, part in zip(range(width), layout.slices, strict=False):
            band = orders[part.start + first : part.start + stop - q]
            if band.any():
                # The other half of the matrix has the same real parts.
                flat[q * width :: width + 1] = (band * turns[q]).real
        turn = self._turn(layout.theta)[first:stop]
        turned = blas.dtrmm(1.0, matrix.T, turn.T, side=1, lower=0)  # Fortran's order: transposed
        return np.maximum(np.einsum("ik,ik->k", turned.T, turn), 0.0)

    def _turn(self, theta):
        if theta not in self._turns:
            self._turns[theta] = spin.change_of_basis(self._n_atoms, theta, 0.0)
        return self._turns[theta]
