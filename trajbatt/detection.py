r"""The state of a battery as its light is seen, from click to click, within one stage.

Between the clicks of detectors of efficiency eta_c and dark rate d_c the state goes on under a
counting field of 1 - eta_c, and decays at the rate sum_c d_c, because there was no dark count; a
click of channel c applies eta_c 𝓙_c + d_c. The trace is the probability density of the record.
Three observers do this, each with what its model offers:

- `LadderObserver`, if no photon of a ladder model is missed: all branches by one factor each;
- `InefficientObserver`, if some are, or some clicks are dark counts: tridiagonal systems;
- `DrivenObserver`, for the driven Eq. (5): the whole density matrix.

All take and give coherence orders in the interaction picture that begins with the stage.
"""

import math

import numpy as np

from trajbatt.counting.fields import ACCURACY, LadderFields
from trajbatt.driven import DrivenOrders
from trajbatt.models import LadderModel
from trajbatt.orders import Orders

IMPOSSIBLE = 1e-14  # of the largest rate: less cannot be told from zero in a density matrix


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

    def begin(self, y):
        """Start from the orders y (stop,), of trace 1, at t = 0."""
        p = y[self.slices[0]].real
        with np.errstate(divide="ignore"):
            self._logs = 0.5 * np.log(np.maximum(p, 0.0))
        best = int(np.argmax(self._logs))
        # Products of amplitudes of modulus 1: what a mixture is less coherent than a ket.
        self._coherence = y.copy()
        roots = np.sqrt(p)
        for q, part in zip(self.orders, self.slices, strict=True):
            pairs = roots[q:] * roots[: roots.size - q]
            np.divide(y[part], pairs, out=self._coherence[part], where=pairs > 0)
        self._scale = 2.0 * self._logs[best]
        self._logs -= self._logs[best]
        self._signs, self._product = np.ones((2, p.size))
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

    def rates(self, y, _):
        """Return the click rates of the state y, float64 (nc,)."""
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

    def begin(self, y):
        """Start from the orders y (stop,), of trace 1, at t = 0."""
        self._y = y.copy()
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

    def rates(self, y, _):
        """Return the click rates of the state y, float64 (nc,)."""
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
        self._least = IMPOSSIBLE * model.rate * (model.n_atoms / 2 + 1) ** 2

    def begin(self, y):
        """Start from the orders y (stop,), of trace 1, at t = 0."""
        self._y, self._t = y, 0.0
        self._flow.begin(0.0, y[None])
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

    def rates(self, y, phase):
        """Return the click rate of the state y at Omega t = `phase`, float64 (1,)."""
        return np.array([self.click_rate(y, phase)])

    def _settle(self, t):
        """Go on without a click to the time `t`, and normalise."""
        ((y,), _) = self._flow.advance(t)
        trace = y[self.slices[0]].real.sum()
        self.log_trace += math.log(trace) - self._dark_rate * (t - self._t)
        self._y, self._t = y / trace, t
        self._flow.begin(t, self._y[None])


def observer(model, efficiency, dark_rate, orders):
    """Return the observer of a model's light.

    Parameters
    ----------
    model : LadderModel or BandedModel
    efficiency, dark_rate : ndarray (nc,), float64
    orders : sequence of int
        The coherence orders that are wanted; Eq. (5) needs all in any case.
    """
    if not isinstance(model, LadderModel):
        return DrivenObserver(model, efficiency, dark_rate)
    if np.all(efficiency == 1.0) and not dark_rate.any():
        return LadderObserver(model, orders)
    return InefficientObserver(model, orders, efficiency, dark_rate)
