"""What was seen of some batteries, as records of any model that is tried."""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from trajbatt.base import checks
from trajbatt.inference.current_record import CurrentRecord
from trajbatt.inference.following import Record, log_likelihood, prior
from trajbatt.inference.impossible import ImpossibleRecordError
from trajbatt.light.clicks import Clicks
from trajbatt.light.currents import HomodyneRecord
from trajbatt.light.detectors import described
from trajbatt.light.input import of_each_trajectory, of_one_trajectory
from trajbatt.models.battery import Battery
from trajbatt.models.model import Model, check_model
from trajbatt.models.protocol import within

LONGEST = 1e100  # watched time times rate: beyond, likelihoods overflow


class Seen(NamedTuple):
    """What was seen of some batteries.

    Attributes
    ----------
    records : callable
        Of a model; returns the records, a list.
    ntraj : int
    n_events : int
        Clicks, or bins of currents.
    """

    records: Callable[[Model], list]
    ntraj: int
    n_events: int

    def log_likelihoods(self, model, initial, impossible=None):
        """Return those of all records under a model, float64 (ntraj,).

        Raises
        ------
        ValueError
            If a record is impossible, unless there is a value for that.
        """
        mixture = prior(model, initial)

        def one(record):
            try:
                return log_likelihood(record, mixture)
            except ImpossibleRecordError:
                if impossible is None:
                    raise
                return impossible

        return np.array([one(record) for record in self.records(model)])


def meant(model: Battery | Model) -> Model:
    """Return the model that is meant: a `Battery` stands for its `charge()`."""
    if isinstance(model, Battery):
        model = model.charge()
    check_model(model)
    return model


def seen_of(model, clicks, efficiency, dark_rate, detectors, duration):
    """Return what was `Seen`, as `trajbatt.fit` is told of it.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range or of the wrong kind.
    """
    if not model.channel_names:
        raise ValueError("`model` must have a channel to be fitted to clicks, but has none")
    response = described(detectors, efficiency, dark_rate).response_of(model)
    if not np.any(response[0]):
        raise ValueError("`efficiency` must be above zero somewhere, or no light is seen")
    return _clicks(model, clicks, duration, response) if model.has_clicks else _currents(clicks)


def _clicks(model, clicks, duration, response):
    """Return what was `Seen` as clicks."""
    found = _records(model, clicks, duration)
    hidden = model.is_hidden & ~response[0].any(axis=0)
    kept = [
        (np.array([duration]), *(one[~hidden[channel]] for one in (time, channel)))
        for time, channel, duration in found
    ]

    def records(tried):
        observers = {}  # the same for all
        return [
            Record(tried, end, time, channel, response, observers=observers)
            for end, time, channel in kept
        ]

    return Seen(records, len(found), sum(times.size for times, _, _ in found))


def _currents(given):
    """Return what was `Seen` as homodyne currents, of one battery or of several."""
    several = given if isinstance(given, list | tuple) else [given]
    found = [HomodyneRecord.of(one) for one in several]

    def records(tried):
        return [CurrentRecord(tried, one.edges[-1:], one) for one in found]

    return Seen(records, len(found), sum(one.current.size for one in found))


def _records(model, clicks, duration):
    """Return the times, the channels and the duration of each trajectory's clicks."""
    if duration is None:
        duration = getattr(clicks, "duration", None)
    if duration is None:
        times, _ = of_one_trajectory(clicks, model.channel_names, math.inf)
        duration = times[-1] if times.size else 0.0
    duration = checks.positive("duration", duration)
    (duration,) = within(model, np.array([duration]), "duration")
    fastest = max(max(one.model.largest_rate, one.model.frequency) for one in model.stages())
    longest = LONGEST / fastest if fastest > 0.0 else math.inf
    if duration > longest:
        raise ValueError(f"`duration` must be at most {longest:.3g}, but is {duration:g}")
    if not isinstance(clicks, Clicks):
        return [(*of_one_trajectory(clicks, model.channel_names, duration), duration)]
    every = of_each_trajectory(clicks, model.channel_names, duration)
    return [(*one, duration) for one in every]
