"""Ramps: parameters of a battery that change in time, as a protocol of many short stages."""

from dataclasses import replace

import numpy as np

from trajbatt.base import checks
from trajbatt.models.protocol import Protocol

INTERPOLATIONS = "linear", "cubic"


def ramped(battery, duration, knots, stages, interpolation, secular):
    """Return the `Protocol` of a battery whose parameters follow `knots`; see `Battery.ramp`.

    Parameters
    ----------
    battery : Battery
    duration : float
    knots : dict of str to array_like
    stages : int
    interpolation : {"linear", "cubic"}
    secular : bool
    """
    duration = checks.positive("duration", duration)
    stages = checks.integer("stages", stages, 1)
    checks.choice("interpolation", interpolation, INTERPOLATIONS)
    if not knots:
        raise ValueError("`ramp` must have a parameter that changes, such as theta=(0.6, 2.4)")
    middles = middles_of(duration, stages)
    values = {
        name: between(middles, *knots_of(name, given, duration), interpolation)
        for name, given in knots.items()
    }
    steps = []
    for i in range(stages):
        now = replace(battery, **{name: float(row[i]) for name, row in values.items()})
        steps.append((now.charge(secular), duration / stages))
    return Protocol(steps)


def middles_of(duration, stages):
    """Return the times at which the stages take the parameters, float64 (stages,)."""
    return duration * (np.arange(stages) + 0.5) / stages


def knots_of(name, given, duration):
    """Return the times and the values of knots as users give them, float64 (nk,) each.

    Raises
    ------
    ValueError
        If they are none, or do not go from 0 to the duration.
    """
    try:
        knots = np.array(given, dtype=float)
    except (TypeError, ValueError):
        knots = np.empty(0)
    if knots.ndim == 1 and knots.size > 1:
        places, values = np.linspace(0.0, duration, knots.size), knots
    elif knots.ndim == 2 and len(knots) == 2 and knots.shape[1] > 1:
        places, values = knots
    else:
        raise ValueError(
            f"`{name}` must be two or more values, or times and values, but is "
            f"{checks.shown(given)}"
        )
    if not np.all(np.isfinite(knots)):
        raise ValueError(f"`{name}` must hold finite numbers, but is {checks.shown(given)}")
    ends = places[0] == 0.0 and abs(places[-1] - duration) <= 1e-9 * duration
    if not ends or np.any(np.diff(places) <= 0.0):
        raise ValueError(
            f"`{name}` must have times that ascend from 0 to the duration, {duration:g}, but they "
            f"are {checks.shown(places)}"
        )
    return places, values


def between(times, places, values, interpolation):
    """Return what is between knots at some times (n,); linear in the `values` (nk, ...)."""
    if interpolation == "linear":
        from scipy.interpolate import make_interp_spline

        return make_interp_spline(places, values, k=1)(times)
    from scipy.interpolate import CubicSpline

    return CubicSpline(places, values)(times)
