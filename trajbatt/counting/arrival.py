r"""When the n-th photon comes, exactly: it is later than t if fewer than n have come by t."""

import numpy as np

from trajbatt.base import checks
from trajbatt.counting.distributions import distribution
from trajbatt.models.protocol import within


def arrival(model, n, tlist, channel, initial=None, detectors=None):
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
