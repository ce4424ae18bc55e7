"""Clicks as text files."""

import csv
import io
from pathlib import Path

import numpy as np

from trajbatt.base import files
from trajbatt.base.version import __version__
from trajbatt.exchange.structured import COLUMNS
from trajbatt.light.input import assembled, check_clicks


def write_csv(clicks, path):
    """Write clicks as a text file: a head of comments, and a line for each click.

    The head has the channels, the number of trajectories and the duration; then come the columns
    trajectory, time and channel, the name. Times come back bit for bit.
    """
    check_clicks(clicks)
    for name in clicks.channels:
        if name != name.strip() or not name.isprintable() or "," in name or not name:
            raise ValueError(
                "`clicks` must be of channels with plain names for a text file, but one is "
                f"{name!r}"
            )
    text = io.StringIO()
    text.write(f"# trajbatt {__version__} clicks\n# channels: {', '.join(clicks.channels)}\n")
    text.write(f"# ntraj: {clicks.ntraj}\n# duration: {clicks.duration!r}\n")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    names = [clicks.channels[i] for i in clicks.channel.tolist()]
    trajectory = (clicks.trajectory - clicks.first).tolist()
    writer.writerows(zip(trajectory, map(repr, clicks.time.tolist()), names, strict=True))
    files.write(Path(path), text.getvalue().encode())


def read_csv(path, channels=None, ntraj=None, duration=None):
    """Return the `Clicks` in a text file.

    The first line that is no comment names the columns: `time` and `channel`, and perhaps
    `trajectory`; others are left out. Channels are names, or indices into `channels`. The head of
    `write_csv` is used if it is there; arguments are as in `from_structured` and go before it.

    Raises
    ------
    ValueError
        With one sentence that names the line.
    OSError
        If the file cannot be read.
    """
    try:
        lines = Path(path).read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise ValueError(f"{path} must be a text file, but is not") from None
    about = dict(_comments(lines))
    rows = [(i, line) for i, line in enumerate(lines, 1) if line.strip() and line[0] != "#"]
    if not rows:
        raise ValueError(f"{path} must have a line that names its columns, but has none")
    columns = [name.strip() for name in next(csv.reader([rows[0][1]]))]
    for name in COLUMNS[1:]:
        if name not in columns:
            raise ValueError(f"{path} must have the column {name!r}, but has {', '.join(columns)}")
    places = [columns.index(name) if name in columns else None for name in COLUMNS]
    trajectory, time, channel, numbers = [], [], [], [number for number, _ in rows[1:]]
    for number, line in rows[1:]:
        (row,) = csv.reader([line])
        try:
            trajectory.append(0.0 if places[0] is None else float(row[places[0]]))
            time.append(float(row[places[1]]))
            channel.append(row[places[2]].strip())
        except (ValueError, IndexError, csv.Error):
            raise ValueError(
                f"{path} must hold a number for each time, but line {number} is {line!r}"
            ) from None
    if channels is None and "channels" in about:
        channels = tuple(name.strip() for name in about["channels"].split(",") if name.strip())
    try:
        if ntraj is None and "ntraj" in about:
            ntraj = int(about["ntraj"])
        if duration is None and "duration" in about:
            duration = float(about["duration"])
    except ValueError:
        raise ValueError(
            f"{path} must have numbers for ntraj and duration in its head, "
            f"but has {about.get('ntraj')!r} and {about.get('duration')!r}"
        ) from None
    if channels is not None and all(one.isdecimal() and one not in channels for one in channel):
        channel = np.array(channel, dtype=np.int64)
    return assembled(
        trajectory,
        np.array(time, dtype=float),
        channel,
        channels,
        ntraj,
        duration,
        lambda i: f"line {numbers[i]}",
    )


def _comments(lines):
    """Yield the (name, value) pairs in the comments at the head of a file."""
    for line in lines:
        if not line.startswith("#"):
            return
        name, colon, value = line[1:].partition(":")
        if colon:
            yield name.strip(), value.strip()
