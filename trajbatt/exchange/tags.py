"""Clicks from integer time tags, as time taggers stream them; triggers cut a stream into shots."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from trajbatt.base import checks
from trajbatt.base.checks import shown
from trajbatt.base.types import AnyIntArray
from trajbatt.exchange.numbering import named, places_of
from trajbatt.exchange.ticks import since
from trajbatt.light.checking import unmasked
from trajbatt.light.clicks import Clicks
from trajbatt.light.input import assembled


def read_tags(
    times: ArrayLike,
    channels: ArrayLike,
    tick: float,
    trigger: int | None = None,
    names: Sequence[str] | dict[int, str] | None = None,
    duration: float | None = None,
    origin: int | None = None,
) -> Clicks:
    """Return the `Clicks` in a stream of time tags.

    With a trigger, each of its tags begins a trajectory, which the next one ends: what is before
    the first is left out, and what is after the last, because nobody knows how long that shot was
    watched. A click at the very tag of a trigger is at t = 0 of its shot. Tags are subtracted as
    integers, so that days of picoseconds lose nothing.

    Parameters
    ----------
    times : array_like (n,) of int
        In ticks, in order.
    channels : array_like (n,) of int
        The number of each tag's channel.
    tick : float
        How long one tick is, in the clicks' unit of time.
    trigger : int, optional
        The number of the channel that is no light, but begins shots.
    names : dict of int to str or sequence of str, optional
        What channels are called, as in `read_csv`; by default by their numbers.
    duration : float, optional
        How long each trajectory is; later clicks are left out of shots. By default from a trigger
        to the next, where they come soonest; without a trigger, until the last tag.
    origin : int, optional
        Without a trigger, the tag that is t = 0; by default 0.

    Returns
    -------
    Clicks

    Raises
    ------
    ValueError, TypeError
        If tags are no integers or out of order, there are no shots, or a name is missing.
    """
    tick = checks.positive("tick", tick)
    times, channels = _integers("times", times), _integers("channels", channels)
    if times.ndim != 1 or times.shape != channels.shape:
        raise ValueError(
            f"`times` and `channels` must be of one length, but have the shapes {times.shape} "
            f"and {channels.shape}"
        )
    late = np.flatnonzero(times[1:] < times[:-1])
    if late.size:
        i = late[0]
        raise ValueError(f"`times` must ascend, but {times[i + 1]} follows {times[i]}")
    if trigger is None:
        if duration is None:
            ends = since(origin, times[-1:], "`times`") * tick
            duration = float(ends.max(initial=0.0))
        shots, ntraj = np.zeros(times.size, dtype=np.int64), 1
        since_start = since(origin, times, "`times`") * tick
    else:
        if origin is not None:
            raise ValueError(f"`origin` must be left out with a trigger, but is {shown(origin)}")
        shots, since_start, ntraj, duration = _shots(times, channels, tick, trigger, duration)
    kept = (shots >= 0) & (since_start <= duration) if trigger is not None else slice(None)
    if trigger is not None:
        kept &= channels != trigger
    every = np.unique(channels[channels != trigger] if trigger is not None else channels).tolist()
    if names is None:
        names = {number: str(number) for number in every}
        listed = tuple(names.values())
    else:
        names, listed = named(every, names, "`channels`")
    channel = places_of(channels[kept], names, listed)
    return assembled(shots[kept], since_start[kept], channel, listed, ntraj, duration)


def _shots(times, channels, tick, trigger, duration):
    """Return the shot of each tag, -1 for none, the time since its trigger, and what shots are.

    Returns
    -------
    ndarray (n,), int64
    ndarray (n,), float64
    int
        How many shots there are.
    float
        How long they are.
    """
    if isinstance(trigger, bool) or not isinstance(trigger, int | np.integer):
        raise TypeError(f"`trigger` must be the number of a channel, but is {shown(trigger)}")
    starts = times[channels == trigger]
    if starts.size < 2:
        raise ValueError(
            f"`times` must have two tags of the trigger {trigger} at least, but have {starts.size}"
        )
    shortest = int((starts[1:] - starts[:-1]).min()) * tick
    if duration is None:
        duration = shortest
    elif checks.positive("duration", duration) > shortest * (1.0 + 1e-12):
        raise ValueError(
            f"`duration` must be at most the shortest time between triggers, {shortest:g}, "
            f"but is {duration:g}"
        )
    if not duration > 0:
        raise ValueError("`times` must have triggers one after the other, but two are at once")
    shots = np.searchsorted(starts, times, side="right") - 1
    within = (shots >= 0) & (shots < starts.size - 1)
    since_start = (times - starts[np.maximum(shots, 0)]) * tick
    # What comes with the next trigger is in its shot only.
    return np.where(within, shots, -1), since_start, starts.size - 1, float(duration)


def _integers(name: str, value: object) -> AnyIntArray:
    array = unmasked(name, value)
    if array.size and array.dtype.kind not in "iu":
        raise TypeError(f"`{name}` must be integers, but are {array.dtype}")
    return array if array.size else array.astype(np.int64)
