"""The state of a battery under the driven Eq. (5) of which every jump is seen: a wavefunction."""

import numpy as np

from trajbatt.exact.banded import click_rates
from trajbatt.exact.orders import Orders
from trajbatt.inference.impossible import ImpossibleClickError
from trajbatt.states.mixture import Mixture
from trajbatt.trajectories.banded import tables_of

IMPOSSIBLE = 1e-28  # of the largest click rate: wavefunctions know rates better than matrices
ACCURACY, NEGLIGIBLE = 1e-13, 1e-30


class WavefunctionObserver:
    """Sees all jumps of the driven Eq. (5), from a pure state on.

    Parameters
    ----------
    model : BandedModel
    places : ndarray (nc,), int
        The detector of each channel.
    n_detectors : int
    all_orders : bool
        Whether the whole density matrix is wanted, or the orders 0, 1 and 2.
    """

    def __init__(self, model, places, n_detectors, all_orders):
        from trajbatt.kernels.banded import Workspace

        self.model = model
        wanted = model.n_levels if all_orders else min(3, model.n_levels)
        self.layout = Orders(model.n_atoms, model.theta, range(wanted))
        self._channel_of = np.full(n_detectors, -1)
        self._channel_of[places] = np.arange(places.size)
        self._tables = tables_of(model)
        self._work = Workspace.fresh(self._tables.raising.size)
        self._least = max(IMPOSSIBLE * model.largest_rate, np.finfo(float).tiny)

    def begin(self, mixture):
        """Start from a `Mixture` of one state at t = 0."""
        from trajbatt.kernels.banded import begin_step
        from trajbatt.kernels.reading import MARGIN

        (ket,) = mixture.rows(self.model.n_levels)
        cells = np.pad(ket.astype(complex), MARGIN).view(float)
        end = 2 * (self.model.n_levels + MARGIN)
        low, high, _ = begin_step(self._work, cells, 2 * MARGIN, end, 0.0)
        self._window, self._clock = np.array([low, high]), np.zeros(1)
        self.log_trace = 0.0

    def advance(self, t, times, detectors):
        """Go on to the time `t`, through clicks at `times` (n,) of `detectors` (n,), int.

        Raises
        ------
        ImpossibleClickError
        """
        from trajbatt.kernels.banded import follow_record

        channels = self._channel_of[detectors]
        if channels.size and channels.min() < 0:
            raise ImpossibleClickError(int(np.argmin(channels)))
        logs = follow_record(
            self._work,
            self._tables,
            self._clock,
            self._window,
            t,
            np.ascontiguousarray(times),
            channels,
            ACCURACY,
            NEGLIGIBLE,
            self._least,
        )
        impossible = logs[1::2] <= np.log(self._least)
        if impossible.any():
            raise ImpossibleClickError(int(np.argmax(impossible)))
        self.log_trace += logs.sum()

    def _ket(self):
        """Return the lowest level of the window, and the state on it."""
        from trajbatt.kernels.reading import MARGIN

        low, high = self._window
        return low, self._work.series[0, 2 * (low + MARGIN) : 2 * (high + MARGIN + 1)].view(complex)

    def state(self):
        """Return the orders (stop,), of trace 1."""
        phase = self._tables.frequency * self._clock[0]
        low, ket = self._ket()
        turned = ket * np.exp(1j * phase * np.arange(ket.size))
        one = Mixture(np.ones(1), np.array([low]), np.array([0, ket.size]), turned)
        return self.layout.of_mixture(one)

    def mixture(self, _):
        """Return the state as a `Mixture`."""
        low, ket = self._ket()
        turned = ket * np.exp(-1j * self._tables.picture * self._clock[0] * np.arange(ket.size))
        return Mixture(np.ones(1), np.array([low]), np.array([0, ket.size]), turned)

    def rates(self, y, phase):
        """Return the click rates of the state y (stop, ...) at Omega t = `phase`, (nc, ...)."""
        return click_rates(self.model, self.layout, y, phase)
