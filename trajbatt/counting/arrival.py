r"""When the n-th photon comes, exactly: it is later than t if fewer than n have come by t."""

import numpy as np
from numpy.typing import ArrayLike

from trajbatt.base import checks
from trajbatt.base.types import FloatArray
from trajbatt.counting.distributions import distribution
from trajbatt.light.detectors import Detectors
from trajbatt.models.model import Model
from trajbatt.models.protocol import within
from trajbatt.states.initial import Initial


def arrival(
    model: Model,
    n: int,
    tlist: ArrayLike,
    channel: str,
    initial: Initial | None = None,
    detectors: Detectors | None = None,
) -> FloatArray:
    """Return the probability that the n-th photon is later, P(T_n > t) = P(N(t) < n), exactly.

    What it does not fall below is the probability that the photon never comes. The mean of T_n, if
    it does come, is the integral over t.

    Parameters
    ----------
    model : LadderModel, BandedModel or Protocol
    n : int
        Which photon, from 1 on.
    tlist : array_like (nt,)
        Strictly increasing times >= 0, in the unit of 1/rate.
    channel : str
        The name of a channel, or "total".
    initial : optional
        As in `mesolve`.
    detectors : Detectors, optional
        Ask for what they see instead.

    Returns
    -------
    ndarray (nt,), float64
        To about 1e-12; each time costs a `distribution`.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range or of the wrong kind.
    """
    n = checks.integer("n", n, 1)
    times = within(model, checks.times("tlist", tlist))
    later = [
        distribution(model, time, channel, initial, detectors=detectors)[:n].sum() for time in times
    ]
    return np.minimum(later, 1.0)
