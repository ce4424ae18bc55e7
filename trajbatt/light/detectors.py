"""Detectors: what is seen of the photons that were emitted.

A chain of five steps, each of which may be left out: a photon goes to the detector of its channel
or, by cross-talk, to another one; it is seen or missed; its time jitters; dark counts come in
between; and a detector that has just clicked is blind for its dead time.
"""

import math
import numbers
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from trajbatt.base import checks
from trajbatt.base.checks import shown
from trajbatt.base.types import AnyArray, FloatArray, PerChannel
from trajbatt.light.clicks import Clicks
from trajbatt.light.input import check_clicks

HIGHEST = {"efficiency": 1.0, "dark_rate": math.inf, "dead_time": math.inf, "jitter": math.inf}


@dataclass(frozen=True)
class Detectors:
    """One detector for each channel; all parameters are one number, or one for each channel.

    Those of channels may be a dict of their names, too.

    Parameters
    ----------
    efficiency : float or array_like (nc,)
        The probability that a photon is seen, in [0, 1].
    dark_rate : float or array_like (nc,)
        Clicks without a photon, per unit of time.
    dead_time : float or array_like (nc,)
        How long a detector is blind after a click; photons in that time do not prolong it.
    jitter : float or array_like (nc,)
        Standard deviation of the times of clicks, normally distributed. A click that leaves the
        record by it is lost.
    crosstalk : float or array_like (nc, nc)
        Probability that a photon goes to a neighbouring channel in the order of frequency, shared
        evenly if there are two. Or a matrix: element (a, b) is the probability that a photon of
        channel a goes to the detector of b; rows add up to 1.

    Raises
    ------
    ValueError, TypeError
        If a parameter is out of its range or not a number.

    Examples
    --------
    >>> seen = Detectors(efficiency=0.3, dark_rate=2.0).see(runs.clicks, seed=1)  # doctest: +SKIP
    """

    efficiency: PerChannel = 1.0
    dark_rate: PerChannel = 0.0
    dead_time: PerChannel = 0.0
    jitter: PerChannel = 0.0
    crosstalk: ArrayLike = 0.0

    def __post_init__(self) -> None:
        for name, high in HIGHEST.items():
            value = getattr(self, name)
            if isinstance(value, np.ma.MaskedArray):
                raise TypeError(f"`{name}` must have no mask, but is {shown(value)}")
            values = (
                value.values() if isinstance(value, dict) else np.ravel(np.array(value, object))
            )
            for one in values:
                checks.real(name, one, 0, high)
            if not isinstance(value, dict) and np.ndim(value):
                object.__setattr__(self, name, tuple(value))
        if isinstance(self.crosstalk, numbers.Real):
            checks.real("crosstalk", self.crosstalk, 0.0, 1.0)
        else:
            object.__setattr__(self, "crosstalk", _stochastic(self.crosstalk))

    def see(self, clicks: Clicks, seed: int | None = None, *, model: Any = None) -> Clicks:
        """Return the clicks that are seen of emitted ones, which stay as they are.

        Parameters
        ----------
        clicks : Clicks
        seed : int, optional
            The same seed gives the same clicks.
        model : Model, optional
            Of the clicks, some of whose jumps may absorb light, or give none: see `response_of`.
            Without it all channels are taken to emit.

        Returns
        -------
        Clicks
            Of the same trajectories, channels and duration. They do not tell J.

        Raises
        ------
        ValueError, TypeError
            If a parameter has not one value for each channel of the clicks.
        """
        check_clicks(clicks)
        rng = np.random.default_rng(None if seed is None else checks.integer("seed", seed, 0))
        efficiency, dark_rate, dead_time, jitter = self._each(clicks.channels)
        if model is not None and not np.all(emits := self._visible(model)):
            clicks = clicks.where(emits[clicks.channel])
        channel = self._routed(clicks.channel, rng, len(clicks.channels))
        seen: Sequence[AnyArray] = (clicks.trajectory, clicks.time, channel)
        if np.any(efficiency < 1.0):
            seen = _those(seen, rng.random(channel.size) < efficiency[channel])
        if np.any(jitter > 0.0):
            trajectory, time, channel = seen
            time = time + jitter[channel] * rng.standard_normal(time.size)
            inside = (time >= 0.0) & (time <= clicks.duration)
            seen = _those((trajectory, time, channel), inside)
        if np.any(dark_rate > 0.0):
            dark = _dark_counts(clicks, dark_rate, rng)
            seen = [np.concatenate(pair) for pair in zip(seen, dark, strict=True)]
        trajectory, time, _ = seen
        seen = _those(seen, np.lexsort((time, trajectory)))
        if np.any(dead_time > 0.0):
            seen = _those(seen, _alive(seen[0], seen[1], seen[2], dead_time))
        trajectory, time, channel = seen
        return replace(clicks, trajectory=trajectory, time=time, channel=channel, spin=None)

    def response(self, channels: tuple[str, ...]) -> tuple[FloatArray, FloatArray]:
        """Return what becomes of single photons of some channels, where clicks are independent.

        Parameters
        ----------
        channels : tuple of nc str

        Returns
        -------
        shares : ndarray (nc, nc), float64
            Element (a, b) is the probability that a photon of channel a is seen as one of b.
        dark_rate : ndarray (nc,), float64

        Raises
        ------
        ValueError
            If there is a dead time or jitter, or a parameter has not one value for each channel.
        """
        efficiency, dark_rate, dead_time, jitter = self._each(channels)
        for name, values in (("dead_time", dead_time), ("jitter", jitter)):
            if np.any(values > 0.0):
                raise ValueError(
                    f"`detectors` must have no {name} in an exact count or filter, "
                    f"but have {getattr(self, name)}"
                )
        return self._routes(len(channels)) * efficiency, dark_rate

    def response_of(self, model: Any) -> tuple[FloatArray, FloatArray]:
        """Return the `response` to the jumps of a model.

        One efficiency below 1 for all channels is that of what emits light: other jumps are not
        seen then. A perfect observer, or one with an efficiency of each channel, may see them.
        """
        shares, dark_rate = self.response(model.channel_names)
        return shares * self._visible(model)[:, None], dark_rate

    def _visible(self, model):
        """Return which jumps of a model may be seen, bool (nc,)."""
        is_one = isinstance(self.efficiency, numbers.Real)
        if is_one and self.efficiency < 1.0:
            return model.emits_light & ~model.is_hidden
        return ~model.is_hidden if is_one else np.ones(len(model.channel_names), dtype=bool)

    def of_each(self, name: str, channels: tuple[str, ...]) -> FloatArray:
        """Return the parameter of a name for each of some channels, float64 (nc,)."""
        return for_channels(name, getattr(self, name), channels, HIGHEST[name])

    def _each(self, channels):
        """Return the parameters of `HIGHEST`, one (nc,) after the other."""
        return [self.of_each(name, channels) for name in HIGHEST]

    def _routed(self, channel, rng, n):
        routes = self._routes(n)
        if np.array_equal(routes, np.eye(n)):
            return channel
        thresholds = np.cumsum(routes, axis=1)[:, :-1]
        drawn = rng.random(channel.size)
        return (drawn[:, None] >= thresholds[channel]).sum(axis=1).astype(np.int8)

    def _routes(self, n):
        """Return the probability that a photon of channel a goes to the detector of b, (n, n)."""
        if np.ndim(self.crosstalk) == 0:
            return _to_neighbours(n, float(self.crosstalk))
        if len(self.crosstalk) != n:
            raise ValueError(
                f"`crosstalk` must have one row for each of {n} channels, "
                f"but has {len(self.crosstalk)}"
            )
        return np.array(self.crosstalk)


def described(detectors, efficiency, dark_rate):
    """Return the `Detectors` that are meant by them, or by the short form of two parameters.

    Raises
    ------
    ValueError, TypeError
        If both are given, or they are no detectors.
    """
    if detectors is None:
        return Detectors(efficiency=efficiency, dark_rate=dark_rate)
    if not isinstance(detectors, Detectors):
        raise TypeError(f"`detectors` must be `Detectors`, but is {shown(detectors)}")
    if np.any(np.asarray(efficiency) != 1.0) or np.any(np.asarray(dark_rate) != 0.0):
        raise ValueError("`efficiency` and `dark_rate` must be left out where `detectors` are")
    return detectors


def for_channels(name, value, channels, high):
    """Return a parameter of each channel's detector, float64 (nc,), checked to lie in [0, high]."""
    if isinstance(value, dict):
        for channel in value:
            checks.choice(name, channel, channels)
        missing = [channel for channel in channels if channel not in value]
        if missing:
            raise ValueError(f"`{name}` must name every channel, but lacks {missing[0]!r}")
        value = [value[channel] for channel in channels]
    if np.ndim(value) == 0:
        return np.full(len(channels), checks.real(name, value, 0, high))
    if np.shape(value) != (len(channels),):
        raise ValueError(
            f"`{name}` must be one number or one for each of {len(channels)} channels, "
            f"but has the shape {np.shape(value)}"
        )
    return np.array([checks.real(name, one, 0, high) for one in value])


def _stochastic(matrix):
    try:
        found = np.asarray(matrix)
    except ValueError:  # ragged
        found = np.asarray(None)
    if found.dtype.kind not in "iuf" or isinstance(matrix, np.ma.MaskedArray):
        raise TypeError(f"`crosstalk` must be a number or square, but is {shown(matrix)}")
    matrix = found.astype(float)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise ValueError(f"`crosstalk` must be a number or square, but has shape {matrix.shape}")
    if not (np.all(matrix >= 0.0) and np.allclose(matrix.sum(axis=1), 1.0, atol=1e-9)):
        raise ValueError("`crosstalk` must have rows of probabilities that add up to 1")
    return tuple(map(tuple, matrix.tolist()))


def _to_neighbours(n, probability):
    if n == 1:
        return np.ones((1, 1))
    matrix = np.eye(n) * (1.0 - probability)
    for a in range(n):
        neighbours = [b for b in (a - 1, a + 1) if 0 <= b < n]
        matrix[a, neighbours] = probability / len(neighbours)
    return matrix


def _those(arrays, chosen):
    return tuple(one[chosen] for one in arrays)


def _dark_counts(clicks, dark_rate, rng):
    """Return the trajectories, times and channels of Poissonian clicks."""
    counts = rng.poisson(dark_rate * clicks.duration, size=(clicks.ntraj, dark_rate.size))
    places = np.repeat(np.arange(counts.size), counts.ravel())
    trajectory = clicks.first + places // dark_rate.size
    time = rng.random(places.size) * clicks.duration
    return trajectory, time, (places % dark_rate.size).astype(np.int8)


def _alive(trajectory, time, channel, dead_time):
    """Return which clicks do not fall into the dead time after another one, bool (n_clicks,)."""
    from trajbatt.kernels.pairs import outside_dead_time

    alive = np.empty(time.size, dtype=bool)
    ready = np.empty(dead_time.size)
    outside_dead_time(trajectory, time, channel, dead_time, ready, alive)
    return alive
