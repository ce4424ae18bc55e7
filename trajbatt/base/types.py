"""Types of public signatures.

Annotations say what a caller may hand over and what comes back; the checks of arguments stay where
they are.
"""

import os
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray: TypeAlias = NDArray[np.float64]
ComplexArray: TypeAlias = NDArray[np.complex128]
IntArray: TypeAlias = NDArray[np.int64]
AnyIntArray: TypeAlias = NDArray[np.integer[Any]]
BoolArray: TypeAlias = NDArray[np.bool_]
AnyArray: TypeAlias = NDArray[Any]

# Beside another type: None where a call has not asked for it, which callers know. A union with None
# would make them say so each time; this one, as typeshed has it, lets them.
MaybeNone: TypeAlias = Any

PathLike: TypeAlias = str | os.PathLike[str]
Pair: TypeAlias = tuple[str, str] | list[str]  # of channels
When: TypeAlias = float | tuple[float, float] | list[float]  # a time, or the two ends of a window
PerChannel: TypeAlias = float | ArrayLike | dict[str, float]  # one number, or one for each channel
