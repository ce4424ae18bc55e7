"""Argument checks, all in one grammar: "`name` must ..., but is ...".

Every function takes the argument's name and value and returns the value in the type that the
package computes with, or raises `ValueError` (a bad value) or `TypeError` (not that kind of thing).
"""

import math
import numbers

import numpy as np


def integer(name, value, minimum):
    """Return `value` as an int that is at least `minimum`; booleans and 3.0 are no integers."""
    kind = {0: "a non-negative integer", 1: "a positive integer"}[minimum]
    if isinstance(value, bool | np.bool_) or not isinstance(value, numbers.Real):
        raise TypeError(f"`{name}` must be {kind}, but is {value!r}")
    if not isinstance(value, numbers.Integral) or value < minimum:
        raise ValueError(f"`{name}` must be {kind}, but is {value}")
    return int(value)


def real(name, value, low=-math.inf, high=math.inf, what=None):
    """Return `value` as a finite float in the closed interval [low, high]."""
    what = what or {
        (-math.inf, math.inf): "be a finite number",
        (0, math.inf): "be a finite number, zero or positive",
    }.get((low, high), f"lie in [{low}, {high}]")
    if isinstance(value, bool | np.bool_) or not isinstance(value, numbers.Real):
        raise TypeError(f"`{name}` must {what}, but is {value!r}")
    if not (math.isfinite(value) and low <= value <= high):
        raise ValueError(f"`{name}` must {what}, but is {value}")
    return float(value)


def positive(name, value):
    """Return `value` as a finite float above zero."""
    what = "be a finite number above zero"
    if real(name, value, what=what) <= 0:
        raise ValueError(f"`{name}` must {what}, but is {value}")
    return float(value)


def angle(name, value):
    """Return `value` as a float in [0, pi]."""
    return real(name, value, 0.0, math.pi, "lie in [0, pi]")


def times(name, value):
    """Return `value` as a read-only float64 array (nt,) of strictly increasing times >= 0."""
    rule = f"`{name}` must hold finite, non-negative, strictly increasing times"
    try:
        array = np.array(value)
        if array.dtype.kind not in "iuf":
            raise TypeError
        array = array.astype(float)
    except (TypeError, ValueError):
        if np.size(value) == 0 and np.ndim(value) == 1:
            raise ValueError(f"{rule}, but is empty") from None
        raise TypeError(f"{rule}, but is {value!r}") from None
    if array.ndim != 1:
        raise ValueError(f"{rule}, but has {array.ndim} dimensions")
    if array.size == 0:
        raise ValueError(f"{rule}, but is empty")
    if not np.all(np.isfinite(array)):
        raise ValueError(f"{rule}, but holds {array[~np.isfinite(array)][0]}")
    if array[0] < 0:
        raise ValueError(f"{rule}, but starts at {array[0]}")
    late = np.flatnonzero(np.diff(array) <= 0)
    if late.size:
        i = late[0]
        raise ValueError(f"{rule}, but {array[i + 1]} follows {array[i]}")
    array.flags.writeable = False
    return array


def pair(name, value):
    """Return `value` as a tuple if it is a pair, such as of the names of channels."""
    if not isinstance(value, tuple | list) or len(value) != 2:
        raise TypeError(f"`{name}` must be a pair of channels, but is {value!r}")
    return tuple(value)


def edges(name, value):
    """Return `value` as `times` does: two at least, which bound one bin."""
    array = times(name, value)
    if array.size < 2:
        raise ValueError(f"`{name}` must hold two times at least, but holds {array.size}")
    return array


def choice(name, value, options):
    """Return `value` if it is one of `options`, all str."""
    if not isinstance(value, str) or value not in options:
        *others, last = (repr(option) for option in options)
        listed = f"{', '.join(others)} or {last}" if others else last
        raise ValueError(f"`{name}` must be {listed}, but is {value!r}")
    return value
