"""Banded models: all coherence orders of the driven Eq. (5), and its photons.

The drive couples all orders, so there is nothing to leave out: O(N^2) memory, and as much time for
each of the few thousand evaluations of the Liouvillian. In the interaction picture nothing is
faster than the decay and 2 Omega_P, so an explicit method of high order serves, see
`trajbatt.exact.flow`. All systems of banded models hold one such Liouvillian.
"""

import math

import numpy as np

from trajbatt.exact import flow
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
        k, q = self.layout.elements
        i = k + q
        self._by_rows = i * (i + 1) // 2 + k

    def integrate(self, matrices, scalars, times, rtol, **couplings):
        """Yield the matrices and the scalars (see the kernel) at each of `times`.

        Parameters
        ----------
        matrices : ndarray (n, stop), complex128
        scalars : ndarray (0, nc or nc + n_tags^2,), real
        times : ndarray (nt,)
        rtol : float
        **couplings
            As for `flow`.
        """
        way = self.flow(len(matrices), rtol, **couplings)
        way.begin(0.0, matrices, scalars)
        for time in times:
            yield way.advance(time, times[-1])

    def flow(self, n, rtol, jumps=None, mixing=None, sources=(), tangents=None):
        """Return the `BandedFlow` of n matrices and, with `sources`, of scalars.

        Parameters
        ----------
        n : int
        rtol : float
        jumps, mixing, sources : optional
            Of `trajbatt.kernels.liouvillian.System`.
        tangents : ndarray (n, 3), optional
            Likewise.
        """
        model = self.model
        if tangents is not None:
            turn = 0.5 * model.frequency * spin.raising_elements(model.n_atoms)
            tangents = np.asarray(tangents, dtype=float), turn
        system = flow.system(
            model.n_levels, model.jump_bands, n, jumps, mixing, sources, _drive(model), tangents
        )
        way = flow.DensityFlow(
            system,
            flow.turning(model.frequency * model.jumps_turn),
            0.1 * rtol,
            first=model.timescale,
        )
        return BandedFlow(way, self._by_rows)


def click_rates(model, layout, y, phase):
    """Return Tr(L_c+ L_c rho) of the orders y (stop, ...) at Omega t = `phase`, (nc, ...)."""
    rates = []
    for jump_bands in model.jump_bands:
        bands, rate = no_click_bands(jump_bands[None]), 0.0
        for q, band, part in zip(layout.orders, bands, layout.slices, strict=False):
            turn = np.exp(-1j * q * phase) if model.jumps_turn else 1.0
            order = (band[: part.stop - part.start].conj() @ y[part]) * turn
            rate += (1.0 if q == 0 else 2.0) * order.real
        rates.append(rate)
    return np.array(rates)


def _drive(model):
    """Return what the kernel is told of a weak drive: (N+1,) each, or None."""
    if not isinstance(model, BareModel):
        return None
    raising = spin.raising_elements(model.n_atoms)
    drive = 0.5 * model.rabi * raising
    # In the steady state each amplitude is driven by the one below.
    k = np.arange(1.0, model.n_levels)
    ratios = drive[:-1] / np.abs(0.5 * model.rate * raising[:-1] ** 2 + 1j * k * model.frequency)
    least = np.cumprod(np.append(1.0, ratios))
    return drive, np.maximum(least, UNDERFLOW)


class BandedFlow:
    """Matrices, as orders, and scalars on their way.

    Parameters
    ----------
    way : DensityFlow
    by_rows : ndarray (stop,), int
        Where the kernel has each element of the orders.
    """

    def __init__(self, way, by_rows):
        self._way, self._by_rows = way, by_rows

    def begin(self, t, matrices, scalars=()):
        """Set the matrices (n, stop) and the scalars at time `t`."""
        self._shape = matrices.shape
        rows = np.empty(matrices.shape, dtype=complex)
        rows[:, self._by_rows] = matrices
        self._y, self._t = np.concatenate((rows.ravel().view(float), np.real(scalars))), t
        self._way.begin(t, self._y)

    def advance(self, target, end=None):
        """Return the matrices (n, stop) and the scalars at the time `target`.

        It goes on from there, at most to `end`, which is the target by default.
        """
        self._y = self._way.advance(target, target if end is None else end)
        self._t = target
        elements = 2 * math.prod(self._shape)
        rows = self._y[:elements].view(complex).reshape(self._shape)
        return rows[:, self._by_rows], self._y[elements:].copy()

    def jumped(self, channel, which=0):
        """Return 𝓙_c of a matrix, as it was returned last, as orders (stop,)."""
        from trajbatt.kernels.liouvillian import jump_by

        system = self._way.system
        rows = np.empty(2 * self._shape[1])
        system.angles[0] = self._way.motion.frequency * self._t
        jump_by(system, channel, 0, self._y, which * rows.size, rows, 0)
        return rows.view(complex)[self._by_rows]


class BandedOrders:
    """All coherence orders under the driven Eq. (5), and behind them the mean photon counts.

    Parameters
    ----------
    model : BandedModel
    rtol : float
    all_orders : bool
        Without meaning here: the drive needs all.
    """

    method = "banded"

    def __init__(self, model, rtol, all_orders=True):
        self.model, self._rtol = model, rtol
        self._liouvillian = BandedLiouvillian(model)
        self.layout = self._liouvillian.layout
        self.counted = CountedOrders(self.layout, len(model.rates))
        self.begin, self.hand_over = self.counted.begin, self.counted.hand_over

    def states(self, y, times):
        """Yield the vector that is y (stop + nc,) at t = 0 at each of `times`."""
        stop, sources = self.layout.stop, range(len(self.model.rates))
        states = self._liouvillian.integrate(
            y[None, :stop], y[stop:], times, self._rtol, sources=sources
        )
        for matrices, scalars in states:
            yield np.concatenate((matrices[0], scalars))
