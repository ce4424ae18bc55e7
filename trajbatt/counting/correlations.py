r"""Intensities and their correlations, exactly.

A photon of channel a at the time t leaves the state 𝓙_a rho(t), which goes on under the master
equation (quantum regression). So the density of pairs, a at t and b at t + tau, is

    G_ab(t, t + tau) = Tr 𝓙_b exp(tau 𝓛) 𝓙_a rho(t).
"""

from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike

from trajbatt.base import checks
from trajbatt.base.types import FloatArray, Pair, When
from trajbatt.counting.course import Course, populations
from trajbatt.counting.currents import photocurrent
from trajbatt.counting.first_photons import check_window, first_photons, pace, pieces
from trajbatt.exact.pairs import mean_pairs
from trajbatt.models.model import Model
from trajbatt.states.initial import Initial

UNRESOLVED = 1e-12  # of the largest rate: a rate of whole density matrices that is rounding


def correlation(
    model: Model, tlist: ArrayLike, channels: Pair, initial: Initial | None = None, at: When = 0.0
) -> FloatArray:
    """Return the density of pairs of photons, one at the time `at` and one later, float64 (nt,).

    Any photons may come between the two.

    Parameters
    ----------
    model : LadderModel, BandedModel or Protocol
    tlist : array_like (nt,)
        Strictly increasing delays >= 0.
    channels : pair of str
        Of the first and of the second photon: names of channels, or "total".
    initial : optional
        As in `mesolve`; the state at t = 0.
    at : float or pair of float
        Or a window, over which the density is integrated. At the boundary of two stages, the later
        one emits. Where the first photon is very unlikely, rounding decides what follows: at p
        times the largest rate it is off by some 1e-16/p, and below 1e-18 there is none.

    Returns
    -------
    ndarray (nt,), float64

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range or of the wrong kind.
    """
    return _pairs(model, tlist, channels, initial, at)[1]


def g2(
    model: Model, tlist: ArrayLike, channels: Pair, initial: Initial | None = None, at: When = 0.0
) -> FloatArray:
    """Return g2_ab(t, t + tau) = G_ab(t, t + tau)/(I_a(t) I_b(t + tau)), float64 (nt,).

    In the steady state, give it as `initial`. With a window for `at`, numerator and denominator are
    integrated over it, as `trajbatt.photons.g2` does.

    Parameters
    ----------
    model : LadderModel, BandedModel or Protocol
    tlist : array_like (nt,)
        Strictly increasing delays >= 0.
    channels : pair of str
        Of the first and of the second photon: names of channels, or "total".
    initial : optional
        As in `mesolve`; the state at t = 0.
    at : float or pair of float
        The time of the first photon, or a window; as for `correlation`.

    Returns
    -------
    ndarray (nt,), float64
        nan where one of the intensities is zero, or, under Eq. (5) with a drive that is not weak,
        less than 1e-12 of the largest possible, which the whole density matrix does not resolve.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range or of the wrong kind.
    """
    stages, pairs, product = _pairs(model, tlist, channels, initial, at)
    start, stop = check_window(at)
    rounded = [
        one.model.largest_rate
        for one in stages
        if not (one.model.clicks_from_populations or one.model.resolves_rare_light)
    ]
    least = UNRESOLVED * max(rounded, default=0.0)
    known = product > least**2 * (stop - start or 1.0)
    return np.divide(pairs, product, out=np.full_like(pairs, np.nan), where=known)


def g2_matrix(
    model: Model, edges: ArrayLike, channels: Pair, initial: Initial | None = None
) -> FloatArray:
    """Return g2_ab(t, t') averaged over bins of time, float64 (n_bins, n_bins).

    Element (i, j) is <n_a n_b>/(<n_a><n_b>) of the numbers of channel a in bin i and of channel b
    in bin j; a photon makes no pair with itself. Of a ladder model a moment; under Eq. (5), and
    where bins begin before the last stage of a protocol, a walk from every node: minutes.

    Parameters
    ----------
    model : LadderModel, BandedModel or Protocol
    edges : array_like (n_bins + 1,)
        Strictly increasing edges of the bins of time.
    channels : pair of str
        Names of channels, or "total".
    initial : optional
        As in `mesolve`; the state at t = 0.

    Returns
    -------
    ndarray (n_bins, n_bins), float64
        nan where no pair is expected.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range or of the wrong kind.
    """
    edges = checks.edges("edges", edges)
    pair = checks.pair("channels", channels)
    means = photocurrent(model, edges, initial) * np.diff(edges)
    course = Course.of(model, initial, edges[-1])
    chosen = [course.chosen(channel, "channels") for channel in pair]
    mean_a, mean_b = (means[one].sum(axis=0) for one in chosen)
    pairs = _both_ways(course, edges, chosen, np.array([mean_a, mean_b]))
    product = np.outer(mean_a, mean_b)
    return np.divide(pairs, product, out=np.full_like(pairs, np.nan), where=product > 0)


def _both_ways(course, edges, chosen, means):
    """Return the mean number of pairs, whichever photon is the first, (n_bins, n_bins)."""
    start, are_same = course.later(edges[0]), np.array_equal(*chosen)
    only = start.stages[0].model
    if len(start.stages) == 1 and only.clicks_from_populations:
        levels = populations(start)
        mine = [one[list(start.stages[0].places)] for one in chosen]
        earlier = mean_pairs(only, levels, edges - edges[0], *mine, means)
        if are_same:
            return earlier + earlier.T
        return earlier + mean_pairs(only, levels, edges - edges[0], *mine[::-1], means[::-1]).T
    earlier = _pairs_of_bins(course, edges, *chosen)
    if are_same:
        return earlier + earlier.T
    return earlier + _pairs_of_bins(course, edges, *chosen[::-1]).T


def _pairs_of_bins(course, edges, first, second):
    """Return the mean number of pairs, the first photon in bin i and a later one in bin j."""
    pairs, now = np.zeros((edges.size - 1,) * 2), 0.0
    bins = [pieces(course, start, stop, pace) for start, stop in pairwise(edges)]
    for i, nodes in enumerate(bins):
        for time, weight in zip(*nodes, strict=True):
            course, now = course.later(time - now), time
            clicked, rate = course.clicked(first)
            if clicked is None:
                continue
            # What is left of this bin, on the clock that begins now, and the later ones.
            rest, own = pieces(clicked, 0.0, edges[i + 1] - time, pace)
            delays = [rest, *(times - time for times, _ in bins[i + 1 :])]
            weights = [own, *(one for _, one in bins[i + 1 :])]
            rates = clicked.walk(np.concatenate(delays))[1][second].sum(axis=0)
            ends = np.cumsum([one.size for one in delays])[:-1]
            for j, (part, shares) in enumerate(zip(np.split(rates, ends), weights, strict=True), i):
                pairs[i, j] += weight * rate * (part @ shares)
    return pairs


def _pairs(model, tlist, channels, initial, at):
    """Return the stages, the density of pairs and the product of the intensities, (nt,) each."""
    delays = checks.times("tlist", tlist)
    first, second = checks.pair("channels", channels)
    window = check_window(at)
    course = Course.of(model, initial, window[1] + delays[-1], "tlist` after `at")
    first, second = (course.chosen(channel, "channels") for channel in (first, second))
    photons = first_photons(course, first, window, delays)

    def rate(course):
        return course.walk(delays)[1][second].sum(axis=0)

    if not photons.weights:
        return course.stages, *np.zeros((2, delays.size))
    after, before = photons.mean(rate, photons.after), photons.mean(rate, photons.before)
    return course.stages, after, before
