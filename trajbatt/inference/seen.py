"""What was seen of some batteries, as records of any model that is tried."""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from trajbatt.base import checks
from trajbatt.exact.orders import Orders
from trajbatt.inference.complete import CompleteRecords
from trajbatt.inference.current_record import CurrentRecord
from trajbatt.inference.following import Record, log_likelihood, prior
from trajbatt.inference.impossible import ImpossibleRecordError
from trajbatt.inference.incomplete import IncompleteRecords
from trajbatt.inference.pure_records import PureRecords
from trajbatt.inference.tangent_records import TangentRecords
from trajbatt.light.clicks import Clicks
from trajbatt.light.currents import HomodyneRecord
from trajbatt.light.detectors import described
from trajbatt.light.input import of_each_trajectory, of_one_trajectory
from trajbatt.models.battery import Battery
from trajbatt.models.model import Model, check_model
from trajbatt.models.protocol import within
from trajbatt.numerics import spin
from trajbatt.numerics.differences import EIGHTH, slope

STEP = 0.01  # of the scales, for derivatives of a model's numbers
TURN = 0.3  # of the fastest coherence, N Omega T, by a step for those of likelihoods
LONGEST_STEP = 1e-3  # for the same
MOST_ELEMENTS = 1e7  # of records and levels, held at once
FASTEST = 1e4  # over the rate of the clicks that were seen, or of the model at the start
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
    duration : float
        How long the light was watched.
    of_populations : CompleteRecords or IncompleteRecords or None
        The same records, if populations alone tell them: of one stage of a ladder.
    ways : tuple
        The same records for derivatives, to be asked one after the other whether they offer them.
    fastest : float
        The largest rate of clicks of a model that is worth a try: likelihoods under one that is
        faster still by orders would take forever.
    """

    records: Callable[[Model], list]
    ntraj: int
    n_events: int
    duration: float
    of_populations: CompleteRecords | IncompleteRecords | None = None
    ways: tuple[PureRecords | TangentRecords, ...] = ()
    fastest: float = math.inf

    def is_worth_a_try(self, model):
        """Tell whether a model is not too fast."""
        return self.fastest == math.inf or _largest_rate(model) <= self.fastest

    def log_likelihoods(self, model, initial, impossible=None):
        """Return those of all records under a model, float64 (ntraj,).

        Raises
        ------
        ValueError
            If a record is impossible, unless there is a value for that.
        """
        mixture = prior(model, initial)
        if self.of_populations is not None:
            found = self.of_populations.log_likelihoods(model, populations(model, mixture))
            if impossible is not None or np.all(found > -np.inf):
                return found if impossible is None else np.maximum(found, impossible)

        def one(record):
            try:
                return log_likelihood(record, mixture)
            except ImpossibleRecordError:
                if impossible is None:
                    raise
                return impossible

        return np.array([one(record) for record in self.records(model)])

    def knows_slopes(self, model, initial):
        """Tell whether derivatives do not go by differences of likelihoods."""
        return self.of_populations is not None or self._way(model, initial) is not None

    def _way(self, model, initial):
        return next((way for way in self.ways if way.offers(model, initial)), None)

    def slopes(self, model_at, n, initial):
        """Return their derivatives by n numbers, at zero, of possible records, float64 (ntraj, n).

        Parameters
        ----------
        model_at : callable
            Of these numbers, float64 (n,).
        n : int
        initial : optional
        """
        model, found = model_at(np.zeros(n)), np.full((self.ntraj, n), np.nan)
        along = [lambda x, e=e: model_at(x * e) for e in np.eye(n)]
        if self.of_populations is not None:
            found[:] = np.transpose([self._slope_of_populations(one, initial) for one in along])
        elif (way := self._way(model, initial)) is not None:
            found = way.scores(model_at, n, initial)
        step = min(LONGEST_STEP, TURN / max(self._turns(model), 1.0))
        for i in np.flatnonzero(~np.isfinite(found).all(axis=0)):
            found[:, i] = slope(
                lambda x, i=i: self.log_likelihoods(along[i](x), initial), step, EIGHTH
            )
        return found

    def _turns(self, model):
        """Return by how many radians the fastest coherence turns while light is watched."""
        return sum(
            model.n_atoms
            * abs(stage.model.frequency)
            * (min(stage.end, self.duration) - stage.start)
            for stage in model.stages(self.duration)
        )

    def _slope_of_populations(self, model_at, initial):
        """Return the derivatives by one number, float64 (ntraj,)."""
        model = model_at(0.0)
        return self.of_populations.slopes(
            model,
            populations(model, prior(model, initial)),
            slope(lambda x: model_at(x).rates, STEP, EIGHTH),
            change_of_populations(model_at, initial),
        )


def change_of_populations(model_at, initial):
    """Return the derivatives of the populations of a ladder's levels by one number, (N+1,).

    A given state does not change, but the basis may: dP_k/d theta is a difference of coherences
    <k+1|J'_+|k> Re rho_{k+1,k}.
    """
    model = model_at(0.0)
    if initial is None and model.start is not None:  # the state hangs on the parameters

        def logs(x):
            with np.errstate(divide="ignore"):
                return np.log(populations(model_at(x), prior(model_at(x), None)))

        # Of logarithms: those of rare levels change by orders within a step, but evenly.
        with np.errstate(invalid="ignore"):
            return np.nan_to_num(np.exp(logs(0.0)) * slope(logs, STEP, EIGHTH))
    turned = slope(lambda x: np.asarray(model_at(x).theta), STEP, EIGHTH)
    layout = Orders(model.n_atoms, model.theta, [0, 1])
    coherences = layout.of_mixture(prior(model, initial))[layout.slices[1]].real
    flow = spin.raising_elements(model.n_atoms)[:-1] * coherences
    return turned * (np.append(flow, 0.0) - np.append(0.0, flow))


def populations(model, mixture):
    """Return the populations of a ladder's levels in a `Mixture`, float64 (N+1,)."""
    return Orders(model.n_atoms, model.theta, [0]).of_mixture(mixture).real


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

    numbers, duration = [times.size for times, _, _ in found], found[0][-1]
    share = response[0][response[0] > 0.0].min()
    fastest = FASTEST * max(_largest_rate(model), (max(numbers) + 1.0) / (share * duration))
    of_populations = _of_populations(model, found, kept, response)
    ways = _ways(records, response)
    return Seen(records, len(found), sum(numbers), duration, of_populations, ways, fastest)


def _ways(records, response):
    """Return the ways to derivatives, the faster one first."""
    shares, dark_rate = response
    sees_all = np.array_equal(shares, np.eye(len(shares))) and not dark_rate.any()
    return (*([PureRecords(records)] if sees_all else []), TangentRecords(records))


def _largest_rate(model):
    return max(stage.model.largest_rate for stage in model.stages())


def _of_populations(model, found, kept, response):
    """Return the records of one stage of a ladder, of every jump or of what was seen, else None."""
    shares, dark_rate = response
    if model.is_staged or not (model.clicks_from_populations and model.is_symmetric):
        return None
    if not np.array_equal(shares, np.eye(len(shares))) or dark_rate.any():
        return IncompleteRecords(model, [(*one, end) for (end,), *one in kept], response)
    fits = len(found) * model.n_levels <= MOST_ELEMENTS
    return CompleteRecords(model, found) if fits else None


def _currents(given):
    """Return what was `Seen` as homodyne currents, of one battery or of several."""
    several = given if isinstance(given, list | tuple) else [given]
    found = [HomodyneRecord.of(one) for one in several]

    def records(tried):
        return [CurrentRecord(tried, one.edges[-1:], one) for one in found]

    duration = max(one.edges[-1] for one in found)
    return Seen(records, len(found), sum(one.current.size for one in found), duration)


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
