"""Which way the deterministic twin solves a stage of the driven Eq. (5).

- "frame": few levels of a frame that turns with the mean spin, at any N, while the state is near
  its mean spin: `trajbatt.exact.frame`;
- "banded": the whole density matrix, `trajbatt.exact.banded`; under a weak drive in the bare basis,
  where rare photons keep their digits, `trajbatt.exact.weak_drive`.
"""

from dataclasses import replace
from functools import partial

from trajbatt.base import checks
from trajbatt.exact.banded import BandedOrders
from trajbatt.exact.counts import BandedCounts
from trajbatt.exact.fields import BandedField
from trajbatt.exact.frame import FrameCounts, FrameField, FrameModel, FrameOrders, SpreadError
from trajbatt.exact.orders import LARGEST_FULL
from trajbatt.exact.weak_drive import BareModel, is_weak
from trajbatt.models.banded import BandedModel

METHODS = ("frame", "banded")
FEW = 50  # atoms, whose whole density matrix is small enough
SPREAD = 0.8  # of all levels: with more of them the whole density matrix is faster


def check_method(method, model):
    """Raise `ValueError` if there is no such method, or no stage that it could be for."""
    if method is None:
        return
    checks.choice("method", method, METHODS)
    if not any(isinstance(stage.model, BandedModel) for stage in model.stages()):
        raise ValueError(
            f"`method` must be left out without the driven Eq. (5), but is {method!r}: "
            "ladders have one method"
        )


def prepared(stage, method=None):
    """Return a stage of the driven Eq. (5) as it will be solved, others as they are.

    Parameters
    ----------
    stage : Stage
    method : str, optional
        One of `METHODS`; the fastest by default.
    """
    model = stage.model
    if not isinstance(model, BandedModel):
        return stage
    offers_whole = model.n_atoms <= LARGEST_FULL
    if method != "frame" and offers_whole and is_weak(model):
        return replace(stage, model=BareModel.of(model))
    if method == "frame" or (method is None and model.n_atoms >= FEW):
        may_spread = offers_whole and method is None
        most = int(SPREAD * model.n_levels) if may_spread else model.n_levels
        return replace(stage, model=FrameModel.of(model, most))
    return stage


class FrameOrWhole:
    """A system in the frame, or one of the whole density matrix where the state spreads too far.

    Parameters
    ----------
    in_frame, whole : callable
        What makes them.
    """

    def __init__(self, in_frame, whole):
        self._in_frame, self._whole = in_frame, whole

    def begin(self, given):
        """Return what is handed over as it is."""
        return given

    def states(self, given, times):
        """Return what the one that can do it does."""
        try:
            self._chosen = self._in_frame()
            return self._chosen.states(self._chosen.begin(given), times)
        except SpreadError:
            self._chosen = self._whole()
            return self._chosen.states(self._chosen.begin(given), times)

    def __getattr__(self, name):
        """Return everything else of that one."""
        if name.startswith("__") or name == "_chosen":
            raise AttributeError(name)
        return getattr(self._chosen, name)


def driven_orders(*arguments):
    """Return the coherence orders and mean counts of a `FrameModel`, see `BandedOrders`."""
    return FrameOrWhole(partial(FrameOrders, *arguments), partial(BandedOrders, *arguments))


def driven_counts(*arguments):
    """Return the count moments of a `FrameModel`, see `BandedCounts`."""
    return FrameOrWhole(partial(FrameCounts, *arguments), partial(BandedCounts, *arguments))


def driven_field(model, field, only_clicks):
    """Return one real counting field of a `FrameModel`, see `BandedField`.

    The frame follows a state that goes on; one that loses the trajectories with photons leaves it.
    """
    if (field == 1.0).all():
        in_frame = partial(FrameField, model, not only_clicks)
        return FrameOrWhole(in_frame, partial(BandedField, model, field, only_clicks))
    return BandedField(model, field, only_clicks)
