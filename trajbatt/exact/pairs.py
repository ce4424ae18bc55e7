r"""Pairs of photons in bins of time, of a ladder model: one way through all bins.

Let M_i be the part of the populations p that has seen a photon of channel a in bin i, one for each
such photon. With the jumps 𝓙_a and 𝓙_b and the generator 𝓛 of the populations,

    dp/dt = 𝓛 p,    dM_i/dt = 𝓛 M_i + [t in bin i] 𝓙_a p,    dG_i/dt = Tr 𝓙_b M_i,

and what G_i gains in bin j is the mean number of pairs, the first photon in bin i and a later one
in bin j. So each bin adds one block, which goes on with the others.
"""

from itertools import pairwise

import numpy as np

from trajbatt.exact.ladder import LadderLiouvillian
from trajbatt.exact.orders import Orders
from trajbatt.numerics.propagators import rational_states

ACCURACY = 1e-11  # of the pairs that are expected of independent photons


def mean_pairs(model, populations, edges, first, second, means):
    """Return the mean number of pairs of photons in bins, float64 (n_bins, n_bins).

    Parameters
    ----------
    model : LadderModel
    populations : ndarray (N+1,), float64
        At the first of the edges.
    edges : ndarray (n_bins + 1,)
    first, second : ndarray (nc,), bool
        The channels of the first and of the later photon.
    means : ndarray (2, n_bins)
        Mean numbers of both in each bin, for the accuracy.

    Returns
    -------
    ndarray
        Element (i, j) is of the first photon in bin i and a later one in bin j; zero for j < i.
    """
    n_bins = edges.size - 1
    pairs = np.zeros((n_bins, n_bins))
    rows = populations[None]
    scales = np.where(means > 0.0, means, 1.0)
    for j, (start, stop) in enumerate(pairwise(edges)):
        system = _Bin(model, first, second, scales[0, : j + 1], scales[1, j], stop - start)
        (rows, gained) = system.through(rows)
        pairs[: j + 1, j] = gained
    return pairs


class _Bin:
    """p, the blocks M_i of the bins so far and of this one, and the G_i: one vector."""

    rounding = ACCURACY

    def __init__(self, model, first, second, scales, scale, duration):
        self._model, self._duration = model, duration
        self._levels, self._blocks = model.n_levels, scales.size
        self._scales = np.concatenate((scales, scales * scale))
        layout = Orders(model.n_atoms, model.theta, [0])
        channels = len(model.channel_names)
        self._going = LadderLiouvillian(model, layout, np.ones((self._blocks, channels)))
        self._own = LadderLiouvillian(model, layout)
        self._jumps = [
            (rates, shift)
            for rates, shift in zip(model.click_rates[first], model.shifts[first], strict=True)
        ]
        self._rates = model.click_rates[second].sum(axis=0)
        self._largest = model.largest_rate or 1.0
        self.timescale = duration if self._blocks > 1 else min(0.25 * model.timescale, duration)

    def through(self, rows):
        """Return the rows at the end of the bin, its own behind the others, and what G has gained.

        Parameters
        ----------
        rows : ndarray (1 + bins so far, N+1)
        """
        nothing = np.zeros(self._levels + self._blocks)
        y = np.concatenate((rows.ravel(), nothing))
        (y,) = rational_states(self, y, np.array([self._duration]), ACCURACY)
        return self._split(y)

    def _split(self, y):
        stop = (1 + self._blocks) * self._levels
        return y[:stop].reshape(-1, self._levels), y[stop:]

    def factor(self, pole, h):
        """Return the function y -> (pole - hA)^(-1) y."""
        going, own = self._going.resolvent(pole, h), self._own.resolvent(pole, h)
        shift = pole.real if pole.imag == 0.0 else pole
        before = self._blocks * self._levels

        def solve(y):
            x = y.astype(np.result_type(y, type(shift)))
            going(x[:before])
            populations, latest = x[: self._levels], x[before : before + self._levels]
            for rates, step in self._jumps:
                # The rate of a jump off the ladder is zero, so rolling brings nothing round.
                latest += h * np.roll(rates * populations, step)
            own(latest)
            rows, gained = self._split(x)
            gained += h * (rows[1:] @ self._rates)
            gained /= shift
            return x

        return solve

    def normalise(self, y):
        """Scale the populations to probability 1, in place."""
        y[: self._levels] /= y[: self._levels].sum()

    def monitor(self, y):
        """Return the rates, how much of the blocks there is, and the pairs, on their scales."""
        rows, gained = self._split(y)
        amounts = np.concatenate((rows[1:].sum(axis=1), gained)) / self._scales
        return np.append(amounts, rows[0] @ self._rates / self._largest)
