"""Clicks as users hand them over, checked: one sentence that names the click that is wrong."""

import numpy as np

from trajbatt.assembly import channel_places
from trajbatt.clicks import ROUNDING, Clicks, channel_names, check_kinds, check_values


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
    own = getattr(clicks, "channels", channels) if channel.dtype.kind in "iu" else channels
    places, names = channel_places(channel, channel_names(own))
    alone = np.zeros(time.shape, dtype=np.int64)
    check_kinds(alone, time, places)
    check_values(alone, time, places, names, (0, 0), t_end)
    if names != channels:
        places, _ = channel_places(np.array(names, dtype=str)[places], channels)
    return time.astype(float), places
