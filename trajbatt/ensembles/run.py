"""Run the chunks of an ensemble and add up what they give."""

import math
from contextlib import closing
from dataclasses import dataclass, replace

from trajbatt.ensembles.chunks import run_chunk
from trajbatt.ensembles.executors import finished
from trajbatt.ensembles.processors import check_kind
from trajbatt.ensembles.tally import Tally, Total

GROWTH = 1.25  # of the number of chunks between two decisions whether the errors are small enough


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a run gave.

    Attributes
    ----------
    tally : Tally
    ended : str
        "complete"; "target" if the errors were small enough before; "interrupted" by Ctrl-C.
    """

    tally: Tally
    ended: str


def run(
    plan,
    ntraj,
    executor=None,
    threads=None,
    progress=None,
    store=None,
    enough=None,
    keep_partial=False,
):
    """Run `ntraj` trajectories, or fewer, and add up their chunks in order.

    Parameters
    ----------
    plan : Plan
    ntraj : int
    executor, threads
        As in `trajbatt.ensembles.executors.finished`.
    progress : callable, optional
        Called as progress(done, ntraj, moments) after each chunk.
    store : Store, optional
        Chunks that it has are read from it, others are written to it as soon as they are finished;
        then their clicks are not held in memory.
    enough : callable, optional
        Called with the moments so far, after numbers of chunks that depend on nothing else; true
        ends the run.
    keep_partial : bool
        Ctrl-C gives the chunks up to the first gap, if there are any.

    Raises
    ------
    KeyboardInterrupt
        Else.
    """
    chunks = plan.chunks(ntraj)
    total = Total()
    try:
        for stop, start in _decisions(chunks.stop, enough is not None):
            part = range(start, stop)
            for tally in _tallies(plan, ntraj, part, executor, threads, store):
                total.add(tally)
                if progress:
                    progress(total.moments.count, ntraj, total.moments)
            if enough and enough(total.moments):
                return Outcome(total.tally, "target")
    except KeyboardInterrupt:
        if not keep_partial or total.moments is None:
            raise
        return Outcome(total.tally, "interrupted")
    return Outcome(total.tally, "complete")


def _decisions(n_chunks, several):
    """Yield the numbers of chunks after which to decide, each with the one before."""
    start = 0
    while start < n_chunks:
        stop = min(max(start + 1, math.ceil(GROWTH * start)), n_chunks) if several else n_chunks
        yield stop, start
        start = stop


def _tallies(plan, ntraj, chunks, executor, threads, store):
    """Yield the tallies of a range of chunks in order, from the store or computed.

    Nothing grows with the number of chunks to come: there may be very many, if a target ends the
    run.
    """

    def size(chunk):
        return plan.size(chunk, ntraj)

    stored = store.find(chunks, size) if store else set()
    missing = ((i, (plan, i, size(i))) for i in chunks if i not in stored)
    waiting = {}
    with closing(finished(run_chunk, missing, executor, threads)) as computed:
        for chunk in chunks:
            if chunk in stored:
                yield store.read(chunk, size(chunk))
                continue
            while chunk not in waiting:
                i, tally = next(computed)
                check_kind("workers", plan, tally.processor)
                if store:
                    store.write(i, size(i), tally)
                    tally = replace(tally, records=(), samples=None)
                waiting[i] = tally
            yield waiting.pop(chunk)
