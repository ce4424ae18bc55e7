"""Running integrals over time of something that relaxes."""

import numpy as np

NODES = 10  # of each Gauss-Legendre panel


class RunningIntegral:
    """The integrals from 0 to each of `times`, by Gauss-Legendre panels.

    The panels grow with time: what relaxes is smooth on its `timescale` at first and on the scale
    of the time itself later.

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
        points, weights = np.polynomial.legendre.leggauss(NODES)
        nodes, scaled, self._ends = [np.empty(0)], [np.empty(0)], []
        start = 0.0
        for target in times:
            while start < target:
                length = min(0.5 * timescale + 0.3 * start, longest)
                # No sliver is left over for the last panel.
                stop = target if start + 1.2 * length >= target else start + length
                nodes.append(start + 0.5 * (stop - start) * (points + 1.0))
                scaled.append(0.5 * (stop - start) * weights)
                start = stop
            self._ends.append(NODES * (len(nodes) - 1))
        self.nodes = np.concatenate(nodes)
        self._weights = np.concatenate(scaled)

    def __call__(self, values):
        """Return the integrals (..., nt) of an integrand with `values` (..., n) at the nodes."""
        running = np.zeros((*values.shape[:-1], self.nodes.size + 1))
        np.cumsum(self._weights * values, axis=-1, out=running[..., 1:])
        return running[..., self._ends]
