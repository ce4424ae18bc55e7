"""Photon rates against time, with errors: counted, and read off the conditional states."""

import numpy as np
from numpy.typing import ArrayLike

from trajbatt.base import checks
from trajbatt.base.types import PerChannel
from trajbatt.inference.filter import filter
from trajbatt.light.clicks import Clicks
from trajbatt.light.detectors import Detectors, described
from trajbatt.light.input import check_clicks
from trajbatt.models.model import Model
from trajbatt.numerics.moments import Moments
from trajbatt.photons.estimate import Estimate, bins_of, window
from trajbatt.photons.numbers import BLOCK
from trajbatt.states.initial import Initial


def photocurrent(clicks: Clicks, edges: ArrayLike) -> Estimate:
    """Return the clicks per unit of time in each channel, an `Estimate` (nc, n_bins).

    Parameters
    ----------
    clicks : Clicks
    edges : array_like (n_bins + 1,)
        Strictly increasing edges of the bins of time, (start, end]; that from 0 is [0, end].

    Returns
    -------
    Estimate
        Arrays (nc, n_bins).

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range or of the wrong kind.
    """
    edges = checks.times("edges", edges)
    window(clicks, edges[0], edges[-1])
    shape = len(clicks.channels), edges.size - 1
    offsets, total = clicks.offsets, None
    for first in range(0, clicks.ntraj, BLOCK):
        n = min(BLOCK, clicks.ntraj - first)
        part = slice(offsets[first], offsets[first + n])
        bins = bins_of(clicks.time[part], edges)
        inside = (bins >= 0) & (bins < shape[1])
        row = (clicks.trajectory[part] - clicks.first - first) * shape[0] + clicks.channel[part]
        place = (row * shape[1] + bins)[inside]
        numbers = np.bincount(place, minlength=n * shape[0] * shape[1]).reshape(n, *shape)
        moments = Moments.side_by_side(numbers / np.diff(edges))
        total = total + moments if total else moments
    assert total is not None  # there is one trajectory at least
    return Estimate(total.mean, total.mean_sem)


def intensity(
    clicks: Clicks,
    model: Model,
    tlist: ArrayLike,
    initial: Initial | None = None,
    efficiency: PerChannel = 1.0,
    dark_rate: PerChannel = 0.0,
    detectors: Detectors | None = None,
) -> Estimate:
    """Return the photon rates of the conditional states, averaged, an `Estimate` (nc, nt).

    It has the same mean as the `photocurrent` and less noise, because between the clicks, too, the
    light that was seen says how bright the battery is. Each trajectory is filtered.

    Parameters
    ----------
    clicks : Clicks
    model : LadderModel, BandedModel or Protocol
        What the clicks come from.
    tlist : array_like (nt,)
        Strictly increasing times, up to the end of the record.
    initial, efficiency, dark_rate, detectors : optional
        As in `tb.filter`.

    Returns
    -------
    Estimate
        Arrays (nc, nt).

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range or of the wrong kind.
    """
    check_clicks(clicks)
    times = checks.times("tlist", tlist)
    window(clicks, 0.0, times[-1])
    seen = clicks.where(clicks.time <= times[-1])
    detectors = described(detectors, efficiency, dark_rate)
    total = None
    for trajectory in range(clicks.first, clicks.first + clicks.ntraj):
        own = seen.of_trajectory(trajectory)
        one = filter(model, own, times, initial=initial, detectors=detectors)
        moments = Moments.side_by_side(one.rates[None])
        total = total + moments if total else moments
    assert total is not None  # there is one trajectory at least
    return Estimate(total.mean, total.mean_sem)
