"""Clicks as users hand them over, checked: one sentence that names the click that is wrong."""

import numpy as np

from trajbatt.base import checks
from trajbatt.base.checks import shown

MOST_CHANNELS = 127
TOTAL = "total"  # what stands for all channels where one is asked for


AT_THE_END = 1e-12  # relative
LAST = 2**62  # trajectory
EXACT = 2**53  # integers up to here are floats, too


def listed(names):
    """Return names for a message, as many as fit."""
    text = ", ".join(map(repr, names)) or "none"
    return text if len(text) <= checks.LONGEST_SHOWN else f"{text[: checks.LONGEST_SHOWN]}..."


def channel_names(channels):
    """Return the names of channels as a tuple of str.

    Raises
    ------
    ValueError, TypeError
        If they are one text, have no order, are more than a byte can number, or a name is taken.
    """
    rule = "`channels` must be a sequence of names"
    if isinstance(channels, str | bytes | set | frozenset | dict):
        raise TypeError(f"{rule}, but is {shown(channels)}")
    try:
        channels = tuple(channels)
    except TypeError:
        raise TypeError(f"{rule}, but is {shown(channels)}") from None
    if len(channels) > MOST_CHANNELS:
        raise ValueError(f"`channels` must be at most {MOST_CHANNELS}, but are {len(channels)}")
    for name in channels:
        if isinstance(name, bool) or not isinstance(name, str | int | np.integer):
            raise TypeError(f"{rule}, but one is {shown(name)}")
    channels = tuple(map(str, channels))
    for i, name in enumerate(channels):
        if name in ("", TOTAL):
            raise ValueError(
                f"`channels` must have names other than '' and {TOTAL!r}, but one is {name!r}"
            )
        if name in channels[:i]:
            raise ValueError(
                f"`channels` must have a name of its own each, but {shown(name)} is there twice"
            )
    return channels


def check_kinds(trajectory, time, channel):
    """Raise `TypeError` or `ValueError` if these are not three arrays of numbers of one length."""
    for name, array, kinds, what in (
        ("trajectory", trajectory, "iu", "an integer"),
        ("time", time, "iuf", "a number"),
        ("channel", channel, "iu", "an integer"),
    ):
        if array.size and array.dtype.kind not in kinds:
            raise TypeError(f"clicks must have {what} for each {name}, but have {array.dtype}")
    if not trajectory.shape == time.shape == channel.shape == (time.size,):
        raise ValueError(
            "clicks must have one trajectory, time and channel each, but the shapes are "
            f"{trajectory.shape}, {time.shape} and {channel.shape}"
        )


def unmasked(name, value):
    """Return `value` as an array; one with a mask, which would be lost, is refused."""
    if isinstance(value, np.ma.MaskedArray):
        raise TypeError(f"`{name}` must have no mask, but is {shown(value)}")
    return np.asarray(value)


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
    end = np.inf if duration is None else duration
    same = np.append(False, trajectory[1:] == trajectory[:-1])[: time.size]
    falls = [np.append(False, one[1:] < one[:-1])[: time.size] for one in (trajectory, time)]
    for wrong, rule, what in (
        (trajectory > LAST, "have trajectories that 64 bits can count", "has {0}"),
        (trajectory < 0, "have trajectories >= 0", "has {0}"),
        (
            (trajectory < watched[0]) | (trajectory > watched[1]),
            "be of the trajectories {} to {}".format(*watched),
            "has {0}",
        ),
        (~(np.isfinite(time) & (time >= 0)), "have finite times >= 0", "is at {1}"),
        (
            time > EXACT if time.dtype.kind in "iu" else False,
            "have integers as times that floats can tell apart (see trajbatt.exchange.read_tags)",
            "is at {1}",
        ),
        (time > end * (1.0 + AT_THE_END), f"end by {end:g}", "is at {1}"),
        (
            (channel < 0) | (channel >= len(channels)),
            f"be of the channels {listed(channels)}",
            "is of {2}",
        ),
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
