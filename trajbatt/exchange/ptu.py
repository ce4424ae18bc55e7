"""Clicks from PTU files, the time tags of PicoQuant's instruments, by the library ptufile."""

from collections.abc import Sequence

import numpy as np

from trajbatt.base import checks
from trajbatt.base.types import PathLike
from trajbatt.exchange.tags import read_tags
from trajbatt.light.clicks import Clicks


def read_ptu(
    path: PathLike,
    time_unit: float = 1.0,
    trigger: int | None = None,
    names: Sequence[str] | dict[int, str] | None = None,
    duration: float | None = None,
    origin: int | None = None,
) -> Clicks:
    """Return the `Clicks` in a PTU file of T2 mode.

    Parameters
    ----------
    path : str or Path
    time_unit : float
        How many seconds the clicks' unit of time is to be.
    trigger : int, optional
        The channel that begins shots, as in `read_tags`; -1, -2, ... are markers 1, 2, ..., which
        are left out otherwise.
    names, duration, origin : optional
        As in `read_tags`; the duration in the clicks' unit of time.

    Returns
    -------
    Clicks

    Raises
    ------
    ImportError
        Without ptufile, which the extra `ptu` brings.
    OSError
        If the file cannot be read.
    ValueError, TypeError
        If it is no such file, or as in `read_tags`.
    """
    time_unit = checks.positive("time_unit", time_unit)
    try:
        import ptufile
    except ImportError:
        raise ImportError("ptufile is needed for this: pip install ptufile") from None
    with open(path, "rb"):
        pass
    try:
        with ptufile.PtuFile(path) as file:
            if file.is_t3:
                raise ValueError("it is of T3 mode, whose times count from pulses of a laser")
            records, tick = file.decode_records(), float(file.global_resolution)
    except (ptufile.PqFileError, ValueError, KeyError, TypeError, IndexError, OSError) as error:
        raise ValueError(f"{path} must be a PTU file of T2 mode, but: {error}") from None
    # A record is a photon of a channel, or a marker, or neither: an overflow of the clock.
    channel = records["channel"].astype(np.int64)
    marker = records["marker"].astype(np.int64)
    number = np.where(channel >= 0, channel, -marker)
    wanted = (channel >= 0) | (number == trigger if trigger is not None else False)
    wanted &= (channel >= 0) | (marker > 0)
    return read_tags(
        records["time"][wanted], number[wanted], tick / time_unit, trigger, names, duration, origin
    )
