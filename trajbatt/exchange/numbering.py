"""Numbers of channels in files, and the names that a user gives them: one meaning for all files."""

import numbers

import numpy as np

from trajbatt.base.checks import shown
from trajbatt.light.checking import channel_names, listed
from trajbatt.light.input import channel_places


def is_numbered(channels):
    """Whether names are given with their numbers, as in {1: "red", 2: "blue"}."""
    return isinstance(channels, dict)


def named(every, channels, what):
    """Return what numbers of channels are called, a dict of int to str, and the names in order.

    Parameters
    ----------
    every : iterable of int
        The numbers that there are.
    channels : dict of int to str, sequence of str
        Several numbers may have one name. Names alone are those of 0, 1, 2, ...
    what : str
        Whose numbers they are, for messages.

    Returns
    -------
    dict of int to str
    tuple of str

    Raises
    ------
    ValueError, TypeError
        If a number has no name, or names alone might be meant for other numbers, such as from 1 on.
    """
    every = sorted(set(every))
    if not is_numbered(channels):
        channels = channel_names(channels)
        if every and every[0] != 0:
            raise ValueError(
                f"`channels` must say which numbers the names are of, such as "
                f"{every[0]}={channels[0] if channels else 'red'}, because the channels of {what} "
                f"are numbered {_some(every)}"
            )
        channels = dict(enumerate(channels))
    for number in channels:
        if isinstance(number, bool) or not isinstance(number, numbers.Integral) or number < 0:
            raise TypeError(
                f"`channels` must have integers >= 0 for their numbers, but has {shown(number)}"
            )
    names = channel_names(dict.fromkeys(channels.values()).keys())
    for number in every:
        if number not in channels:
            raise ValueError(
                f"`channels` must name the channels {_some(every)} of {what}, such as "
                f"{number}=red, but names {listed(names)}"
            )
    return {int(number): str(name) for number, name in channels.items()}, names


def places_of(numbers, names, channels):
    """Return which of `channels` each click is of, int64 (n_clicks,).

    Parameters
    ----------
    numbers : ndarray (n_clicks,)
        Of its channel.
    names : dict of int to str
    channels : tuple of str
        All names.

    Raises
    ------
    ValueError
        If a name is not among them.
    """
    every, which = np.unique(numbers, return_inverse=True)
    words = np.array([names[number] for number in every.tolist()], dtype=str)
    places, _ = channel_places(words, channels, lambda i: f"click {np.argmax(which == i)}")
    return places[which] if every.size else np.zeros(0, dtype=np.int64)


def _some(every):
    words = ", ".join(map(str, every[:8]))
    return f"{words}, ..." if len(every) > 8 else words
