"""Chunks: the unit of seed, work, storage and failure of an ensemble.

Chunk i of a run draws from its own stream, spawned from the run's seed by the number i, and its
size depends on the model only. So the result of a run is the same for any number of workers, in
any order, and more trajectories are more chunks.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from trajbatt.engines import build_engine
from trajbatt.models import BandedModel, LadderModel, WithoutTables
from trajbatt.moments import Moments
from trajbatt.protocol import Protocol
from trajbatt.records import COUNTS, JZ_VARIANCE, Records
from trajbatt.states import Mixture

LAW = 2  # goes up whenever the same plan would give other trajectories than before
CHECKPOINTS = 8  # times at which all pairs of quantities are correlated, for one p-value
BLOCK_ELEMENTS = 2**17  # samples held at once: 1 MB, so they stay in the cache
BLOCK_CLICKS = 2**20  # clicks held at once, about


def chunk_size(model):
    """Return the number of trajectories in a chunk: about 10 ms of work for one charging."""
    wanted = max(1, min(4096, 51200 // model.n_atoms))
    return 1 << (wanted.bit_length() - 1)


def checkpoint_indices(times):
    """Return the indices of the checkpoints: spread evenly, the last time among them."""
    n_times = len(times)
    count = min(CHECKPOINTS, n_times)
    return np.unique(np.round(np.linspace(0, n_times, count + 1)[1:]).astype(int)) - 1


@dataclass(frozen=True, eq=False)
class Plan(WithoutTables):
    """Everything that fixes the trajectories of a run and what is read off them.

    Attributes
    ----------
    model : LadderModel, BandedModel or Protocol
    mixture : Mixture
        The initial state in the basis of the model, or of the first stage.
    times : ndarray (nt,), float64
    seed : int
    method : str
        What `trajbatt.engines.check_method` returns.
    rtol : float
        Of the banded engine; the others have none.
    keep_clicks : bool
    """

    model: LadderModel | BandedModel | Protocol
    mixture: Mixture
    times: np.ndarray
    seed: int
    method: str
    rtol: float
    keep_clicks: bool

    @cached_property
    def engine(self):
        """The engine that runs the trajectories."""
        return build_engine(self.method, self.rtol, self.model, self.mixture)

    @property
    def chunk_size(self):
        """The number of trajectories in a full chunk."""
        return chunk_size(self.model)

    def pieces(self, ntraj):
        """Yield the number and the size of each chunk that `ntraj` trajectories take."""
        full, rest = divmod(ntraj, self.chunk_size)
        for chunk in range(full):
            yield chunk, self.chunk_size
        if rest:
            yield full, rest

    def generator(self, chunk):
        """Return the generator of chunk number `chunk`; of a protocol, a tuple, one for each stage.

        A trajectory's draws follow those of the one before in each stage, so they do not depend on
        how many trajectories are drawn together.
        """

        def generator(*key):
            sequence = np.random.SeedSequence(self.seed, spawn_key=key)
            return np.random.Generator(np.random.PCG64DXSM(sequence))

        if isinstance(self.model, Protocol):
            later = range(1, len(self.model.steps))
            return generator(chunk), *(generator(chunk, stage) for stage in later)
        return generator(chunk)


@dataclass(frozen=True, eq=False)
class Tally:
    """What some trajectories of a plan add to its ensemble: a block, a chunk or all of them.

    Attributes
    ----------
    moments : Moments
        Of the samples of a `trajbatt.records.Observation`, at every time.
    checkpoints : Moments
        Of all samples but the quantum variance at the checkpoints, all pairs.
    final_counts : ndarray (n, nc), int64
    records : tuple of Records
        The clicks, if they are kept, else empty.
    dropped : float
        The largest weight that the engine dropped in one trajectory.
    """

    moments: Moments
    checkpoints: Moments
    final_counts: np.ndarray
    records: tuple[Records, ...]
    dropped: float


class Total:
    """The running sum of tallies; it does not grow with their number but for what is kept.

    Ctrl-C at any moment leaves it as it was before the last tally or after it.
    """

    def __init__(self):
        self._kept = []
        self._sums = None  # moments, checkpoints, dropped, and of how many tallies

    @property
    def moments(self):
        """The moments so far; None before the first tally."""
        return self._sums and self._sums[0]

    def add(self, tally):
        """Add the next tally; the order fixes the result to the last bit."""
        moments, checkpoints, dropped, n = tally.moments, tally.checkpoints, tally.dropped, 0
        if self._sums is not None:
            before, checkpoints_before, dropped_before, n = self._sums
            moments, checkpoints = before + moments, checkpoints_before + checkpoints
            dropped = max(dropped_before, dropped)
        del self._kept[n:]
        self._kept.append((tally.final_counts, tally.records))
        self._sums = moments, checkpoints, dropped, n + 1

    @property
    def tally(self):
        """The sum as one `Tally`."""
        moments, checkpoints, dropped, n = self._sums
        final_counts, records = zip(*self._kept[:n], strict=True)
        joined = tuple(one for several in records for one in several)
        return Tally(moments, checkpoints, np.concatenate(final_counts), joined, dropped)


def blocks(plan, chunk, size):
    """Yield the generator of a chunk, and how many of its first `size` trajectories to draw now.

    That is a bounded number at once. The size of a block depends on the plan only, so the order of
    every sum is fixed.
    """
    n_variables = COUNTS + len(plan.model.channel_names)
    of_samples = BLOCK_ELEMENTS // (n_variables * plan.times.size)
    of_clicks = BLOCK_CLICKS / (1.0 + plan.model.typical_clicks(plan.times[-1]))
    block = int(max(1, min(plan.chunk_size, of_samples, of_clicks)))
    rng = plan.generator(chunk)
    for start in range(0, size, block):
        yield rng, min(block, size - start)


def run_chunk(plan, chunk, size):
    """Return the `Tally` of the first `size` trajectories of chunk number `chunk`."""
    total = Total()
    for rng, n in blocks(plan, chunk, size):
        total.add(_run_block(plan, rng, n))
    return total.tally


def _run_block(plan, rng, n):
    records, (samples, dropped, _) = plan.engine.run(rng, n, plan.times)
    at_checkpoints = np.delete(samples[:, :, checkpoint_indices(plan.times)], JZ_VARIANCE, axis=1)
    return Tally(
        moments=Moments.side_by_side(samples),
        checkpoints=Moments.of_all_pairs(at_checkpoints.reshape(len(samples), -1)),
        final_counts=samples[:, COUNTS:, -1].astype(np.int64),
        records=(records.joined,) if plan.keep_clicks else (),
        dropped=dropped,
    )


def replay_record(plan, trajectory):
    """Return the `Records` of one trajectory: its chunk is drawn again up to it, clicks only."""
    chunk, i = divmod(trajectory, plan.chunk_size)
    for rng, n in blocks(plan, chunk, i + 1):
        records = plan.engine.sample(rng, n, plan.times[-1])
    return records.one(n - 1)
