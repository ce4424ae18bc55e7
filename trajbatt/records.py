"""What passes between the engines and the rest: clicks, and what is read off the states.

A trajectory engine draws the clicks of n trajectories from a generator and reads the conditional
state off the clicks at requested times. So the clicks do not depend on the requested times, and one
engine can read the record of another.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, NamedTuple

import numpy as np

from trajbatt.models import BandedModel, LadderModel
from trajbatt.states import NEGLIGIBLE, Mixture

MOST_CLICKS = 2**21  # first size of a click buffer; it is doubled when it is full

# The rows of the samples of an `Observation`; photon counts per channel follow.
JZ, JZ_SQUARE, JZ_VARIANCE, DIPOLE_REAL, DIPOLE_IMAG, COUNTS = range(6)


class Records(NamedTuple):
    """The clicks of n trajectories, back to back.

    Attributes
    ----------
    origin : ndarray (n,), int64
        Which pure state of the initial mixture each trajectory began in.
    hidden : ndarray (n,), int64
        The level that the ladder engine drew; the others draw none and leave -1.
    offsets : ndarray (n+1,), int64
        Trajectory i has the clicks offsets[i] to offsets[i+1].
    time : ndarray (n_clicks,), float64
    channel : ndarray (n_clicks,), int8
    """

    origin: np.ndarray
    hidden: np.ndarray
    offsets: np.ndarray
    time: np.ndarray
    channel: np.ndarray

    @property
    def joined(self):
        """The records themselves; those of a protocol are in pieces."""
        return self

    def first(self, n):
        """Return the records of the first n trajectories."""
        stop = self.offsets[n]
        return Records(
            origin=self.origin[:n],
            hidden=self.hidden[:n],
            offsets=self.offsets[: n + 1],
            time=self.time[:stop],
            channel=self.channel[:stop],
        )

    def one(self, i):
        """Return the records of trajectory i alone."""
        clicks = slice(self.offsets[i], self.offsets[i + 1])
        return Records(
            origin=self.origin[i : i + 1],
            hidden=self.hidden[i : i + 1],
            offsets=np.array([0, clicks.stop - clicks.start]),
            time=self.time[clicks],
            channel=self.channel[clicks],
        )


class Observation(NamedTuple):
    """What was read off n conditional states at nt times.

    Attributes
    ----------
    samples : ndarray (n, 5 + nc, nt), float64
        <J_z>, <J_z^2>, Var(J_z), Re <J_+>, Im <J_+>, photons so far in each channel.
    dropped : float
        The largest weight that was dropped from any one state.
    kets : ndarray (n, N+1), complex128, or None
        The states at the last time in the model's basis, if they were wanted.
    """

    samples: np.ndarray
    dropped: float
    kets: np.ndarray | None


@dataclass(frozen=True)
class Engine:
    """What all engines for one model have in common.

    Attributes
    ----------
    model : LadderModel or BandedModel
    mixture : Mixture
        The initial state in the basis of the model.
    assigned : bool
        Trajectory i begins in pure state i of the mixture; else each draws its own.
    negligible : float
        Levels of less weight may be dropped.
    """

    model: LadderModel | BandedModel
    mixture: Mixture
    assigned: bool = False
    negligible: float = NEGLIGIBLE
    keeps_real_kets: ClassVar[bool] = False  # of a real mixture; else kets are complex

    @cached_property
    def _kets(self):
        """The mixture as the kernels take it: a plain tuple.

        Its class and that of `Records` live in other files than the kernels; compiled code that
        knew their fields would not notice an edit there.
        """
        first, offsets, amplitudes = self.mixture[1:]
        return first, offsets, amplitudes if self.keeps_real_kets else amplitudes.astype(complex)

    def run(self, rng, n, times, want_kets=False):
        """Return the `Records` of n trajectories and the `Observation` of them at `times`."""
        records = self.sample(rng, n, times[-1])
        return records, self.observe(records, times, want_kets)

    def observe(self, records, times, want_kets=False):
        """Return the `Observation` of the conditional states at `times`."""
        seen = self._read(records, times, with_kets=False)
        if want_kets:
            # Read anew, so that not a bit of the kets depends on the times before the last.
            seen = seen._replace(kets=self._read(records, times[-1:], with_kets=True).kets)
        return seen

    def _empty_samples(self, n, times):
        return np.empty((n, COUNTS + len(self.model.channel_names), times.size))

    def _empty_kets(self, n, wanted=True):
        return np.zeros((n if wanted else 0, self.model.n_atoms + 1), dtype=complex)


def fill_records(n, clicks_per_trajectory, cursor, clock, call):
    """Return what a sampling kernel records, with larger buffers each time it finds them full.

    Parameters
    ----------
    n : int
        Trajectories.
    clicks_per_trajectory : float
        A guess.
    cursor, clock : *in, out* ndarray
        Where the kernel is.
    call : callable
        Called as `call(cursor, clock, records)` with a plain tuple; true when all is done.
    """
    capacity = int(min(1.5 * n * clicks_per_trajectory, MOST_CLICKS)) + 64
    records = Records(
        origin=np.empty(n, dtype=np.int64),
        hidden=np.full(n, -1, dtype=np.int64),
        offsets=np.empty(n + 1, dtype=np.int64),
        time=np.empty(capacity),
        channel=np.empty(capacity, dtype=np.int8),
    )
    while not call(cursor, clock, tuple(records)):
        records = records._replace(
            time=np.concatenate((records.time, np.empty_like(records.time))),
            channel=np.concatenate((records.channel, np.empty_like(records.channel))),
        )
    n_clicks = records.offsets[-1]
    return records._replace(time=records.time[:n_clicks], channel=records.channel[:n_clicks])
