"""Which way the deterministic twin solves a stage of the driven Eq. (5).

- "frame": few levels of a frame that turns with the mean spin, at any N, while the state is near
  its mean spin: `trajbatt.exact.frame`;
- "tensors": spherical tensors up to a rank of the order of sqrt(N), from coherent states, also
  inverted ones, if only moments are wanted: `trajbatt.exact.tensors`; up to a hundred atoms it is
  the first choice;
- "banded": the whole density matrix, `trajbatt.exact.banded`; under a weak drive in the bare basis,
  where rare photons keep their digits, `trajbatt.exact.weak_drive`.
"""

from dataclasses import replace
from functools import partial

from trajbatt.base import checks
from trajbatt.exact.banded import BandedOrders
from trajbatt.exact.counts import BandedCounts
from trajbatt.exact.fields import BandedField, BandedFields
from trajbatt.exact.frame import FrameCounts, FrameField, FrameModel, FrameOrders
from trajbatt.exact.frame_conditional import ConditionalField
from trajbatt.exact.frame_fields import FrameFields
from trajbatt.exact.orders import LARGEST_FULL
from trajbatt.exact.spread import SpreadError
from trajbatt.exact.tensors import TensorOrders
from trajbatt.exact.weak_drive import BareModel, is_weak
from trajbatt.models.banded import BandedModel
from trajbatt.models.model import check_at_rest
from trajbatt.models.ramp_model import RampModel

METHODS = ("frame", "tensors", "banded")
FEW = 50  # atoms, whose whole density matrix is small enough
SPREAD = 0.8  # of all levels: with more of them the whole density matrix is faster
MANY = 120  # levels: with more of them tensors are faster
MOST_FOR_TENSORS = 100  # atoms, up to which tensors are faster than the frame,
FASTEST_FOR_TENSORS = 10.0  # unless Omega_P, over gamma N, is larger


def check_method(method, model):
    """Raise `ValueError` if there is no such method, or no stage that it could be for."""
    if method is None:
        return
    checks.choice("method", method, METHODS)
    if not any(isinstance(stage.model, BandedModel | RampModel) for stage in model.stages()):
        raise ValueError(
            f"`method` must be left out without the driven Eq. (5), but is {method!r}: "
            "others choose theirs"
        )


def prepared(stage, method=None, is_alone=False):
    """Return a stage of the driven Eq. (5) as it will be solved, others as they are.

    Parameters
    ----------
    stage : Stage
    method : str, optional
        One of `METHODS`; the fastest by default.
    is_alone : bool
        Whether it is the only stage.
    """
    model = stage.model
    if isinstance(model, RampModel):
        if method not in (None, "frame"):
            check_at_rest(model, f"`model` by `method` {method!r}")
        return replace(stage, model=FrameModel.of(model, model.n_levels))
    if not isinstance(model, BandedModel):
        return stage
    offers_whole = model.n_atoms <= LARGEST_FULL
    if method in (None, "banded") and offers_whole and is_weak(model):
        return replace(stage, model=BareModel.of(model))
    if method == "banded" or (method is None and model.n_atoms < FEW):
        return stage
    most = {"frame": model.n_levels, "tensors": 0}.get(method, int(SPREAD * model.n_levels))
    if method is None and not offers_whole:
        most = MANY
    return replace(stage, model=FrameModel.of(model, most, is_alone))


class FirstThatCan:
    """The first of several systems that can do it: each raises `SpreadError` if it cannot.

    Parameters
    ----------
    *ways : callable
        What makes them.
    """

    def __init__(self, *ways):
        self._ways = ways

    def begin(self, given):
        """Return what is handed over as it is."""
        return given

    def states(self, given, times):
        """Return what the first one that can do it does."""
        *early, last = self._ways
        for way in early:
            try:
                self._chosen = way()
                return self._chosen.states(self._chosen.begin(given), times)
            except SpreadError:
                pass
        self._chosen = last()
        return self._chosen.states(self._chosen.begin(given), times)

    def __getattr__(self, name):
        """Return everything else of that one."""
        if name.startswith("__") or name == "_chosen":
            raise AttributeError(name)
        return getattr(self._chosen, name)


def share_states(model, following):
    """Tell whether two stages can do without whole matrices between them.

    The frame goes on, and tensors are in the bare basis, whatever the drive.
    """
    if not isinstance(model, FrameModel) or not isinstance(following, FrameModel):
        return False
    if following.ramp is not None and model.ramp is None:  # which may go by tensors
        return False
    return not (model.is_warm or following.is_warm)


def _first_of(model, in_frame, *others):
    """Return the first of several systems that can do it; where a drive moves, the frame."""
    return FirstThatCan(in_frame, *(others if model.ramp is None else ()))


def _prefers_tensors(model):
    slow = model.frequency <= FASTEST_FOR_TENSORS * model.rate * model.n_atoms
    return slow and model.n_atoms <= MOST_FOR_TENSORS and not model.is_warm


def driven_orders(model, rtol, all_orders):
    """Return the coherence orders and mean counts of a `FrameModel`, see `BandedOrders`."""
    kinds = FrameOrders, TensorOrders, BandedOrders
    if not all_orders and model.most_levels < model.n_levels:
        model = replace(model, most_levels=min(model.most_levels, MANY))
        if _prefers_tensors(model):
            kinds = TensorOrders, FrameOrders, BandedOrders
    return _first_of(model, *(partial(kind, model, rtol, all_orders) for kind in kinds))


def driven_counts(model, *others):
    """Return the count moments of a `FrameModel`, see `BandedCounts`."""
    kinds = FrameCounts, BandedCounts
    return _first_of(model, *(partial(kind, model, *others) for kind in kinds))


def driven_fields(model, fields, goes_on):
    """Return the generating function of a `FrameModel`, see `BandedFields`.

    Pairs move slowly in the frame: as many of its levels as may be are faster than the whole.
    """
    most = model.n_levels if model.ramp is not None else min(model.n_levels, MANY)
    many = replace(model, most_levels=most)
    return _first_of(
        model,
        partial(FrameFields, many, fields, goes_on),
        partial(BandedFields, model, fields, goes_on),
    )


def driven_field(model, field, only_clicks):
    """Return one real counting field of a `FrameModel`, see `BandedField`.

    The frame follows a state that goes on; after one that loses the trajectories with photons it is
    turned from time to time.
    """
    if (field == 1.0).all():
        in_frame = partial(FrameField, model, not only_clicks)
    else:
        in_frame = partial(ConditionalField, model, field)
    return _first_of(model, in_frame, partial(BandedField, model, field, only_clicks))
