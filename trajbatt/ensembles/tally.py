"""What trajectories add to an ensemble."""

from dataclasses import dataclass

import numpy as np

from trajbatt.ensembles.samples import joined as joined_samples
from trajbatt.numerics.moments import Moments
from trajbatt.trajectories.records import Records


@dataclass(frozen=True, eq=False)
class Tally:
    """What some trajectories of a plan add to its ensemble: a block, a chunk or all of them.

    Attributes
    ----------
    moments : Moments
        Of the samples of a `trajbatt.trajectories.records.Observation`, at every time.
    checkpoints : Moments
        Of all samples but the quantum variance at the checkpoints, all pairs.
    final_counts : ndarray (n, nc), int64
    records : tuple of Records
        The clicks, if they are kept, else empty.
    dropped : float
        The largest weight that the engine dropped in one trajectory.
    expect : Moments or None
        Of the means of the plan's expectations, at every time.
    samples : dict of str to ndarray, or None
        What is kept of each trajectory, whose first axis is the trajectories.
    processor : str
        The kind that a chunk was computed on; empty of what is added up.
    """

    moments: Moments
    checkpoints: Moments
    final_counts: np.ndarray
    records: tuple[Records, ...]
    dropped: float
    expect: Moments | None = None
    samples: dict | None = None
    processor: str = ""


class Total:
    """The running sum of tallies; it does not grow with their number but for what is kept.

    Ctrl-C at any moment leaves it as it was before the last tally or after it.
    """

    def __init__(self):
        self._kept = []
        self._sums = None  # moments, checkpoints, dropped, expect, and of how many tallies

    @property
    def moments(self):
        """The moments so far; None before the first tally."""
        return self._sums and self._sums[0]

    def add(self, tally):
        """Add the next tally; the order fixes the result to the last bit."""
        moments, checkpoints, dropped, n = tally.moments, tally.checkpoints, tally.dropped, 0
        expect = tally.expect
        if self._sums is not None:
            before, checkpoints_before, dropped_before, expect_before, n = self._sums
            moments, checkpoints = before + moments, checkpoints_before + checkpoints
            dropped = max(dropped_before, dropped)
            expect = None if expect is None else expect_before + expect
        del self._kept[n:]
        self._kept.append((tally.final_counts, tally.records, tally.samples))
        self._sums = moments, checkpoints, dropped, expect, n + 1

    @property
    def tally(self):
        """The sum as one `Tally`."""
        moments, checkpoints, dropped, expect, n = self._sums
        final_counts, records, samples = zip(*self._kept[:n], strict=True)
        joined = tuple(one for several in records for one in several)
        counts = np.concatenate(final_counts)
        arrays = None if samples[0] is None else joined_samples(samples)
        return Tally(moments, checkpoints, counts, joined, dropped, expect, arrays)
