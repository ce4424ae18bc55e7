"""The engine for protocols: the engines of the stages, one after the other.

Each trajectory carries its pure state from stage to stage. Where the bases differ it is rotated, at
the cost of one `spin.rotation_matrix` for each boundary and a matrix product for each block of
trajectories.
"""

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from trajbatt.models.protocol import Protocol
from trajbatt.models.schedule import legs
from trajbatt.numerics import spin, spin_blocks
from trajbatt.states.mixture import NEGLIGIBLE_BEFORE_STAGE, Mixture
from trajbatt.trajectories.one_each import one_each
from trajbatt.trajectories.records import COUNTS, Observation, Records


class StageRecords(NamedTuple):
    """The records of the stages of n trajectories; each one's times begin with the stage.

    Attributes
    ----------
    stages : tuple of Stage
    records : tuple of Records
    begins : tuple of ndarray (n,), float64
        Of each stage, when it begins.
    ends : tuple of ndarray (n,), float64
        Likewise, how long after that it ends.
    seen : tuple of ndarray, bool
        Of each stage, which clicks its observer has seen, see `trajbatt.until`; empty without one.
    """

    stages: tuple
    records: tuple[Records, ...]
    begins: tuple[np.ndarray, ...]
    ends: tuple[np.ndarray, ...]
    seen: tuple[np.ndarray, ...] = ()

    @property
    def origin(self):
        """Which pure state of the initial mixture each trajectory began in, int64 (n,)."""
        return self.records[0].origin

    @property
    def joined(self):
        """One `Records` for the whole protocol; only the first stage's hidden levels are in it."""
        offsets = sum(one.offsets for one in self.records)
        first = self.records[0]
        time, channel = np.empty(offsets[-1]), np.empty(offsets[-1], dtype=np.int8)
        spin = None if first.spin is None else np.empty(offsets[-1], dtype=np.int32)
        place = offsets[:-1].copy()  # where each trajectory's clicks of a stage begin
        for stage, begins, one in zip(self.stages, self.begins, self.records, strict=True):
            numbers = np.diff(one.offsets)
            places = np.repeat(place - one.offsets[:-1], numbers) + np.arange(one.time.size)
            time[places] = np.repeat(begins, numbers) + one.time
            channel[places] = np.array(stage.places, dtype=np.int8)[one.channel]
            if spin is not None:
                spin[places] = one.spin
            place += numbers
        return first._replace(offsets=offsets, time=time, channel=channel, spin=spin)

    @property
    def stage_ends(self):
        """When each stage has ended, float64 (n, n_stages); the end of the run if it has not."""
        return np.stack([*self.begins[1:], self.begins[-1] + self.ends[-1]], axis=-1)

    @property
    def detected(self):
        """The records of what the observer has seen, without J; None if there is no observer."""
        if not self.seen:
            return None
        records = [one.kept(seen) for one, seen in zip(self.records, self.seen, strict=True)]
        return self._replace(records=tuple(records), seen=()).joined._replace(spin=None)

    def one(self, i):
        """Return the records of trajectory i alone."""
        first, *later = (records.one(i) for records in self.records)
        later = [records._replace(origin=np.zeros(1, dtype=np.int64)) for records in later]
        begins, ends = ([row[i : i + 1] for row in rows] for rows in (self.begins, self.ends))
        seen = [
            one[records.offsets[i] : records.offsets[i + 1]]
            for one, records in zip(self.seen, self.records, strict=False)
        ]
        return StageRecords(self.stages, (first, *later), tuple(begins), tuple(ends), tuple(seen))


@dataclass(frozen=True)
class ProtocolEngine:
    """The engines of a protocol's stages.

    Attributes
    ----------
    model : Protocol
    mixture : Mixture
        The initial state in the basis of the first stage.
    build : callable
        Called as `build(model, mixture, assigned, negligible)`; gives the engine of a stage.
    """

    model: Protocol
    mixture: Mixture
    build: object

    @cached_property
    def _turns(self):
        """The matrices that take kets from each stage's basis to the next one's; None for none."""
        return [self._turn(before, after) for before, after in pairwise(self._angles)]

    @cached_property
    def _engines(self):
        """Those of the stages that were made so far, by number."""
        return {}

    @cached_property
    def _angles(self):
        return [stage.model.theta for stage in self.model.latest_stages()]

    def _turn(self, before, after):
        n_atoms = self.model.n_atoms
        return None if before == after else spin.change_of_basis(n_atoms, before, after)

    def sample(self, generators, n, t_end):
        """Return the `StageRecords` of the next n trajectories, up to `t_end`.

        `generators` has one for each stage.
        """
        return self.run(generators, n, np.array([t_end]))[0]

    def run(self, generators, n, times):
        """Return the `StageRecords` of n trajectories and the `Observation` of them at `times`."""

        def advance(engine, i, local, want_kets):
            return engine.run(generators[i], n, local, want_kets)

        return self._walk(n, times, advance)

    def observe(self, records, times):
        """Return the `Observation` of the conditional states at `times`."""

        def advance(engine, i, local, want_kets):
            return records.records[i], engine.observe(records.records[i], local, want_kets)

        return self._walk(records.origin.size, times, advance)[1]

    def bare_kets(self, records, times):
        """Return the normalised states in the bare basis, complex128 (n, nt, N+1)."""
        kets = np.empty((records.origin.size, times.size, self.model.n_levels), dtype=complex)

        def advance(engine, i, local, want_kets):
            one = records.records[i]
            wanted = local[: places[i].stop - places[i].start]
            if wanted.size:
                kets[:, places[i]] = engine.bare_kets(one, wanted)
            return one, engine.observe(one, local, want_kets)

        stages = self.model.stages(times[-1])
        places = [leg.wanted for leg in legs(stages, times)]
        self._walk(records.origin.size, times, advance)
        return kets

    def _walk(self, n, times, advance):
        """Take n trajectories through the stages; `advance` takes them through one."""
        stages = self.model.stages(times[-1])
        samples = np.zeros((n, COUNTS + len(self.model.channel_names), times.size))
        counts = np.zeros((n, len(self.model.channel_names)))
        mixture, all_records, dropped, products, spins = self.mixture, [], 0.0, [], []
        for i, (stage, following, wanted, local) in enumerate(legs(stages, times)):
            engine = self._engine(i, stage.model, mixture)
            records, seen = advance(engine, i, local, following is not None)
            all_records.append(records)
            kept = seen.samples[:, :, : wanted.stop - wanted.start]
            samples[:, :COUNTS, wanted] = kept[:, :COUNTS]
            samples[:, COUNTS:, wanted] = counts[:, :, None]
            for channel, place in enumerate(stage.places):
                samples[:, COUNTS + place, wanted] += kept[:, COUNTS + channel]
                counts[:, place] += seen.samples[:, COUNTS + channel, -1]
            if seen.products is not None:
                products.append(seen.products[:, :, : wanted.stop - wanted.start])
            if seen.spins is not None:
                spins.append(seen.spins[:, : wanted.stop - wanted.start])
            dropped += seen.dropped
            if following:
                mixture = self._handed_over(i, seen)
        starts = np.array([stage.start for stage in stages])
        lasting = np.array([min(stage.end, times[-1]) for stage in stages]) - starts
        clocks = (tuple(np.repeat(row[:, None], n, axis=1)) for row in (starts, lasting))
        joined = StageRecords(stages, tuple(all_records), *clocks)
        return joined, Observation(
            samples,
            dropped,
            None,
            np.concatenate(products, axis=2) if products else None,
            np.concatenate(spins, axis=1) if spins else None,
        )

    def _engine(self, i, model, mixture):
        """Return the engine of stage i for trajectories that begin it in a mixture."""
        if i not in self._engines:
            self._engines[i] = self.build(model, mixture, i > 0, NEGLIGIBLE_BEFORE_STAGE)
        return self._engines[i].beginning_in(mixture)

    def _handed_over(self, i, seen):
        """Return the states at the end of stage i as the next one begins with them."""
        before, after = self._angles[i], self._angles[i + 1]
        if seen.spins is None:
            return one_each(seen.kets, self._turns[i])
        last = seen.spins[:, -1].copy()
        kets = spin_blocks.turned(seen.kets, last, before, after)
        return one_each(kets, spins=last)
