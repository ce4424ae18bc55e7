"""Photon numbers of clicks, with errors."""

import numpy as np

from trajbatt.base import checks
from trajbatt.base.types import Pair
from trajbatt.light.clicks import Clicks
from trajbatt.photons.estimate import Estimate
from trajbatt.photons.numbers import numbers_of


def distribution(clicks: Clicks, t: float, channel: str, start: float = 0.0) -> Estimate:
    """Return the distribution of the number of photons, an `Estimate` with arrays (n,).

    Parameters
    ----------
    clicks : Clicks
        `runs.clicks`, or clicks from a file.
    t : float
        They are counted in (start, t], from 0 on in [0, t].
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
    numbers = numbers_of(clicks, t, channel, start)
    return _fractions(np.bincount(numbers), clicks.ntraj)


def joint_distribution(clicks: Clicks, t: float, channels: Pair, start: float = 0.0) -> Estimate:
    """Return the joint distribution of two photon numbers, an `Estimate` with arrays (n_a, n_b).

    Parameters
    ----------
    clicks : Clicks
    t : float
        They are counted in (start, t], from 0 on in [0, t].
    channels : pair of str
        Names of channels, or "total".
    start : float
        Photons count from this time on.

    Returns
    -------
    Estimate
        Arrays (n_a, n_b).

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range or of the wrong kind.
    """
    channels = checks.pair("channels", channels)
    a, b = (numbers_of(clicks, t, channel, start) for channel in channels)
    shape = a.max() + 1, b.max() + 1
    found = np.bincount(a * shape[1] + b, minlength=shape[0] * shape[1]).reshape(shape)
    return _fractions(found, clicks.ntraj)


def _fractions(found, ntraj):
    value = found / ntraj
    return Estimate(value, np.sqrt(value * (1.0 - value) / ntraj))
