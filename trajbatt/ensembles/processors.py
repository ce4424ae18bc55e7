"""Kinds of processor: where the last bits of clicks hang on them, a run is computed on one."""

from trajbatt.kernels.compile import processor
from trajbatt.trajectories.methods import depends_on_processor


def kind_of(plan):
    """Return the kind of processor that fixes the clicks of a run here; None if none does."""
    return processor() if depends_on_processor(plan.method) else None


def check_kind(name, plan, kind, here=None):
    """Raise `ValueError` if what `name` names computed a part of the run on another kind.

    Parameters
    ----------
    name : str
    plan : Plan
    kind : str or None
        None if it is not known.
    here : str, optional
        That of the other parts; by default that of this process.
    """
    here = here or kind_of(plan)
    if here is not None and kind is not None and kind != here:
        raise ValueError(
            f"`{name}` must compute on one kind of processor, because the last bits of clicks "
            f"depend on it, but {kind} did and this is {here}; with NUMBA_CPU_NAME=generic set "
            "everywhere, all are of one kind"
        )
