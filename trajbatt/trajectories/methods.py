"""Which engine runs which model."""

from functools import partial

from trajbatt.base import checks
from trajbatt.models.ladder import LadderModel
from trajbatt.models.protocol import Protocol
from trajbatt.states.mixture import NEGLIGIBLE
from trajbatt.trajectories.banded import BandedEngine
from trajbatt.trajectories.ladder import LadderEngine
from trajbatt.trajectories.mcwf import WavefunctionEngine
from trajbatt.trajectories.protocol import ProtocolEngine

ENGINES = {"ladder": LadderEngine, "mcwf": WavefunctionEngine, "banded": BandedEngine}
FOR_ANY_MODEL = "banded"
MIXED = "ladder or banded"  # of a protocol: each stage has the faster one


def check_method(method, model):
    """Return the name of the engine for a model or protocol: `method`; None is the fastest.

    Raises
    ------
    ValueError
        If there is no such engine, or if it cannot run this model.
    """
    models = [model for model, _ in model.steps] if isinstance(model, Protocol) else [model]
    are_ladders = [isinstance(one, LadderModel) for one in models]
    if method is None:
        return "ladder" if all(are_ladders) else MIXED if any(are_ladders) else FOR_ANY_MODEL
    checks.choice("method", method, tuple(ENGINES))
    if method != FOR_ANY_MODEL and not all(are_ladders):
        raise ValueError(
            f"`method` must be {FOR_ANY_MODEL!r} for the driven Eq. (5), but is {method!r}"
        )
    return method


def build_engine(method, rtol, model, mixture, assigned=False, negligible=NEGLIGIBLE):
    """Return the engine for a model or protocol, by a name that `check_method` returns."""
    if isinstance(model, Protocol):
        return ProtocolEngine(model, mixture, partial(build_engine, method, rtol))
    if method == MIXED:
        method = check_method(None, model)
    if method == FOR_ANY_MODEL:
        return BandedEngine(model, mixture, assigned, negligible, rtol)
    return ENGINES[method](model, mixture, assigned, negligible)
