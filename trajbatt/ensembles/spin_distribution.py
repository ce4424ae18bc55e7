"""The distribution of J in an ensemble with noise of single atoms, with its standard error.

A trajectory has one J at any time; its probability is the share of trajectories that have it, which
are simulated again when it is asked for.
"""

from functools import cached_property, reduce
from operator import add
from typing import TYPE_CHECKING

import numpy as np

from trajbatt.base.arrays import read_only
from trajbatt.base.types import FloatArray
from trajbatt.ensembles.chunks import blocks
from trajbatt.ensembles.source import Source
from trajbatt.models.model import stays_symmetric
from trajbatt.numerics.moments import Moments
from trajbatt.states.spin_lengths import SpinLengths
from trajbatt.trajectories.records import ROW


class Spins(SpinLengths):
    """The distribution of J of a result with `sources`."""

    if TYPE_CHECKING:  # what its heirs have
        sources: tuple[Source, ...]

        @property
        def ntraj(self) -> int:
            """The number of trajectories."""

    @cached_property
    def _spins(self):
        return read_only(*spin_distribution(self.sources))

    @property
    def spin_distribution(self) -> FloatArray:
        """The probability of J = N/2, N/2 - 1, …, float64 (nt, nJ).

        One column without noise of single atoms; with it the trajectories are simulated again when
        this is first asked for.
        """
        return self._spins[0]

    @property
    def spin_distribution_sem(self) -> FloatArray:
        """Standard error of `spin_distribution`, float64 (nt, nJ)."""
        return self._spins[1]

    @property
    def spin_square_sem(self) -> FloatArray:
        """Standard error of `spin_square`, float64 (nt,)."""
        p, squares = self.spin_distribution, self._squares
        spread = p @ squares**2 - (p @ squares) ** 2
        return np.sqrt(np.maximum(spread, 0.0) / max(self.ntraj - 1, 1))


def spin_distribution(sources):
    """Return the probabilities of J = N/2, N/2 - 1, … and their standard errors, (nt, nJ) each.

    Parameters
    ----------
    sources : sequence of Source
        That differ by their seeds. Each works on its own executor.
    """
    plan, ntraj = sources[0].plan, sum(one.ntraj for one in sources)
    if stays_symmetric(plan.model):
        return np.ones((plan.times.size, 1)), np.zeros((plan.times.size, 1))
    chunks = (each for one in sources for each in one.each_chunk(_of_chunk, one.plan.times))
    p = sum(chunks) / ntraj
    return p, np.sqrt(p * (1.0 - p) / max(ntraj - 1, 1))


def _of_chunk(plan, chunk, size):
    n_spins = plan.model.n_atoms // 2 + 1
    found = np.zeros((plan.times.size, n_spins))
    rows = np.arange(plan.times.size)
    for rng, n in blocks(plan, chunk, size):
        _, seen = plan.engine.run(rng, n, plan.times)
        for spins in (plan.model.n_atoms - seen.spins) // 2:
            found[rows, spins] += 1.0
    return found


def across_moments(sources):
    """Return the `Moments` of all pairs of <J_z>, <J_z^2>, <J_x>, <J_y> and <J_x^2> + <J_y^2>.

    Of some runs together, at their first time. The last is J(J + 1) - <J_z^2> of one trajectory.
    """
    chunks = (each for one in sources for each in one.each_chunk(_across, one.plan.times))
    return reduce(add, chunks)


def _across(plan, chunk, size):
    total = None
    for rng, n in blocks(plan, chunk, size):
        _, seen = plan.engine.run(rng, n, plan.times)
        rows = [seen.samples[:, ROW[name], 0] for name in ("jz", "jz_square", "jx", "jy")]
        length = 0.25 * seen.spins[:, 0] * (seen.spins[:, 0] + 2.0)
        moments = Moments.of_all_pairs(np.column_stack((*rows, length - rows[1])))
        total = total + moments if total else moments
    return total
