"""Results of runs, from what was computed or stored."""

import warnings

from trajbatt.base.arrays import read_only
from trajbatt.base.types import PathLike
from trajbatt.ensembles.result import EnsembleResult, frozen
from trajbatt.ensembles.source import Source
from trajbatt.ensembles.store import Store
from trajbatt.ensembles.tally import Total


def load(store: PathLike) -> EnsembleResult:
    """Return the ensemble of a stored run, up to its first missing chunk; nothing is computed.

    Parameters
    ----------
    store : path
        As in `mcsolve`.

    Returns
    -------
    EnsembleResult

    Raises
    ------
    ValueError
        If there is no such run, nothing of it is finished, or a chunk is damaged.
    TypeError
        If `store` is no path.
    """
    opened = Store(store)
    plan, current = opened.plan()
    if not current:
        warnings.warn(
            f"{store} was written with another version of the law of {plan.method!r}: it is read "
            "as it is, but can neither be gone on with nor be replayed",
            RuntimeWarning,
            stacklevel=2,
        )
    total = Total()
    for tally in opened.tallies(plan):
        total.add(tally)
    if total.moments is None:
        raise ValueError(f"{store} must hold finished chunks, but holds none")
    found = opened.missing_parts(plan)
    if found is not None:
        ntraj, n, missing = found
        warnings.warn(
            f"of {n} parts of {store}, {', '.join(map(str, missing))} "
            f"{'are' if missing[1:] else 'is'} not finished, so the result ends before; the same "
            f"call with ntraj={ntraj}, part=({missing[0]}, {n}), and merge, go on with it",
            RuntimeWarning,
            stacklevel=2,
        )
    source = Source(plan, total.moments.count, store=opened, outdated=not current)
    return as_result(source, total.tally, "stored")


def as_result(source, tally, ended):
    """Return the `EnsembleResult` of a tally that a `Source` gave; its arrays are read-only now."""
    read_only(tally.final_counts)
    return EnsembleResult(
        sources=(source,),
        moments=frozen(tally.moments),
        checkpoints=frozen(tally.checkpoints),
        final_counts=tally.final_counts,
        dropped=tally.dropped,
        ended=ended,
        expected=frozen(tally.expect),
    )
