"""Numbers of clicks in a window of time, trajectory by trajectory."""

import numpy as np

from trajbatt.base import checks
from trajbatt.base.types import IntArray
from trajbatt.light.checking import AT_THE_END
from trajbatt.light.clicks import Clicks
from trajbatt.light.input import check_clicks
from trajbatt.photons.estimate import counted, inside

BLOCK = 65_536  # trajectories whose numbers are held at once


def counts(clicks: Clicks, t: float | None = None, start: float = 0.0) -> IntArray:
    """Return how many photons of each channel came in (start, t], int64 (ntraj, nc).

    From 0 on they are counted in [0, t], here and everywhere.

    Parameters
    ----------
    clicks : Clicks
    t : float, optional
        By default until the end of the record.
    start : float

    Returns
    -------
    ndarray (ntraj, nc), int64

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range or of the wrong kind.
    """
    check_clicks(clicks)
    n_channels = len(clicks.channels)
    chosen = inside(clicks.time, *bounds_of(clicks, t, start))
    place = (clicks.trajectory[chosen] - clicks.first) * n_channels + clicks.channel[chosen]
    found = np.bincount(place, minlength=clicks.ntraj * n_channels)
    return found.reshape(clicks.ntraj, n_channels)


def numbers_of(clicks, t, channel, start):
    """Return how many photons of a channel each trajectory has in a window, int64 (ntraj,)."""
    chosen = counted(clicks, channel) & inside(clicks.time, *bounds_of(clicks, t, start))
    return np.bincount(clicks.trajectory[chosen] - clicks.first, minlength=clicks.ntraj)


def bounds_of(clicks, t, start):
    """Return the beginning and the end of a window, checked; the end is t, or of the record."""
    check_clicks(clicks)
    t = clicks.duration if t is None else checks.real("t", t, 0.0)
    start = checks.real("start", start, 0.0, t)
    if t > clicks.duration * (1.0 + AT_THE_END):
        raise ValueError(
            f"`t` must not be after the end of the record, {clicks.duration:g}, but is {t:g}"
        )
    return start, t
