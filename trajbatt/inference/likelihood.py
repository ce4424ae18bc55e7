"""What a record says of the parameters: its likelihood, and its score, the slope of that.

Derivatives are exact. Of one stage of a ladder they need populations alone: in closed form if every
jump is seen, see `trajbatt.inference.complete`, else by an equation of their own, see
`trajbatt.inference.incomplete`. In protocols and of Eq. (5), if every jump is seen, one way there
and one back are enough for all parameters, see `trajbatt.inference.ket_paths`; else derivatives of
the state go with it, see `trajbatt.inference.tangents`, with noise of single atoms, too. Of what is
left, such as currents, oscillators of finite amplitude, or missed photons of a hundred driven atoms
and more, they are central differences of the eighth order, of steps so short that no phase turns
far: good to about 1e-8 of a standard deviation of the score.
"""

from collections.abc import Sequence

import numpy as np

from trajbatt.base.types import FloatArray, PerChannel
from trajbatt.inference.scales import scales_of
from trajbatt.inference.seen import meant, seen_of
from trajbatt.light.detectors import Detectors
from trajbatt.models.battery import Battery
from trajbatt.models.model import Model
from trajbatt.states.initial import Initial


def log_likelihood(
    model: Battery | Model,
    clicks: object,
    efficiency: PerChannel = 1.0,
    initial: Initial | None = None,
    duration: float | None = None,
    dark_rate: PerChannel = 0.0,
    detectors: Detectors | None = None,
) -> float:
    """Return the logarithm of the probability density of records, for any sampler.

    The same number as `log_likelihood` of `FilterResult` at the end, summed over trajectories,
    without the states. For the posterior of parameters call it with `model.with_parameters(...)`.

    Parameters
    ----------
    model : Battery or Model
    clicks : object
    efficiency : float, array_like (nc,) or dict
    initial : optional
    duration : float, optional
    dark_rate : float, array_like (nc,) or dict
    detectors : Detectors, optional
        All as in `fit`.

    Returns
    -------
    float
        -inf if a record is impossible under the model.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range or of the wrong kind, or clicks are no record.
    """
    model = meant(model)
    seen = seen_of(model, clicks, efficiency, dark_rate, detectors, duration)
    return float(seen.log_likelihoods(model, initial, impossible=-np.inf).sum())


def score(
    model: Battery | Model,
    clicks: object,
    parameters: Sequence[str],
    efficiency: PerChannel = 1.0,
    initial: Initial | None = None,
    duration: float | None = None,
    dark_rate: PerChannel = 0.0,
    detectors: Detectors | None = None,
) -> FloatArray:
    """Return the derivatives of the logarithm of each record's probability density.

    Parameters
    ----------
    model : Battery or Model
    clicks : object
    parameters : sequence of n str
        They must be above zero.
    efficiency : float, array_like (nc,) or dict
    initial : optional
    duration : float, optional
    dark_rate : float, array_like (nc,) or dict
    detectors : Detectors, optional
        All as in `fit`.

    Returns
    -------
    ndarray (ntraj, n), float64
        In units of 1/parameter.

    Raises
    ------
    ValueError, TypeError
        As `log_likelihood`, and if a record is impossible.
    """
    model = meant(model)
    scales = scales_of(model, parameters)
    seen = seen_of(model, clicks, efficiency, dark_rate, detectors, duration)

    def model_at(point):
        pairs = zip(scales, point, strict=True)
        changed = {name: scale.value(scale.start + x) for (name, scale), x in pairs if x}
        return model.with_parameters(**changed)

    seen.log_likelihoods(model, initial)  # or it says what is impossible
    slopes = seen.slopes(model_at, len(scales), initial)
    return slopes / np.array([scale.slope(scale.start) for _, scale in scales])
