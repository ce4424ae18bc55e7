"""Chunks: the unit of seed, work, storage and failure of an ensemble.

Chunk i of a run draws from its own stream, spawned from the run's seed by the number i, and its
size depends on the model only. So the result of a run is the same for any number of workers, in
any order, and more trajectories are more chunks.
"""

from dataclasses import replace

import numpy as np

from trajbatt.ensembles.blas import one_blas_thread
from trajbatt.ensembles.plan import checkpoint_indices
from trajbatt.ensembles.samples import kept
from trajbatt.ensembles.tally import Tally, Total
from trajbatt.ensembles.workers import check_wanted
from trajbatt.kernels.compile import processor
from trajbatt.numerics.moments import Moments
from trajbatt.trajectories.records import COUNTS, UNCHECKED

BLOCK_ELEMENTS = 2**17  # samples held at once: 1 MB, so they stay in the cache
MOST_STAGES = 8  # so many times that, where stages share what each costs besides
FEWEST = 8  # trajectories in a block: their samples take no more than the co-moments of all pairs
BLOCK_CLICKS = 2**20  # clicks held at once, about
BLOCK_AMPLITUDES = 2**21  # of states held at once: 32 MB


def blocks(plan, chunk, size, with_kets=False):
    """Yield the generator of a chunk, and how many of its first `size` trajectories to draw now.

    That is a bounded number at once, even `with_kets` at all times. The size of a block depends on
    the plan only, so the order of every sum is fixed.
    """
    n_variables = COUNTS + len(plan.model.channel_names)
    elements = BLOCK_ELEMENTS * min(len(plan.model.latest_stages()), MOST_STAGES)
    of_samples = max(FEWEST, elements // (n_variables * plan.times.size))
    of_clicks = BLOCK_CLICKS / (1.0 + plan.model.typical_clicks(plan.times[-1]))
    of_kets = BLOCK_AMPLITUDES // (plan.times.size * plan.model.n_levels)
    limits = [plan.chunk_size, of_samples, of_clicks, *([of_kets] if with_kets else [])]
    block = int(max(1, min(limits)))
    rng = plan.generator(chunk)
    for start in range(0, size, block):
        check_wanted()
        yield rng, min(block, size - start)


def run_chunk(plan, chunk, size):
    """Return the `Tally` of the first `size` trajectories of chunk number `chunk`."""
    total = Total()
    with one_blas_thread():
        for rng, n in blocks(plan, chunk, size, plan.needs_kets):
            total.add(_run_block(plan, rng, n))
    return replace(total.tally, processor=processor())


def _run_block(plan, rng, n):
    records, seen = plan.engine.run(rng, n, plan.times)
    samples = seen.samples
    at_checkpoints = np.delete(samples[:, :, checkpoint_indices(plan.times)], UNCHECKED, axis=1)
    rows = plan.expected(records, seen, plan.times) if plan.expectations else None
    return Tally(
        moments=Moments.side_by_side(samples),
        checkpoints=Moments.of_all_pairs(at_checkpoints.reshape(len(samples), -1)),
        final_counts=plan.model.counted(samples[:, COUNTS:, -1]),
        records=(records.joined,) if plan.keep_clicks else (),
        dropped=seen.dropped,
        expect=None if rows is None else Moments.side_by_side(rows),
        samples=_kept(plan, samples, rows),
    )


def _kept(plan, samples, rows):
    if not plan.keep_samples:
        return None
    expected = {one.name: rows[:, i] for i, one in enumerate(plan.expectations)}
    return kept(plan.keep_samples, plan.model, plan.times, samples, expected)


def replay_record(plan, trajectory):
    """Return the `Records` of one trajectory: its chunk is drawn again up to it, clicks only."""
    chunk, i = divmod(trajectory, plan.chunk_size)
    for rng, n in blocks(plan, chunk, i + 1, plan.needs_kets):
        records = plan.engine.sample(rng, n, plan.times[-1])
    return records.one(n - 1)
