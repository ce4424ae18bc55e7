"""Complete records of a battery that begins in a pure state: their scores, by kets there and back.

For stages of any kind that has a path in `trajbatt.inference.ket_paths`.
"""

from itertools import pairwise

import numpy as np

from trajbatt.exact.adjoint import Change
from trajbatt.inference.following import prior
from trajbatt.inference.ket_paths import has_path, path_of
from trajbatt.models.schedule import legs
from trajbatt.numerics import spin
from trajbatt.numerics.differences import EIGHTH, slope

STEP = 0.01  # of the scales, for a model's numbers, which are smooth
MOST_ELEMENTS = 4e7  # of kets at all nodes, held at once
NODES = 20  # for each click, about


class PureRecords:
    """The complete records of n batteries.

    Parameters
    ----------
    records : callable
        Of a model; returns its `Record`s, in which every jump is seen.
    """

    def __init__(self, records):
        self._records = records

    @staticmethod
    def offers(model, initial):
        """Tell whether a start is pure, whatever the parameters, and all stages have paths."""
        stages = model.stages()
        if initial is None and stages[0].model.start is not None:
            return False  # it hangs on them
        has_paths = all(has_path(stage.model) for stage in stages)
        return has_paths and prior(model, initial).weights.size == 1

    def scores(self, model_at, n, initial):
        """Return the derivatives of the log-likelihoods, float64 (ntraj, n); nan for none.

        Parameters
        ----------
        model_at : callable
            The model of n numbers, at zero to begin with.
        n : int
        initial : optional
            As in `mesolve`; by default that of the model.
        """
        model = model_at(np.zeros(n))
        rows = [slope(lambda x, e=e: _numbers(model_at(x * e)), STEP, EIGHTH) for e in np.eye(n)]
        changes = _changes(model, np.array(rows))
        (ket,) = prior(model, initial).rows(model.n_levels)
        angles = [stage.model.theta for stage in model.stages()]
        turns = [spin.change_of_basis(model.n_atoms, *pair) for pair in pairwise(angles)]
        with np.errstate(all="ignore"):
            records = self._records(model)
            return np.array([_score(one, ket, turns, changes) for one in records])


def _numbers(model):
    """Return theta, the frequency and the rates of all stages, one after the other."""
    return np.concatenate(
        [[one.model.theta, one.model.frequency, *one.model.rates] for one in model.stages()]
    )


def _changes(model, rows):
    """Return the `Change` of each stage, of the derivatives (n, ...) of `_numbers`."""
    found, at = [], 0
    for stage in model.stages():
        end = at + 2 + stage.model.rates.size
        found.append(Change(rows[:, at], rows[:, at + 1], rows[:, at + 2 : end]))
        at = end
    return found


def _score(record, ket, turns, changes):
    """Return the derivatives of one record, float64 (n,)."""
    if NODES * (1 + record.click_time.size) * record.model.n_levels > MOST_ELEMENTS:
        return np.full(len(changes[0].theta), np.nan)  # by differences, which hold a ket at a time
    done, paths = 0, []
    for leg, turn in zip(legs(record.stages(), record.times), [None, *turns], strict=False):
        stop = record.last_click(leg)
        places = np.full(len(record.model.channel_names), -1)
        places[list(leg.stage.places)] = np.arange(len(leg.stage.places))
        times = np.maximum(record.click_time[done:stop] - leg.stage.start, 0.0)
        channels = places[record.click_channel[done:stop]]
        paths.append(path_of(leg.stage.model, leg.local[-1], times, channels))
        ket = paths[-1].forth(ket if turn is None else ket @ turn)
        done = stop
    bra, found = ket, 0.0
    for i in range(len(paths) - 1, -1, -1):
        bra = paths[i].back(bra)
        found = found + paths[i].score(changes[i])
        if i > 0:
            bra = turns[i - 1] @ bra
    return found
