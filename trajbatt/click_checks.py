"""Clicks as users hand them over, checked: one sentence that names the click that is wrong."""

import numpy as np

from trajbatt.clicks import ROUNDING, Clicks


def check_clicks(clicks):
    """Raise `TypeError` if `clicks` is no `Clicks`, such as those of a run that kept none."""
    if not isinstance(clicks, Clicks):
        raise TypeError(
            "`clicks` must be the clicks of a run with keep_clicks=True, or of a file, "
            f"but is {clicks!r}"
        )


def check_watched(clicks, end, name="tlist"):
    """Raise `ValueError` if nobody watched until `end`: no click is no darkness then.

    A record that ends with a click, or is empty, may not say how long it was watched.
    """
    if not isinstance(clicks, Clicks) or clicks.duration <= clicks.time.max(initial=0.0):
        return
    if end > clicks.duration * (1.0 + ROUNDING):
        raise ValueError(
            f"`{name}` must end by the end of the record, {clicks.duration:g}, because nobody "
            f"watched after it, but ends at {end:g}"
        )


def of_one_trajectory(clicks, channels, t_end):
    """Return the times (n,) and the channels (n,), as indices, of one battery's clicks, checked.

    Parameters
    ----------
    clicks : object
        With the arrays `time` and `channel`: names, or indices into its own `channels` or, without,
        into `channels`.
    channels : tuple of str
    t_end : float
        No click may be later.

    Raises
    ------
    ValueError, TypeError
        With one sentence that names the click.
    """
    if not (hasattr(clicks, "time") and hasattr(clicks, "channel")):
        raise TypeError(
            f"`clicks` must have the arrays `time` and `channel`, but is a {type(clicks).__name__}"
        )
    trajectories = np.unique(getattr(clicks, "trajectory", []))
    if trajectories.size > 1:
        raise ValueError(
            "`clicks` must be of one trajectory, such as clicks.of_trajectory(0), "
            f"but are of {trajectories.size}"
        )
    try:
        time, channel = np.asarray(clicks.time), np.asarray(clicks.channel)
    except ValueError:  # ragged
        raise TypeError("`clicks` must have plain arrays `time` and `channel`") from None
    if time.ndim != 1 or channel.shape != time.shape:
        raise ValueError(
            "`clicks` must have one `time` and one `channel` for each click, "
            f"but the shapes are {time.shape} and {channel.shape}"
        )
    if time.size == 0:
        return np.empty(0), np.empty(0, dtype=np.int64)
    if time.dtype.kind not in "iuf":
        raise TypeError(f"`clicks.time` must hold numbers, but holds {time.dtype}")
    time = time.astype(float)
    places = _places(channel, getattr(clicks, "channels", None), channels)

    def refuse(wrong, rule, what):
        if np.any(wrong):
            i = int(np.argmax(wrong))
            raise ValueError(f"`clicks` must {rule}, but click {i} {what(i)}")

    refuse(~np.isfinite(time), "have finite times", lambda i: f"is at {time[i]}")
    refuse(time < 0, "have times >= 0", lambda i: f"is at {time[i]}")
    late = np.append(False, np.diff(time) < 0)
    refuse(late, "be in the order of time", lambda i: f"at {time[i]} follows one at {time[i - 1]}")
    refuse(time > t_end, f"end by the last time, {t_end:g}", lambda i: f"is at {time[i]}")
    return time, places


def _places(channel, own, channels):
    """Return channels as indices into `channels`, int64 (n,)."""
    if channel.dtype.kind in "iu":
        names = dict(enumerate(channels if own is None else own))
    elif channel.dtype.kind in "UO":
        names = {name: name for name in channels}
    else:
        raise TypeError(f"`clicks.channel` must hold names or indices, but holds {channel.dtype}")
    if channel.dtype.kind == "O":  # which might not be sorted
        channel = np.array([str(one) for one in channel])
    kinds, inverse = np.unique(channel, return_inverse=True)
    kinds = [names.get(kind, kind) for kind in kinds.tolist()]
    found = np.array([channels.index(name) if name in channels else -1 for name in kinds])[inverse]
    if np.any(found < 0):
        i = int(np.argmax(found < 0))
        listed = ", ".join(repr(name) for name in channels) or "none"
        wrong = kinds[inverse[i]]
        raise ValueError(
            f"`clicks` must be of the channels {listed}, but click {i} is of {wrong!r}"
        )
    return found
