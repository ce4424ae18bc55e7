"""Scores of any clicks: the derivatives of the state go with it, from stage to stage.

For stages of any kind that has tangents in `trajbatt.inference.tangents`.
"""

import numpy as np

from trajbatt.exact.block_model import BlockModel
from trajbatt.inference.following import prior
from trajbatt.inference.tangents import has_tangents, tangents_of
from trajbatt.models.schedule import legs
from trajbatt.numerics.differences import EIGHTH, slope

STEP = 1e-3  # of the scales and of angles, for the start and for turns of the basis


class TangentRecords:
    """What was seen of n batteries.

    Parameters
    ----------
    records : callable
        Of a model; returns its `Record`s.
    """

    def __init__(self, records):
        self._records = records

    @staticmethod
    def offers(model, initial):
        """Tell whether all stages of a model have tangents."""
        return all(has_tangents(stage.model) for stage in model.stages())

    def scores(self, model_at, n, initial):
        """Return the derivatives of the log-likelihoods, as `PureRecords.scores` does."""
        known, made = {}, {}

        def stages_at(x):  # the same few x for every stage
            key = x.tobytes()
            if key not in known:
                known[key] = model_at(x).stages()
            return known[key]

        def system_of(record, i, leg):
            key = i, leg.following is not None, getattr(leg.stage.model, "n_blocks", None)
            if key not in made:
                system = _tangents(record, stages_at, n, i, leg)
                made[key] = system, None if i else _start(system, model_at, n, initial)
            return made[key]

        with np.errstate(all="ignore"):
            records = self._records(model_at(np.zeros(n)))
            return np.array([_score(one, system_of, n) for one in records])


def _score(record, system_of, n):
    """Return the derivatives of one record, float64 (n,).

    `system_of` gives the tangents of each leg, and what the first one begins with.
    """
    done, before, rows, knows = 0, None, None, np.ones(n, dtype=bool)
    for i, leg in enumerate(legs(record.stages(), record.times)):
        stop = record.last_click(leg)
        system, start = system_of(record, i, leg)
        rows = _handed_over(before, rows, leg.stage.model.theta, system) if i else start
        times = np.maximum(record.click_time[done:stop] - leg.stage.start, 0.0)
        rows = system.through(rows, leg.local[-1], times, record.click_channel[done:stop])
        before, done, knows = (system, leg), stop, knows & system.knows
    traces = system.layout.trace(rows).real
    return np.where(knows, traces[1:] / traces[0], np.nan)


def _tangents(record, stages_at, n, i, leg):
    """Return the tangents of the stage number i."""
    model, places = leg.stage.model, list(leg.stage.places)
    shares, dark_rate = record.response

    def stage_at(x):
        one = stages_at(x)[i].model
        return BlockModel.of(one, n_blocks=model.n_blocks) if hasattr(model, "n_blocks") else one

    goes_on = leg.following is not None
    return tangents_of(model, stage_at, n, (shares[places], dark_rate), goes_on, leg.local[-1])


def _start(system, model_at, n, initial):
    """Return the rows (1 + n, stop) with which the first stage begins."""

    def orders(x):
        return system.layout.rows(prior(model_at(x), initial))[0]

    rows = np.zeros((1 + n, system.layout.stop), dtype=complex)
    rows[0] = orders(np.zeros(n))
    if system.is_of_basis:  # else the bare state is given, and the basis stays
        rows[1:] = [slope(lambda x, e=e: orders(x * e), STEP, EIGHTH) for e in np.eye(n)]
    return rows


def _handed_over(before, rows, theta, system):
    """Return the rows of a stage's end as the next one, at the angle `theta`, begins with them."""
    earlier, leg = before
    duration, phase = leg.local[-1], leg.stage.model.frequency * leg.local[-1]
    rows = rows.astype(complex)
    for q, part in zip(earlier.layout.orders, earlier.layout.slices, strict=True):
        rows[1:, part] -= 1j * q * duration * earlier.frequencies[:, None] * rows[0, part]
    turns = system.turns - earlier.turns

    def turned(some, angle):
        return system.layout.rows(earlier.layout.in_basis(some, phase, angle))

    found = turned(rows, theta)
    if turns.any():
        change = slope(lambda x: turned(rows[:1], theta + x)[0], STEP, EIGHTH)
        found[1:] += turns[:, None] * change
    return found
