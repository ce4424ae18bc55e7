r"""Intensities and their correlations, exactly.

A photon of channel a at the time t leaves the state 𝓙_a rho(t), which goes on under the master
equation (quantum regression). So the density of pairs, a at t and b at t + tau, is

    G_ab(t, t + tau) = Tr 𝓙_b exp(tau 𝓛) 𝓙_a rho(t).
"""

import numpy as np

from trajbatt import checks
from trajbatt.counting.course import Course


def intensity(model, tlist, initial=None):
    """Return the mean rate of photons in each channel, float64 (nc, nt).

    Parameters
    ----------
    model : LadderModel, BandedModel or Protocol
    tlist : array_like (nt,)
        Strictly increasing times >= 0.
    initial : optional
        As in `mesolve`.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range or of the wrong kind.
    """
    times = checks.times("tlist", tlist)
    return Course.of(model, initial, times[-1]).walk(times)[1]


def correlation(model, tlist, channels, initial=None, at=0.0):
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
    at : float

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range or of the wrong kind.
    """
    return _pairs(model, tlist, channels, initial, at)[0]


def g2(model, tlist, channels, initial=None, at=0.0):
    """Return g2_ab(t, t + tau) = G_ab(t, t + tau)/(I_a(t) I_b(t + tau)), float64 (nt,).

    In the steady state, give it as `initial`. Parameters and errors as for `correlation`; nan where
    one of the intensities is zero.
    """
    pairs, product = _pairs(model, tlist, channels, initial, at)
    return np.divide(pairs, product, out=np.full_like(pairs, np.nan), where=product > 0)


def pair_of(course, channels):
    """Return which channels are meant by a pair of names, two arrays (nc,) of bool."""
    if not isinstance(channels, tuple | list) or len(channels) != 2:
        raise TypeError(f"`channels` must be a pair of channels, but is {channels!r}")
    return [course.tags(channel, "channels") for channel in channels]


def _pairs(model, tlist, channels, initial, at):
    """Return the density of pairs and the product of the intensities, (nt,) each."""
    delays = checks.times("tlist", tlist)
    at = checks.real("at", at, 0)
    course = Course.of(model, initial, at + delays[-1])
    first, second = pair_of(course, channels)
    course = course.later(at)
    clicked, rate = course.clicked(first)
    if clicked is None:
        return np.zeros((2, delays.size))
    pairs = rate * clicked.walk(delays)[1][second].sum(axis=0)
    return pairs, rate * course.walk(delays)[1][second].sum(axis=0)
