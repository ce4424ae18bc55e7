"""The parameters that are asked of records, on scales without ends."""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from trajbatt.base import checks
from trajbatt.models.protocol import parameters_by_stage


class Scale(NamedTuple):
    """A parameter on a scale without ends: the logarithm of a rate, the logit of an angle.

    Attributes
    ----------
    start : float
        On that scale.
    value, slope : callable
        The parameter and its derivative, of a place on the scale.
    highest : float
        The upper end of the parameter's range; the lower one is 0.
    """

    start: float
    value: Callable[[float], float]
    slope: Callable[[float], float]
    highest: float

    def at(self, x):
        """Return the parameter at a place, which may be one of the ends of the scale."""
        if math.isinf(x):
            return self.highest if x > 0.0 else 0.0
        return float(self.value(x))


def scales_of(model, parameters):
    """Return the (name, Scale) of each of the `parameters` of a model, a list.

    Raises
    ------
    ValueError, TypeError
        If they are none, or begin at an end of their range.
    """
    if not isinstance(parameters, tuple | list) or not parameters:
        raise TypeError(f"`parameters` must be a sequence of names, but is {parameters!r}")
    values = parameters_by_stage(model)
    scales = []
    for name in parameters:
        checks.choice("parameters", name, tuple(values))
        if name in dict(scales):
            raise ValueError(f"`parameters` must name each parameter once, but has {name!r} twice")
        value = values[name][0]
        if not np.allclose(values[name], value, rtol=1e-9, atol=0.0):
            listed = ", ".join(f"{one:g}" for one in values[name])
            raise ValueError(f"`{name}` must be one of all stages to be fitted, but is {listed}")
        if not 0 < value < (math.pi if name == "theta" else math.inf):
            raise ValueError(f"`{name}` must not begin at an end of its range, but is {value:g}")
        if name == "theta":
            start = math.log(value / (math.pi - value))
            scales.append(
                (name, Scale(start, _angle, lambda x: _angle(x) * (1 - _share(x)), math.pi))
            )
        else:
            scales.append((name, Scale(math.log(value), math.exp, math.exp, math.inf)))
    return scales


def _share(x):
    return 1.0 / (1.0 + math.exp(-x))


def _angle(x):
    return math.pi * _share(x)


def _slope_of_angle(x):
    return _angle(x) * (1.0 - _share(x))
