"""Clicks of QuTiP's trajectories."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from trajbatt.base.checks import shown
from trajbatt.light.checking import channel_names
from trajbatt.light.clicks import Clicks
from trajbatt.light.input import assembled

if TYPE_CHECKING:
    from qutip.solver.multitrajresult import McResult


def from_qutip(
    result: "McResult", channels: Sequence[str], duration: float | None = None
) -> Clicks:
    """Return the `Clicks` of a result of `qutip.mcsolve`, from its `col_times` and `col_which`.

    Parameters
    ----------
    result : qutip.solver.multitrajresult.McResult
    channels : sequence of str
        Names for the collapse operators, in their order: those of `to_qutip(model)` have the names
        `model.channel_names`.
    duration : float, optional
        By default that of the result's times, which begin the clicks' time at 0.

    Returns
    -------
    Clicks

    Raises
    ------
    ValueError, TypeError
        If it is no such result, its runs have weights, or `channels` are too few.
    """
    if not hasattr(result, "col_times"):
        raise TypeError(f"`result` must be one of qutip.mcsolve, but is {shown(result)}")
    channels, times, which = channel_names(channels), result.col_times, result.col_which
    if [len(one) for one in times] != [len(one) for one in which]:
        raise ValueError("`result` must have a collapse operator for each time, but has not")
    weights = len(times) * np.asarray(getattr(result, "runs_weights", 1.0 / max(1, len(times))))
    if np.any(np.abs(weights - 1.0) > 1e-6):
        raise ValueError(
            "`result` must have runs of equal weight, but has not: leave out improved_sampling, "
            "and begin with a ket"
        )
    trajectory = np.repeat(np.arange(len(times)), [len(one) for one in times])
    joined = [
        np.concatenate([np.asarray(one) for one in pieces if len(one)] or [np.empty(0)])
        for pieces in (times, which)
    ]
    if joined[1].size and joined[1].dtype.kind not in "iu":
        raise TypeError(
            "`result` must have numbers of collapse operators in col_which, "
            f"but has {joined[1].dtype}"
        )
    if joined[1].min(initial=0) < 0:
        raise ValueError(
            "`result` must have numbers of collapse operators >= 0 in col_which, "
            f"but has {int(joined[1].min())}"
        )
    if joined[1].size and joined[1].max() >= len(channels):
        raise ValueError(
            f"`channels` must name {int(joined[1].max()) + 1} collapse operators or more, "
            f"but names {len(channels)}"
        )
    names = np.array(channels)[joined[1].astype(int)]
    time = joined[0].astype(float) - result.times[0]
    duration = float(result.times[-1] - result.times[0]) if duration is None else duration
    return assembled(trajectory, time, names, channels, len(times), duration)
