"""The state of a battery, followed through a record of its light."""

from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from trajbatt.exact.orders import Orders
from trajbatt.inference.observers import ImpossibleClickError, observer
from trajbatt.models.banded import BandedModel
from trajbatt.models.ladder import LadderModel
from trajbatt.models.protocol import Protocol, Stage, stages_of
from trajbatt.numerics import spin
from trajbatt.states.initial import prepare
from trajbatt.states.mixture import Mixture


@dataclass(frozen=True, eq=False)
class Seen:
    """What is known of one battery: its model, its clicks and the detectors.

    The attributes are those of `FilterResult`.
    """

    model: LadderModel | BandedModel | Protocol
    times: np.ndarray
    click_time: np.ndarray
    click_channel: np.ndarray
    efficiency: np.ndarray
    dark_rate: np.ndarray
    initial: object


def log_likelihood(seen, mixture):
    """Return the logarithm of the probability density of a whole record.

    Parameters
    ----------
    seen : Seen
    mixture : Mixture
        The initial state in the basis of the first stage.
    """
    *_, last = _follow(seen, mixture)
    return last.log_likelihood


class Moment(NamedTuple):
    """The state at one of the times.

    Attributes
    ----------
    stage : Stage
    system : Orders
    y : ndarray (n,)
        Its orders, of trace 1.
    phase : float
        Omega t of the stage.
    log_likelihood : float
    """

    stage: Stage
    system: Orders
    y: np.ndarray
    phase: float
    log_likelihood: float


def _follow(seen, mixture, all_orders=False):
    """Follow the state through the clicks; yield the `Moment` at each of the times.

    Without `all_orders` it has the orders 0, 1 and 2 only.
    """
    n_atoms = seen.model.n_atoms
    stages = stages_of(seen.model, seen.times[-1])
    log_before, done = 0.0, 0
    for stage, following in zip(stages, [*stages[1:], None], strict=True):
        model, tags = stage.model, list(stage.tags)
        wanted, local = stage.select(seen.times, to_end=following is not None)
        detectors = seen.efficiency[tags], seen.dark_rate[tags]
        system = observer(model, *detectors, all_orders, goes_on=following is not None)
        system.begin(mixture)
        kept = system.stop if all_orders else system.slices[:3][-1].stop
        here = slice(done, _last(seen, stage, following))
        click_time = np.maximum(seen.click_time[here] - stage.start, 0.0)
        click_channel = _local(seen, here, tags, model)
        edges = np.append(0, np.searchsorted(click_time, local, side="right"))
        for i, (time, (first, last)) in enumerate(zip(local, pairwise(edges), strict=True)):
            try:
                system.advance(time, click_time[first:last], click_channel[first:last])
            except ImpossibleClickError as impossible:
                raise _impossible(seen, done + first + impossible.args[0]) from None
            if i < wanted.stop - wanted.start:
                log = log_before + system.log_trace
                yield Moment(stage, system, system.state()[:kept], model.frequency * time, log)
        log_before += system.log_trace
        done = here.stop
        if following:
            mixture = system.mixture(model.frequency * local[-1])
            if following.model.theta != model.theta:
                turn = spin.change_of_basis(n_atoms, model.theta, following.model.theta)
                rows = mixture.rows(n_atoms + 1) @ turn
                mixture = Mixture.of_kets(mixture.weights, rows, negligible=0.0)


def _last(seen, stage, following):
    """Return the place after the last click of a stage.

    A click at the end belongs to the stage that ends, unless it can be of the next one only.
    """
    stop = int(np.searchsorted(seen.click_time, stage.end, side="right"))
    if following is None:
        return stop
    theirs = set(following.tags) - set(stage.tags)
    at_end = zip(seen.click_time[:stop][::-1], seen.click_channel[:stop][::-1], strict=True)
    for time, channel in at_end:
        if time < stage.end or channel not in theirs:
            break
        stop -= 1
    return stop


def prior(model, initial):
    """Return the initial state as a `Mixture` of which nothing is dropped.

    A measured record need not be typical of the model.
    """
    return prepare(model, initial, negligible=0.0)


def _local(seen, here, tags, model):
    """Return the channels of the clicks `here` as those of a stage."""
    places = np.full(len(seen.model.channel_names), -1)
    places[tags] = range(len(tags))
    local = places[seen.click_channel[here]]
    if np.any(local < 0):
        raise _impossible(seen, here.start + int(np.argmax(local < 0)), f" during {model.name!r}")
    return local


def _impossible(seen, i, when=""):
    name = seen.model.channel_names[seen.click_channel[i]]
    return ValueError(
        f"`clicks` must be possible under the model, but click {i} ({name} at "
        f"t = {seen.click_time[i]:g}) has probability zero{when}"
    )
