"""Moments of photon numbers, with errors."""

import numpy as np
from numpy.typing import ArrayLike

from trajbatt.base import checks
from trajbatt.light.clicks import Clicks
from trajbatt.numerics.moments import Moments
from trajbatt.photons.estimate import Estimate, counted, inside
from trajbatt.photons.numbers import BLOCK, bounds_of, numbers_of

MOST_ORDERS = 100


def factorial_moments(
    clicks: Clicks, t: float, channel: str, order: int = 4, start: float = 0.0
) -> Estimate:
    """Return <n>, <n(n-1)>, <n(n-1)(n-2)>, ... of a photon number, an `Estimate` (order,).

    Parameters
    ----------
    clicks : Clicks
    t : float
        They are counted in (start, t], from 0 on in [0, t].
    channel : str
        The name of a channel, or "total".
    order : int
        How many moments there are, 100 at most.
    start : float
        Photons count from this time on.

    Returns
    -------
    Estimate
        Arrays (order,).

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range or of the wrong kind.
    """
    order = checks.integer("order", order, 1)
    if order > MOST_ORDERS:
        raise ValueError(f"`order` must be at most {MOST_ORDERS}, but is {order}")
    n = numbers_of(clicks, t, channel, start).astype(float)
    falling = np.cumprod([np.maximum(n - i, 0.0) for i in range(order)], axis=0)
    moments = Moments.of_all_pairs(falling.T)
    return Estimate(moments.mean, moments.mean_sem)


def mean(clicks: Clicks, tlist: ArrayLike, channel: str, start: float = 0.0) -> Estimate:
    """Return the mean photon number between `start` and each time, an `Estimate` (nt,).

    Parameters
    ----------
    clicks : Clicks
    tlist : array_like (nt,)
        Strictly increasing ends of the window.
    channel : str
        The name of a channel, or "total".
    start : float

    Returns
    -------
    Estimate
        Arrays (nt,).

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range or of the wrong kind.
    """
    moments = _moments(clicks, tlist, channel, start)
    return Estimate(moments.mean[0], moments.mean_sem[0])


def variance(clicks: Clicks, tlist: ArrayLike, channel: str, start: float = 0.0) -> Estimate:
    """Return the variance of a photon number, unbiased, an `Estimate` (nt,).

    Parameters
    ----------
    clicks : Clicks
    tlist : array_like (nt,)
        Strictly increasing ends of the window.
    channel : str
        The name of a channel, or "total".
    start : float
        Photons count from this time on.

    Returns
    -------
    Estimate
        Arrays (nt,).

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range or of the wrong kind.
    """
    moments = _moments(clicks, tlist, channel, start)
    return Estimate(moments.covariance[0, 0], _variance_sem(moments))


def fano(clicks: Clicks, tlist: ArrayLike, channel: str, start: float = 0.0) -> Estimate:
    """Return the Fano factor Var(n)/<n> of a photon number, an `Estimate` (nt,).

    1 for Poissonian light; Mandel's Q is the Fano factor minus 1. nan where no photon came.

    Parameters
    ----------
    clicks : Clicks
    tlist : array_like (nt,)
        Strictly increasing ends of the window.
    channel : str
        The name of a channel, or "total".
    start : float
        Photons count from this time on.

    Returns
    -------
    Estimate
        Arrays (nt,); nan where no photon came.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range or of the wrong kind.
    """
    moments = _moments(clicks, tlist, channel, start)
    n, mean, variance = moments.count, moments.mean[0], moments.covariance[0, 0]
    with np.errstate(invalid="ignore", divide="ignore"):
        factor = variance / mean
        # Delta method: variances of the mean and of the variance, and their covariance.
        third = moments.third[0] / n
        square = _variance_sem(moments) ** 2 - 2.0 * factor * third / n + factor**2 * variance / n
        return Estimate(factor, np.sqrt(np.maximum(square, 0.0)) / mean)


def _variance_sem(moments):
    """Return the standard error of a sample variance: sqrt((mu_4 - sigma^4)/n)."""
    n = moments.count
    fourth, second = moments.fourth[0] / n, moments.covariance[0, 0]
    return np.sqrt(np.maximum(fourth - second**2, 0.0) / n)


def _moments(clicks, tlist, channel, start):
    """Return the `Moments` of the numbers of photons by each time, block after block."""
    times = checks.times("tlist", tlist)
    start, _ = bounds_of(clicks, times[-1], start)
    if times[0] < start:
        raise ValueError(
            f"`tlist` must not begin before `start`, {start:g}, but does at {times[0]}"
        )
    wanted = counted(clicks, channel)
    offsets, total = clicks.offsets, None
    for first in range(0, clicks.ntraj, BLOCK):
        n = min(BLOCK, clicks.ntraj - first)
        part = slice(offsets[first], offsets[first + n])
        time, trajectory = clicks.time[part], clicks.trajectory[part] - clicks.first - first
        chosen = wanted[part] & inside(time, start, times[-1])
        bins = np.searchsorted(times, time[chosen], side="left")
        place = trajectory[chosen] * times.size + bins
        numbers = np.bincount(place, minlength=n * times.size).reshape(n, 1, times.size)
        moments = Moments.side_by_side(np.cumsum(numbers, axis=2).astype(float))
        total = total + moments if total else moments
    return total
