"""Eq. (5) with a drive that moves, as dense matrices in the bare basis: slow and independent."""

from itertools import pairwise

import numpy as np
from scipy.integrate import solve_ivp

from oracle.dense import spin_operators


class Dense:
    """One atom or a few under H(t) = omega(t) (cos(theta(t)) J_z - sin(theta(t)) J_x).

    Parameters
    ----------
    n : int
    theta, omega : callable
    rate : float
    seen : float
        The probability that a photon is seen: without its click.
    """

    def __init__(self, n, theta, omega, rate, seen=0.0):
        self.j_z, self.j_plus = spin_operators(n)
        self._j_x = (self.j_plus + self.j_plus.T) / 2
        self.theta, self.omega, self.rate, self.seen = theta, omega, rate, seen

    def slope(self, t, y):
        """Return the derivative of a density matrix, and of the count behind it."""
        rho = y[:-1].reshape(self.j_z.shape)
        angle = self.theta(t)
        h = self.omega(t) * (np.cos(angle) * self.j_z - np.sin(angle) * self._j_x)
        square = self.j_plus @ self.j_plus.T
        jumped = self.rate * self.j_plus.T @ rho @ self.j_plus
        change = -1j * (h @ rho - rho @ h) + (1.0 - self.seen) * jumped
        change -= 0.5 * self.rate * (square @ rho + rho @ square)
        return np.append(change.ravel(), np.trace(jumped))

    def evolve(self, rho, start, end, kinks=()):
        """Return the density matrix and the mean count of a time, with `kinks` of the drive."""
        y = np.append(np.asarray(rho, dtype=complex).ravel(), 0.0)
        edges = [start, *(x for x in kinks if start < x < end), end]
        for low, high in pairwise(edges):
            found = solve_ivp(self.slope, (low, high), y, method="DOP853", rtol=1e-12, atol=1e-13)
            y = found.y[:, -1]
        return y[:-1].reshape(self.j_z.shape), y[-1].real

    def click(self, rho):
        """Return what a click makes of a density matrix."""
        return self.rate * self.j_plus.T @ rho @ self.j_plus
