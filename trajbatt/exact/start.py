"""How the deterministic twin begins: the stages as it takes them, and the state."""

import math
from dataclasses import replace

from trajbatt.exact.block_model import in_blocks
from trajbatt.exact.driven import prepared
from trajbatt.exact.frame import FrameModel
from trajbatt.exact.weak_drive import BareModel
from trajbatt.states.initial import prepare


def start(model, initial, until=math.inf, negligible=None, method=None):
    """Return the stages up to a time as the deterministic twin takes them, and the state.

    Parameters
    ----------
    model : Model
    initial : optional
        As in `mesolve`.
    until : float
    negligible : float, optional
        As in `trajbatt.states.initial.prepare`.
    method : str, optional
        As in `trajbatt.exact.driven.prepared`.

    Returns
    -------
    stages : tuple of Stage
        Driven ones as they will be solved; where any has noise of single atoms, all in blocks.
    mixture : Mixture
        In the basis of the first one.
    """
    given = model.stages(until)
    stages = tuple(prepared(stage, method, len(given) == 1) for stage in given)
    first = stages[0].model
    if isinstance(first, BareModel):
        mixture = prepare(first, initial, 0.0)
    else:
        if isinstance(first, FrameModel):
            negligible = 0.0  # so that a coherent state is known again
        mixture = prepare(model, initial, negligible)
    deepest = 0 if mixture.spins is None else (model.n_atoms - int(mixture.spins.min())) // 2
    models = in_blocks(stages, until, deepest)
    pairs = zip(stages, models, strict=True)
    return tuple(
        stage if one is stage.model else replace(stage, model=one) for stage, one in pairs
    ), mixture
