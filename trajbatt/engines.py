"""Which engine runs which model."""

from trajbatt import checks
from trajbatt.banded_engine import BandedEngine
from trajbatt.ladder_engine import LadderEngine
from trajbatt.models import LadderModel
from trajbatt.wavefunction_engine import WavefunctionEngine

ENGINES = {"ladder": LadderEngine, "mcwf": WavefunctionEngine, "banded": BandedEngine}
FOR_ANY_MODEL = "banded"


def check_method(method, model):
    """Return the name of the engine for a model: `method`, or the fastest one if that is None.

    Raises
    ------
    ValueError, TypeError
        If there is no such engine, or it cannot run this model.
    """
    is_ladder = isinstance(model, LadderModel)
    if method is None:
        return "ladder" if is_ladder else FOR_ANY_MODEL
    checks.choice("method", method, tuple(ENGINES))
    if method != FOR_ANY_MODEL and not is_ladder:
        raise ValueError(
            f"`method` must be {FOR_ANY_MODEL!r} for the driven Eq. (5), but is {method!r}"
        )
    return method


def build_engine(method, model, mixture, rtol, assigned=False):
    """Return the engine of a checked `method`."""
    if method == FOR_ANY_MODEL:
        return BandedEngine(model, mixture, assigned, rtol)
    return ENGINES[method](model, mixture, assigned)
