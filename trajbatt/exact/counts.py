r"""Photon counts, exactly: covariances of the channels' counts.

Let rho be the density matrix, n_a the count of the photons of tag a, and let the constants nu_a be
mean rates over a stage. With V_a the part of rho that carries the deviation of n_a from nu_a t (so
that Tr V_a is its mean), and J_c the jumps of channel c, which add one photon of its tag each,

    d rho/dt = 𝓛 rho,     dV_a/dt = 𝓛 V_a + J_a rho - nu_a rho,
    dC_ab/dt = Tr (J_a - nu_a) V_b + Tr (J_b - nu_b) V_a + delta_ab Tr J_a rho,

where C_ab is the second moment of the deviations. Without the nu_a the covariances would be small
differences of second moments that grow with the square of the time.

The system is block-triangular, with the same 𝓛 all along its diagonal. Under a ladder model traces
and rates need the populations only, so where the run ends with it there is nothing else; where
another stage follows, all coherence orders go on, because the next basis mixes them.
"""

import math

import numpy as np

from trajbatt.exact.banded import BandedLiouvillian
from trajbatt.exact.block_orders import Elsewhere
from trajbatt.exact.ladder import LadderLiouvillian
from trajbatt.exact.orders import Orders
from trajbatt.exact.relaxation import states_until_any_time
from trajbatt.states.mixture import Mixture


class Tagged:
    """rho and the V_a as rows (1 + n_counts, stop), and behind them the C_ab: one vector.

    Parameters
    ----------
    layout : Orders
    n_counts : int
    """

    def __init__(self, layout, n_counts):
        self.layout, self.n_counts = layout, n_counts
        self._shape = 1 + n_counts, layout.stop
        self._split = (1 + n_counts) * layout.stop

    def begin(self, given):
        """Return the vector of a `Mixture`, or of matrices and moments that were handed over."""
        if isinstance(given, Mixture | Elsewhere):
            first = self.layout.rows(given)[0]
            rows = np.zeros(self._shape, dtype=first.dtype)
            rows[0] = first
            return np.concatenate((rows.ravel(), np.zeros(self.n_counts**2)))
        matrices, second = given
        return np.concatenate((self.layout.rows(matrices).ravel(), second))

    def split(self, y):
        """Return the rows (1 + n_counts, stop), and the C_ab (n_counts^2,)."""
        return y[: self._split].reshape(self._shape), y[self._split :]

    def scale(self, y, factor):
        """Multiply the rows, in place."""
        y[: self._split] *= factor

    def deviations(self, y):
        """Return the means (n_counts,) and covariances (n_counts, n_counts) of the deviations."""
        rows, second = self.split(y)
        mean = self.layout.trace(rows[1:]).real
        with np.errstate(over="ignore", invalid="ignore"):  # in times that nobody waits for
            return mean, second.real.reshape(self.n_counts, -1) - np.outer(mean, mean)

    def hand_over(self, y, phase, theta):
        """Return the matrices (1 + n_counts, N+1, N+1) and the C_ab for another stage."""
        rows, second = self.split(y)
        return self.layout.in_basis(rows, phase, theta), second.real


class LadderCounts:
    """The count moments of a ladder model.

    Parameters
    ----------
    model : LadderModel
    rtol : float
    places : sequence of int
        Of each channel, among all that are counted.
    drift : ndarray (n_counts,), float64
        The rates nu_a.
    goes_on : bool
        Another stage follows, so that all orders are wanted.
    """

    def __init__(self, model, rtol, places, drift, goes_on):
        self.model, self._rtol = model, rtol
        self._places, self._drift = list(places), drift
        self.layout = Orders.every(model) if goes_on else Orders(model.n_atoms, model.theta, [0])
        self.tagged = Tagged(self.layout, drift.size)
        self.begin, self.hand_over = self.tagged.begin, self.tagged.hand_over
        self._liouvillian = LadderLiouvillian(model, self.layout)
        self._jumps = self._liouvillian.jumps
        self._rates = np.zeros((drift.size, model.n_levels))
        self._rates[self._places] = model.click_rates
        self.timescale = 0.25 * model.timescale
        self.rounding = 5e-13 * model.n_atoms

    def states(self, y, times):
        """Return an iterable of the vectors at each of `times`."""
        y = y.real if len(self.layout.orders) == 1 else y
        return states_until_any_time(self, y, times, self._rtol)

    def factor(self, pole, h):
        """Return the function y -> (pole - hA)^(-1) y, by forward substitution of the blocks."""
        substitute = self._liouvillian.resolvent(pole, h)
        shift = pole.real if pole.imag == 0.0 else pole
        populations = self.layout.populations

        def chain(b):
            x = b.astype(np.result_type(b, type(shift)))
            substitute(x)
            return x

        def solve(y):
            rows, second = self.tagged.split(y)
            rho = chain(rows[0])
            sources = -self._drift[:, None] * rho
            for jump, step, place in zip(self._jumps, self.model.shifts, self._places, strict=True):
                # The rate of a jump off the ladder is zero, so rolling brings nothing round.
                sources[place] += np.roll(jump * rho, step)
            tagged = [chain(v + h * source) for v, source in zip(rows[1:], sources, strict=True)]
            gain = self._gain(rho[populations], np.array(tagged)[:, populations])
            return np.concatenate((rho, *tagged, (second + h * gain.ravel()) / shift))

        return solve

    def _gain(self, p, v):
        """Return dC/dt (n_counts, n_counts) for the populations p (N+1,) and those of the V_a."""
        flow = self._rates @ v.T - self._drift[:, None] * v.sum(axis=1)
        return flow + flow.T + np.diag(self._rates @ p)

    def extrapolated(self, y, duration):
        """Return the vector after `duration` in the steady state: rho stays, V_a grows along it."""
        rows, second = self.tagged.split(y)
        populations = self.layout.populations
        p, v = rows[0, populations].real, rows[1:, populations].real
        slope = self._rates @ p - self._drift
        slope[np.abs(slope) < 1e-14 * np.abs(self._drift)] = 0.0  # but for rounding
        later = rows + duration * np.outer(np.append(0.0, slope), rows[0])
        grown = duration * slope
        with np.errstate(over="ignore"):  # in times that nobody waits for
            gain = duration * self._gain(p, v) + np.outer(grown, grown)
        return np.concatenate((later.ravel(), second + gain.ravel()))

    def normalise(self, y):
        """Scale rho and the V_a, in place, to probability 1."""
        self.tagged.scale(y, 1.0 / y[self.layout.populations].real.sum())

    def monitor(self, y):
        """Return means and covariances of the counts' deviations, on the scale of the latter.

        The second moments alone would not do: where a mean curve is far from its line they are
        large, and the covariance is a small difference of them and of squared means. Where all
        orders go on, these as well.
        """
        mean, covariance = self.tagged.deviations(y)
        scale = max(1.0, np.abs(np.diagonal(covariance)).sum())
        watched = [mean / math.sqrt(scale), covariance.ravel() / scale]
        if len(self.layout.orders) > 1:
            watched.append(self.tagged.split(y)[0].ravel() / scale)
        return np.concatenate(watched)


class BandedCounts:
    """The same under the driven Eq. (5); parameters as for `LadderCounts`, but all orders."""

    def __init__(self, model, rtol, places, drift, goes_on):
        self._rtol, self._drift, self._sources = rtol, drift, list(places)
        self._liouvillian = BandedLiouvillian(model)
        self.layout = self._liouvillian.layout
        self.tagged = Tagged(self.layout, drift.size)
        self.begin, self.hand_over = self.tagged.begin, self.tagged.hand_over

    def states(self, y, times):
        """Yield the vectors at each of `times`."""
        rows, second = self.tagged.split(y)
        n = len(rows)
        n_channels = len(self._sources)
        jumps, mixing = np.zeros((n_channels, n, n)), np.zeros((n, n))
        for jump, source in zip(jumps, self._sources, strict=True):
            jump[1 + source, 0] = 1.0
        mixing[1:, 0] = -self._drift
        states = self._liouvillian.integrate(
            rows,
            np.append(np.zeros(n_channels), second.real),  # mean counts come before the C_ab
            times,
            self._rtol,
            jumps=jumps,
            mixing=mixing,
            sources=self._sources,
        )
        for rows, scalars in states:
            yield np.concatenate((rows.ravel(), scalars[n_channels:]))
