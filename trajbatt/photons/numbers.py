"""Photon numbers in a window of time: distributions, moments, Fano factors, with errors."""

import numpy as np

from trajbatt import checks
from trajbatt.click_checks import check_clicks
from trajbatt.moments import Moments
from trajbatt.photons.estimate import Estimate, counted

BLOCK = 65_536  # trajectories whose numbers are held at once


def counts(clicks, t=None, start=0.0):
    """Return how many photons of each channel came in (start, t], int64 (ntraj, nc).

    Parameters
    ----------
    clicks : Clicks
    t : float, optional
        By default until the end of the record.
    start : float

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range or of the wrong kind.
    """
    check_clicks(clicks)
    n_channels = len(clicks.channels)
    chosen = _inside(clicks, *_bounds(clicks, t, start))
    place = (clicks.trajectory[chosen] - clicks.first) * n_channels + clicks.channel[chosen]
    found = np.bincount(place, minlength=clicks.ntraj * n_channels)
    return found.reshape(clicks.ntraj, n_channels)


def distribution(clicks, t, channel, start=0.0):
    """Return the distribution of the number of photons, an `Estimate` with arrays (n,).

    Parameters
    ----------
    clicks : Clicks
        `runs.clicks`, or clicks from a file.
    t : float
        They are counted in (start, t].
    channel : str
        The name of a channel, or "total".
    start : float

    Returns
    -------
    Estimate
        The fractions of trajectories with 0, 1, 2, ... photons. The errors are binomial; that of a
        number that was never seen, or always, is 0.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range or of the wrong kind.
    """
    numbers = _numbers(clicks, t, channel, start)
    return _fractions(np.bincount(numbers), clicks.ntraj)


def joint_distribution(clicks, t, channels, start=0.0):
    """Return the joint distribution of two photon numbers, an `Estimate` with arrays (n_a, n_b).

    Parameters and errors as for `distribution`, with a pair of channels.
    """
    channels = checks.pair("channels", channels)
    a, b = (_numbers(clicks, t, channel, start) for channel in channels)
    shape = a.max() + 1, b.max() + 1
    found = np.bincount(a * shape[1] + b, minlength=shape[0] * shape[1]).reshape(shape)
    return _fractions(found, clicks.ntraj)


def factorial_moments(clicks, t, channel, order=4, start=0.0):
    """Return <n>, <n(n-1)>, <n(n-1)(n-2)>, ... of a photon number, an `Estimate` (order,).

    Parameters and errors as for `distribution`; `order` is how many there are.
    """
    order = checks.integer("order", order, 1)
    n = _numbers(clicks, t, channel, start).astype(float)
    falling = np.cumprod([np.maximum(n - i, 0.0) for i in range(order)], axis=0)
    moments = Moments.of_all_pairs(falling.T)
    return Estimate(moments.mean, moments.mean_sem)


def mean(clicks, tlist, channel, start=0.0):
    """Return the mean photon number between `start` and each time, an `Estimate` (nt,).

    Parameters
    ----------
    clicks : Clicks
    tlist : array_like (nt,)
        Strictly increasing ends of the window.
    channel : str
        The name of a channel, or "total".
    start : float

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range or of the wrong kind.
    """
    moments = _moments(clicks, tlist, channel, start)
    return Estimate(moments.mean[0], moments.mean_sem[0])


def variance(clicks, tlist, channel, start=0.0):
    """Return the variance of a photon number, unbiased, an `Estimate` (nt,); as for `mean`."""
    moments = _moments(clicks, tlist, channel, start)
    return Estimate(moments.covariance[0, 0], _variance_sem(moments))


def fano(clicks, tlist, channel, start=0.0):
    """Return the Fano factor Var(n)/<n> of a photon number, an `Estimate` (nt,); as for `mean`.

    1 for Poissonian light; Mandel's Q is the Fano factor minus 1. nan where no photon came.
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


def _numbers(clicks, t, channel, start):
    chosen = counted(clicks, channel) & _inside(clicks, *_bounds(clicks, t, start))
    return np.bincount(clicks.trajectory[chosen] - clicks.first, minlength=clicks.ntraj)


def _moments(clicks, tlist, channel, start):
    """Return the `Moments` of the numbers of photons by each time, block after block."""
    times = checks.times("tlist", tlist)
    start, _ = _bounds(clicks, times[-1], start)
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
        chosen = wanted[part] & (time > start) & (time <= times[-1])
        bins = np.searchsorted(times, time[chosen], side="left")
        place = trajectory[chosen] * times.size + bins
        numbers = np.bincount(place, minlength=n * times.size).reshape(n, 1, times.size)
        moments = Moments.side_by_side(np.cumsum(numbers, axis=2).astype(float))
        total = total + moments if total else moments
    return total


def _bounds(clicks, t, start):
    check_clicks(clicks)
    t = clicks.duration if t is None else checks.real("t", t, 0.0)
    start = checks.real("start", start, 0.0, t)
    if t > clicks.duration * (1.0 + 1e-12):
        raise ValueError(
            f"`t` must not be after the end of the record, {clicks.duration:g}, but is {t:g}"
        )
    return start, t


def _inside(clicks, start, t):
    return (clicks.time > start) & (clicks.time <= t)


def _fractions(found, ntraj):
    value = found / ntraj
    return Estimate(value, np.sqrt(value * (1.0 - value) / ntraj))
