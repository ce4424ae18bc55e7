"""The state of driven atoms as some of their light is seen: the whole density matrix."""

import math

import numpy as np

from trajbatt.exact.banded import BandedLiouvillian, click_rates
from trajbatt.exact.fields import TRACE_ACCURACY
from trajbatt.inference.impossible import IMPOSSIBLE, PATIENCE, ImpossibleClickError
from trajbatt.states.mixture import Mixture


class BandedObserver:
    """Sees the photons of the driven Eq. (5), or misses some, or takes dark counts for photons.

    Parameters
    ----------
    model : BandedModel
    shares : ndarray (nc, nd), float64
        W_ab.
    dark_rate : ndarray (nd,), float64
    """

    def __init__(self, model, shares, dark_rate):
        self._model, self._liouvillian = model, BandedLiouvillian(model)
        self.layout = self._liouvillian.layout
        self._shares, self._dark_rate = shares, dark_rate
        efficiencies = shares.sum(axis=1)
        jumps = -efficiencies[:, None, None]
        self._flow = self._liouvillian.flow(1, TRACE_ACCURACY, jumps=jumps)
        self._least = IMPOSSIBLE * model.largest_rate
        seen = efficiencies.max(initial=0.0) * model.largest_rate
        self._patience = PATIENCE / seen if seen > 0 else math.inf

    def begin(self, mixture):
        """Start from a `Mixture` at t = 0."""
        self._y, self._t = self.layout.of_mixture(mixture), 0.0
        self._flow.begin(0.0, self._y[None])
        self.log_trace = 0.0

    def resume(self, t, matrix, log_trace):
        """Go on from a density matrix (N+1, N+1) at the time `t`, after a record so likely."""
        orders = np.repeat(self.layout.orders, self.layout.lengths)
        turn = np.exp(1j * self._model.frequency * t * orders)
        self._y, self._t = self.layout.of_matrix(matrix) * turn, t
        self._flow.begin(t, self._y[None])
        self.log_trace = log_trace

    def advance(self, t, times, detectors):
        """Go on to the time `t`, through clicks at `times` (n,) of `detectors` (n,), int.

        Raises
        ------
        ImpossibleClickError
        """
        for n, (time, detector) in enumerate(zip(times, detectors, strict=True)):
            self._settle(time)
            clicked, shares = self._dark_rate[detector] * self._y, self._shares[:, detector]
            for channel in np.flatnonzero(shares):
                clicked = clicked + shares[channel] * self._flow.jumped(channel)
            rate = self.layout.trace(clicked).real
            if not rate > self._least * shares.max():
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
        return Mixture.of_matrix(self.layout.matrix(self._y, phase), negligible=0.0)

    def rates(self, y, phase):
        """Return the click rates of the state y (stop, ...) at Omega t = `phase`, (nc, ...)."""
        return click_rates(self._model, self.layout, y, phase)

    def _settle(self, t):
        """Go on without a click to the time `t`, and normalise: before the trace is lost."""
        while self._t < t:
            until = min(t, self._t + self._patience)
            ((y,), _) = self._flow.advance(until)
            trace = self.layout.trace(y).real
            self.log_trace += math.log(trace) - self._dark_rate.sum() * (until - self._t)
            y[self.layout.populations].imag = 0.0  # rounding that does not decay would outgrow it
            self._y, self._t = y / trace, until
            self._flow.begin(until, self._y[None])
