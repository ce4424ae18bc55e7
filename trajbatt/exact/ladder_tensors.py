"""Many stages of Eq. (7) at once, by spherical tensors up to a rank K of the order of sqrt(N).

A stage behind which the basis turns needs all coherence orders. Of tensors it needs those up to K,
as the driven Eq. (5) does (see `trajbatt.exact.tensors`). All stages are one call of a kernel, and
what is read off on the way becomes moments of the spin for all times at once.
"""

import math
from functools import lru_cache

import numpy as np

from trajbatt.base.arrays import read_only
from trajbatt.exact.ladder import LadderOrders
from trajbatt.exact.orders import LARGEST_FULL
from trajbatt.exact.solution import Solution
from trajbatt.exact.systems import systems_of
from trajbatt.exact.tensors import (
    ELSEWHERE,
    ROUNDING,
    TensorLayout,
    coherent_tensors,
    emission,
    rank_for,
)
from trajbatt.numerics import frame

ACCURACY = 0.1  # of a term of a series, over the tolerance and N
LONGEST = 30.0  # a block, over sqrt(sigma R): rounding errors grow as its exponential at most
# Up to `LARGEST_FULL` atoms coherence orders do it, too: they take fewer stages, because small
# energies and counts keep their digits, and longer ones, because rational steps are faster.
FEWEST_STAGES, MOST_TERMS = 4, 300.0  # the terms of the series of a stage, in the mean
FEWEST_OF_MANY, MOST_OF_MANY = 2, 1e5  # the same with more atoms: minutes
TOGETHER = 250  # elements that stay in the fastest memory
HIGHEST_RANK = 570  # whose tables take half a gigabyte


def by_tensors(stages, n_channels, mixture, times, rtol):
    """Return the `Solution`, or None where stages are to be solved one by one.

    Parameters
    ----------
    stages, n_channels, mixture, times, rtol
        As in `trajbatt.exact.master_equation.solve`.
    """
    model, fewest, most = stages[0].model, FEWEST_STAGES, MOST_TERMS
    if model.n_atoms > LARGEST_FULL:
        fewest, most = FEWEST_OF_MANY, MOST_OF_MANY
    if len(stages) < fewest or mixture.weights.size > 1:
        return None
    if not all(systems_of(stage.model).orders is LadderOrders for stage in stages):
        return None
    axes = frame.axes_of_coherent(mixture.rows(model.n_levels)[0], 0.0)
    if axes is None:
        return None
    way = _Way(stages, n_channels, times, rtol)
    if way.rank > HIGHEST_RANK or way.terms > most:
        return None
    return way.solution(-frame.rows_of(axes)[:, 2])


class _Way:
    """Through all stages, from a coherent state.

    Parameters
    ----------
    stages : sequence of Stage
    n_channels : int
    times : ndarray (nt,)
        Up to the end of the last stage.
    rtol : float
    """

    def __init__(self, stages, n_channels, times, rtol):
        self._n_atoms, self._rtol = stages[0].model.n_atoms, rtol
        self._layout = TensorLayout(self._n_atoms, 0.0)
        start, end, self._theta, self._frequency = np.array(
            [(one.start, one.end, one.model.theta, one.model.frequency) for one in stages]
        ).T
        self._rates = np.zeros((len(stages), n_channels, 3))  # of J'_-, J'_z and J'_+
        for row, stage in zip(self._rates, stages, strict=True):
            row[list(stage.places), 1 + stage.model.shifts] = stage.model.rates
        # A boundary belongs to the stage that ends there.
        self._which = np.searchsorted(end, times)
        self._ends = np.searchsorted(self._which, np.arange(len(stages)), side="right")
        duration = np.minimum(end, times[-1]) - start
        self._local = np.minimum(times - start[self._which], duration[self._which])
        self.rank = rank_for(self._n_atoms, rtol, ELSEWHERE)
        self._stages = self._tabulate(duration, *self._rates.sum(axis=1).T)

    def _tabulate(self, duration, loss, dephasing, gain):
        """Return the `Stages` of the kernel."""
        from trajbatt.kernels.ladder_tensors import Stages

        rank, n, tiny = self.rank, self._n_atoms, 1e-300
        k, difference = np.arange(1.0, rank + 1.0), np.abs(loss - gain)
        shift = 0.25 * rank * (rank + 1.0) * np.maximum(gain + loss, dephasing)
        fastest = 0.5 * difference * (k * np.sqrt((n + 1.0) ** 2 - k**2)).max()
        # The variance is a difference of numbers N times as large.
        calm = math.log(ROUNDING * self._rtol / (n * np.finfo(float).eps))
        fastest = np.maximum(fastest, shift)
        limits = (max(calm, 1.0), 0.5 * n * difference), (LONGEST, np.sqrt(shift * fastest))
        longest = np.minimum(*(limit / np.maximum(growth, tiny) for limit, growth in limits))
        return Stages(
            gain=gain,
            dephasing=dephasing,
            loss=loss,
            duration=duration,
            longest=longest,
            phase=self._frequency * duration,
            turn=np.diff(self._theta, append=self._theta[-1]),
            shift=shift,
            fastest=np.maximum(fastest, 1.0 / np.maximum(duration, tiny)),
        )

    @property
    def terms(self):
        """How many terms the series of a stage have, in the mean."""
        return float(np.mean(self._stages.fastest * self._stages.duration))

    def solution(self, direction):
        """Return the `Solution`.

        Parameters
        ----------
        direction : ndarray (3,)
            Of the mean spin at t = 0, in the basis of the first stage.
        """
        seen, totals = self._propagate(direction)
        energy, variance, dipole, products = self._layout.of_moments(*self._moments(seen))
        counts, final_counts = self._counts(seen[:, -3:], totals)
        return Solution(
            energy=energy,
            energy_variance=variance,
            dipole=dipole,
            counts=counts,
            final_counts=final_counts,
            products=products,
            spins=np.ones((1, energy.size)),
            looks=[],
            method="tensors",
        )

    def _propagate(self, direction):
        """Return what the kernel reads off, (nt, READ), and (n_stages, COUNTED)."""
        from trajbatt.kernels.ladder_tensors import COUNTED, READ, cross

        k, q, shapes = _shapes(self._n_atoms, self.rank)
        y, square = np.zeros((2, k.size + 2)), self.rank + 3
        begun = coherent_tensors(self._n_atoms, self.rank, *direction).reshape(2, square, square)
        y[:, 1:-1] = begun[:, q + 1, k + 1]
        seen = np.empty((self._local.size, READ))
        totals = np.empty((self._ends.size, COUNTED))
        stages = self._stages
        longest = float((stages.fastest * np.minimum(stages.duration, stages.longest)).max())
        most = math.ceil(2.5 * longest + 12.0 * longest ** (1 / 3) + 40.0)
        accuracy = ACCURACY * self._rtol / self._n_atoms
        cross(shapes, stages, self._local, self._ends, accuracy, most, y, seen, totals)
        return seen, totals

    def _moments(self, seen):
        """Return the mean spin (3, nt) and its covariances (3, 3, nt), in the bare basis."""
        y = seen.T.copy()
        turn = np.exp(-1j * self._frequency[self._which] * self._local)
        for re, factor in ((1, turn), (4, turn), (6, turn**2)):
            turned = (y[re] + 1j * y[re + 1]) * factor
            y[re], y[re + 1] = turned.real, turned.imag
        mean, covariance = self._layout.moments(y)
        cos, sin = np.cos(self._theta[self._which]), np.sin(self._theta[self._which])
        zero = np.zeros_like(cos)
        axes = np.array([[cos, zero, -sin], [zero, zero + 1.0, zero], [sin, zero, cos]])
        turned = np.einsum("ijt,jlt->ilt", axes, covariance)
        return np.einsum("ijt,jt->it", axes, mean), np.einsum("ilt,klt->ikt", turned, axes)

    def _counts(self, seen, totals):
        """Return the mean photons at all times (nc, nt), and at the ends of stages."""
        during = self._photons(totals, self._rates)
        ended = during.cumsum(axis=0)
        since = self._photons(seen, self._rates[self._which])
        return ((ended - during)[self._which] + since).T, ended

    def _photons(self, integrals, rates):
        """Return the photons (n, nc) from the integrals of y_00, y_10 and y_20 (n, COUNTED)."""
        layout = self._layout
        # Of y_00 too, which does not change: a dark state remains one though all are off by 1e-9.
        square = layout.square * math.sqrt(self._n_atoms + 1.0) * integrals[:, 0]
        z = layout.first * integrals[:, 1]
        zz = square / 3.0 + layout.second * integrals[:, 2]
        # The integrals of J_+ J_-, J_z^2 and J_- J_+.
        transverse = square - zz
        emitting = np.array([transverse + z, zz, transverse - z])
        return np.einsum("ncs,sn->nc", rates, emitting)


@lru_cache(maxsize=1)
def _shapes(n_atoms, rank):
    """Return k and q of the elements, and the `Shapes` of the kernel."""
    from trajbatt.kernels.ladder_tensors import Shapes, quarter_turns

    q, k = np.triu_indices(rank + 1)
    loss, below, above = emission(n_atoms, k.astype(float), q.astype(float))
    above[k == rank] = 0.0
    rows = 1 + np.concatenate(([0], np.cumsum(rank + 1 - np.arange(rank + 1))))
    pieces = [1]
    for end in rows[min(3, rank + 1) :].tolist():
        if end - pieces[-1] >= TOGETHER or end == rows[-1]:
            pieces.append(end)
    quarter = np.empty((rank + 1) * (rank + 2) * (2 * rank + 3) // 6)
    quarter_turns(rank, quarter)
    padded = [np.pad(one.astype(float), 1) for one in (-2.0 * loss, q**2, below, above)]
    return k, q, Shapes(*read_only(*padded, rows[:-1], np.array(pieces), quarter))
