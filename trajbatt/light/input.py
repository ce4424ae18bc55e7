"""Clicks as users and files hand them over, checked and brought into order."""

from itertools import pairwise

import numpy as np

from trajbatt.base import checks
from trajbatt.base.checks import shown
from trajbatt.light.checking import (
    AT_THE_END,
    channel_names,
    check_kinds,
    check_values,
    listed,
    unmasked,
)
from trajbatt.light.clicks import Clicks

KNOWN = ("red", "center", "blue", "all", "dis")  # in the order in which models have them


def assembled(
    trajectory, time, channel, channels, ntraj, duration, name="click {}".format, spin=None
):
    """Return `Clicks`, sorted by trajectory, after all checks.

    Parameters
    ----------
    trajectory, time, channel : array_like (n_clicks,)
        The channels are names, or indices into `channels`. The times of each trajectory ascend.
    channels : sequence of str or None
        None for those that occur: known ones by frequency, others as they come.
    ntraj : int or None
        How many trajectories were watched; None for those that clicked, if these are 0, 1, 2, ...
        without a gap.
    duration : float or None
        How long; None for until the last click.
    name : callable
        What a message calls the click of an index.
    spin : array_like (n_clicks,), optional
        2J after each click.

    Raises
    ------
    ValueError, TypeError
    """
    trajectory, time = unmasked("trajectory", trajectory), unmasked("time", time)
    channels = None if channels is None else channel_names(channels)
    channel, channels = channel_places(unmasked("channel", channel), channels, name)
    check_kinds(trajectory, time, channel)
    without_gap = ntraj is None
    if ntraj is None:
        ntraj = int(trajectory.max()) + 1 if trajectory.size else 1
    else:
        ntraj = checks.integer("ntraj", ntraj, 1)
    if duration is not None:
        duration = checks.real("duration", duration, 0.0)
    order = np.argsort(trajectory, kind="stable")
    trajectory, time, channel = trajectory[order], time[order], channel[order]
    check_values(
        trajectory,
        time,
        channel,
        channels,
        (0, max(ntraj - 1, 0)),
        duration,
        lambda i: name(order[i]),
    )
    if without_gap:
        _check_gaps(trajectory)
    # Rounded timestamps may be past the end by rounding.
    time = time if duration is None else np.minimum(time, duration)
    spin = None if spin is None else unmasked("spin", spin)[order]
    return Clicks(trajectory, time, channel, channels, 0, ntraj, duration, spin)


def _check_gaps(trajectory):
    """Raise `ValueError` if sorted numbers of trajectories do not go from 0 on, one by one.

    They might be labels from 1 on, or dates; and dark trajectories might be left out at the end.
    """
    before = np.append(-1, trajectory)
    gaps = np.flatnonzero(np.diff(before) > 1)
    if gaps.size:
        i = gaps[0]
        raise ValueError(
            "clicks must be of the trajectories 0, 1, 2, ... without a gap where `ntraj` is not "
            f"given, but {int(before[i + 1])} "
            + (f"follows {int(before[i])}" if i else "is the first")
        )


def channel_places(channel, channels, name="click {}".format):
    """Return channels, names or indices, as indices and the names that they mean.

    Parameters
    ----------
    channel : ndarray (n_clicks,)
    channels : tuple of str or None
        None for those that occur.
    name : callable
        What a message calls the click of an index.

    Returns
    -------
    ndarray (n_clicks,), int64
        Those of indices are not checked.
    tuple of str
    """
    if channel.dtype.kind in "iu" and channels is not None:
        return channel.astype(np.int64), channels
    words = channel.tolist()
    meant = {}
    for word in dict.fromkeys(words):  # there are few names, but many clicks
        i = words.index(word)
        meant[word] = _decoded(word, name(i)) if isinstance(word, bytes) else word
        if not isinstance(meant[word], str):
            raise TypeError(
                "clicks must have the name of a channel each, or its number among `channels`, "
                f"but {name(i)} has {shown(word)}"
            )
    if channels is None:
        found = dict.fromkeys(meant.values())
        channels = (
            *(one for one in KNOWN if one in found),
            *(one for one in found if one not in KNOWN),
        )
        channels = channel_names(channels)
    places = {one: i for i, one in enumerate(channels)}
    for word, one in meant.items():
        if one not in places:
            raise ValueError(
                f"clicks must be of the channels {listed(channels)}, "
                f"but {name(words.index(word))} is of {shown(one)}"
            )
    places = {word: places[one] for word, one in meant.items()}
    return np.fromiter(map(places.__getitem__, words), np.int64, len(words)), channels


def _decoded(word, where):
    try:
        return word.decode()
    except UnicodeDecodeError:
        raise ValueError(
            f"clicks must have names of channels in UTF-8, but {where} has {shown(word)}"
        ) from None


def check_clicks(clicks):
    """Raise `TypeError` if `clicks` is no `Clicks`, such as those of a run that kept none."""
    if not isinstance(clicks, Clicks):
        raise TypeError(
            "`clicks` must be the clicks of a run with keep_clicks=True, or of a file, "
            f"but is {shown(clicks)}"
        )


def check_watched(clicks, end, name="tlist"):
    """Raise `ValueError` if nobody watched until `end`: no click is no darkness then.

    A record that ends with a click, or is empty, may not say how long it was watched.
    """
    duration = getattr(clicks, "duration", None)
    if duration is None:
        return
    duration = checks.real("clicks.duration", duration, 0.0)
    if duration <= np.max(getattr(clicks, "time", 0.0), initial=0.0):
        return
    if end > duration * (1.0 + AT_THE_END):
        raise ValueError(
            f"`{name}` must end by the end of the record, {duration:g}, because nobody "
            f"watched after it, but ends at {end:g}"
        )


def of_each_trajectory(clicks, channels, t_end):
    """Return the times and the channels, as indices into `channels`, of each trajectory, a list.

    As `of_one_trajectory`, of `Clicks`, but checked all at once.
    """
    known = clicks.first, clicks.first + clicks.ntraj - 1
    check_values(clicks.trajectory, clicks.time, clicks.channel, clicks.channels, known, t_end)
    places = clicks.channel.astype(np.int64)
    if clicks.channels != channels:
        places, _ = channel_places(np.array(clicks.channels, dtype=str)[places], channels)
    offsets = clicks.offsets.tolist()
    return [(clicks.time[i:j], places[i:j]) for i, j in pairwise(offsets)]


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
    trajectories = np.unique(getattr(clicks, "trajectory", [])).size
    if isinstance(clicks, Clicks):
        trajectories = clicks.ntraj  # those without a click, too
    if trajectories > 1:
        raise ValueError(
            "`clicks` must be of one trajectory, such as clicks.of_trajectory(0), "
            f"but are of {trajectories}"
        )
    try:
        time, channel = unmasked("clicks.time", clicks.time), np.asarray(clicks.channel)
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
