"""Ramps: parameters of a battery that change in time, as protocols.

Either of many short stages at rest, or, by Eq. (5), of one stage for each interval between knots,
in which the drive moves.
"""

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
from numpy.polynomial import Polynomial

from trajbatt.base import checks
from trajbatt.models.protocol import Protocol
from trajbatt.models.ramp_model import TERMS, RampModel

INTERPOLATIONS = "linear", "cubic"
STAGES = 40  # of Eq. (7), if the user does not say
DRIVE = "theta", "omega_p"  # what may move within a stage
SAME = 1e-12  # of the duration: knots that are so close are at one place


def ramped(battery, duration, knots, stages, interpolation, secular):
    """Return the `Protocol` of a battery whose parameters follow `knots`; see `Battery.ramp`.

    Parameters
    ----------
    battery : Battery
    duration : float
    knots : dict of str to array_like
    stages : int or None
    interpolation : {"linear", "cubic"}
    secular : bool
    """
    duration = checks.positive("duration", duration)
    secular = checks.boolean("secular", secular)
    checks.choice("interpolation", interpolation, INTERPOLATIONS)
    if not knots:
        raise ValueError("`ramp` must have a parameter that changes, such as theta=(0.6, 2.4)")
    follows = stages is None and not secular
    stages = STAGES if stages is None else checks.integer("stages", stages, 1)
    known = {name: knots_of(name, given, duration) for name, given in knots.items()}
    if follows:
        return _moving(battery, duration, known, interpolation)
    middles = middles_of(duration, stages)
    values = {
        name: interpolant(*places_and_values, interpolation)(middles)
        for name, places_and_values in known.items()
    }
    steps = []
    for i in range(stages):
        now = replace(battery, **{name: float(row[i]) for name, row in values.items()})
        steps.append((now.charge(secular), duration / stages))
    return Protocol(steps)


def _moving(battery, duration, knots, interpolation):
    """Return the same by Eq. (5) with the true H(t)."""
    for name in knots:
        if name not in DRIVE:
            raise ValueError(
                f"`stages` must be given for a ramp of `{name}` by Eq. (5): within a stage only "
                f"`{DRIVE[0]}` and `{DRIVE[1]}` move"
            )
    model = battery.charge(secular=False)
    if model.is_warm:
        raise ValueError("`stages` must be given for a ramp by Eq. (5) with thermal photons")
    at_rest = {"theta": model.theta, "omega_p": model.frequency}
    for name, value in at_rest.items():
        knots.setdefault(name, (np.array([0.0, duration]), np.array([value, value])))
    splines = [interpolant(*knots[name], interpolation) for name in DRIVE]
    places, steps = np.unique(np.concatenate([places for places, _ in knots.values()])), []
    apart = np.diff(places, append=np.inf) > SAME * duration
    for low, high in pairwise([*places[apart][:-1], duration]):
        thetas, omegas = (_series(spline, low, high) for spline in splines)
        length = float(high - low)
        one = RampModel("charge", battery.n_atoms, length, thetas, omegas, model.rate)
        steps.append((one, length))
    return Protocol(steps)


def _series(spline, low, high):
    """Return the coefficients of a spline from `low` on, a tuple of `TERMS` float, ascending."""
    middle = 0.5 * (low + high)  # where one polynomial rules
    there = [float(spline(middle, k)) / math.factorial(k) for k in range(TERMS)]
    found = Polynomial(there)(Polynomial([low - middle, 1.0])).coef
    return tuple(np.pad(found, (0, TERMS - found.size)).tolist())


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


def interpolant(places, values, interpolation):
    """Return the spline through knots, linear in the `values` (nk, ...), as a function."""
    from scipy.interpolate import CubicSpline, make_interp_spline

    if interpolation == "linear":
        return make_interp_spline(places, values, k=1)
    return CubicSpline(places, values)
