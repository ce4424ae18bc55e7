"""The engine for protocols whose stages end by what is seen: each trajectory's at its own time.

All trajectories of a block go through a stage side by side, each on a clock of its own. Clicks that
end a stage are counted as they are drawn; for an energy the clicks are drawn up to the latest end,
and those after the passage are thrown away: that does not change their law.
"""

from dataclasses import dataclass

import numpy as np

from trajbatt.trajectories.clock import NEVER, Clock
from trajbatt.trajectories.protocol import ProtocolEngine, StageRecords
from trajbatt.trajectories.records import COUNTS, Observation


@dataclass(frozen=True)
class SteeredEngine(ProtocolEngine):
    """As `ProtocolEngine`; every stage may begin at another time in each trajectory.

    Attributes
    ----------
    watch : callable, or None
        Called with generators for what is seen in each stage; gives the observer who ends stages
        at an energy, a `trajbatt.inference.watch.Watch`. None if no stage ends so.
    """

    watch: object = None

    def sample(self, generators, n, t_end):
        """Return the `StageRecords` of the next n trajectories, up to `t_end`.

        `generators` has one for each stage, and, where photons are missed, one more of each.
        """
        return self.run(generators, n, np.array([t_end]))[0]

    def run(self, generators, n, times):
        """Return the `StageRecords` of n trajectories and the `Observation` of them at `times`."""
        n_stages, all_seen = len(self.model.steps), []
        observer = self.watch and self.watch(generators[n_stages:])

        def advance(engine, i, stage, grid, want_kets, clock):
            if observer is None:
                return engine.run(generators[i], n, grid, want_kets, clock)
            records = engine.sample(generators[i], n, np.inf, clock)
            records, seen = observer.ended(engine, i, stage, records, clock)
            all_seen.append(seen)
            return records, engine.observe(records, grid, want_kets, clock)

        records, observed = self._walk(n, times, advance)
        return records._replace(seen=tuple(all_seen)), observed

    def observe(self, records, times):
        """Return the `Observation` of the conditional states at `times`."""

        def advance(engine, i, stage, grid, want_kets, clock):
            one = records.records[i]
            return one, engine.observe(one, grid, want_kets, clock)

        return self._walk(records.origin.size, times, advance, records)[1]

    def bare_kets(self, records, times):
        """Return the normalised states in the bare basis, complex128 (n, nt, N+1)."""
        found = np.zeros((records.origin.size, times.size, self.model.n_levels), dtype=complex)

        def advance(engine, i, stage, grid, want_kets, clock):
            one = records.records[i]
            kets = engine.bare_kets(one, grid, clock)[:, :-1]
            # Those of the stages before stay: a state at the end of a stage is also the next one's.
            there = kets.any(axis=2) & ~found.any(axis=2)
            found[there] = kets[there]
            return one, engine.observe(one, grid, want_kets, clock)

        self._walk(records.origin.size, times, advance, records)
        return found

    def _walk(self, n, times, advance, given=None):
        """Take n trajectories through the stages; `advance` takes them through one.

        If their records are `given`, their ends are, too, and nobody goes on after the times.
        """
        stages, n_channels = self.model.latest_stages(), len(self.model.channel_names)
        counts, dropped = np.zeros((n, n_channels)), 0.0
        samples = np.zeros((n, COUNTS + n_channels, times.size))
        products = spins = None
        mixture, begins, done = self.mixture, np.zeros(n), np.zeros(n, dtype=np.int64)
        grid = np.append(times, np.inf)  # in the last place what is at each one's end
        passed = []
        for i, stage in enumerate(stages):
            engine = self._engine(i, stage.model, mixture)
            goes_on = i < len(stages) - 1
            clock = _clock(stage, begins, times[-1], goes_on)
            if given is not None:
                clock = clock._replace(ends=given.ends[i])
            records, seen = advance(engine, i, stage, grid, goes_on, clock)
            passed.append((records, begins, clock.ends))
            before, done = done, _first_after(times, begins, clock.ends, done)
            numbers = np.arange(times.size)
            here = (numbers >= before[:, None]) & (numbers < done[:, None])
            read = seen.samples[:, :, :-1]
            samples[:, :COUNTS] += np.where(here[:, None], read[:, :COUNTS], 0.0)
            samples[:, COUNTS:] += np.where(here[:, None], counts[:, :, None], 0.0)
            for channel, place in enumerate(stage.places):
                samples[:, COUNTS + place] += np.where(here, read[:, COUNTS + channel], 0.0)
                counts[:, place] += seen.samples[:, COUNTS + channel, -1]
            products = _joined(products, seen.products, here[:, None])
            spins = _joined(spins, seen.spins, here)
            dropped += seen.dropped
            if given is not None and done.min() == times.size:
                break
            if goes_on:
                mixture, begins = self._handed_over(i, seen), begins + clock.ends
        records, *clocks = (tuple(rows) for rows in zip(*passed, strict=True))
        joined = StageRecords(stages, records, *clocks)
        return joined, Observation(samples, dropped, None, products, spins)


def _joined(so_far, read, here):
    """Return an array (..., nt) with what was `read` (..., nt + 1) where it is `here`."""
    if read is None:
        return None
    read = np.where(here, read[..., :-1], 0)
    return read if so_far is None else so_far + read


def _clock(stage, begins, t_end, goes_on):
    """Return the `Clock` of a stage for trajectories that begin it at `begins` (n,)."""
    left = np.maximum(t_end - begins, 0.0)
    left = np.where(begins + left < t_end, np.nextafter(left, np.inf), left)  # or the end is lost
    ends = np.minimum(left, stage.duration if goes_on else np.inf)
    counted, quota = np.zeros(len(stage.model.channel_names), dtype=np.int64), NEVER
    if stage.rule is not None and stage.rule.clicks is not None:
        counted, quota = stage.rule.counted(stage.model), min(stage.rule.clicks, NEVER)
    return Clock(begins, ends, counted, quota)


def _first_after(times, begins, ends, done):
    """Return the number of the first of `times` after each one's end, int64 (n,); >= `done`.

    By the same sum as kernels have, which is the begin of the next stage.
    """
    return np.maximum(np.searchsorted(times, begins + ends, side="right"), done)
