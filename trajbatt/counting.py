r"""Photon counts, exactly: covariances of the channels' counts (DESIGN 3.3).

Let p be the populations, n_c the counts and w_c the click rates of channel c, and let the constants
nu_c be the mean rates over the whole run. With v_c(k) = E[n_c - nu_c t; level k] the deviation
resolved by level, and p -> J_c p the jumps of channel c, which add one photon each,

    dp/dt = A p,     dv_c/dt = A v_c + J_c p - nu_c p,
    dC_ab/dt = (w_a - nu_a).v_b + (w_b - nu_b).v_a + delta_ab w_a.p,

where C_ab is the second moment of the deviations. The system is block-triangular with the same
tridiagonal matrix all along its diagonal. Without the nu_c its covariances would be small
differences of second moments that grow with the square of the time.
"""

import numpy as np

from trajbatt.coherence import CoherenceOrders
from trajbatt.propagators import rational_states


class CountHierarchy:
    """d/dt of the populations, the level-resolved counts and the second moments of the counts.

    Parameters
    ----------
    model : LadderModel
    drift : ndarray (nc,), float64
        The rates nu_c that are taken out of the counts.
    """

    def __init__(self, model, drift):
        self._drift = drift
        self._populations = CoherenceOrders(model, [0])
        self._rates = model.click_rates
        self._shifts = model.shifts
        self._n_channels = len(model.channels)
        self._levels = model.n_atoms + 1
        self.timescale = self._populations.timescale
        self.rounding = self._populations.rounding

    def initial(self, mixture):
        """Return the vector of a `Mixture` with no photon yet."""
        y = np.zeros((1 + self._n_channels) * self._levels + self._n_channels**2)
        y[: self._levels] = self._populations.initial(mixture)[: self._levels].real
        return y

    def split(self, y):
        """Return p (N+1,), v (nc, N+1) and the second moments (nc, nc)."""
        levels = y[: -(self._n_channels**2)].reshape(1 + self._n_channels, self._levels)
        return levels[0], levels[1:], y[-(self._n_channels**2) :].reshape((self._n_channels,) * 2)

    def factor(self, pole, h):
        """Return the function y -> (pole - hA)^(-1) y, by forward substitution of the blocks."""
        substitute = self._populations.factor(pole, h)
        no_counts = np.zeros(self._n_channels)
        shift = pole.real if pole.imag == 0.0 else pole

        def chain(b):
            return substitute(np.concatenate((b, no_counts)))[: self._levels]

        def solve(y):
            p, v, second = self.split(y)
            p = chain(p)
            v = np.array(
                [
                    chain(v[c] + h * (self._jumped(c, p) - self._drift[c] * p))
                    for c in range(self._n_channels)
                ]
            )
            flow = self._rates @ v.T - self._drift[:, None] * v.sum(axis=1)
            gain = flow + flow.T + np.diag(self._rates @ p)
            return np.concatenate((p, v.ravel(), ((second + h * gain) / shift).ravel()))

        return solve

    def normalise(self, y):
        """Scale populations and level-resolved counts, in place, to probability 1."""
        y[: (1 + self._n_channels) * self._levels] /= y[: self._levels].sum()

    def _jumped(self, channel, p):
        flow = self._rates[channel] * p
        shift = self._shifts[channel]
        # The rate of a jump off the ladder is zero, so rolling brings nothing round.
        return np.roll(flow, shift) if shift else flow

    def covariance(self, y):
        """Return the covariances of the counts (nc, nc)."""
        _, v, second = self.split(y)
        mean = v.sum(axis=1)
        return second - np.outer(mean, mean)

    def monitor(self, y):
        """Return the deviations of the counts and their covariances, on the scale of the latter."""
        covariance = self.covariance(y)
        scale = max(1.0, np.abs(covariance.diagonal()).sum())
        return np.concatenate((self.split(y)[1].sum(axis=1), covariance.ravel())) / scale


def counts_covariance(model, mixture, times, mean_counts, rtol):
    """Return the covariances of the photon counts of a ladder model, float64 (nc, nc, nt).

    `mean_counts` (nc,) are those at the last time.
    """
    n_channels = len(model.channels)
    if n_channels == 0:
        return np.zeros((0, 0, times.size))
    duration = times[-1] if times[-1] > 0 else 1.0
    hierarchy = CountHierarchy(model, mean_counts / duration)
    states = rational_states(hierarchy, hierarchy.initial(mixture), times, rtol)
    return np.stack([hierarchy.covariance(y) for y in states], axis=-1)
