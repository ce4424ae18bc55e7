"""Clicks as NumPy structured arrays."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from trajbatt.base.checks import shown
from trajbatt.light.clicks import Clicks
from trajbatt.light.input import assembled, check_clicks

COLUMNS = ("trajectory", "time", "channel")
SPIN = "spin"  # 2J after each click, of simulated records with noise of single atoms


def to_structured(clicks: Clicks) -> np.recarray[Any, Any]:
    """Return clicks as a NumPy record array (n_clicks,) with trajectory, time and channel.

    Channels are names; trajectories count from 0. `tb.filter` takes such an array, too.

    Parameters
    ----------
    clicks : Clicks

    Returns
    -------
    numpy.recarray (n_clicks,)
        With the fields trajectory, time and channel; and spin, 2J, if the clicks know it.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range or of the wrong kind.
    """
    check_clicks(clicks)
    names = np.array(clicks.channels or ("",))
    fields = [("trajectory", np.int64), ("time", np.float64), ("channel", names.dtype)]
    if clicks.spin is not None:
        fields.append((SPIN, np.int64))
    array = np.empty(len(clicks), dtype=fields)
    array["trajectory"], array["time"] = clicks.trajectory - clicks.first, clicks.time
    array["channel"] = names[clicks.channel]
    if clicks.spin is not None:
        array[SPIN] = clicks.spin
    return array.view(np.recarray)


def from_structured(
    array: Any,
    channels: Sequence[str] | None = None,
    ntraj: int | None = None,
    duration: float | None = None,
) -> Clicks:
    """Return the `Clicks` in a structured array.

    Parameters
    ----------
    array : ndarray (n_clicks,) or pandas.DataFrame
        With the fields `time`, `channel` and `trajectory`, 0 if it is missing, and perhaps `spin`,
        2J after each click. Channels are names,
        or indices into `channels`. The times of each trajectory ascend.
    channels : sequence of str, optional
        By default those that occur; known ones by frequency, others as they come.
    ntraj : int, optional
        How many trajectories were watched; by default those that clicked, which must be 0, 1, 2,
        ... without a gap then.
    duration : float, optional
        How long; by default until the last click.

    Returns
    -------
    Clicks

    Raises
    ------
    ValueError, TypeError
        If it is no such array, or clicks are out of order; the message names the click.
    """
    if hasattr(array, "to_records"):
        array = array.to_records(index=False)
    fields = getattr(getattr(array, "dtype", None), "names", None) or ()
    for name in COLUMNS[1:]:
        if name not in fields:
            raise ValueError(f"`array` must have the field {name!r}, but has {shown(fields)}")
    trajectory = array["trajectory"] if "trajectory" in fields else np.zeros(len(array), dtype=int)
    spin = array[SPIN] if SPIN in fields else None
    return assembled(
        trajectory, array["time"], array["channel"], channels, ntraj, duration, spin=spin
    )
