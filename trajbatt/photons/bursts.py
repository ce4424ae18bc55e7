"""Bursts of light: their peak and their delay, with errors; see `trajbatt.counting.burst`."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from trajbatt.base import checks
from trajbatt.base.types import FloatArray
from trajbatt.light.clicks import Clicks
from trajbatt.photons.estimate import Estimate, bins_of, counted


class Burst(NamedTuple):
    """Peak and delay of bursts, as `trajbatt.counting.Burst`.

    Attributes
    ----------
    peak_time : float
        Where there are many narrow bins, or few trajectories, chance decides between neighbours.
    peak_rate : Estimate
        Of the bin that is highest in this sample, so biased upwards by a part of its error.
    delay, delay_deviation : Estimate
    delays : ndarray (ntraj,), float64
        The mean time of the photons of each trajectory; nan without any.
    """

    peak_time: float
    peak_rate: Estimate
    delay: Estimate
    delay_deviation: Estimate
    delays: FloatArray


def burst(clicks: Clicks, edges: ArrayLike, channel: str) -> Burst:
    """Return the `Burst` of a channel's clicks, or of "total".

    Parameters
    ----------
    clicks : Clicks
        Of two trajectories at least.
    edges : array_like (n_bins + 1,)
        As in `trajbatt.counting.burst`.
    channel : str

    Returns
    -------
    Burst

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range or of the wrong kind.
    """
    edges = checks.edges("edges", edges)
    chosen = counted(clicks, channel)
    if edges[-1] > clicks.duration:
        raise ValueError(
            f"`edges` must end by the end of the record, {clicks.duration:g}, "
            f"but end at {edges[-1]:g}"
        )
    if clicks.ntraj < 2:
        raise ValueError("`clicks` must be of two trajectories at least, but are of one")
    n, n_bins = clicks.ntraj, edges.size - 1
    bins = bins_of(clicks.time, edges)
    inside = chosen & (bins >= 0) & (bins < n_bins)
    places = (clicks.trajectory[inside] - clicks.first) * n_bins + bins[inside]
    numbers = np.bincount(places, minlength=n * n_bins).reshape(n, n_bins).astype(float)
    widths, middles = np.diff(edges), (edges[1:] + edges[:-1]) / 2
    if not numbers.any():
        nothing = Estimate(np.array(np.nan), np.array(np.nan))
        return Burst(np.nan, nothing, nothing, nothing, np.full(n, np.nan))
    peak = int(np.argmax(numbers.mean(axis=0) / widths))
    height = numbers[:, peak] / widths[peak]
    photons, times = numbers.sum(axis=1), numbers @ middles
    total = photons.mean()
    with np.errstate(divide="ignore", invalid="ignore"):
        delays, delay = times / photons, times.mean() / total
        # The mean of S is zero; each trajectory's share of the error of delay and deviation.
        share = (times - delay * photons) / total
        square = share**2
        deviation = np.sqrt(square.sum() / (n - 1))
        error = square.std(ddof=1) / np.sqrt(n) / (2.0 * deviation)
    return Burst(
        float(middles[peak]),
        Estimate(height.mean(), height.std(ddof=1) / np.sqrt(n)),
        Estimate(delay, deviation / np.sqrt(n)),
        Estimate(deviation, error),
        delays,
    )
