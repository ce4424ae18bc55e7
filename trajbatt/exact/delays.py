"""A stage as a map: what becomes of states that stay in it for a time, whenever they enter.

Many states enter at the nodes of panels, but few probes tell the map: under a ladder the orders do
not mix, so one probe has one element of each; else the map is of the real and the imaginary part of
each element.
"""

import numpy as np

from trajbatt.exact.arrivals import Arrivals, Packet
from trajbatt.exact.carried import Picture

SAME = 1e-12  # of the last time: one that is later by so little is not
MOST_ELEMENTS = 2e7  # numbers of a map that is held


class Delay:
    """A time in a stage, which takes a density matrix to n of them, the first being coupled so.

    Parameters
    ----------
    model : Model
        A plain one.
    rtol, duration : float
    n : int
    **couplings
        As for `BandedLiouvillian.flow`.
    """

    def __init__(self, model, rtol, duration, n=1, **couplings):
        self._picture = Picture(model, rtol, n, **couplings)
        self._n, self._duration, self._mixes = n, duration, not model.has_lines
        self._n_levels = model.n_levels

    def of(self, arrivals, end):
        """Return what has entered, as it is after the delay, of what leaves before the `end`.

        Of each `Packet` and `Panel` the matrices (..., n, N+1, N+1).
        """
        last = end * (1.0 + SAME)
        packets = [one for one in arrivals.packets if one.time + self._duration < end]
        panels = [one for one in arrivals.panels if one.high + self._duration <= last]
        matrices = [one.matrix for one in packets]
        matrices += [matrix for one in panels for matrix in one.matrices]
        if not matrices:
            return Arrivals([], [])
        found = self._through(np.array(matrices))
        later = [
            Packet(one.time + self._duration, matrices)
            for one, matrices in zip(packets, found, strict=False)
        ]
        pieces = np.split(found[len(packets) :], np.cumsum([len(one.matrices) for one in panels]))
        moved = [
            one.changed(piece, self._duration) for one, piece in zip(panels, pieces, strict=False)
        ]
        return Arrivals(later, moved)

    def _through(self, matrices):
        """Return what becomes of matrices (m, N+1, N+1), (m, n, N+1, N+1)."""
        y = self._picture.orders(matrices, 0.0)
        stop = y.shape[1]
        probes = 2 * stop if self._mixes else self._n_levels
        if len(y) <= probes or probes * self._n * stop > MOST_ELEMENTS:
            found = np.array([self._followed(one) for one in y])
        elif self._mixes:
            both = np.eye(stop)
            table = np.array([self._followed(one) for one in (*both, *(1j * both))])
            found = np.tensordot(np.concatenate((y.real, y.imag), axis=1), table, axes=1)
        else:
            found = self._by_orders(y)
        return self._picture.matrix(found, self._duration)

    def _followed(self, y):
        """Return what becomes of one (stop,), (n, stop)."""
        rows = np.zeros((self._n, y.size), dtype=complex)
        rows[0] = y
        self._picture.flow.begin(0.0, rows)
        return self._picture.flow.advance(self._duration)[0]

    def _by_orders(self, y):
        """Return the same of all y (m, stop), if orders do not mix, (m, n, stop)."""
        level, order = self._picture.layout.elements
        found = np.zeros((len(y), self._n, y.shape[1]), dtype=complex)
        for k in range(self._n_levels):
            response = self._followed((level == k).astype(complex))
            has = np.zeros((len(y), self._n_levels), dtype=complex)
            has[:, order[level == k]] = y[:, level == k]
            found += has[:, None, order] * response
        return found
