"""Banded models: all coherence orders of the driven Eq. (5), and its photons.

The drive couples all orders, so there is nothing to leave out: O(N^2) memory, and as much time for
each of the few thousand evaluations of the Liouvillian. In the interaction picture nothing is
faster than the decay and 2 Omega_P, so an explicit method of high order serves: that of Dormand and
Prince of order 8, with the coefficients from SciPy. All systems of banded models hold one such
Liouvillian.
"""

import math

import numpy as np

from trajbatt.exact.orders import CountedOrders, Orders
from trajbatt.exact.weak_drive import BareModel
from trajbatt.models.banded import no_click_bands
from trajbatt.numerics import spin
from trajbatt.states.mixture import UNDERFLOW


class BandedLiouvillian:
    """The Liouvillian of the driven Eq. (5), on matrices that are given by coherence order.

    Parameters
    ----------
    model : BandedModel

    Attributes
    ----------
    layout : Orders
        All of them.
    """

    def __init__(self, model):
        self.model, self.layout = model, Orders.every(model)
        # Where the kernel, which goes by rows of the lower half, has each element of the orders.
        k = np.concatenate([np.arange(length) for length in self.layout.lengths])
        i = k + np.repeat(self.layout.orders, self.layout.lengths)
        self._by_rows = i * (i + 1) // 2 + k

    def click_rate(self, y, phase):
        """Return Tr(L+ L rho) of the orders y (stop, ...) at Omega t = `phase`, (...)."""
        bands = no_click_bands(self.model.jump_bands)
        rate = 0.0
        for q, band in zip(self.layout.orders, bands, strict=False):
            order = band[: self.layout.lengths[q]] @ y[self.layout.slices[q]]
            rate += (1.0 if q == 0 else 2.0) * (order * np.exp(-1j * q * phase)).real
        return rate

    def integrate(self, matrices, scalars, times, rtol, **couplings):
        """Yield the matrices and the scalars (see the kernel) at each of `times`.

        Parameters
        ----------
        matrices : ndarray (n, stop), complex128
        scalars : ndarray (0, 1 or 1 + n_tags^2,), real
        times : ndarray (nt,)
        rtol : float
        **couplings
            As for `flow`.
        """
        flow = self.flow(len(matrices), rtol, **couplings)
        flow.begin(0.0, matrices, scalars)
        for time in times:
            yield flow.advance(time)

    def flow(self, n, rtol, jumps=None, mixing=None, source=-1):
        """Return the `BandedFlow` of n matrices and, with a `source`, of scalars.

        Parameters
        ----------
        n : int
        rtol : float
        jumps, mixing : ndarray (n, n), optional
        source : int
            Of `trajbatt.kernels.liouvillian.System`.
        """
        from trajbatt.kernels.liouvillian import GHOSTS, LANES, System

        drive, least = _drive(self.model)
        bands = self.model.jump_bands
        width = self.model.n_levels + 2 * GHOSTS
        full, left, change = np.zeros((3, width, 2 * width + LANES))

        def cells(table):
            doubled = np.repeat(np.pad(table, ((0, 0), (GHOSTS, GHOSTS))), 2, axis=1)
            return np.pad(doubled, ((0, 0), (0, LANES)))

        system = System(
            levels=self.model.n_levels,
            jump=cells(bands[0]),
            click=cells(no_click_bands(bands)),
            frequency=self.model.frequency,
            drive=drive,
            least=least,
            jumps=np.zeros((n, n)) if jumps is None else np.asarray(jumps, dtype=float),
            mixing=np.zeros((n, n)) if mixing is None else np.asarray(mixing, dtype=float),
            source=source,
            full=full,
            left=left,
            change=change,
            half=np.empty(2 * self.layout.stop),
            phases=np.empty(2 * self.model.n_levels),
        )
        return BandedFlow(system, self._by_rows, self.model.timescale, 0.1 * rtol)


def _drive(model):
    """Return what the kernel is told of a weak drive: (N+1,) each, or nothing."""
    if not isinstance(model, BareModel):
        return np.empty((2, 0))
    raising = spin.raising_elements(model.n_atoms)
    drive = 0.5 * model.rabi * raising
    # In the steady state each amplitude is driven by the one below.
    k = np.arange(1.0, model.n_levels)
    ratios = drive[:-1] / np.abs(0.5 * model.rate * raising[:-1] ** 2 + 1j * k * model.frequency)
    least = np.cumprod(np.append(1.0, ratios))
    return drive, np.maximum(least, UNDERFLOW)


class BandedFlow:
    """Matrices and scalars on their way, by steps whose root mean square error is `tolerance`.

    Parameters
    ----------
    system : trajbatt.kernels.liouvillian.System
    by_rows : ndarray (stop,), int
        Where the kernel has each element of the orders.
    timescale : float
        The first guess at a step.
    tolerance : float
    """

    def __init__(self, system, by_rows, timescale, tolerance):
        from scipy.integrate import DOP853

        from trajbatt.kernels.liouvillian import Method

        self._system = system
        self._by_rows = by_rows
        self._longest = timescale
        self._tolerance = tolerance
        self._method = Method(DOP853.A, DOP853.B, DOP853.C, DOP853.E3, DOP853.E5)

    def begin(self, t, matrices, scalars=()):
        """Set the matrices (n, stop) and the scalars at time `t`."""
        from trajbatt.kernels.liouvillian import STAGES, derivative

        self._shape = matrices.shape
        rows = np.empty(matrices.shape, dtype=complex)
        rows[:, self._by_rows] = matrices
        self._y = np.concatenate((rows.ravel().view(float), np.real(scalars)))
        self._t = t
        self._slopes = np.empty((STAGES + 1, self._y.size))
        self._new, self._spare = np.empty((2, self._y.size))
        derivative(self._system, t, self._y, self._slopes[0])

    def advance(self, target):
        """Return the matrices (n, stop) and the scalars at the time `target`, and stay there."""
        from trajbatt.kernels.liouvillian import step

        while self._t < target:
            if self._longest < 1e-12 * self._t:
                raise ArithmeticError(f"the steps became too short at t = {self._t:g}")
            left = target - self._t
            parts = max(1, math.ceil(left / self._longest * (1.0 - 1e-12)))
            h = left / parts
            error = step(
                self._system,
                self._method,
                self._t,
                h,
                self._y,
                self._slopes,
                self._new,
                self._spare,
            )
            growth = 0.9 * (self._tolerance / max(error, 1e-300)) ** (1 / 8)
            if error > self._tolerance:
                self._longest = h * max(0.2, growth)
                continue
            longer = max(self._longest, h * min(growth, 5.0))
            self._longest = longer if growth > 1.0 else h * growth
            self._y, self._new = self._new, self._y
            self._slopes[0] = self._slopes[-1]
            self._t = target if parts == 1 else self._t + h
        elements = 2 * math.prod(self._shape)
        rows = self._y[:elements].view(complex).reshape(self._shape)
        return rows[:, self._by_rows], self._y[elements:].copy()

    def jumped(self):
        """Return 𝓙 of the first matrix, as it is now, as orders (stop,)."""
        from trajbatt.kernels.liouvillian import apply

        rows = np.empty(2 * self._shape[1])
        angle = self._system.frequency * self._t
        apply(self._system, 0.0, self._y, 0, angle, rows, 0)
        return rows.view(complex)[self._by_rows]


class BandedOrders:
    """All coherence orders under the driven Eq. (5), and behind them the mean photon count.

    Parameters
    ----------
    model : BandedModel
    rtol : float
    all_orders : bool
        Without meaning here: the drive needs all.
    """

    def __init__(self, model, rtol, all_orders=True):
        self.model, self._rtol = model, rtol
        self._liouvillian = BandedLiouvillian(model)
        self.layout = self._liouvillian.layout
        self.counted = CountedOrders(self.layout, 1)
        self.begin, self.hand_over = self.counted.begin, self.counted.hand_over

    def states(self, y, times):
        """Yield the vector that is y (stop + 1,) at t = 0 at each of `times`."""
        stop = self.layout.stop
        states = self._liouvillian.integrate(y[None, :stop], y[stop:], times, self._rtol, source=0)
        for matrices, scalars in states:
            yield np.concatenate((matrices[0], scalars))
