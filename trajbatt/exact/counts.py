r"""Photon counts, exactly: covariances of the channels' counts (DESIGN 3.3).

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

import numpy as np

from trajbatt.exact.banded import DrivenOrders
from trajbatt.exact.ladder import CoherenceOrders
from trajbatt.models.ladder import LadderModel
from trajbatt.numerics.propagators import rational_states


class LadderCounts(CoherenceOrders):
    """Coherence orders, tagged orders V_a and second moments under a ladder model.

    Parameters
    ----------
    model : LadderModel
    orders : sequence of int
        Ascending, from 0.
    tags : sequence of int
        Of each channel.
    drift : ndarray (n_tags,), float64
        The rates nu_a.
    """

    def __init__(self, model, orders, tags, drift):
        super().__init__(model, orders)
        self._drift = drift
        self._tags = tags
        self._shape = (1 + drift.size, self.stop)
        self._split = (1 + drift.size) * self.stop
        self._rates = np.zeros((drift.size, model.n_atoms + 1))
        self._rates[list(tags)] = model.click_rates
        rates = np.array([channel.rate for channel in model.channels])
        elements = model.jump_elements
        # J_c takes rho_{k+q,k} to rho_{k+q+s,k+s}.
        self._jumps = rates[:, None] * np.concatenate(
            [
                elements[:, q:] * elements[:, :levels]
                for q, levels in zip(self.orders, self.lengths, strict=True)
            ],
            axis=1,
        )

    def split(self, y):
        """Return rho and the V_a as the rows of a matrix (1 + n_tags, stop), and C (n_tags^2,)."""
        return y[: self._split].reshape(self._shape), y[self._split :]

    def factor(self, pole, h):
        """Return the function y -> (pole - hA)^(-1) y, by forward substitution of the blocks."""
        substitute = super().factor(pole, h)
        no_counts = np.zeros(len(self.model.channels))
        shift = pole.real if pole.imag == 0.0 else pole

        def chain(b):
            return substitute(np.append(b, no_counts))[: self.stop]

        def solve(y):
            matrices, second = self.split(y)
            rho = chain(matrices[0])
            sources = -self._drift[:, None] * rho
            for jump, step, tag in zip(self._jumps, self.model.shifts, self._tags, strict=True):
                # The rate of a jump off the ladder is zero, so rolling brings nothing round.
                sources[tag] += np.roll(jump * rho, step)
            tagged = [
                chain(v + h * source) for v, source in zip(matrices[1:], sources, strict=True)
            ]
            populations = self.slices[0]
            v = np.array(tagged)[:, populations]
            flow = self._rates @ v.T - self._drift[:, None] * v.sum(axis=1)
            gain = flow + flow.T + np.diag(self._rates @ rho[populations])
            return np.concatenate((rho, *tagged, (second + h * gain.ravel()) / shift))

        return solve

    def normalise(self, y):
        """Scale rho and the V_a, in place, to probability 1."""
        y[: self._split] /= y[self.slices[0]].real.sum()

    def monitor(self, y):
        """Return the deviations of the counts and their second moments, on the scale of the latter.

        Where all orders go on, these as well.
        """
        matrices, second = self.split(y)
        second = second.real
        scale = max(1.0, np.abs(second[:: self._drift.size + 1]).sum())
        matrices = (
            matrices if len(self.orders) > 1 else matrices[:, self.slices[0]].real.sum(axis=1)
        )
        return np.concatenate((matrices.ravel(), second)) / scale

    def count_states(self, rows, second, times, rtol):
        """Yield rho and the V_a (1 + n_tags, stop), and C (n_tags^2,), at each of `times`."""
        y = np.concatenate((rows.ravel(), second))
        y = y.real if len(self.orders) == 1 else y
        for state in rational_states(self, y, times, rtol):
            rows, second = self.split(state)
            yield rows, second.real


class DrivenCounts(DrivenOrders):
    """The same under the driven Eq. (5); parameters as for `LadderCounts`, but all orders."""

    def __init__(self, model, tags, drift):
        super().__init__(model)
        self._source = tags[0]
        self._drift = drift

    def count_states(self, rows, second, times, rtol):
        """Yield rho and the V_a (1 + n_tags, stop), and C (n_tags^2,), at each of `times`."""
        scalars = np.append(0.0, second)
        n = len(rows)
        jumps, mixing = np.zeros((2, n, n))
        jumps[1 + self._source, 0] = 1.0
        mixing[1:, 0] = -self._drift
        states = self.integrate(
            rows, scalars, times, rtol, jumps=jumps, mixing=mixing, source=self._source
        )
        for rows, scalars in states:
            yield rows, scalars[1:]


def count_moments(stages, n_tags, mixture, times, mean_counts, rtol):
    """Return what the photon counts deviate from their lines on average, and their covariances.

    Parameters
    ----------
    stages : sequence of Stage
        Of a protocol; a model is one stage.
    n_tags : int
        The number of channels of all stages.
    mixture : Mixture
        The initial state in the basis of the first stage.
    times : ndarray (nt,)
    mean_counts : ndarray (n_stages, n_tags)
        By the end of each stage, or of the run. The line of a count goes straight from one to the
        next; zeros will do, where the covariances need not have all digits.
    rtol : float

    Returns
    -------
    deviations : ndarray (n_tags, nt), float64
    covariances : ndarray (n_tags, n_tags, nt), float64
    """
    deviations = np.zeros((n_tags, times.size))
    covariances = np.zeros((n_tags, n_tags, times.size))
    if n_tags == 0:
        return deviations, covariances
    matrices, second, before = None, np.zeros(n_tags**2), np.zeros(n_tags)
    for stage, counts in zip(stages, mean_counts, strict=True):
        is_last = stage is stages[-1]
        wanted, local = stage.select(times, to_end=not is_last)
        drift = (counts - before) / local[-1] if local[-1] > 0 else np.zeros(n_tags)
        before = counts
        system = _system(stage, is_last, drift)
        if matrices is None:
            rows = np.zeros((1 + n_tags, system.stop), dtype=mixture.amplitudes.dtype)
            rows[0] = system.of_mixture(mixture)
        else:
            rows = np.array([system.of_matrix(matrix) for matrix in matrices])
        means, found = np.empty((local.size, n_tags)), np.empty((local.size, n_tags, n_tags))
        states = system.count_states(rows, second, local, rtol)
        for mean, covariance, (rows, second) in zip(means, found, states, strict=True):
            mean[:] = rows[1:, system.slices[0]].real.sum(axis=1)
            covariance[:] = second.reshape(n_tags, n_tags) - np.outer(mean, mean)
        kept = slice(0, wanted.stop - wanted.start)
        deviations[:, wanted] = means[kept].T
        covariances[:, :, wanted] = np.moveaxis(found[kept], 0, -1)
        if not is_last:
            phase = stage.model.frequency * stage.duration
            matrices = system.in_basis(rows, phase, stages[stages.index(stage) + 1].model.theta)
    return deviations, covariances


def _system(stage, is_last, drift):
    model = stage.model
    if isinstance(model, LadderModel):
        orders = [0] if is_last else range(model.n_atoms + 1)
        return LadderCounts(model, orders, stage.tags, drift)
    return DrivenCounts(model, stage.tags, drift)
