"""Photon rates against time, exactly."""

import numpy as np
from numpy.typing import ArrayLike

from trajbatt.base import checks
from trajbatt.base.types import FloatArray
from trajbatt.counting.course import Course
from trajbatt.exact.mesolve import mesolve
from trajbatt.models.model import Model
from trajbatt.states.initial import Initial


def intensity(model: Model, tlist: ArrayLike, initial: Initial | None = None) -> FloatArray:
    """Return the mean rate of photons in each channel, float64 (nc, nt).

    Parameters
    ----------
    model : LadderModel, BandedModel or Protocol
    tlist : array_like (nt,)
        Strictly increasing times >= 0. At the boundary of two stages the earlier one emits.
    initial : optional
        As in `mesolve`.

    Returns
    -------
    ndarray (nc, nt), float64

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range or of the wrong kind.
    """
    times = checks.times("tlist", tlist)
    return Course.of(model, initial, times[-1]).walk(times)[1]


def photocurrent(model: Model, edges: ArrayLike, initial: Initial | None = None) -> FloatArray:
    """Return the mean rate of photons in bins of time, float64 (nc, n_bins).

    Parameters
    ----------
    model : LadderModel, BandedModel or Protocol
    edges : array_like (n_bins + 1,)
        Strictly increasing edges of bins of time.
    initial : optional
        As in `mesolve`.

    Returns
    -------
    ndarray (nc, n_bins), float64

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range or of the wrong kind.
    """
    edges = checks.edges("edges", edges)
    Course.of(model, initial, edges[-1], "edges")  # says what is wrong
    return np.diff(mesolve(model, edges, initial).counts, axis=1) / np.diff(edges)
