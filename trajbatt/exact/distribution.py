"""The distribution of the energy, read off whole density matrices."""

import numpy as np

from trajbatt.numerics import spin

EMPTY = 1e-18  # populations of levels that no longer matter


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
        populations = orders[layout.populations].real
        if layout.theta == 0.0:
            return populations.copy()
        occupied = np.flatnonzero(populations > EMPTY)
        first, stop = occupied[0], occupied[-1] + 1
        matrix = np.diag(populations[first:stop])
        for q, part in zip(layout.orders[1:], layout.slices[1:], strict=True):
            band = orders[part][first : max(stop - q, first)]
            if q < stop - first and band.any():
                # The other half of the matrix has the same real parts.
                i = np.arange(band.size)
                matrix[i + q, i] = 2.0 * (band * np.exp(-1j * q * phase)).real
        turn = self._turn(layout.theta)[first:stop]
        return np.maximum(np.einsum("ik,ik->k", matrix @ turn, turn), 0.0)

    def _turn(self, theta):
        if theta not in self._turns:
            self._turns[theta] = spin.change_of_basis(self._n_atoms, theta, 0.0)
        return self._turns[theta]
