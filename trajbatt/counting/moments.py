"""Moments of photon numbers, exactly: Fano factors and factorial moments."""

import math

import numpy as np
from numpy.typing import ArrayLike

from trajbatt.base import checks
from trajbatt.base.types import FloatArray
from trajbatt.counting.counted import Numbers
from trajbatt.counting.course import Course
from trajbatt.counting.detected import Response
from trajbatt.light.detectors import Detectors
from trajbatt.models.model import Model
from trajbatt.states.initial import Initial

CIRCLE = 64  # on the circle


def factorial_moments(
    model: Model,
    t: float,
    channel: str,
    order: int = 4,
    initial: Initial | None = None,
    start: float = 0.0,
    detectors: Detectors | None = None,
) -> FloatArray:
    """Return <n>, <n(n-1)>, <n(n-1)(n-2)>, ... of a photon number, float64 (order,).

    Those of light with Poissonian statistics are powers of the first.

    Parameters
    ----------
    model : LadderModel, BandedModel or Protocol
    t : float
    channel : str
    order : int
        How many there are, at most 32.
    initial : optional
    start : float
    detectors : Detectors, optional
        As for `trajbatt.counting.distribution`.

    Returns
    -------
    ndarray (order,), float64

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range or of the wrong kind.
    """
    order = checks.integer("order", order, 1)
    if order > CIRCLE // 2:
        raise ValueError(f"`order` must be at most {CIRCLE // 2}, but is {order}")
    numbers = Numbers(model, t, (channel,), initial, start, detectors)
    (mean,) = numbers.means
    if mean <= 0.0:
        return np.zeros(order)
    radius = _radius(numbers, order)
    z = 1.0 + radius * np.exp(2j * np.pi * np.arange(CIRCLE // 2 + 1) / CIRCLE)
    # G is real on the real axis, so the lower half of the circle is the complex conjugate.
    coefficients = np.fft.irfft(numbers.generating(z[:, None]).conj(), CIRCLE)
    k = np.arange(1, order + 1)
    return coefficients[k] * np.array([math.factorial(i) for i in k.tolist()]) / radius**k


def _radius(numbers, order):
    """Return a radius at which coefficients beyond the circle's points are rounding.

    The larger it is, the less rounding there is in those of high order, as long as G itself is not
    large. If G is at most g at twice the radius, those beyond are at most g 2^-`CIRCLE`.
    """
    (mean,), ((variance,),) = numbers.means, numbers.covariance
    radius = 0.5 / (mean + max(variance, 0.0) / mean)  # rounding may leave less than none
    largest = min(order / mean, max(radius, numbers.widest / 4.0))
    while radius < largest:
        reach = np.array([[1.0 + 4.0 * radius]], dtype=complex)
        if not abs(numbers.generating(reach)[0]) < math.exp(order + 2):
            break
        radius *= 2.0
    return min(radius, largest)


FANO_ACCURACY = 1e-10


def fano(
    model: Model,
    tlist: ArrayLike,
    channel: str,
    initial: Initial | None = None,
    start: float = 0.0,
    detectors: Detectors | None = None,
) -> FloatArray:
    """Return the Fano factor Var(n)/<n> of the photons between `start` and each time.

    1 for Poissonian light; Mandel's Q is the Fano factor minus 1.

    Parameters
    ----------
    model : LadderModel, BandedModel or Protocol
    tlist : array_like (nt,)
        Strictly increasing ends of the window, after `start`.
    channel : str
        The name of a channel, or "total".
    initial : optional
        As in `mesolve`; the state at t = 0.
    start : float
    detectors : Detectors, optional
        Count what they see instead.

    Returns
    -------
    ndarray (nt,), float64
        nan where no photon comes.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range or of the wrong kind.
    """
    times = checks.times("tlist", tlist)
    start = checks.real("start", start, 0, times[0])
    course = Course.of(model, initial, times[-1])
    chosen = course.chosen(channel)
    response = Response.by(detectors, model)
    moments = course.later(start).count_moments(times - start, FANO_ACCURACY)
    means, covariances = response.moments(*moments, times - start)
    with np.errstate(invalid="ignore"):
        return covariances[chosen][:, chosen].sum(axis=(0, 1)) / means[chosen].sum(axis=0)
