"""Argument checks, all in one grammar: "`name` must ..., but is ...".

Every function takes the argument's name and value and returns the value in the type that the
package computes with, or raises `ValueError` (a bad value) or `TypeError` (not that kind of thing).
"""

import math
import numbers
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from trajbatt.base.types import FloatArray

LONGEST_SHOWN = 80  # characters of a value in a message


def shown(value: object) -> str:
    """Return `repr(value)`, cut where it is long, as messages have it."""
    try:
        text = repr(value)
    except ValueError:  # an integer of more digits than Python writes
        return "too large"
    text = " ".join(text.split())  # in one line
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}..."


def path(name: str, value: object) -> Path:
    """Return `value`, a str or an `os.PathLike`, as a `Path`; an empty one is none."""
    if not isinstance(value, str | os.PathLike) or not isinstance(os.fspath(value), str):
        raise TypeError(f"`{name}` must be a path, but is {shown(value)}")
    if not os.fspath(value):
        raise ValueError(f"`{name}` must be a path, but is empty")
    if "\0" in os.fspath(value):
        raise ValueError(f"`{name}` must be a path, but {shown(value)} holds a null character")
    return Path(value)


def boolean(name: str, value: object) -> bool:
    """Return `value` as a bool; 0, 1 and "no" are none."""
    if not isinstance(value, bool | np.bool_):
        raise TypeError(f"`{name}` must be True or False, but is {shown(value)}")
    return bool(value)


def _finite(value):
    """Whether a real number is finite, as a float."""
    try:
        return math.isfinite(value)
    except OverflowError:  # of an integer or a fraction
        return False


def integer(name: str, value: object, minimum: int) -> int:
    """Return `value` as an int that is at least `minimum`; booleans and 3.0 are no integers."""
    kind = {0: "a non-negative integer", 1: "a positive integer"}[minimum]
    if isinstance(value, bool | np.bool_) or not isinstance(value, numbers.Real):
        raise TypeError(f"`{name}` must be {kind}, but is {shown(value)}")
    if not isinstance(value, numbers.Integral) or value < minimum:
        raise ValueError(f"`{name}` must be {kind}, but is {_number(value)}")
    return int(value)


def real(
    name: str,
    value: object,
    low: float = -math.inf,
    high: float = math.inf,
    what: str | None = None,
) -> float:
    """Return `value` as a finite float in the closed interval [low, high]."""
    what = what or {
        (-math.inf, math.inf): "be a finite number",
        (0, math.inf): "be a finite number, zero or positive",
    }.get((low, high), f"lie in [{low}, {high}]")
    if isinstance(value, bool | np.bool_) or not isinstance(value, numbers.Real):
        raise TypeError(f"`{name}` must {what}, but is {shown(value)}")
    if not (_finite(value) and low <= value <= high):  # type: ignore[operator]
        raise ValueError(f"`{name}` must {what}, but is {_number(value)}")
    return float(value)


def _number(value):
    """Return a number as messages have it, or that it is too large for them."""
    try:
        text = str(value)
    except ValueError:  # more digits than Python writes
        return "too large"
    return text if len(text) <= LONGEST_SHOWN else "too large"


def positive(name: str, value: object) -> float:
    """Return `value` as a finite float above zero."""
    what = "be a finite number above zero"
    number = real(name, value, what=what)
    if number <= 0:
        raise ValueError(f"`{name}` must {what}, but is {value}")
    return number


def angle(name: str, value: object) -> float:
    """Return `value` as a float in [0, pi]."""
    return real(name, value, 0.0, math.pi, "lie in [0, pi]")


def times(name: str, value: object) -> FloatArray:
    """Return `value` as a read-only float64 array (nt,) of strictly increasing times >= 0."""
    rule = f"`{name}` must hold finite, non-negative, strictly increasing times"
    if np.ma.is_masked(value):
        raise ValueError(f"{rule}, but some are masked")
    try:
        array = np.array(value)
        if array.dtype.kind not in "iuf" or _holds_no_numbers(value):
            raise TypeError
        array = array.astype(float)
    except (TypeError, ValueError, OverflowError):
        if isinstance(value, list | tuple | np.ndarray) and not len(value):
            raise ValueError(f"{rule}, but is empty") from None
        raise TypeError(f"{rule}, but is {shown(value)}") from None
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


def _holds_no_numbers(value):
    """Whether numpy would take for numbers what is none: bytes, or booleans among numbers."""
    if isinstance(value, bytes | bytearray | memoryview):
        return True
    return isinstance(value, list | tuple) and any(
        isinstance(one, bool | np.bool_) for one in value
    )


def pair(name: str, value: object) -> tuple[str, str]:
    """Return `value` as a tuple if it is a pair, such as of the names of channels."""
    if not isinstance(value, tuple | list) or len(value) != 2:
        raise TypeError(f"`{name}` must be a pair of channels, but is {shown(value)}")
    return tuple(value)


def edges(name: str, value: object) -> FloatArray:
    """Return `value` as `times` does: two at least, which bound one bin."""
    array = times(name, value)
    if array.size < 2:
        raise ValueError(f"`{name}` must hold two times at least, but holds {array.size}")
    return array


def choice(name: str, value: object, options: Sequence[str]) -> str:
    """Return `value` if it is one of `options`, all str."""
    if not isinstance(value, str) or value not in options:
        *others, last = (repr(option) for option in options)
        listed = f"{', '.join(others)} or {last}" if others else last
        raise ValueError(f"`{name}` must be {listed}, but is {shown(value)}")
    return value
