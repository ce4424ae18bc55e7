"""The driven Eq. (5): its density matrix by coherence order, all of them, and its photons.

The drive couples all orders, so there is nothing to leave out: O(N^2) memory, and as much time for
each of the few thousand evaluations of the Liouvillian. In the interaction picture nothing is
faster than the decay and 2 Omega_P, so an explicit method of high order serves: that of Dormand and
Prince of order 8, with the coefficients from SciPy.
"""

import math

import numpy as np

from trajbatt.models import no_click_bands
from trajbatt.orders import Orders


class DrivenOrders(Orders):
    """The coherence orders 0 to N under the driven Eq. (5), and the mean photon count.

    Parameters
    ----------
    model : BandedModel
    """

    def __init__(self, model):
        super().__init__(model.n_atoms, model.theta, range(model.n_atoms + 1))
        self.model = model
        self.size = self.stop + 1
        # Where the kernel, which goes by rows of the lower half, has each element of the orders.
        k = np.concatenate([np.arange(length) for length in self.lengths])
        i = k + np.repeat(self.orders, self.lengths)
        self._by_rows = i * (i + 1) // 2 + k

    def initial(self, mixture):
        """Return the orders of a `Mixture` and a count of zero, complex128 (size,)."""
        return np.append(self.of_mixture(mixture), 0.0j)

    def counts(self, y):
        """Return the mean photon count in `y` (size, ...), float64 (1, ...)."""
        return y[self.stop :].real

    def solve(self, y, times, rtol):
        """Yield the vector that is y (size,) at t = 0 at each of `times`."""
        for matrices, scalars in self.integrate(y[None, : self.stop], y[self.stop :], times, rtol):
            yield np.concatenate((matrices[0], scalars))

    def integrate(self, matrices, scalars, times, rtol, source=0, drift=()):
        """Yield rho, tagged matrices and scalars (see the kernel) at each of `times`.

        Parameters
        ----------
        matrices : ndarray (1 + n_tags, stop), complex128
        scalars : ndarray (1 or 1 + n_tags^2,), real
        times : ndarray (nt,)
        rtol : float
        source, drift
            Of `trajbatt.kernels.liouvillian.System`.
        """
        rows = np.empty(matrices.shape, dtype=complex)
        rows[:, self._by_rows] = matrices
        y = np.concatenate((rows.ravel().view(float), scalars.real))
        for state in self._states(y, times, 0.1 * rtol, source, np.array(drift, dtype=float)):
            rows = state[: 2 * rows.size].view(complex).reshape(rows.shape)
            yield rows[:, self._by_rows], state[2 * rows.size :].copy()

    def _states(self, y, times, tolerance, source, drift):
        """Yield the solution at `times`, by steps whose root mean square error is `tolerance`."""
        from scipy.integrate import DOP853

        from trajbatt.kernels.liouvillian import STAGES, Method, derivative, step

        method = Method(DOP853.A, DOP853.B, DOP853.C, DOP853.E3, DOP853.E5)
        system = self._system(source, drift)
        slopes = np.empty((STAGES + 1, y.size))
        new, spare = np.empty((2, y.size))
        derivative(system, 0.0, y, slopes[0])
        longest = min(self.model.timescale, times[-1])
        t = 0.0
        for target in times:
            while t < target:
                if longest < 1e-12 * t:
                    raise ArithmeticError(
                        f"the steps became too short at t = {t:g}; ask for a larger `rtol`"
                    )
                parts = math.ceil((target - t) / longest * (1.0 - 1e-12))
                h = (target - t) / parts
                error = step(system, method, t, h, y, slopes, new, spare)
                growth = 0.9 * (tolerance / max(error, 1e-300)) ** (1 / 8)
                if error > tolerance:
                    longest = h * max(0.2, growth)
                    continue
                longest = max(longest, h * min(growth, 5.0)) if growth > 1.0 else h * growth
                y, new = new, y
                slopes[0] = slopes[-1]
                t = target if parts == 1 else t + h
            yield y

    def _system(self, source, drift):
        from trajbatt.kernels.liouvillian import GHOSTS, LANES, System

        bands = self.model.jump_bands
        width = self.n_atoms + 1 + 2 * GHOSTS
        full, left, change = np.zeros((3, width, 2 * width + LANES))

        def cells(table):
            doubled = np.repeat(np.pad(table, ((0, 0), (GHOSTS, GHOSTS))), 2, axis=1)
            return np.pad(doubled, ((0, 0), (0, LANES)))

        return System(
            levels=self.n_atoms + 1,
            jump=cells(bands[0]),
            click=cells(no_click_bands(bands)),
            frequency=self.model.frequency,
            source=source,
            drift=drift,
            full=full,
            left=left,
            change=change,
            half=np.empty(2 * self.stop),
            phases=np.empty(2 * (self.n_atoms + 1)),
        )
