"""The state of a battery under the driven Eq. (5) of which every jump is seen: a wavefunction."""

import numpy as np

from trajbatt.exact.banded import click_rates
from trajbatt.exact.orders import Orders
from trajbatt.inference.impossible import ImpossibleClickError
from trajbatt.states.mixture import Mixture
from trajbatt.trajectories.banded import tables_of

IMPOSSIBLE = 1e-28  # of the largest click rate: wavefunctions know rates better than matrices
ACCURACY, NEGLIGIBLE = 1e-13, 1e-30
MOST_ELEMENTS = 2**21  # of states at once: 32 MB


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
        self._window, self._clock = np.array([low, high]), np.zeros(2)

    def path(self, wanted, times, detectors):
        """Yield the orders of trace 1, and the logarithm of the trace, at the times `wanted` (nt,).

        Parameters
        ----------
        wanted : ndarray (nt,)
        times, detectors : ndarray (n,)
            Of the clicks until the last of them.

        Raises
        ------
        ImpossibleClickError
        """
        channels = self._channel_of[detectors]
        together = max(1, MOST_ELEMENTS // self.layout.stop)
        done = 0
        for first in range(0, wanted.size, together):
            some = wanted[first : first + together]
            stop = int(np.searchsorted(times, some[-1], side="right"))
            here = slice(done, stop)
            unknown = np.flatnonzero(channels[here] < 0)
            if unknown.size:
                raise ImpossibleClickError(done + int(unknown[0]))
            kets, logs = self._followed(some, times[here], channels[here], done)
            yield from zip(self._orders_of(kets, some), logs.tolist(), strict=True)
            done = stop

    def _followed(self, wanted, times, channels, done):
        """Return the kets (nt, N+1) and the logarithms (nt,), through clicks from `done` on."""
        from trajbatt.kernels.banded import follow_record

        kets = np.zeros((wanted.size, self.model.n_levels), dtype=complex)
        logs = np.empty(wanted.size)
        clicks, limits = (times, channels), (ACCURACY, NEGLIGIBLE, self._least)
        args = self._work, self._tables, self._clock, self._window
        possible = follow_record(*args, np.ascontiguousarray(wanted), clicks, limits, kets, logs)
        if possible < times.size:
            raise ImpossibleClickError(done + possible)
        self._ket = kets[-1]
        return kets, logs

    def _orders_of(self, kets, times):
        """Return the orders (nt, stop) of kets at their times, in the interaction picture."""
        found, conjugate = np.empty((len(kets), self.layout.stop), dtype=complex), kets.conj()
        phase = self._tables.frequency * times[:, None]
        for q, part in zip(self.layout.orders, self.layout.slices, strict=True):
            pairs = kets[:, q:] * conjugate[:, : kets.shape[1] - q]
            found[:, part] = pairs * np.exp(1j * q * phase)
        return found

    def mixture(self, _):
        """Return the state as a `Mixture`."""
        levels = np.arange(self.model.n_levels)
        turned = self._ket * np.exp(-1j * self._tables.picture * self._clock[0] * levels)
        return Mixture.of_kets([1.0], turned[None], negligible=0.0)

    def rates(self, y, phase):
        """Return the click rates of the state y (stop, ...) at Omega t = `phase`, (nc, ...)."""
        return click_rates(self.model, self.layout, y, phase)
