"""What enters a stage that begins at random times: packets at known times, and densities between.

A density of times is known at the nodes of Gauss's quadrature on *panels*, on each of which it is
smooth: so a whole panel is as good as packets of its nodes, and what is within is interpolated.
"""

from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.polynomial import legendre

from trajbatt.numerics.quadrature import gauss, gauss_rule


class Packet(NamedTuple):
    """What enters at some time: an unnormalised density matrix (N+1, N+1)."""

    time: float
    matrix: np.ndarray


@dataclass(frozen=True, eq=False)
class Panel:
    """What enters per time, between two times.

    Attributes
    ----------
    low, high : float
    matrices : ndarray (m, ...), complex128
        Unnormalised density matrices over time, at the nodes.
    """

    low: float
    high: float
    matrices: np.ndarray

    @property
    def times(self):
        """Those of the nodes, float64 (m,)."""
        return gauss(self.low, self.high, len(self.matrices))[0]

    def packets(self):
        """Return the packets that the whole panel is as good as."""
        times, weights = gauss(self.low, self.high, len(self.matrices))
        return [
            Packet(time, weight * matrix)
            for time, weight, matrix in zip(times, weights, self.matrices, strict=True)
        ]

    def at(self, times):
        """Return the matrices over time at some times (n,) within, (n, ...)."""
        x = (2.0 * np.asarray(times) - self.low - self.high) / (self.high - self.low)
        to_series = _to_series(len(self.matrices))
        return np.tensordot(legendre.legvander(x, len(to_series) - 1) @ to_series, self.matrices, 1)

    def changed(self, matrices, delay=0.0):
        """Return other matrices, as much later."""
        return Panel(self.low + delay, self.high + delay, matrices)


class Arrivals(NamedTuple):
    """All that enters a stage: packets, and densities on panels."""

    packets: list[Packet]
    panels: list[Panel]

    def every(self):
        """Return it as packets, good for times that are in no panel."""
        return self.packets + [one for panel in self.panels for one in panel.packets()]

    def edges(self):
        """Return the times at which something is not smooth, a list."""
        ends = [end for panel in self.panels for end in (panel.low, panel.high)]
        return [one.time for one in self.packets] + ends

    def before(self, end):
        """Return what enters before a time at which a panel may end, and what does at t = 0."""
        return Arrivals(
            [one for one in self.packets if one.time < end or one.time == 0.0],
            [panel for panel in self.panels if panel.low < end],
        )

    def summed(self):
        """Return the sums of matrices (n, N+1, N+1) in place of them."""
        return Arrivals(
            [Packet(one.time, one.matrix.sum(axis=0)) for one in self.packets],
            [panel.changed(panel.matrices.sum(axis=1)) for panel in self.panels],
        )

    def turned(self, turn):
        """Return the same in another basis, by the matrix of `spin.change_of_basis`."""
        return Arrivals(
            [Packet(one.time, turn.T @ one.matrix @ turn) for one in self.packets],
            [panel.changed(turn.T @ panel.matrices @ turn) for panel in self.panels],
        )


@cache
def _to_series(m):
    """Return what takes values at m nodes to coefficients of Legendre polynomials, (m, m)."""
    points, weights = gauss_rule(m)
    return (np.arange(m) + 0.5)[:, None] * legendre.legvander(points, m - 1).T * weights
