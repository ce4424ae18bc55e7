r"""The state of a battery as its light is seen, from click to click, within one stage.

Between the clicks of detectors of efficiency eta_c and dark rate d_c the state goes on under a
counting field of 1 - eta_c, and decays at the rate sum_c d_c, because there was no dark count; a
click of channel c applies eta_c 𝓙_c + d_c. The trace is the probability density of the record.
Three observers do this, each with what its model offers:

- `LadderObserver`, if no photon of a ladder model is missed: all branches by one factor each;
- `InefficientObserver`, if some are, or some clicks are dark counts: tridiagonal systems;
- `DrivenObserver`, for the driven Eq. (5): the whole density matrix.

All begin with a mixture of kets, tell coherence orders in the interaction picture that begins with
the stage, and end with a mixture, of kets again where possible: a matrix knows no small numbers,
but a record that is untypical of the model may be about them.
"""

import math

import numpy as np

from trajbatt.exact.banded import DrivenOrders
from trajbatt.exact.fields import ACCURACY, LadderFields
from trajbatt.exact.orders import Orders
from trajbatt.models.ladder import LadderModel
from trajbatt.states.mixture import Mixture

IMPOSSIBLE = 1e-14  # of the largest rate: less cannot be told from zero in a density matrix

PATIENCE = 5.0  # the trace falls by no more than the exponential of this before it is normalised


class ImpossibleClickError(Exception):
    """A click that cannot be; its argument counts the clicks before it that were handed over."""


class LadderObserver(Orders):
    """Sees every photon of a ladder model.

    Parameters
    ----------
    model : LadderModel
    orders : sequence of int
        The coherence orders to follow.
    """

    def __init__(self, model, orders):
        super().__init__(model.n_atoms, model.theta, orders)
        self.model = model
        with np.errstate(divide="ignore"):
            self._log_rates = np.log([channel.rate for channel in model.channels])
        up, down = model.rate_of(1), model.rate_of(-1)
        j = model.n_atoms / 2
        # R(m) = (up + down) j(j+1) + ...
        self._rate = np.array([(up + down) * j * (j + 1), model.rate_slope, model.rate_curvature])

    def begin(self, mixture):
        """Start from a `Mixture` at t = 0."""
        self._mixture, y = mixture, self.of_mixture(mixture)
        self._roots = roots = np.sqrt(y[self.slices[0]].real)
        with np.errstate(divide="ignore"):
            self._logs = np.log(roots)
        best = int(np.argmax(self._logs))
        # Products of amplitudes of modulus 1: what a mixture is less coherent than a ket.
        self._coherence = y
        for q, part in zip(self.orders, self.slices, strict=True):
            for root in (roots[q:], roots[: roots.size - q]):  # a product might underflow
                np.divide(y[part], root, out=y[part], where=root > 0)
        self._scale = 2.0 * self._logs[best]
        self._logs -= self._logs[best]
        self._signs, self._product = np.ones((2, roots.size))
        self._at = np.array([best, 0])
        self._t = 0.0

    def advance(self, t, times, channels):
        """Go on to the time `t`, through clicks at `times` (n,) of `channels` (n,), int.

        Raises
        ------
        ImpossibleClickError
        """
        from trajbatt.kernels.branches import follow

        state = self._logs.copy(), self._at.copy()
        change = follow(
            self.model.jump_elements,
            self.model.shifts,
            self._rate,
            times,
            channels,
            self._t,
            t,
            self._logs,
            self._signs,
            self._product,
            self._at,
        )
        rates = self._log_rates[channels]
        if change == -math.inf or not np.all(rates > -math.inf):
            raise ImpossibleClickError(self._impossible(*state, channels))
        self._scale += 2.0 * change + rates.sum()
        self._t = t

    @property
    def log_trace(self):
        """The logarithm of the trace, which is the probability density of the record."""
        return self._scale + math.log(np.exp(2.0 * self._logs).sum())

    def state(self):
        """Return the orders (stop,), of trace 1."""
        factors = self._signs * np.exp(self._logs)
        climbed = self._at[1]
        y = np.zeros_like(self._coherence)
        for q, part, levels in zip(self.orders, self.slices, self.lengths, strict=True):
            low, high = max(0, -climbed), min(levels, levels - climbed)
            if low < high:
                found = self._coherence[part] * factors[q:] * factors[:levels]
                y[part][low + climbed : high + climbed] = found[low:high]
        return y / y[self.slices[0]].real.sum()

    def mixture(self, phase):
        """Return the state as a `Mixture`, at Omega t = `phase`."""
        rows = self._mixture.rows(self.n_atoms + 1)
        np.divide(rows, self._roots, out=rows, where=self._roots > 0)
        rows = np.roll(rows * (self._signs * np.exp(self._logs)), self._at[1], axis=1)
        if phase:
            rows = rows * np.exp(-1j * phase * np.arange(self.n_atoms + 1))
        norms = np.linalg.norm(rows, axis=1)
        alive = norms > 0.0
        weights = self._mixture.weights[alive] * norms[alive] ** 2
        return Mixture.of_kets(weights, rows[alive] / norms[alive, None], negligible=0.0)

    def rates(self, y, _):
        """Return the click rates of the state y (stop, ...), float64 (nc, ...)."""
        return self.model.click_rates @ y[self.slices[0]].real

    def _impossible(self, logs, at, channels):
        """Return how many of the clicks leave a branch alive."""
        alive, climbed = np.flatnonzero(logs > -np.inf), at[1]
        for n, channel in enumerate(channels):
            elements = self.model.click_rates[channel, alive + climbed]
            alive = alive[elements > 0]
            climbed += self.model.shifts[channel]
            if alive.size == 0:
                return n
        raise AssertionError("the record is possible")


class InefficientObserver(LadderFields):
    """Misses some photons of a ladder model, or takes dark counts for photons.

    Parameters
    ----------
    model : LadderModel
    orders : sequence of int
        The coherence orders to follow.
    efficiency, dark_rate : ndarray (nc,), float64
    """

    def __init__(self, model, orders, efficiency, dark_rate):
        super().__init__(model, orders, 1.0 - efficiency[None])
        self._dark_rate = dark_rate
        seen = efficiency * np.array([channel.rate for channel in model.channels])
        self._jumps = seen[:, None] * np.concatenate(
            [
                model.jump_elements[:, q:] * model.jump_elements[:, :levels]
                for q, levels in zip(self.orders, self.lengths, strict=True)
            ],
            axis=1,
        )
        self._rate = float(model.click_rates.sum(axis=0).max())
        scale = self._rate or 1.0
        self._p_below = self._below[0, :-1] / scale
        self._p_diagonal = 1.0 + self._diagonal[0] / scale
        self._p_above = self._above[0, 1:] / scale

    def begin(self, mixture):
        """Start from a `Mixture` at t = 0."""
        self._y = y = self.of_mixture(mixture)
        self._spare = np.empty((2, y.size), dtype=y.dtype)
        self._t = 0.0
        self.log_trace = 0.0

    def advance(self, t, times, channels):
        """Go on to the time `t`, through clicks at `times` (n,) of `channels` (n,), int.

        Raises
        ------
        ImpossibleClickError
        """
        from trajbatt.kernels.uniformization import follow

        log, n = follow(
            self._p_below,
            self._p_diagonal,
            self._p_above,
            self._rate,
            self._jumps,
            self.model.shifts,
            self._dark_rate,
            self.n_atoms + 1,
            times,
            channels,
            self._t,
            t,
            self._y,
            *self._spare,
        )
        if log == -math.inf:
            raise ImpossibleClickError(n)
        self.log_trace += log - self._dark_rate.sum() * (t - self._t)
        self._t = t

    def state(self):
        """Return the orders (stop,), of trace 1."""
        return self._y.copy()

    def mixture(self, phase):
        """Return the state as a `Mixture`, at Omega t = `phase`; needs all orders."""
        return Mixture.of_matrix(self.matrix(self._y, phase), negligible=0.0)

    def rates(self, y, _):
        """Return the click rates of the state y (stop, ...), float64 (nc, ...)."""
        return self.model.click_rates @ y[self.slices[0]].real


class DrivenObserver(DrivenOrders):
    """Sees the photons of the driven Eq. (5), or misses some, or takes dark counts for photons.

    Parameters
    ----------
    model : BandedModel
    efficiency, dark_rate : ndarray (1,), float64
    """

    def __init__(self, model, efficiency, dark_rate):
        super().__init__(model)
        self._efficiency, self._dark_rate = float(efficiency[0]), float(dark_rate[0])
        self._flow = self.flow(1, ACCURACY, jumps=[[-self._efficiency]])
        largest = model.rate * (model.n_atoms / 2 + 1) ** 2
        self._least = IMPOSSIBLE * largest
        seen = self._efficiency * largest
        self._patience = PATIENCE / seen if seen > 0 else math.inf

    def begin(self, mixture):
        """Start from a `Mixture` at t = 0."""
        self._y, self._t = self.of_mixture(mixture), 0.0
        self._flow.begin(0.0, self._y[None])
        self.log_trace = 0.0

    def advance(self, t, times, channels):
        """Go on to the time `t`, through clicks at `times` (n,); there is one channel.

        Raises
        ------
        ImpossibleClickError
        """
        for n, time in enumerate(times):
            self._settle(time)
            clicked = self._efficiency * self._flow.jumped() + self._dark_rate * self._y
            rate = clicked[self.slices[0]].real.sum()
            if not rate > self._least * self._efficiency:
                raise ImpossibleClickError(n)
            self.log_trace += math.log(rate)
            self._y = clicked / rate
            self._flow.begin(time, self._y[None])
        self._settle(t)

    def state(self):
        """Return the orders (stop,), of trace 1."""
        return self._y.copy()

    def mixture(self, phase):
        """Return the state as a `Mixture`, at Omega t = `phase`."""
        return Mixture.of_matrix(self.matrix(self._y, phase), negligible=0.0)

    def rates(self, y, phase):
        """Return the click rate of the state y (stop, ...) at Omega t = `phase`, (1, ...)."""
        return np.array([self.click_rate(y, phase)])

    def _settle(self, t):
        """Go on without a click to the time `t`, and normalise: before the trace is lost."""
        while self._t < t:
            until = min(t, self._t + self._patience)
            ((y,), _) = self._flow.advance(until)
            trace = y[self.slices[0]].real.sum()
            self.log_trace += math.log(trace) - self._dark_rate * (until - self._t)
            y[self.slices[0]].imag = 0.0  # rounding that does not decay would outgrow the rest
            self._y, self._t = y / trace, until
            self._flow.begin(until, self._y[None])


def observer(model, efficiency, dark_rate, all_orders, goes_on):
    """Return the observer of a model's light.

    Parameters
    ----------
    model : LadderModel or BandedModel
    efficiency, dark_rate : ndarray (nc,), float64
    all_orders : bool
        All coherence orders are wanted, not only what energy, variance and dipole need.
    goes_on : bool
        The state is wanted as a mixture in the end.
    """
    if not isinstance(model, LadderModel):
        return DrivenObserver(model, efficiency, dark_rate)
    sees_all = np.all(efficiency == 1.0) and not dark_rate.any()
    needs_all = all_orders or (goes_on and not sees_all)
    orders = range(model.n_atoms + 1 if needs_all else min(3, model.n_atoms + 1))
    if sees_all:
        return LadderObserver(model, orders)
    return InefficientObserver(model, orders, efficiency, dark_rate)
