"""How many blocks of J the deterministic twin keeps, of the stages of a schedule."""

import math
from dataclasses import dataclass

import numpy as np

from trajbatt.models.local_ladder import LocalLadderModel

LEFT_OUT = 1e-15  # the probability of longer chains of jumps than there are blocks
FEW = 16  # blocks that are all kept


@dataclass(frozen=True)
class BlockModel(LocalLadderModel):
    """A `LocalLadderModel` of which the longest blocks are followed.

    Parameters
    ----------
    n_blocks : int
        So many.
    """

    n_blocks: int = 1

    def __post_init__(self):
        """Nothing to check: it is made of a model that is."""


def in_blocks(stages, until, known=0, missed=None):
    """Return the models of the stages: all as `BlockModel`s if any has noise of single atoms.

    J falls by one at a time, at most at a known rate: the number of jumps is below one of a Poisson
    distribution.

    Parameters
    ----------
    stages : sequence of Stage
    until : float
    known : int
        Jumps of single atoms that there may be besides: before, or among the clicks of a record.
    missed : ndarray (nc,), optional
        Of a record: the share of every channel that is not among them.

    Raises
    ------
    ValueError
        If one of them is the driven Eq. (5), which has no blocks.
    """
    models = [stage.model for stage in stages]
    if not any(isinstance(model, LocalLadderModel) for model in models):
        return models
    found, jumps = [], 0.0
    for stage, model in zip(stages, models, strict=True):
        if not model.has_lines:
            raise ValueError(
                "`model` must not have Eq. (5) in the same protocol as noise of single atoms"
            )
        one = LocalLadderModel.of(model)
        shares = None if missed is None else missed[list(stage.places)]
        rate = one.shortening_rate(shares)
        jumps += rate * (min(stage.end, until) - stage.start) if rate else 0.0
        n_blocks = min(_needed(jumps, model.n_atoms) + known, model.n_atoms // 2 + 1)
        found.append(BlockModel.of(model, n_blocks=n_blocks))
    return found


def _needed(jumps, n_atoms):
    """Return how many blocks hold all but `LEFT_OUT` of a mean number of `jumps`."""
    from scipy.special import pdtrc

    most = n_atoms // 2 + 1
    if jumps == 0.0 or most == 1:
        return 1
    if not math.isfinite(jumps) or jumps > most or most <= FEW:
        return most
    beyond = pdtrc(np.arange(most), jumps)  # of more than 0, 1, ... jumps
    enough = np.flatnonzero(beyond < LEFT_OUT)
    return int(enough[0]) + 1 if enough.size else most
