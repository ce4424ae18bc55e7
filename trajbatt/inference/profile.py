r"""Profile intervals: the values of a parameter that the likelihood does not exclude.

Those at which the largest likelihood, over all other parameters, is above the maximum by no more
than chi^2(level)/2 below: unlike standard errors they know that a likelihood is lopsided, or open
to one side.
"""

import math

import numpy as np

from trajbatt.inference.newton import polished

FIRST_STEP = 0.1  # of the scales, where the curvature says nothing
MOST_STEPS = 40  # outwards, before an end is taken to be open
FURTHER = 1.5  # times as far at each
PRECISION = 1e-2  # of a standard error, or of the scales if that is less
MOST_NEWTON, SETTLED = 5, 1e-3  # steps, and what the last one gains


def profile_interval(minus_log, point, i, errors, level, is_too_far):
    """Return the two ends of the interval of parameter i, -inf or inf where it is open.

    Parameters
    ----------
    minus_log : callable
        Of a point (n,); inf where it is impossible.
    point : ndarray (n,)
        Where it is smallest.
    i : int
    errors : ndarray (n,)
        Standard errors, nan where they are not known.
    level : float
        The probability that the interval holds the true value, of many clicks.
    is_too_far : callable
        Of a point: whether nobody can tell there, so that an end beyond is taken for open.
    """
    from scipy.optimize import brentq
    from scipy.stats import chi2

    allowed = 0.5 * chi2.ppf(level, 1)
    least = minus_log(point)
    error = errors[i] if np.isfinite(errors[i]) else FIRST_STEP

    def ends(side):
        others = np.delete(point, i)

        def excess(x):
            nonlocal others
            value, others = _least(minus_log, i, x, others)
            return min(value - least, 1e300) - allowed

        def far(x):
            return is_too_far(np.insert(others, i, x))

        inside, step = point[i], side * error * math.sqrt(2.0 * allowed)
        for _ in range(MOST_STEPS):
            outside = inside + step
            if is_last := far(outside):
                outside = _furthest(far, inside, outside)
            if excess(outside) > 0.0:
                return brentq(excess, inside, outside, xtol=PRECISION * min(error, 1.0))
            if is_last:
                break
            inside, step = outside, FURTHER * step
        return side * math.inf

    return ends(-1.0), ends(1.0)


def _furthest(is_too_far, inside, outside):
    """Return a place between the two that is just not too far, by bisection."""
    while abs(outside - inside) > PRECISION:
        middle = 0.5 * (inside + outside)
        inside, outside = (inside, middle) if is_too_far(middle) else (middle, outside)
    return inside


def _least(minus_log, i, x, others):
    """Return the smallest value where parameter i is x, and the other parameters there.

    The search goes on from those of the place before, which is near: Newton's steps serve.
    """

    def at(rest):
        return minus_log(np.insert(rest, i, x))

    value = at(others)
    for _ in range(MOST_NEWTON if others.size else 0):
        better, _ = polished(at, others)
        before, value, others = value, at(better), better
        if not before - value > SETTLED:
            break
    return value, others
