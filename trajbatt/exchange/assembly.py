"""Clicks from arrays of another origin, checked: one sentence names the click that is wrong."""

import numpy as np

from trajbatt import checks
from trajbatt.clicks import Clicks

KNOWN = ("red", "center", "blue", "all", "dis")  # in the order in which models have them


def assembled(trajectory, time, names, channels, ntraj, duration):
    """Return `Clicks`, sorted by trajectory, after all checks.

    Parameters
    ----------
    trajectory, time, names : array_like (n_clicks,)
        The names are those of the channels. The times of each trajectory ascend.
    channels : sequence of str or None
        None for those that occur: known ones by frequency, others as they come.
    ntraj : int or None
        How many trajectories were watched; None for up to the last that clicked.
    duration : float or None
        How long; None for until the last click.

    Raises
    ------
    ValueError
    """
    trajectory, time, names = (np.asarray(one) for one in (trajectory, time, names))
    if channels is None:
        found = dict.fromkeys(names.tolist())
        channels = [*(name for name in KNOWN if name in found)]
        channels += [name for name in found if name not in KNOWN]
    channels = tuple(str(name) for name in channels)

    def refuse(wrong, rule, what):
        if np.any(wrong):
            i = int(np.argmax(wrong))
            raise ValueError(f"clicks must {rule}, but click {i} {what(i)}")

    refuse(trajectory < 0, "have trajectories >= 0", lambda i: f"has {trajectory[i]}")
    refuse(
        ~(np.isfinite(time) & (time >= 0)), "have finite times >= 0", lambda i: f"is at {time[i]}"
    )
    kinds, inverse = np.unique(names, return_inverse=True)
    places = np.array([channels.index(n) if n in channels else -1 for n in kinds.tolist()] or [0])
    channel = places[inverse].astype(np.int8) if names.size else np.empty(0, dtype=np.int8)
    listed = ", ".join(repr(name) for name in channels) or "none"
    refuse(channel < 0, f"be of the channels {listed}", lambda i: f"is of {str(names[i])!r}")
    last = None if ntraj is None else checks.integer("ntraj", ntraj, 1) - 1
    if last is not None:
        refuse(
            trajectory > last, f"be of {last + 1} trajectories", lambda i: f"has {trajectory[i]}"
        )
    if duration is not None:
        duration = checks.real("duration", duration, 0.0)
        # Rounded timestamps may be past the end by rounding.
        refuse(
            time > duration * (1.0 + 1e-12), f"end by {duration:g}", lambda i: f"is at {time[i]}"
        )
        time = np.minimum(time, duration)
    order = np.argsort(trajectory, kind="stable")
    same = np.diff(trajectory[order], prepend=-1) == 0
    late = np.zeros(time.size, dtype=bool)
    late[order] = same & (np.diff(time[order], prepend=0.0) < 0)
    refuse(
        late,
        "be in the order of time",
        lambda i: f"at {time[i]} follows a later one of its trajectory",
    )
    return Clicks(
        trajectory=trajectory[order].astype(np.int64),
        time=time[order].astype(float),
        channel=channel[order],
        channels=channels,
        ntraj=ntraj,
        duration=duration,
    )
