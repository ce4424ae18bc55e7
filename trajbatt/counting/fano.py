"""Fano factors, exactly."""

import numpy as np

from trajbatt import checks
from trajbatt.counting.course import Course
from trajbatt.counting.seen import Seen

ACCURACY = 1e-10


def fano(model, tlist, channel, initial=None, start=0.0, detectors=None):
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
    tags = course.tags(channel)
    seen = Seen.by(detectors, course.channels)
    moments = course.later(start).count_moments(times - start, ACCURACY)
    means, covariances = seen.moments(*moments, times - start)
    with np.errstate(invalid="ignore"):
        return covariances[tags][:, tags].sum(axis=(0, 1)) / means[tags].sum(axis=0)
