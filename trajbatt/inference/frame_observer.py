"""The state of many driven atoms as some of their light is seen, in a frame that turns with it."""

import numpy as np

from trajbatt.exact.frame import FrameModel, SpreadError
from trajbatt.exact.frame_conditional import ConditionalFrame
from trajbatt.exact.orders import LARGEST_FULL
from trajbatt.inference.banded_observer import BandedObserver
from trajbatt.inference.impossible import IMPOSSIBLE, ImpossibleClickError

SPREAD = 0.5  # of all levels: with more of them the whole density matrix is as fast


class FrameObserver:
    """Sees some of the photons of the driven Eq. (5) of many atoms, or takes dark counts for them.

    Where the state is not near its mean spin it goes on with the whole density matrix.

    Parameters
    ----------
    model : BandedModel or RampModel
    shares : ndarray (nc, nd), float64
        W_ab.
    dark_rate : ndarray (nd,), float64
    """

    def __init__(self, model, shares, dark_rate):
        self._model, self._shares, self._dark_rate = model, shares, dark_rate
        offers_whole = model.n_atoms <= LARGEST_FULL and not model.moves
        most = int(SPREAD * model.n_levels) if offers_whole else model.n_levels
        self._frame = ConditionalFrame(FrameModel.of(model, most), shares.sum(axis=1))
        self._whole = None
        self._least = IMPOSSIBLE * model.largest_rate

    def begin(self, mixture):
        """Start from a `Mixture` at t = 0."""
        self._t = 0.0
        try:
            self._frame.begin(mixture)
        except SpreadError:
            self._go_whole()
            self._whole.begin(mixture)

    def _go_whole(self):
        self._whole = BandedObserver(self._model, self._shares, self._dark_rate)

    @property
    def layout(self):
        """The layout of the state now."""
        return self._frame.layout if self._whole is None else self._whole.layout

    @property
    def log_trace(self):
        """The logarithm of the trace, which is the probability density of the record."""
        if self._whole is not None:
            return self._whole.log_trace
        return self._frame.log_trace - self._dark_rate.sum() * self._t

    def advance(self, t, times, detectors):
        """Go on to the time `t`, through clicks at `times` (n,) of `detectors` (n,), int.

        Raises
        ------
        ImpossibleClickError
        """
        if self._whole is not None:
            self._whole.advance(t, times, detectors)
            return
        for n, (time, detector) in enumerate(zip(times, detectors, strict=True)):
            if not self._reaches(time):
                try:
                    self._whole.advance(t, times[n:], detectors[n:])
                except ImpossibleClickError as impossible:
                    raise ImpossibleClickError(n + impossible.args[0]) from None
                return
            shares = self._shares[:, detector]
            rate = self._frame.click(shares, self._dark_rate[detector])
            if not rate > self._least * shares.max():
                raise ImpossibleClickError(n)
        if not self._reaches(t):
            self._whole.advance(t, times[:0], detectors[:0])

    def _reaches(self, t):
        """Go on without a click to the time `t` if the frame can; else leave it where it is."""
        before = self._frame.kept()
        try:
            self._frame.advance(t - self._t)
        except SpreadError:
            self._frame.restore(before)
            matrix = self.layout.matrix(self._frame.state(), None)
            log_trace = self.log_trace
            self._go_whole()
            self._whole.resume(self._t, matrix, log_trace)
            return False
        self._t = t
        return True

    def state(self):
        """Return what the layout reads, of trace 1."""
        return self._frame.state() if self._whole is None else self._whole.state()

    def mixture(self, phase):
        """Return the state as a `Mixture`, at Omega t = `phase`."""
        if self._whole is not None:
            return self._whole.mixture(phase)
        return self.layout.mixture(self._frame.state(), phase, self._model.theta)

    def rates(self, y, phase):
        """Return the click rates of the state y (stop, ...) at Omega t = `phase`, (nc, ...)."""
        if np.iscomplexobj(y):
            return self._whole.rates(y, phase)
        rates = self._model.rates
        found = self._frame.layout_of(len(y)).click_rates(y)[: rates.size]
        return (rates * found.T).T
