"""Batteries known again by the models that they make."""

import math
from dataclasses import replace

from trajbatt.models.battery import Battery
from trajbatt.models.protocol import Protocol

RECOGNISED_TO = 1e-12  # relative: what dividing rates by angular factors leaves of them


def battery_of(model):
    """Return the battery that makes a model, or None: see `Battery.from_model`."""
    return None if model.battery_parameters is None else Battery(**model.battery_parameters)


def recognised(model):
    """Return a model that was read from a file, knowing its `Origin` again if a battery made it.

    Files do not tell it. A battery's own models have its names and, but for rounding, its numbers.
    """
    if model.is_staged:
        return Protocol([(recognised(one), duration) for one, duration in model.steps])
    if hasattr(model, "source"):  # of mixed light
        return replace(model, source=recognised(model.source))
    battery = battery_of(model)
    if battery is None or not hasattr(model, "made_by"):
        return model  # one of the user's, or one that tells its parameters itself
    if battery.is_noisy:
        return model  # whose file tells its `Origin`
    for made in (battery.charge(), battery.store(), battery.discharge(model.coherent_rate)):
        if _alike(made, model):
            return model.made_by(made.origin)
    return model


def _alike(one, other):
    """Whether two ladder models are the same but for rounding."""
    if (one is None) != (other is None):
        return False
    if one is None:
        return True
    kinds = [(model.name, [(c.name, c.shift) for c in model.channels]) for model in (one, other)]
    numbers = [
        (model.theta, model.frequency, model.coherent_rate or 0.0, *model.rates)
        for model in (one, other)
    ]
    return (
        kinds[0] == kinds[1]
        and all(math.isclose(a, b, rel_tol=RECOGNISED_TO) for a, b in zip(*numbers, strict=True))
        and _alike(one.start, other.start)
    )
