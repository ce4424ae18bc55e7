"""The state of a battery, followed through a record of its light."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from trajbatt.exact.block_model import BlockModel, in_blocks
from trajbatt.exact.stages import walk
from trajbatt.inference.block_observer import BlockObserver
from trajbatt.inference.impossible import ImpossibleClickError, ImpossibleRecordError
from trajbatt.inference.observers import observer
from trajbatt.models.local_ladder import LocalLadderModel
from trajbatt.models.model import Model
from trajbatt.models.schedule import Stage
from trajbatt.numerics import spin
from trajbatt.states.initial import prepare


@dataclass(frozen=True, eq=False)
class Record:
    """What is known of one battery: its model, its clicks and what the detectors do.

    Attributes
    ----------
    model : Model
    times : ndarray (nt,), float64
        Up to the end of the record.
    click_time : ndarray (n_clicks,), float64
    click_channel : ndarray (n_clicks,), int64
        Index into the model's channels, of the detector.
    response : (shares, dark_rate)
        Of `Detectors.response`, float64 (nc, nc) and (nc,).
    click_spin : ndarray (n_clicks,), int64, or None
        2J after each click, if it is known.
    observers : dict
        Those that were made, for other records of the same model and detectors.
    """

    model: Model
    times: np.ndarray
    click_time: np.ndarray
    click_channel: np.ndarray
    response: tuple[np.ndarray, np.ndarray]
    click_spin: np.ndarray | None = None
    observers: dict[Any, Any] = field(default_factory=dict)

    def stages(self):
        """Return the stages of the model; in blocks of J with noise of single atoms."""
        stages, until = self.model.stages(self.times[-1]), float(self.times[-1])
        if not any(isinstance(stage.model, LocalLadderModel) for stage in stages):
            return stages
        shares = self.response[0]
        local = np.zeros(len(shares), dtype=bool)
        for stage in stages:
            local[list(stage.places)] |= stage.model.is_local
        of_atoms = (shares[local] > 0.0).any(axis=0)  # detectors that may see single atoms jump
        known = np.count_nonzero(of_atoms[self.click_channel])
        missed = np.maximum(1.0 - shares.sum(axis=1), 0.0)
        models = in_blocks(stages, until, known, missed)
        return tuple(replace(one, model=model) for one, model in zip(stages, models, strict=True))

    def systems(self, all_orders):
        """Return what makes the system of a leg, one leg after the other."""
        done = 0

        def system(leg):
            nonlocal done
            clicks = slice(done, self.last_click(leg))
            done = clicks.stop
            return ObservedStage(self, leg, clicks, all_orders)

        return system

    def last_click(self, leg):
        """Return the place after the last click of a leg.

        A click at the end belongs to the stage that ends, unless it can be of the next one only.
        """
        stage, following = leg.stage, leg.following
        stop = int(np.searchsorted(self.click_time, stage.end, side="right"))
        if following is None:
            return stop
        theirs = set(following.places) - set(stage.places)
        clicks = zip(self.click_time[:stop][::-1], self.click_channel[:stop][::-1], strict=True)
        for time, channel in clicks:
            if time < stage.end or channel not in theirs:
                break
            stop -= 1
        return stop

    @property
    def sees_all(self):
        """Whether no photon is missed or taken for another, and no click is a dark count."""
        shares, dark_rate = self.response
        return np.array_equal(shares, np.eye(len(shares))) and not dark_rate.any()

    def impossible(self, i, when=""):
        """Return the error that says so of click i."""
        name = self.model.channel_names[self.click_channel[i]]
        return ImpossibleRecordError(
            f"`clicks` must be possible under the model, but click {i} ({name} at "
            f"t = {self.click_time[i]:g}) has probability zero{when}"
        )


class Moment(NamedTuple):
    """The state at one of the times.

    Attributes
    ----------
    stage : Stage
    layout : Orders or FrameLayout
    rates : callable
        Of (y, phase); the click rates in the stage's channels.
    y : ndarray (n,)
        The orders, of trace 1.
    phase : float
        Omega t of the stage.
    log_likelihood : float
    """

    stage: Stage
    layout: Any
    rates: Callable[..., Any]
    y: np.ndarray
    phase: float
    log_likelihood: float


class ObservedStage:
    """The observer of a stage as `trajbatt.exact.stages` walks with it.

    Parameters
    ----------
    record : Record
    leg : Leg
    clicks : slice
        Those of the record that are of this stage.
    all_orders : bool
    """

    def __init__(self, record, leg, clicks, all_orders):
        shares, dark_rate = record.response
        model, places = leg.stage.model, list(leg.stage.places)
        goes_on = leg.following is not None
        make = partial(observer, model, (shares[places], dark_rate), all_orders, goes_on)
        key = leg.stage.start, all_orders, goes_on
        if isinstance(model, BlockModel):  # whose blocks depend on the record
            self.observer = make()
        else:
            self.observer = record.observers[key] = record.observers.get(key) or make()
        self._record, self._clicks, self._theta = record, clicks, model.theta
        self._time = np.maximum(record.click_time[clicks] - leg.stage.start, 0.0)
        self._detector = record.click_channel[clicks]
        self._spin = None if record.click_spin is None else record.click_spin[clicks]
        possible = (shares[places] > 0.0).any(axis=0) | (dark_rate > 0.0)
        possible[places] = True  # or the observer says that it is not
        wrong = np.flatnonzero(~possible[self._detector])
        if wrong.size:
            raise record.impossible(clicks.start + int(wrong[0]), f" during {model.name!r}")

    def begin(self, mixture):
        """Start from a `Mixture`."""
        self.observer.begin(mixture)

    def states(self, _, times):
        """Yield the orders of trace 1, and the logarithm of the trace, at each of `times`."""
        path = getattr(self.observer, "path", None) or self._path
        try:
            yield from path(times, self._time, self._detector)
        except ImpossibleClickError as impossible:
            raise self._record.impossible(self._clicks.start + impossible.args[0]) from None

    def _path(self, times, _, __):
        """Yield the same of an observer that goes from one time to the next."""
        edges = np.append(0, np.searchsorted(self._time, times, side="right"))
        for time, (first, last) in zip(times, pairwise(edges), strict=True):
            known = [self._time[first:last], self._detector[first:last]]
            if self._spin is not None:
                known.append(self._spin[first:last])
            try:
                self.observer.advance(time, *known)
            except ImpossibleClickError as impossible:
                raise ImpossibleClickError(first + impossible.args[0]) from None
            yield self.observer.state(), self.observer.log_trace

    def hand_over(self, _, phase, theta):
        """Return the `Mixture`, or the blocks, for another stage."""
        if isinstance(self.observer, BlockObserver):
            return self.observer.hand_over(phase, theta)
        mixture = self.observer.mixture(phase)
        if theta == self._theta:
            return mixture
        n_atoms = self.observer.layout.n_atoms
        return mixture.in_basis(spin.change_of_basis(n_atoms, self._theta, theta))


def follow(record, mixture, all_orders=False):
    """Follow the state through what was seen; yield the `Moment` at each of the times.

    Without `all_orders` it has the orders 0, 1 and 2 only.

    Parameters
    ----------
    record : Record or CurrentRecord
    mixture : Mixture
        The initial state in the basis of the first stage.
    all_orders : bool
    """
    log_before = 0.0
    for passage in walk(record.stages(), record.times, record.systems(all_orders), mixture):
        leg, observer = passage.leg, passage.system.observer
        # Of the wanted times only: the end of the stage may come behind them.
        for phase, (y, log) in zip(passage.phases[: leg.n_wanted], passage, strict=False):
            layout = observer.layout
            kept = y if all_orders else layout.for_moments(y)
            yield Moment(leg.stage, layout, observer.rates, kept, phase, log_before + log)
        _, log = passage.at_end()
        log_before += log


def log_likelihood(record, mixture):
    """Return the logarithm of the probability density of a whole record.

    Parameters
    ----------
    record : Record or CurrentRecord
    mixture : Mixture
        The initial state in the basis of the first stage.
    """
    *_, last = follow(record, mixture)
    return last.log_likelihood


def prior(model, initial):
    """Return the initial state as a `Mixture` of which nothing is dropped.

    A measured record need not be typical of the model.
    """
    return prepare(model, initial, negligible=0.0)
