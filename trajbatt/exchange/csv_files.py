"""Clicks as text files."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from trajbatt.base import files
from trajbatt.base.checks import shown
from trajbatt.base.types import PathLike
from trajbatt.base.version import __version__
from trajbatt.exchange.csv_table import head_and_table
from trajbatt.exchange.numbering import is_numbered, named
from trajbatt.exchange.structured import COLUMNS, SPIN
from trajbatt.light.checking import channel_names
from trajbatt.light.clicks import Clicks
from trajbatt.light.input import assembled, channel_places, check_clicks

OWN = ("channels", "ntraj", "duration")  # lines of the head that are read


def write_csv(clicks: Clicks, path: PathLike, about: dict[str, Any] | None = None) -> None:
    """Write clicks as a text file: a head of comments, and a line for each click.

    The head has the channels, the number of trajectories and the duration; then come the columns
    trajectory, time and channel, the name, and spin, 2J, if the clicks know it. Times come back bit
    for bit.

    Parameters
    ----------
    clicks : Clicks
    path : str or Path
    about : dict of str to object, optional
        What else is to be in the head, a line each, such as `about_model(model)`; `read_about`
        reads it.

    Returns
    -------
    None

    Raises
    ------
    ValueError, TypeError
        If there is a name that a line cannot keep.
    """
    check_clicks(clicks)
    for name in clicks.channels:
        if name != name.strip() or not name.isprintable() or "," in name or not name:
            raise ValueError(
                "`clicks` must be of channels with plain names for a text file, but one is "
                f"{shown(name)}"
            )
    text = io.StringIO()
    text.write(f"# trajbatt {__version__} clicks\n# channels: {', '.join(clicks.channels)}\n")
    text.write(f"# ntraj: {clicks.ntraj}\n# duration: {clicks.duration!r}\n")
    for name, value in (about or {}).items():
        line = f"{name}: {value}"
        if name in OWN or not line.isprintable() or ":" in name:
            raise ValueError(f"`about` must have plain lines of other names, but has {shown(line)}")
        text.write(f"# {line}\n")
    writer = csv.writer(text, lineterminator="\n")
    knows_spin = clicks.spin is not None
    writer.writerow((*COLUMNS, SPIN) if knows_spin else COLUMNS)
    names = [clicks.channels[i] for i in clicks.channel.tolist()]
    trajectory = (clicks.trajectory - clicks.first).tolist()
    columns = [trajectory, map(repr, clicks.time.tolist()), names]
    if clicks.spin is not None:
        columns.append(clicks.spin.tolist())
    writer.writerows(zip(*columns, strict=True))
    files.write(Path(path), text.getvalue().encode())


def read_csv(
    path: PathLike,
    channels: Sequence[str] | dict[int, str] | None = None,
    ntraj: int | None = None,
    duration: float | None = None,
) -> Clicks:
    """Return the `Clicks` in a text file.

    The first line that is no comment names the columns: `time` and `channel`, and perhaps
    `trajectory` and `spin`, 2J, which hold integers; others are left out. Cells are separated by
    commas; empty ones at the end of a line, as spreadsheets write them, are none. The head of
    `write_csv` is used if it is there; arguments go before it.

    Parameters
    ----------
    path : str or Path
    channels : sequence of str or dict of int to str, optional
        The names that there are. Where the file has numbers for channels, names with their numbers,
        {1: "red", 2: "blue"}; names alone are those of 0, 1, 2, ... and need a channel 0.
    ntraj, duration : optional
        As in `from_structured`.

    Returns
    -------
    Clicks

    Raises
    ------
    ValueError, TypeError
        With one sentence that names the file or the line.
    OSError
        If the file cannot be read.
    """
    head, table = head_and_table(path)
    table.check_tags(path)
    if channels is None and "channels" in head:
        names = (name.strip() for name in head["channels"].split(","))
        channels = tuple(name for name in names if name)
    try:
        if ntraj is None and "ntraj" in head:
            ntraj = int(head["ntraj"])
        if duration is None and "duration" in head:
            duration = float(head["duration"])
    except ValueError:
        raise ValueError(
            f"{path} must have numbers for ntraj and duration in its head, "
            f"but has {shown(head.get('ntraj'))} and {shown(head.get('duration'))}"
        ) from None
    words, channels = _meant(table, channels, path)
    places, channels = channel_places(
        np.array(words, dtype=str), channels, lambda i: table.first_line(table.words[i])
    )
    channel = places[table.places] if words else table.places
    return assembled(
        table.trajectory,
        table.time,
        channel,
        channels,
        ntraj,
        duration,
        table.line,
        table.integers(SPIN, path),
    )


def _meant(table, channels, path):
    """Return the names of the channels that there are, some of which may be numbers, and of all."""
    found = table.words
    if is_numbered(channels):
        for word in found:
            if not _is_number(word):
                raise ValueError(
                    f"{path} must have numbers of channels where `channels` gives them names, "
                    f"but {table.first_line(word)} is of {shown(word)}"
                )
    elif channels is None:
        return found, None
    else:
        channels = channel_names(channels)
        if not found or not all(_is_number(word) and word not in channels for word in found):
            return found, channels
        for word in found:
            if int(word) >= len(channels) and any(int(one) == 0 for one in found):
                raise ValueError(
                    f"`channels` must name every channel of {path}, "
                    f"but {table.first_line(word)} is of {int(word)}"
                )
    names, channels = named(map(int, found), channels, path)
    return [names[int(word)] for word in found], channels


def _is_number(word):
    return word.isascii() and word.isdecimal() and len(word) < 20
