r"""Photon counts, exactly: covariances of the channels' counts (DESIGN 3.3).

Let p be the populations and v_c(k) = E[n_c; level k] the counts of channel c resolved by level.
Jumps of channel c, p -> J_c p, add one photon of c, so with A the generator of p and w_c the click
rates

    dp/dt = A p,     dv_c/dt = A v_c + J_c p,
    d<n_a n_b>/dt = w_a.v_b + w_b.v_a + delta_ab w_a.p:

a block-triangular system whose diagonal blocks are all the same tridiagonal matrix.
"""

import numpy as np

from trajbatt.coherence import CoherenceOrders
from trajbatt.propagators import rational_states


class CountHierarchy:
    """d/dt of the populations, the level-resolved counts and the second moments of the counts."""

    def __init__(self, model):
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
            v = np.array([chain(v[c] + h * self._jumped(c, p)) for c in range(self._n_channels)])
            flow = self._rates @ v.T
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
        """Return means and covariances of the counts, on the scale of the mean."""
        mean = self.split(y)[1].sum(axis=1)
        scale = max(1.0, np.abs(mean).sum())
        return np.concatenate((mean, self.covariance(y).ravel())) / scale


def counts_covariance(model, mixture, times, rtol):
    """Return the covariances of the photon counts of a ladder model, float64 (nc, nc, nt)."""
    n_channels = len(model.channels)
    if n_channels == 0:
        return np.zeros((0, 0, times.size))
    hierarchy = CountHierarchy(model)
    states = rational_states(hierarchy, hierarchy.initial(mixture), times, rtol)
    return np.stack([hierarchy.covariance(y) for y in states], axis=-1)
