"""The trajectory engines: the arrays and buffers around the kernels.

An engine does two things, and a record of clicks passes between them: `sample` draws the clicks of
n trajectories from a generator, `observe` reads the conditional state off the clicks at requested
times. So the clicks do not depend on the requested times, and one engine can read the record of
another.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from trajbatt.models import LadderModel
from trajbatt.states import NEGLIGIBLE, Mixture

# The rows of the samples that `observe` returns; photon counts per channel follow.
JZ, JZ_SQUARE, JZ_VARIANCE, DIPOLE_REAL, DIPOLE_IMAG, COUNTS = range(6)


@dataclass(frozen=True)
class Records:
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
    origin, hidden = np.empty(n, dtype=np.int64), np.full(n, -1, dtype=np.int64)
    offsets = np.empty(n + 1, dtype=np.int64)
    capacity = int(n * clicks_per_trajectory) + 64
    time, channel = np.empty(capacity), np.empty(capacity, dtype=np.int8)
    cursor, clock = np.array([0, -1, 0]), np.zeros(1)
    while not call(cursor, clock, origin, hidden, offsets, time, channel):
        time = np.concatenate((time, np.empty_like(time)))
        channel = np.concatenate((channel, np.empty_like(channel)))
    n_clicks = offsets[-1]
    return Records(origin, hidden, offsets, time[:n_clicks], channel[:n_clicks])


@dataclass(frozen=True)
class _LadderModelEngine:
    """What the two engines for ladder models have in common."""

    model: LadderModel
    mixture: Mixture

    @cached_property
    def _basis(self):
        return np.cos(self.model.theta), np.sin(self.model.theta)

    def _clicks_per_trajectory(self, t_end):
        """Return a guess at the number of clicks, for the first size of the buffers."""
        rates = self.model.click_rates.sum(axis=0)
        typical = rates.mean() if rates.size else 0.0
        return min(1.5 * typical * t_end, 1e6)

    def _samples(self, n, n_times):
        return np.empty((n, COUNTS + len(self.model.channels), n_times))


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
    def _clock(self):
        """Mean waiting times (N+1,) and the channels' cumulative probabilities (N+1, nc)."""
        cumulative = np.cumsum(self.model.click_rates, axis=0).T
        total = cumulative[:, -1:] if self.model.channels else np.zeros((len(cumulative), 1))
        with np.errstate(divide="ignore"):
            mean_waits = 1.0 / total[:, 0]
        thresholds = np.divide(cumulative, total, out=np.ones_like(cumulative), where=total > 0)
        return mean_waits, np.ascontiguousarray(thresholds)

    @cached_property
    def _tables(self):
        from trajbatt import spin
        from trajbatt.kernels.ladder import PADDING

        elements = np.pad(self.model.jump_elements, ((0, 1), (PADDING, PADDING)))
        elements[-1] = 1.0
        raising = np.pad(spin.raising_elements(self.model.n_atoms), PADDING)
        return elements.ravel(), raising

    def sample(self, rng, n, t_end):
        """Return the `Records` of the next n trajectories of the generator, up to `t_end`."""
        from trajbatt.kernels import ladder

        def call(cursor, clock, origin, hidden, offsets, time, channel):
            return ladder.sample_clicks(
                rng,
                self._edges,
                self.mixture.first,
                self.mixture.offsets,
                *self._clock,
                self.model.shifts,
                t_end,
                cursor,
                clock,
                origin,
                hidden,
                offsets,
                time,
                channel,
            )

        return _record(n, self._clicks_per_trajectory(t_end), call)

    def observe(self, records, times):
        """Return the samples (n, 5 + nc, nt) of the conditional states and the weight dropped."""
        from trajbatt.kernels import ladder

        samples = self._samples(records.origin.size, times.size)
        elements, raising = self._tables
        phase = self.model.frequency * times
        dropped = ladder.observe(
            self.mixture.first,
            self.mixture.offsets,
            self.mixture.amplitudes,
            elements,
            raising,
            self.model.shifts,
            self.model.rate_slope,
            self.model.rate_curvature,
            *self._basis,
            times,
            np.cos(phase),
            np.sin(phase),
            NEGLIGIBLE,
            records.origin,
            records.hidden,
            records.offsets,
            records.time,
            records.channel,
            np.empty(self.model.n_atoms + 3, dtype=self.mixture.amplitudes.dtype),
            samples,
        )
        return samples, dropped


class WavefunctionEngine(_LadderModelEngine):
    """The textbook Monte Carlo wavefunction: slow, and independent of `LadderEngine`."""

    @cached_property
    def _mixture(self):
        return replace(self.mixture, amplitudes=self.mixture.amplitudes.astype(complex))

    @cached_property
    def _total_rates(self):
        return self.model.click_rates.sum(axis=0)

    def sample(self, rng, n, t_end):
        """Return the `Records` of the next n trajectories of the generator, up to `t_end`."""
        from trajbatt.kernels import mcwf

        weights = np.cumsum(self._mixture.weights)
        psi = np.empty(self.model.n_atoms + 1, dtype=complex)

        def call(cursor, clock, origin, hidden, offsets, time, channel):
            return mcwf.sample_clicks(
                rng,
                weights / weights[-1],
                self._mixture.first,
                self._mixture.offsets,
                self._mixture.amplitudes,
                self.model.click_rates,
                self._total_rates,
                self.model.jump_elements,
                self.model.shifts,
                self.model.frequency,
                t_end,
                cursor,
                clock,
                psi,
                np.empty(psi.size),
                origin,
                offsets,
                time,
                channel,
            )

        return _record(n, self._clicks_per_trajectory(t_end), call)

    def observe(self, records, times):
        """Return the samples (n, 5 + nc, nt) of the conditional states and the weight dropped."""
        from trajbatt.kernels import mcwf

        samples = self._samples(records.origin.size, times.size)
        psi = np.empty(self.model.n_atoms + 1, dtype=complex)
        mcwf.observe(
            self._mixture.first,
            self._mixture.offsets,
            self._mixture.amplitudes,
            self._total_rates,
            self.model.jump_elements,
            self.model.shifts,
            self.model.frequency,
            *self._basis,
            times,
            records.origin,
            records.offsets,
            records.time,
            records.channel,
            psi,
            np.empty_like(psi),
            samples,
        )
        return samples, 0.0


ENGINES = {"ladder": LadderEngine, "mcwf": WavefunctionEngine}
