"""Which engine runs which model: a new kind joins the trajectories here."""

from functools import partial

from trajbatt.base import checks
from trajbatt.models.banded import BandedModel
from trajbatt.models.ladder import LadderModel
from trajbatt.models.local_ladder import LocalLadderModel
from trajbatt.models.mixed_light import DiffusiveModel, HomodyneModel
from trajbatt.models.model import check_at_rest, of_kind
from trajbatt.models.ramp_model import RampModel
from trajbatt.states.mixture import NEGLIGIBLE
from trajbatt.trajectories.banded import BandedEngine
from trajbatt.trajectories.diffusive import DiffusiveEngine
from trajbatt.trajectories.frame import FrameEngine
from trajbatt.trajectories.ladder import LadderEngine
from trajbatt.trajectories.local_ladder import LocalLadderEngine
from trajbatt.trajectories.mcwf import WavefunctionEngine
from trajbatt.trajectories.protocol import ProtocolEngine
from trajbatt.trajectories.steered import SteeredEngine

ENGINES = {
    "ladder": LadderEngine,
    "mcwf": WavefunctionEngine,
    "banded": BandedEngine,
    "frame": FrameEngine,
    "local_ladder": LocalLadderEngine,
    "diffusive": DiffusiveEngine,
}
# Atoms from which on the frame is faster; of a stage of a protocol, which takes kets over.
MANY = {False: 40, True: 200}
FASTEST = {
    LadderModel: lambda model, is_staged: "ladder",
    LocalLadderModel: lambda model, is_staged: "local_ladder",
    BandedModel: lambda model, is_staged: (
        "frame" if model.n_atoms >= MANY[is_staged] and not model.is_warm else "banded"
    ),
    RampModel: lambda model, is_staged: "frame",
    HomodyneModel: lambda model, is_staged: (
        "frame" if _fastest(model.source, is_staged) == "frame" else "banded"
    ),
    DiffusiveModel: lambda model, is_staged: "diffusive",
}
DRIVEN = ("banded", "frame")  # of the driven Eq. (5) and of mixed light; these have a tolerance
WITHOUT_CLICKS = "diffusive"
FOR_ANY_MODEL = "banded"
WITH_LOCAL_NOISE = "local_ladder"  # of a protocol with such a stage: all have it
SAME_EVERYWHERE = ("ladder", "local_ladder")  # clicks do not depend on the kind of processor


def check_method(method, model):
    """Return the name of the engine for a model or protocol: `method`; None is the fastest.

    Of a protocol with several it is such as "ladder or frame": each stage has the one for it.

    Raises
    ------
    ValueError
        If there is no such engine, or if it cannot run this model.
    """
    fastest = [_fastest(stage.model, model.is_staged) for stage in model.latest_stages()]
    if WITH_LOCAL_NOISE in fastest:
        return _with_local_noise(method, fastest)
    if WITHOUT_CLICKS in fastest:
        return _without_clicks(method, fastest)
    is_driven = [one in DRIVEN for one in fastest]
    if method is None:
        return " or ".join(name for name in ENGINES if name in fastest)
    special = (WITH_LOCAL_NOISE, WITHOUT_CLICKS)
    checks.choice("method", method, tuple(one for one in ENGINES if one not in special))
    if method != "frame":
        check_at_rest(model, f"`model` by `method` {method!r}")
    if method not in DRIVEN and any(is_driven):
        raise ValueError(
            "`method` must be 'banded' or 'frame' for the driven Eq. (5) and for mixed light, "
            f"but is {method!r}"
        )
    if method == "frame":
        for stage in model.latest_stages():
            _check_frame(stage.model)
    if method == "frame" and not all(is_driven):
        if not any(is_driven):
            raise ValueError("`method` must not be 'frame' without the driven Eq. (5)")
        return "ladder or frame"
    return method


def _fastest(model, is_staged):
    return of_kind(FASTEST, model)(model, is_staged)


def _check_frame(model):
    """Raise `ValueError` if a stage cannot be in a frame."""
    source = getattr(model, "source", model)  # of mixed light
    if getattr(source, "is_warm", False):
        raise ValueError("`method` must not be 'frame' with thermal photons, but 'banded'")
    if source is not model and source.has_lines:
        raise ValueError("`method` must not be 'frame' where lines are mixed, but 'banded'")


def _with_local_noise(method, fastest):
    """Return the engine of a schedule with noise of single atoms, if all stages have one."""
    if any(one in DRIVEN for one in fastest):
        raise ValueError(
            "`model` must not have Eq. (5) in the same protocol as noise of single atoms"
        )
    if method not in (None, WITH_LOCAL_NOISE):
        raise ValueError(
            f"`method` must be {WITH_LOCAL_NOISE!r} with noise of single atoms, but is {method!r}"
        )
    return WITH_LOCAL_NOISE


def _without_clicks(method, fastest):
    """Return the engine of a schedule with diffusive currents, if all stages have one."""
    others = set(fastest) - {WITHOUT_CLICKS, "ladder"}
    if others:
        raise ValueError(
            "`model` must not have stages of the driven Eq. (5) or of finite oscillators beside "
            "such with `beta = inf`"
        )
    if method not in (None, WITHOUT_CLICKS):
        raise ValueError(f"`method` must be left out with `beta = inf`, but is {method!r}")
    return WITHOUT_CLICKS if len(set(fastest)) == 1 else f"ladder or {WITHOUT_CLICKS}"


def has_tolerance(method):
    """Whether an engine integrates to a tolerance, by the name of `check_method`."""
    return any(one in method for one in DRIVEN)


def depends_on_processor(method):
    """Whether clicks differ in last bits between processors, by the name of `check_method`."""
    return method not in SAME_EVERYWHERE


def build_engine(
    method, rtol, model, mixture, assigned=False, negligible=NEGLIGIBLE, products=False, watch=None
):
    """Return the engine for a model or protocol, by a name that `check_method` returns.

    `watch` is for a `trajbatt.trajectories.steered.SteeredEngine`.
    """
    if model.is_staged:
        build = partial(build_engine, method, rtol, products=products)
        if model.is_steered:
            return SteeredEngine(model, mixture, build, watch)
        return ProtocolEngine(model, mixture, build)
    if " or " in method:
        names, own = method.split(" or "), _fastest(model, True)
        method = own if own in names else names[-1]
    if method == WITH_LOCAL_NOISE:
        model = LocalLadderModel.of(model)
    if method in DRIVEN:
        return ENGINES[method](model, mixture, assigned, negligible, products, rtol)
    return ENGINES[method](model, mixture, assigned, negligible, products)
