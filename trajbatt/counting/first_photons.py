"""The first photon of a pair: courses before and after it, at a time or anywhere in a window."""

import math
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from trajbatt.base import checks
from trajbatt.counting.blocks import average_blocks
from trajbatt.counting.course import Course, populations
from trajbatt.exact.orders import Orders
from trajbatt.numerics.quadrature import RunningIntegral
from trajbatt.states.mixture import Mixture

SMOOTH_RATES = 3.0  # radians at Omega_P in which a panel of the quadrature is exact to rounding


class FirstPhotons(NamedTuple):
    """What a battery is like before and after a photon.

    Attributes
    ----------
    weights : tuple of n float
        The rate of the photon, times the weight of its time; without zeros.
    before, after : tuple of n Course
        From the time of the photon on.
    """

    weights: tuple[float, ...]
    before: tuple[Course, ...]
    after: tuple[Course, ...]

    def mean(self, value, courses):
        """Return the sum over `courses`, weighted, of what `value` returns for one."""
        return sum(
            weight * value(course) for weight, course in zip(self.weights, courses, strict=True)
        )


def first_photons(course, chosen, at, delays=(), merge=True):
    """Return the `FirstPhotons` of the channels `chosen` (nc,) of bool.

    Parameters
    ----------
    course : Course
    chosen : ndarray (nc,), bool
    at : tuple (start, stop)
        The window of the photon; a single time if both are the same.
    delays : array_like (nt,)
        After which something is asked: it is not smooth where they reach another stage.
    merge : bool
        Take photons together if they come in the last stage, where what follows is the same.
    """
    found, now = [], 0.0
    for time, weight in zip(*_nodes(course, *at, delays), strict=True):
        course, now = course.later(time - now), time
        clicked, rate = course.clicked(chosen)
        if clicked is not None:
            found.append((weight * rate, course, clicked))
    if merge and len(found) > 1 and all(len(one.stages) == 1 for _, one, _ in found):
        return _merged(found)
    return FirstPhotons(*zip(*found, strict=True)) if found else FirstPhotons((), (), ())


def check_window(at):
    """Return a time or a pair of times `at` as a pair of floats, checked."""
    if isinstance(at, tuple | list):
        if len(at) != 2:
            raise ValueError(f"`at` must be a time or a pair (start, stop), but is {at!r}")
        start, stop = (checks.real("at", one, 0) for one in at)
        if start > stop:
            raise ValueError(f"`at` must be a pair (start, stop) in this order, but is {at!r}")
        return start, stop
    at = checks.real("at", at, 0)
    return at, at


def pieces(course, start, stop, how_fast, delays=()):
    """Return the times at which to sample an integral over a window, and their weights.

    Parameters
    ----------
    course : Course
    start, stop : float
    how_fast : callable
        Such as `pace`: called with a model; gives how fast the integrand changes at first, and
        the longest time for which it is smooth.
    delays : array_like (nt,)
        The integrand is not smooth so long before another stage, either.

    Returns
    -------
    times, weights : ndarray (n,), float64
    """
    times, weights = [np.empty(0)], [np.empty(0)]
    breaks = np.subtract.outer([stage.start for stage in course.stages[1:]], [0.0, *delays])
    for stage in course.stages:
        begin, end = max(stage.start, start), min(stage.end, stop)
        inner = np.unique(breaks[(breaks > begin) & (breaks < end)])
        for low, high in pairwise([begin, *inner, end]) if begin < end else ():
            # It changes as the stages do in which its two ends are.
            models = [
                one.model
                for one in course.stages
                if any(one.start < high + d and low + d < one.end for d in (0.0, *delays))
            ]
            timescale, longest = (min(both) for both in zip(*map(how_fast, models), strict=True))
            length = high - low
            integral = RunningIntegral(np.array([length]), min(timescale, length), longest)
            times.append(low + integral.nodes)
            weights.append(integral(np.eye(integral.nodes.size))[:, 0])
    return np.concatenate(times), np.concatenate(weights)


def _nodes(course, start, stop, delays):
    if start == stop:
        return np.array([start]), np.ones(1)
    return pieces(course, start, stop, pace, delays)


def pace(model):
    """Return how fast mean rates change at first, and how long they are smooth at most."""
    longest = SMOOTH_RATES / model.oscillates_at if model.oscillates_at > 0 else math.inf
    return model.timescale, longest


def _merged(found):
    """Return the same as one photon: within one stage everything is linear in the state."""
    total = sum(weight for weight, _, _ in found)
    weights, before, after = zip(*found, strict=True)
    return FirstPhotons((total,), (_average(weights, before),), (_average(weights, after),))


def _average(weights, courses):
    """Return the course from the average state of several."""
    first = courses[0]
    model = first.stages[0].model
    if not model.is_symmetric:
        mixture = average_blocks(model, weights, [one.mixture for one in courses])
    elif model.clicks_from_populations:
        levels = sum(w * populations(one) for w, one in zip(weights, courses, strict=True))
        mixture = Mixture.of_levels(levels, negligible=0.0)
    else:
        orders = Orders.every(model)
        states = (orders.of_mixture(one.mixture) for one in courses)
        y = sum(w * state for w, state in zip(weights, states, strict=True)) / sum(weights)
        mixture = Mixture.of_matrix(orders.matrix(y, 0.0), negligible=0.0)
    return Course(first.stages, mixture, first.channels)
