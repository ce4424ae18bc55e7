"""Integrals over time of something smooth that is known at few times."""

from functools import cache

import numpy as np
from numpy.polynomial import legendre

NODES = 12  # of each Gauss-Legendre panel


@cache
def gauss_rule(m):
    """Return the m nodes and weights of Gauss's quadrature on -1 to 1, float64 (m,) each."""
    return legendre.leggauss(m)


def gauss(low, high, m):
    """Return the nodes and the weights of the same between two times."""
    points, weights = gauss_rule(m)
    half = 0.5 * (high - low)
    return low + half * (points + 1.0), half * weights


class RunningIntegral:
    """The integrals from 0 to each of `times`, by Gauss-Legendre panels.

    The panels grow with time: what relaxes is smooth on its `timescale` at first and on the scale
    of the time itself later. Within a panel the polynomial through its nodes is integrated, so the
    nodes do not depend on `times` but for the last.

    Parameters
    ----------
    times : ndarray (nt,), float64
        Strictly increasing, >= 0.
    timescale : float
    longest : float
        Of a panel, for what does not relax, but oscillates.

    Attributes
    ----------
    nodes : ndarray (n,), float64
        Where the integrand is asked for, strictly increasing.
    """

    def __init__(self, times, timescale, longest=np.inf):
        points, weights = legendre.leggauss(NODES)
        edges = [0.0]
        while edges[-1] < times[-1]:
            length = min(0.5 * timescale + 0.3 * edges[-1], longest)
            # No sliver is left over for the last panel.
            is_last = edges[-1] + 1.2 * length >= times[-1]
            edges.append(times[-1] if is_last else edges[-1] + length)
        starts, lengths = np.array(edges[:-1]), np.diff(edges)
        self.nodes = (starts[:, None] + 0.5 * lengths[:, None] * (points + 1.0)).ravel()
        self._whole = 0.5 * lengths[:, None] * weights

        # The integral from -1 to x of the polynomial through the points, as weights of its values:
        # the Legendre coefficients of a polynomial are sums over Gauss points.
        n = np.arange(NODES)
        self._panel = np.clip(np.searchsorted(edges, times, side="right") - 1, 0, len(starts) - 1)
        if starts.size:
            x = 2.0 * (times - starts[self._panel]) / lengths[self._panel] - 1.0
            values = legendre.legvander(np.clip(x, -1.0, 1.0), NODES)
            rising = np.empty((times.size, NODES))
            rising[:, 0] = values[:, 0] + values[:, 1]
            rising[:, 1:] = (values[:, 2:] - values[:, :-2]) / (2.0 * n[1:] + 1.0)
            coefficients = (n + 0.5) * legendre.legvander(points, NODES - 1) * weights[:, None]
            self._partial = 0.5 * lengths[self._panel, None] * (rising @ coefficients.T)

    def __call__(self, values):
        """Return the integrals (..., nt) of an integrand with `values` (..., n) at the nodes."""
        if self.nodes.size == 0:
            return np.zeros((*values.shape[:-1], self._panel.size))
        values = values.reshape(*values.shape[:-1], -1, NODES)
        whole = (values * self._whole).sum(axis=-1)
        before = np.cumsum(whole, axis=-1) - whole
        here = np.einsum("...tj,tj->...t", values[..., self._panel, :], self._partial)
        return before[..., self._panel] + here
