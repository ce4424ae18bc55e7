"""Who watches the light of trajectories while they run, and ends a stage at an energy.

The energy is that of `trajbatt.filter`. Where nothing is missed or hidden, and the battery began in
a pure state, that is the energy of the trajectory itself, which its engine gives.
"""

import math

import numpy as np

from trajbatt.inference.following import Record, follow, prior
from trajbatt.light.detectors import Detectors
from trajbatt.models.model import stays_symmetric
from trajbatt.numerics.passage import first_passage
from trajbatt.trajectories.records import ROW

STEP = 0.25  # of the fastest rate of means: between two looks the energy is smooth
SUDDEN = 1e-13  # of the stage: so long before a click the energy is looked at once more


class Watch:
    """The observer of some trajectories of a protocol, side by side.

    Parameters
    ----------
    model : Protocol
        With an energy in its rules.
    initial : object
        As users give it.
    generators : sequence of Generator
        For what is seen in each stage; none if all is.
    """

    def __init__(self, model, initial, generators):
        self._model, self._generators = model, generators
        self._prior = prior(model, initial)
        self._efficiency = model.watched_with
        self._detectors = Detectors(efficiency=self._efficiency)
        is_pure = self._prior.weights.size == 1 and stays_symmetric(model)
        self._sees_states = is_pure and self._efficiency == 1.0 and not model.is_hidden.any()
        self._stages, self._records, self._seen = [], [], []
        self._begins, self._ends = [], []

    def ended(self, engine, i, stage, records, clock):
        """Return the `Records` of a stage up to its end, and which clicks were seen, bool.

        Parameters
        ----------
        engine : Engine
            Of the stage.
        i : int
            The number of the stage.
        stage : Stage
        records : Records
            Up to the latest end if there is an energy to wait for.
        clock : Clock
            Of which the ends are written.
        """
        seen = self._see(i, stage, records)
        self._begins.append(clock.begins)
        self._stages.append(stage)
        if stage.rule is not None and stage.rule.energy is not None:
            for k in range(records.origin.size):
                if clock.ends[k] > 0.0:
                    end = self._passage(engine, stage, records, seen, clock, k)
                    clock.ends[k] = min(clock.ends[k], end)
            number = np.repeat(np.arange(records.origin.size), np.diff(records.offsets))
            kept = records.time <= clock.ends[number]
            records, seen = records.kept(kept), seen[kept]
        self._records.append(records)
        self._seen.append(seen)
        self._ends.append(clock.ends)
        return records, seen

    def _see(self, i, stage, records):
        """Draw which clicks are seen."""
        shares, _ = self._detectors.response_of(stage.model)
        probability = shares.sum(axis=1)[records.channel]
        if not self._generators:
            return probability > 0.0
        return self._generators[i].random(records.time.size) < probability

    def _passage(self, engine, stage, records, seen, clock, k):
        """Return how long after its begin trajectory k passes the energy of the rule; or inf."""
        rule, model = stage.rule, stage.model
        sign, end = (1.0 if rule.rising else -1.0), clock.ends[k]
        clicks = slice(records.offsets[k], records.offsets[k + 1])
        if self._sees_states:
            one = records.one(k)

            def energy(times):
                return engine.observe(one, times).samples[0, ROW["jz"]] + 0.5 * model.n_atoms
        else:
            energy = self._filtered(stage, records, seen, clock, k)
        jumps = records.time[clicks][seen[clicks]]
        rate = max(abs(model.frequency), 1.0 / model.timescale)
        pieces = max(1, math.ceil(end * rate / STEP))
        before = jumps - SUDDEN * end
        looks = np.linspace(0.0, end, pieces + 1), jumps, before[before > 0.0]
        return first_passage(
            lambda times: sign * energy(times),
            np.unique(np.concatenate(looks)),
            sign * rule.energy,
            scale=model.n_atoms,
            sudden=2.0 * SUDDEN * end,
        )

    def _filtered(self, stage, records, seen, clock, k):
        """Return the energy by `trajbatt.filter` of trajectory k as a function of its time."""
        begin = clock.begins[k]
        begins = [one[k] for one in self._begins]
        ends = [*begins[1:], begin + clock.ends[k]]
        rest = len(self._model.steps) - len(ends)
        protocol = self._model.ended([*ends, *[ends[-1]] * rest])
        time, channel = [], []
        rows = [*self._records, records], [*self._seen, seen]
        for before, start, one, those in zip(self._stages, begins, *rows, strict=True):
            clicks = slice(one.offsets[k], one.offsets[k + 1])
            names = [self._model.channel_names[place] for place in before.places]
            own = one.channel[clicks][those[clicks]]
            time.append(start + one.time[clicks][those[clicks]])
            channel += [protocol.channel_names.index(names[c]) for c in own]
        time, channel = np.concatenate(time), np.array(channel, dtype=np.int64)
        response = self._detectors.response_of(protocol)

        def energy(times):
            last = begin + times[-1]
            now = time <= last
            record = Record(protocol, begin + times, time[now], channel[now], response)
            return np.array(
                [one.layout.observables(one.y, one.phase)[0] for one in follow(record, self._prior)]
            )

        return energy
