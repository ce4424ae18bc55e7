"""Detectors: what is seen of the photons that were emitted.

A chain of five steps, each of which may be left out: a photon goes to the detector of its channel
or, by cross-talk, to another one; it is seen or missed; its time jitters; dark counts come in
between; and a detector that has just clicked is blind for its dead time.
"""

from dataclasses import dataclass, replace

import numpy as np

from trajbatt import checks
from trajbatt.click_checks import check_clicks
from trajbatt.clicks import Clicks


@dataclass(frozen=True)
class Detectors:
    """One detector for each channel; all parameters are one number, or one for each channel.

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

    efficiency: object = 1.0
    dark_rate: object = 0.0
    dead_time: object = 0.0
    jitter: object = 0.0
    crosstalk: object = 0.0

    def __post_init__(self):
        for name, high in (("efficiency", 1.0), ("dark_rate", np.inf), ("dead_time", np.inf)):
            _each(name, getattr(self, name), high)
        _each("jitter", self.jitter, np.inf)
        if np.ndim(self.crosstalk) == 0:
            checks.real("crosstalk", self.crosstalk, 0.0, 1.0)
        else:
            object.__setattr__(self, "crosstalk", _stochastic(self.crosstalk))

    def see(self, clicks, seed=None):
        """Return the clicks that are seen of emitted ones, which stay as they are.

        Parameters
        ----------
        clicks : Clicks
        seed : int, optional
            The same seed gives the same clicks.

        Returns
        -------
        Clicks
            Of the same trajectories, channels and duration.

        Raises
        ------
        ValueError, TypeError
            If a parameter has not one value for each channel of the clicks.
        """
        check_clicks(clicks)
        rng = np.random.default_rng(seed)
        n = len(clicks.channels)
        efficiency, dark_rate, dead_time, jitter = (
            _for_channels(name, getattr(self, name), n)
            for name in ("efficiency", "dark_rate", "dead_time", "jitter")
        )
        seen = self._routed(clicks, rng, n)
        if np.any(efficiency < 1.0):
            seen = seen.where(rng.random(len(seen)) < efficiency[seen.channel])
        if np.any(jitter > 0.0):
            time = seen.time + jitter[seen.channel] * rng.standard_normal(len(seen))
            seen = replace(seen, time=time).where((time >= 0.0) & (time <= clicks.duration))
        if np.any(dark_rate > 0.0):
            seen = _with_dark_counts(seen, dark_rate, rng)
        seen = _sorted(seen)
        if np.any(dead_time > 0.0):
            seen = seen.where(_alive(seen, dead_time))
        return seen

    def response(self, n):
        """Return what becomes of single photons of n channels, where clicks are independent.

        Returns
        -------
        shares : ndarray (n, n), float64
            Element (a, b) is the probability that a photon of channel a is seen as one of b.
        dark_rate : ndarray (n,), float64

        Raises
        ------
        ValueError
            If there is a dead time or jitter, or a parameter has not one value for each channel.
        """
        for name in ("dead_time", "jitter"):
            if np.any(np.asarray(getattr(self, name)) > 0.0):
                raise ValueError(
                    f"`detectors` must have no {name} in an exact count, "
                    f"but have {getattr(self, name)}"
                )
        efficiency = _for_channels("efficiency", self.efficiency, n)
        return self._routes(n) * efficiency, _for_channels("dark_rate", self.dark_rate, n)

    def _routed(self, clicks, rng, n):
        routes = self._routes(n)
        if np.array_equal(routes, np.eye(n)):
            return clicks
        thresholds = np.cumsum(routes, axis=1)[:, :-1]
        drawn = rng.random(len(clicks))
        channel = (drawn[:, None] >= thresholds[clicks.channel]).sum(axis=1)
        return replace(clicks, channel=channel.astype(np.int8))

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


def _each(name, value, high):
    """Check one number, or each of several."""
    for one in np.ravel(np.asarray(value, dtype=object)):
        checks.real(name, one, 0, high)


def _for_channels(name, value, n):
    if np.ndim(value) == 0:
        return np.full(n, float(value))
    if np.shape(value) != (n,):
        raise ValueError(
            f"`{name}` must be one number or one for each of {n} channels, "
            f"but has the shape {np.shape(value)}"
        )
    return np.asarray(value, dtype=float)


def _stochastic(matrix):
    matrix = np.asarray(matrix, dtype=float)
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


def _with_dark_counts(clicks, dark_rate, rng):
    """Add Poissonian clicks to every trajectory, unsorted."""
    numbers = rng.poisson(dark_rate * clicks.duration, size=(clicks.ntraj, dark_rate.size))
    total = int(numbers.sum())
    places = np.repeat(np.arange(numbers.size), numbers.ravel())
    trajectory = clicks.first + places // dark_rate.size
    return replace(
        clicks,
        trajectory=np.concatenate((clicks.trajectory, trajectory)),
        time=np.concatenate((clicks.time, rng.random(total) * clicks.duration)),
        channel=np.concatenate((clicks.channel, (places % dark_rate.size).astype(np.int8))),
    )


def _sorted(clicks) -> Clicks:
    return clicks.where(np.lexsort((clicks.time, clicks.trajectory)))


def _alive(clicks, dead_time):
    """Return which clicks do not fall into the dead time after another one, bool (n_clicks,)."""
    from trajbatt.kernels.pairs import outside_dead_time

    alive = np.empty(len(clicks), dtype=bool)
    ready = np.empty(dead_time.size)
    outside_dead_time(clicks.trajectory, clicks.time, clicks.channel, dead_time, ready, alive)
    return alive
