"""The engine for homodyne detection in the diffusive limit: currents in place of clicks.

What is recorded of a trajectory is the seed of its noise. With it the trajectory is followed again,
to any times: the currents come in its samples, where other models have the numbers of clicks.
"""

from functools import cached_property

import numpy as np

from trajbatt.numerics import bands
from trajbatt.trajectories.banded import tables_of
from trajbatt.trajectories.engine import Engine
from trajbatt.trajectories.records import Observation, Records

STEP = 0.05  # over the fastest rate of the collective means


class DiffusiveEngine(Engine):
    """The arrays around `trajbatt.kernels.diffusive`."""

    def sample(self, rng, n, t_end, clock=None):
        """Return the `Records` of the next n trajectories: where they begin, and their seeds."""
        drawn = rng.random((n, 2))  # row by row, however many are drawn at once
        origin = np.arange(n)
        if not self.assigned:
            origin = np.searchsorted(self.mixture.cumulative_weights, drawn[:, 0], side="right")
        return Records(
            origin=origin.astype(np.int64),
            hidden=(drawn[:, 1] * 2.0**53).astype(np.int64),
            offsets=np.zeros(n + 1, dtype=np.int64),
            time=np.empty(0),
            channel=np.empty(0, dtype=np.int8),
        )

    @cached_property
    def _noise(self):
        from trajbatt.kernels.diffusive import Noise

        model = self.model
        signals, n_currents = model.noise_bands, len(model.channel_names)
        return Noise(signals, dissipation(signals), n_currents, STEP * model.timescale)

    def _read(self, records, times, n_kets=0, clock=None):
        from trajbatt.kernels.banded import Workspace
        from trajbatt.kernels.diffusive import Scratch, run
        from trajbatt.kernels.reading import Out

        noise, tables = self._noise, tables_of(self.model.twin)
        kets = self.mixture.rows(self.model.n_levels).astype(complex)
        out = self._out(Out, records.origin.size, times, n_kets, clock)
        work = Workspace.fresh(tables.raising.size)
        scratch = Scratch.fresh(self.model.n_levels, len(noise.signals))
        for i, (origin, seed) in enumerate(zip(records.origin, records.hidden, strict=True)):
            streams = np.random.SeedSequence(int(seed)).spawn(2)
            rngs = [np.random.Generator(np.random.PCG64DXSM(one)) for one in streams]
            run(*rngs, kets[origin], noise, tables, times, scratch, work, out, i)
        return Observation(out.samples, 0.0, out.kets, self._products(out))


def dissipation(signals):
    """Return the bands of sum_i B_i+ B_i + B_i B_i, for steps of -2 to 2, complex128 (5, N+1).

    Parameters
    ----------
    signals : ndarray (nb, 3, N+1), complex128
        <k + s|B_i|k> for s = -1, 0, 1.
    """
    n_levels = signals.shape[-1]
    found = np.zeros((5, n_levels), dtype=complex)
    for one in signals:
        operator = bands.operator(one)
        total = (operator.conj().T + operator) @ operator
        for s in range(-2, 3):
            first = max(-s, 0)
            diagonal = total.diagonal(-s)
            found[s + 2, first : first + diagonal.size] += diagonal
    return found
