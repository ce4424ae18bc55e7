"""When the stages of a protocol ended, in each trajectory of an ensemble."""

import numpy as np

from trajbatt.base.types import FloatArray
from trajbatt.ensembles.chunks import blocks
from trajbatt.ensembles.result import EnsembleResult


def stage_ends(runs: EnsembleResult) -> FloatArray:
    """Return when each stage of a protocol has ended, in each trajectory.

    The trajectories are drawn again for it, which takes as long as the run.

    Parameters
    ----------
    runs : EnsembleResult
        Of a `Protocol`; it is worth it where stages end by what is seen, see `until`.

    Returns
    -------
    ndarray (ntraj, n_stages), float64
        The end of the run for stages that have not ended, or begun, by then.

    Raises
    ------
    ValueError, TypeError
        If it is of something else.
    """
    if not isinstance(runs, EnsembleResult):
        raise TypeError(f"`runs` must be a result of mcsolve, but is a {type(runs).__name__}")
    if not runs.model.is_staged:
        raise ValueError(
            f"`runs` must be of a Protocol to have stages, but are of {runs.model.name!r}"
        )
    every = [
        found
        for source in runs.sources
        for found in source.each_chunk(_of_chunk, source.plan.times[-1:])
    ]
    return np.concatenate(every)


def _of_chunk(plan, chunk, size):
    return np.concatenate(
        [
            plan.engine.sample(rng, n, plan.times[-1]).stage_ends
            for rng, n in blocks(plan, chunk, size)
        ]
    )
