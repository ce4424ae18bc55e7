"""The trajectory engines: the arrays and buffers around the kernels.

An engine does two things, and a record of clicks passes between them: `sample` draws the clicks of
n trajectories from a generator, `observe` reads the conditional state off the clicks at requested
times. So the clicks do not depend on the requested times, and one engine can read the record of
another.
"""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from trajbatt import spin
from trajbatt.models import LadderModel
from trajbatt.states import NEGLIGIBLE, Mixture

MOST_CLICKS = 2**21  # first size of a click buffer; it is doubled when it is full

# The rows of the samples that `observe` returns; photon counts per channel follow.
JZ, JZ_SQUARE, JZ_VARIANCE, DIPOLE_REAL, DIPOLE_IMAG, COUNTS = range(6)


class Records(NamedTuple):
    """The clicks of n trajectories, back to back.

    Attributes
    ----------
    origin : ndarray (n,), int64
        Which pure state of the initial mixture each trajectory began in.
    hidden : ndarray (n,), int64
        The level that the ladder engine drew; the textbook engine draws none and leaves -1.
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


def _record(n, clicks_per_trajectory, call):
    """Call a sampling kernel, with larger buffers each time it finds them full."""
    capacity = int(min(1.5 * n * clicks_per_trajectory, MOST_CLICKS)) + 64
    records = Records(
        origin=np.empty(n, dtype=np.int64),
        hidden=np.full(n, -1, dtype=np.int64),
        offsets=np.empty(n + 1, dtype=np.int64),
        time=np.empty(capacity),
        channel=np.empty(capacity, dtype=np.int8),
    )
    cursor, clock = np.array([0, -1, 0]), np.zeros(1)
    while not call(cursor, clock, tuple(records)):
        records = records._replace(
            time=np.concatenate((records.time, np.empty_like(records.time))),
            channel=np.concatenate((records.channel, np.empty_like(records.channel))),
        )
    n_clicks = records.offsets[-1]
    return records._replace(time=records.time[:n_clicks], channel=records.channel[:n_clicks])


@dataclass(frozen=True)
class _LadderModelEngine:
    """What the two engines for ladder models have in common."""

    model: LadderModel
    mixture: Mixture

    @cached_property
    def _kets(self):
        """The mixture as the kernels take it: a plain tuple.

        Its class and that of `Records` live in other files than the kernels; compiled code that
        knew their fields would not notice an edit there.
        """
        return self.mixture.first, self.mixture.offsets, self.mixture.amplitudes

    def _samples(self, records, times):
        return np.empty((records.origin.size, COUNTS + len(self.model.channels), times.size))


class LadderEngine(_LadderModelEngine):
    """Exact sampling and filtering on the ladder (DESIGN 3.1)."""

    @cached_property
    def _edges(self):
        sizes = np.diff(self.mixture.offsets)
        edges = np.cumsum(
            np.repeat(self.mixture.weights, sizes) * np.abs(self.mixture.amplitudes) ** 2
        )
        return edges / edges[-1]

    @cached_property
    def _tables(self):
        from trajbatt.kernels.ladder import PADDING, Tables

        cumulative = np.cumsum(self.model.click_rates, axis=0).T
        total = self.model.click_rates.sum(axis=0)
        with np.errstate(divide="ignore", over="ignore"):
            mean_waits = 1.0 / total
        lit = cumulative[:, -1:] > 0
        thresholds = np.ones_like(cumulative)
        np.divide(cumulative, cumulative[:, -1:], out=thresholds, where=lit)
        elements = np.pad(self.model.jump_elements, ((0, 1), (PADDING, PADDING)))
        elements[-1] = 1.0
        return Tables(
            shifts=self.model.shifts,
            mean_waits=mean_waits,
            thresholds=np.ascontiguousarray(thresholds),
            elements=elements.ravel(),
            raising=np.pad(spin.raising_elements(self.model.n_atoms), PADDING),
            slope=self.model.rate_slope,
            curvature=self.model.rate_curvature,
            cos_theta=math.cos(self.model.theta),
            sin_theta=math.sin(self.model.theta),
        )

    def sample(self, rng, n, t_end):
        """Return the `Records` of the next n trajectories of the generator, up to `t_end`."""
        from trajbatt.kernels.ladder import sample_clicks

        def call(cursor, clock, records):
            return sample_clicks(
                rng, self._edges, self._kets, self._tables, t_end, cursor, clock, records
            )

        return _record(n, self.model.typical_clicks(t_end), call)

    def observe(self, records, times):
        """Return the samples (n, 5 + nc, nt) of the conditional states and the weight dropped."""
        from trajbatt.kernels.ladder import observe

        samples = self._samples(records, times)
        phase = self.model.frequency * times
        phases = np.array((np.cos(phase), np.sin(phase)))
        scratch = np.empty(self.model.n_atoms + 3, dtype=self.mixture.amplitudes.dtype)
        dropped = observe(
            self._kets, self._tables, times, phases, NEGLIGIBLE, tuple(records), scratch, samples
        )
        return samples, dropped


class WavefunctionEngine(_LadderModelEngine):
    """The textbook Monte Carlo wavefunction: slow, and independent of `LadderEngine`."""

    @cached_property
    def _kets(self):
        return self.mixture.first, self.mixture.offsets, self.mixture.amplitudes.astype(complex)

    @cached_property
    def _tables(self):
        from trajbatt.kernels.mcwf import Tables

        return Tables(
            shifts=self.model.shifts,
            jump_elements=self.model.jump_elements,
            click_rates=self.model.click_rates,
            total_rates=self.model.click_rates.sum(axis=0),
            frequency=self.model.frequency,
            cos_theta=math.cos(self.model.theta),
            sin_theta=math.sin(self.model.theta),
        )

    def sample(self, rng, n, t_end):
        """Return the `Records` of the next n trajectories of the generator, up to `t_end`."""
        from trajbatt.kernels.mcwf import sample_clicks

        weights = np.cumsum(self.mixture.weights)
        weights /= weights[-1]
        psi = np.empty(self.model.n_atoms + 1, dtype=complex)
        p = np.empty(psi.size)

        def call(cursor, clock, records):
            return sample_clicks(
                rng, weights, self._kets, self._tables, t_end, cursor, clock, psi, p, records
            )

        return _record(n, self.model.typical_clicks(t_end), call)

    def observe(self, records, times):
        """Return the samples (n, 5 + nc, nt) of the conditional states and the weight dropped."""
        from trajbatt.kernels.mcwf import observe

        samples = self._samples(records, times)
        psi = np.empty(self.model.n_atoms + 1, dtype=complex)
        phi = np.empty_like(psi)
        observe(self._kets, self._tables, times, tuple(records), psi, phi, samples)
        return samples, 0.0


ENGINES = {"ladder": LadderEngine, "mcwf": WavefunctionEngine}
