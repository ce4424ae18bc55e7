"""Which engine runs which model: a new kind joins the trajectories here."""

from functools import partial

from trajbatt.base import checks
from trajbatt.models.banded import BandedModel
from trajbatt.models.ladder import LadderModel
from trajbatt.models.local_ladder import LocalLadderModel
from trajbatt.models.model import of_kind
from trajbatt.states.mixture import NEGLIGIBLE
from trajbatt.trajectories.banded import BandedEngine
from trajbatt.trajectories.ladder import LadderEngine
from trajbatt.trajectories.local_ladder import LocalLadderEngine
from trajbatt.trajectories.mcwf import WavefunctionEngine
from trajbatt.trajectories.protocol import ProtocolEngine

ENGINES = {
    "ladder": LadderEngine,
    "mcwf": WavefunctionEngine,
    "banded": BandedEngine,
    "local_ladder": LocalLadderEngine,
}
FASTEST = {LadderModel: "ladder", BandedModel: "banded", LocalLadderModel: "local_ladder"}
FOR_ANY_MODEL = "banded"
MIXED = "ladder or banded"  # of a protocol: each stage has the faster one
WITH_LOCAL_NOISE = "local_ladder"  # of a protocol with such a stage: all have it
SAME_EVERYWHERE = ("ladder", "local_ladder")  # clicks do not depend on the kind of processor


def check_method(method, model):
    """Return the name of the engine for a model or protocol: `method`; None is the fastest.

    Raises
    ------
    ValueError
        If there is no such engine, or if it cannot run this model.
    """
    fastest = {of_kind(FASTEST, stage.model) for stage in model.stages()}
    if WITH_LOCAL_NOISE in fastest:
        return _with_local_noise(method, fastest)
    if method is None:
        return fastest.pop() if len(fastest) == 1 else MIXED
    checks.choice("method", method, tuple(one for one in ENGINES if one != WITH_LOCAL_NOISE))
    if method != FOR_ANY_MODEL and FOR_ANY_MODEL in fastest:
        raise ValueError(
            f"`method` must be {FOR_ANY_MODEL!r} for the driven Eq. (5), but is {method!r}"
        )
    return method


def _with_local_noise(method, fastest):
    """Return the engine of a schedule with noise of single atoms, if all stages have one."""
    if FOR_ANY_MODEL in fastest:
        raise ValueError(
            "`model` must not have Eq. (5) in the same protocol as noise of single atoms"
        )
    if method not in (None, WITH_LOCAL_NOISE):
        raise ValueError(
            f"`method` must be {WITH_LOCAL_NOISE!r} with noise of single atoms, but is {method!r}"
        )
    return WITH_LOCAL_NOISE


def depends_on_processor(method):
    """Whether clicks differ in last bits between processors, by the name of `check_method`."""
    return method not in SAME_EVERYWHERE


def build_engine(
    method, rtol, model, mixture, assigned=False, negligible=NEGLIGIBLE, products=False
):
    """Return the engine for a model or protocol, by a name that `check_method` returns."""
    if model.is_staged:
        return ProtocolEngine(
            model, mixture, partial(build_engine, method, rtol, products=products)
        )
    if method == MIXED:
        method = of_kind(FASTEST, model)
    if method == WITH_LOCAL_NOISE:
        model = LocalLadderModel.of(model)
    if method == FOR_ANY_MODEL:
        return BandedEngine(model, mixture, assigned, negligible, products, rtol)
    return ENGINES[method](model, mixture, assigned, negligible, products)
