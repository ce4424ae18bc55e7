"""What ways of solving the driven Eq. (5) tell each other: that one cannot, and tensors."""

from typing import NamedTuple

import numpy as np


class SpreadError(ArithmeticError):
    """The state is not near its mean spin, or not of the kind that a way takes: try another."""


class TensorState(NamedTuple):
    """A state by its spherical tensors, in the bare basis, which the next stage begins with.

    Attributes
    ----------
    tensors : ndarray (2, (K + 3)^2), float64
        As in `trajbatt.kernels.tensors`.
    """

    tensors: np.ndarray
