"""Clicks as users hand them over, checked: one sentence that names the click that is wrong."""

import numpy as np

MOST_CHANNELS = 127
TOTAL = "total"  # what stands for all channels where one is asked for


AT_THE_END = 1e-12  # relative


def channel_names(channels):
    """Return the names of channels as a tuple of str.

    Raises
    ------
    ValueError, TypeError
        If they are one text, or more than a byte can number.
    """
    if isinstance(channels, str | bytes):
        raise TypeError(f"`channels` must be a sequence of names, but is {channels!r}")
    channels = tuple(str(one) for one in channels)
    if len(channels) > MOST_CHANNELS:
        raise ValueError(f"`channels` must be at most {MOST_CHANNELS}, but are {len(channels)}")
    return channels


def check_kinds(trajectory, time, channel):
    """Raise `TypeError` or `ValueError` if these are not three arrays of numbers of one length."""
    for name, array, kinds in (
        ("trajectory", trajectory, "iu"),
        ("time", time, "iuf"),
        ("channel", channel, "iu"),
    ):
        if array.size and array.dtype.kind not in kinds:
            raise TypeError(f"clicks must have a number for each {name}, but have {array.dtype}")
    if not trajectory.shape == time.shape == channel.shape == (time.size,):
        raise ValueError(
            "clicks must have one trajectory, time and channel each, but the shapes are "
            f"{trajectory.shape}, {time.shape} and {channel.shape}"
        )


def check_values(trajectory, time, channel, channels, watched, duration, name="click {}".format):
    """Raise `ValueError` if clicks are out of range or out of order.

    Parameters
    ----------
    trajectory, time, channel : ndarray (n_clicks,)
    channels : tuple of str
    watched : tuple of int
        The first and the last trajectory.
    duration : float or None
    name : callable
        What a message calls the click of an index.
    """
    listed = ", ".join(repr(one) for one in channels) or "none"
    end = np.inf if duration is None else duration
    same = np.append(False, trajectory[1:] == trajectory[:-1])[: time.size]
    falls = [np.append(False, one[1:] < one[:-1])[: time.size] for one in (trajectory, time)]
    for wrong, rule, what in (
        (trajectory < 0, "have trajectories >= 0", "has {0}"),
        (
            (trajectory < watched[0]) | (trajectory > watched[1]),
            "be of the trajectories {} to {}".format(*watched),
            "has {0}",
        ),
        (~(np.isfinite(time) & (time >= 0)), "have finite times >= 0", "is at {1}"),
        (time > end * (1.0 + AT_THE_END), f"end by {end:g}", "is at {1}"),
        ((channel < 0) | (channel >= len(channels)), f"be of the channels {listed}", "is of {2}"),
        (falls[0], "be sorted by trajectory", "of {0} follows one of a later one"),
        (
            same & falls[1],
            "be in the order of time",
            "at {1} follows one at {3}",
        ),
    ):
        if np.any(wrong):
            i = int(np.argmax(wrong))
            here = what.format(trajectory[i], time[i], channel[i], time[i - 1])
            raise ValueError(f"clicks must {rule}, but {name(i)} {here}")
