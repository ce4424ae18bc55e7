r"""Waiting times, exactly: how long until the next photon, and which.

As long as there is no photon the state goes on under a counting field of zero. The density of the
time tau from a photon of channel a at the time t to the next photon of any, if that is one of b, is

    w_ab(tau) = Tr 𝓙_b exp(tau (𝓛 - sum_c 𝓙_c)) 𝓙_a rho(t) / Tr 𝓙_a rho(t).
"""

import math
from functools import partial

import numpy as np
from numpy.typing import ArrayLike

from trajbatt.base import checks
from trajbatt.base.types import FloatArray, Pair, When
from trajbatt.counting.blocks import next_in_blocks
from trajbatt.counting.course import Course, populations
from trajbatt.counting.first_photons import check_window, first_photons, pieces
from trajbatt.models.ladder import LadderModel
from trajbatt.models.model import Model, check_model, check_symmetric
from trajbatt.models.protocol import within
from trajbatt.numerics import spin
from trajbatt.states.initial import Initial

MOST_SEQUENCES = 10**7  # sequences of channels


def first_click(model: Model, tlist: ArrayLike, initial: Initial | None = None) -> FloatArray:
    """Return the probability that a photon of any channel has come by each time, float64 (nt,).

    Parameters
    ----------
    model : LadderModel, BandedModel or Protocol
    tlist : array_like (nt,)
        Strictly increasing times >= 0.
    initial : optional
        As in `mesolve`.

    Returns
    -------
    ndarray (nt,), float64

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range or of the wrong kind.
    """
    return np.maximum(1.0 - survival(model, tlist, initial=initial), 0.0)


def survival(
    model: Model,
    tlist: ArrayLike,
    after: str | None = None,
    initial: Initial | None = None,
    at: When = 0.0,
) -> FloatArray:
    """Return the probability of no photon at all for each delay, float64 (nt,).

    Parameters
    ----------
    model : LadderModel, BandedModel or Protocol
    tlist : array_like (nt,)
        Strictly increasing delays >= 0, counted from `at`.
    after : str, optional
        A photon of this channel, or of any with "total", has just come at the time `at`.
    initial : optional
        As in `mesolve`; the state at t = 0.
    at : float or pair of float
        Or a window: all photons that come in it are taken together. At the boundary of two stages,
        the later one emits. Where the photon `after` is very unlikely, rounding decides what
        follows: at p times the largest rate it is off by some 1e-16/p, and below 1e-18 there is
        none.

    Returns
    -------
    ndarray (nt,)
        nan if the photon `after` cannot come, or is too unlikely.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range or of the wrong kind.
    """
    delays = checks.times("tlist", tlist)
    return _mean(model, delays, after, initial, at, lambda one: one.walk(delays, 0.0)[0])


def waiting_time(
    model: Model, tlist: ArrayLike, channels: Pair, initial: Initial | None = None, at: When = 0.0
) -> FloatArray:
    """Return the density of the time from a photon to the next one, float64 (nt,).

    It counts those next photons only that are of the second channel, so it integrates to the
    probability of that (`next_channel`).

    Parameters
    ----------
    model : LadderModel, BandedModel or Protocol
    tlist : array_like (nt,)
    channels : pair of str
        Of the first and of the second photon: names of channels, or "total".
    initial : optional
    at : float or pair of float
        As for `survival`; the first photon comes at the time, or in the window, `at`.

    Returns
    -------
    ndarray (nt,)
        In the unit of rates; nan if the first photon cannot come.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range or of the wrong kind.
    """
    delays = checks.times("tlist", tlist)
    first, second = checks.pair("channels", channels)

    def density(course):
        return course.walk(delays, 0.0)[1][course.chosen(second, "channels")].sum(axis=0)

    return _mean(model, delays, first, initial, at, density, name="channels")


def next_channel(
    model: Model,
    after: str | None = None,
    initial: Initial | None = None,
    at: When = 0.0,
    until: float | None = None,
) -> FloatArray:
    """Return the probabilities that the next photon is one of each channel, float64 (nc,).

    They add up to the probability that there is one, in a protocol before its end.

    Parameters
    ----------
    model : LadderModel, BandedModel or Protocol
    after : str, optional
    initial : optional
    at : float or pair of float
        As for `survival`.
    until : float, optional
        A later photon counts as none, as it does in a record that ends then.

    Returns
    -------
    ndarray (nc,)
        nan if the photon `after` cannot come, or is too unlikely.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range or of the wrong kind.
    """
    check_model(model)
    if until is not None:
        (until,) = within(model, np.array([checks.real("until", until, 0)]), "until")
    elif model.is_staged:
        until = model.stages()[-1].end
    if until is not None:
        return _mean(model, None, after, initial, at, _integrated, until)
    if not model.is_symmetric:
        return _mean(model, [0.0], after, initial, at, next_in_blocks)
    if not model.clicks_from_populations:
        return _mean(model, [0.0], after, initial, at, partial(_bright, model))
    shares = _shares(model)
    return _mean(model, [0.0], after, initial, at, lambda one: shares @ populations(one))


def first_channels(
    model: LadderModel, length: int = 2, initial: Initial | None = None
) -> FloatArray:
    """Return the probabilities of the channels of the first few photons, in order.

    Parameters
    ----------
    model : LadderModel
    length : int
        How many photons.
    initial : optional
        As in `mesolve`.

    Returns
    -------
    ndarray (nc, ..., nc), float64
        With `length` axes; [1, 2] is the probability that the first photon is of channel 1 and the
        second of channel 2. They add up to the probability that so many photons come at all.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range or of the wrong kind.
    """
    check_model(model)
    check_symmetric(model, "`model`")
    if not model.clicks_from_populations:
        raise TypeError(
            "`model` must be a ladder model such as battery.charge(), "
            f"but is a {type(model).__name__}"
        )
    length = checks.integer("length", length, 1)
    if len(model.channels) ** length > MOST_SEQUENCES:
        raise ValueError(
            f"`length` must leave fewer than {MOST_SEQUENCES:.0e} sequences of channels, "
            f"but is {length}"
        )
    levels = populations(Course.of(model, initial, 0.0))
    shares, flows = _shares(model), levels[None]
    for _ in range(length):
        # A share of a jump off the ladder is zero, so rolling brings nothing round.
        flows = np.concatenate(
            [
                np.roll(shares[c] * flow, shift)[None]
                for flow in flows
                for c, shift in enumerate(model.shifts)
            ]
        )
    return flows.sum(axis=1).reshape((len(model.channels),) * length)


def _shares(model):
    """Return the probability that the next photon of each level is of each channel, (nc, N+1)."""
    rates = model.click_rates
    total = model.total_rates
    return np.divide(rates, total, out=np.zeros_like(rates), where=total > 0)


def _mean(model, delays, after, initial, at, value, until=None, name="after"):
    """Return what `value` gives of the course from `at` on, after a photon if wanted.

    In a window it is averaged over the photons. `delays` is what `value` asks for, None for all up
    to the time `until`; `name` is what a message calls `after`.
    """
    start, stop = check_window(at)
    to_end = delays is None  # which is not the same for photons at different times
    if to_end and stop > until:
        raise ValueError(f"`at` must be before the end, {until:g}, but is {at!r}")
    end = (until, "until") if to_end else (stop + delays[-1], "tlist` after `at")
    course = Course.of(model, initial, *end)
    if to_end:
        course = course.ending(until)
    if after is None:
        if start != stop:
            raise ValueError(f"`at` must be one time where no photon is given, but is {at!r}")
        return value(course.later(start))
    chosen = course.chosen(after, name)
    photons = first_photons(course, chosen, (start, stop), () if to_end else delays, not to_end)
    if not photons.weights:
        return np.full_like(value(course), np.nan)
    return photons.mean(value, photons.after) / sum(photons.weights)


def _bright(model, course):
    """Return the probability (1,) that a photon ever comes under the driven Eq. (5).

    With a drive it is 1. Without, the bare ground state is dark.
    """
    if model.largest_rate == 0.0:
        return np.zeros(1)
    if model.oscillates_at > 0.0 and model.theta not in (0.0, math.pi):
        return np.ones(1)
    theta = course.stages[0].model.theta  # of the basis that the twin has taken
    ground = spin.to_dressed(spin.coherent_ket(model.n_atoms, 0.0, 1.0), theta)
    overlaps = [
        weight * abs(ground[first : first + ket.size] @ ket) ** 2
        for weight, first, ket in course.mixture.kets()
    ]
    return np.array([1.0 - sum(overlaps)])


def _integrated(course):
    """Return the integrals up to the end of the rates without a photon before, float64 (nc,)."""
    times, weights = pieces(course, 0.0, course.stages[-1].end, _dark_pace)
    return course.walk(times, 0.0)[1] @ weights if times.size else np.zeros(len(course.channels))


def _dark_pace(model):
    """Return how fast the rates fall at first, and the longest time for which they are smooth."""
    fastest = model.largest_rate + model.oscillates_at
    if model.oscillates_at == 0.0:
        return (1.0 / fastest if fastest > 0 else math.inf), math.inf
    return 1.0 / fastest, 1.0 / max(model.oscillates_at, fastest / 1e3)
