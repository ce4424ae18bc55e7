"""Run the chunks of an ensemble and add up what they give."""

from trajbatt.chunks import add_up, run_chunk
from trajbatt.dispatch import ordered


def run(plan, ntraj, executor=None, threads=None, progress=None):
    """Return the `Tally` of `ntraj` trajectories, added up in the order of the chunks."""
    pieces = ((plan, chunk, size) for chunk, size in plan.pieces(ntraj))

    def reported():
        done = 0
        for tally in ordered(run_chunk, pieces, executor, threads):
            done += tally.moments.count
            if progress:
                progress(done, ntraj)
            yield tally

    return add_up(reported())
