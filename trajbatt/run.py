"""Run the chunks of an ensemble and add up what they give."""

from dataclasses import dataclass

import numpy as np

from trajbatt.chunks import run_chunk
from trajbatt.dispatch import ordered
from trajbatt.engines import Records
from trajbatt.moments import Moments


@dataclass(frozen=True, eq=False)
class Totals:
    """The sum of all chunks; the attributes are those of `trajbatt.chunks.ChunkResult`."""

    moments: Moments
    checkpoints: Moments
    final_counts: np.ndarray
    records: tuple[Records, ...]
    dropped: float


def run(plan, ntraj, executor=None, threads=None, progress=None):
    """Return the `Totals` of `ntraj` trajectories, added up in the order of the chunks."""
    moments = checkpoints = None
    final_counts, records, dropped, done = [], [], 0.0, 0
    pieces = ((plan, chunk, size) for chunk, size in plan.pieces(ntraj))
    for result in ordered(run_chunk, pieces, executor, threads):
        moments = moments + result.moments if moments else result.moments
        checkpoints = checkpoints + result.checkpoints if checkpoints else result.checkpoints
        final_counts.append(result.final_counts)
        records.extend(result.records)
        dropped = max(dropped, result.dropped)
        done += result.moments.count
        if progress:
            progress(done, ntraj)
    return Totals(moments, checkpoints, np.concatenate(final_counts), tuple(records), dropped)
