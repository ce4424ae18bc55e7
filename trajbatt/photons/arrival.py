"""When the n-th photon came, with errors."""

import numpy as np
from numpy.typing import ArrayLike

from trajbatt.base import checks
from trajbatt.base.types import FloatArray
from trajbatt.light.clicks import Clicks
from trajbatt.photons.estimate import Estimate, counted


def arrival(clicks: Clicks, n: int, tlist: ArrayLike, channel: str) -> Estimate:
    """Return the fraction of trajectories whose n-th photon is later, an `Estimate` (nt,).

    Parameters
    ----------
    clicks : Clicks
    n : int
        Which photon, from 1 on.
    tlist : array_like (nt,)
        Strictly increasing times, up to the end of the record.
    channel : str
        The name of a channel, or "total".

    Returns
    -------
    Estimate
        With binomial errors. Records in which it does not come count as later at all times.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range or of the wrong kind.
    """
    n = checks.integer("n", n, 1)
    came = np.sort(arrivals(clicks, n, channel))
    times = checks.times("tlist", tlist)
    if times[-1] > clicks.duration:
        raise ValueError(
            f"`tlist` must end by the end of the record, {clicks.duration:g}, "
            f"but ends at {times[-1]:g}"
        )
    value = 1.0 - np.searchsorted(came, times, side="right") / clicks.ntraj
    return Estimate(value, np.sqrt(value * (1.0 - value) / clicks.ntraj))


def arrivals(clicks: Clicks, n: int, channel: str) -> FloatArray:
    """Return when the n-th photon of a channel came in each trajectory, float64 (ntraj,).

    inf where it did not come. Parameters and errors as for `arrival`.

    Parameters
    ----------
    clicks : Clicks
    n : int
        Which photon, from 1 on.
    channel : str
        The name of a channel, or "total".

    Returns
    -------
    ndarray (ntraj,), float64

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range or of the wrong kind.
    """
    n = checks.integer("n", n, 1)
    chosen = counted(clicks, channel)
    trajectory, time = clicks.trajectory[chosen] - clicks.first, clicks.time[chosen]
    n = min(n, trajectory.size + 1)  # so many have nobody
    # Clicks are sorted by trajectory, then by time.
    ends = np.searchsorted(trajectory, np.arange(clicks.ntraj), side="left") + n - 1
    came = np.full(clicks.ntraj, np.inf)
    inside = ends < trajectory.size
    inside[inside] = trajectory[ends[inside]] == np.flatnonzero(inside)
    came[inside] = time[ends[inside]]
    return came
