"""Integer time tags: what is to be subtracted is subtracted before they are rounded to floats."""

import numpy as np

from trajbatt.base import checks
from trajbatt.light.checking import EXACT


def since(origin, ticks, what):
    """Return integer time tags less their origin, as floats (n,).

    Parameters
    ----------
    origin : int or None
        None is 0.
    ticks : ndarray (n,)
        Of any kind of integers.
    what : str
        Whose they are, for messages.

    Raises
    ------
    ValueError
        If a tag is before the origin, or all are so large that floats cannot tell one from the
        next.
    """
    given, origin = origin is not None, checks.integer("origin", origin or 0, 0)
    if ticks.size == 0:
        return np.zeros(0)
    first = int(ticks.min())
    if first < origin:
        raise ValueError(
            f"time tags must be >= `origin`, {origin}, but those of {what} begin at {first}"
        )
    if not given and first >= EXACT:
        raise ValueError(
            f"`origin` must be given, in ticks, because those of {what} begin at {first}, where "
            "floats cannot tell one from the next"
        )
    return (ticks - ticks.dtype.type(origin)).astype(float)
