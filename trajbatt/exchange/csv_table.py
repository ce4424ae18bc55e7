"""The lines of a text file of clicks, taken apart: strictly, column by column where possible."""

import csv
from dataclasses import dataclass
from operator import methodcaller
from pathlib import Path

import numpy as np

from trajbatt.exchange.structured import COLUMNS
from trajbatt.light.checking import LAST, listed, short


@dataclass(frozen=True)
class Table:
    """The columns of a file.

    Attributes
    ----------
    trajectory : ndarray (n_clicks,), int64
        0 if there is none.
    time : ndarray (n_clicks,), float64
    channel : list of n_clicks str
    lines : list of str
        All lines of the file.
    start : int
        How many there are before the clicks.
    """

    trajectory: np.ndarray
    time: np.ndarray
    channel: list
    lines: list
    start: int

    def line(self, i):
        """Return what a message calls the click of an index."""
        rows = (n for n, line in enumerate(self.lines[self.start :]) if _holds_click(line))
        for _ in range(i):
            next(rows)
        return f"line {next(rows) + self.start + 1}"


def head_and_table(path):
    """Return the names and values in the comments at the head of a file, a dict, and its `Table`.

    Raises
    ------
    ValueError
        With one sentence that names the file or the line.
    OSError
        If the file cannot be read.
    """
    lines = _lines(path)
    start = next((i for i, line in enumerate(lines) if _holds_click(line)), None)
    if start is None:
        raise ValueError(f"{path} must have a line that names its columns, but has none")
    columns = _columns(lines[start], path)
    places = [columns.index(name) if name in columns else None for name in COLUMNS]
    rows = [line for line in lines[start + 1 :] if line and line[0] != "#" and not line.isspace()]
    found = _column_by_column(rows, places, len(columns))
    if found is None:
        found = _row_by_row(lines, start + 1, places, len(columns), path)
    trajectory, time, channel = found
    table = Table(
        np.array(trajectory, dtype=np.int64), np.array(time, dtype=float), channel, lines, start + 1
    )
    return dict(_comments(lines)), table


def head_of(path):
    """Return what stands in the comments at the head of a file, a dict; as `head_and_table`."""
    return dict(_comments(_lines(path)))


def _lines(path):
    try:
        text = Path(path).read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError(f"{path} must be a text file in UTF-8, but is not") from None
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text.split("\n")


def _holds_click(line):
    """Whether a line is neither a comment nor empty, also as a spreadsheet writes these."""
    return bool(line.strip(", \t")) and not line.startswith(("#", '"#'))


def _cells(line):
    """Return the cells of a line; those that are empty at its end are none."""
    cells = next(csv.reader([line], strict=True)) if '"' in line else line.split(",")
    cells = [cell.strip() for cell in cells]
    while cells and not cells[-1]:
        cells.pop()
    return cells


def _comments(lines):
    """Yield the (name, value) pairs in the comments at the head of a file."""
    for line in lines:
        if not line.startswith(("#", '"#')):
            return
        if line[0] == '"':
            try:
                line = ",".join(_cells(line))
            except csv.Error:
                continue
        name, colon, value = line[1:].partition(":")
        if colon:
            yield name.strip(), value.strip().rstrip(",; \t")


def _columns(line, path):
    try:
        columns = _cells(line)
    except csv.Error as error:
        raise ValueError(f"{path} must name its columns, but has {short(line)}: {error}") from None
    for name in COLUMNS[1:]:
        if name not in columns:
            text = ", ".join(columns)
            raise ValueError(
                f"{path} must have the column {name!r}, "
                f"but has {text if len(text) < 80 else listed(columns)}"
            )
    for name in COLUMNS:
        if columns.count(name) > 1:
            raise ValueError(f"{path} must have one column {name!r}, but has several")
    return columns


def _column_by_column(rows, places, width):
    """Return the three columns, or None if a line is not as all should be, or hard to take apart.

    It is how most files are read, five times as fast as row by row; what it takes is what
    `_row_by_row` takes.
    """
    if set(map(methodcaller("count", ","), rows)) - {width - 1}:
        return None
    text = ",".join(rows)
    if '"' in text:
        return None
    cells = text.split(",") if rows else []
    whole, time, channel = (None if place is None else cells[place::width] for place in places)
    try:
        trajectory = [0] * len(rows) if whole is None else list(map(_integer_of(whole), whole))
        times = list(map(_number_of(time), time))
    except ValueError:
        return None
    if max(trajectory, default=0) > LAST:
        return None
    stripped = {word: word.strip() for word in dict.fromkeys(channel)}
    if not all(stripped.values()):
        return None
    return trajectory, times, list(map(stripped.__getitem__, channel))


def _integer_of(words):
    """Return `int`, if it takes no more of some words than digits."""
    return _digits if "_" in "".join(words) else int


def _number_of(words):
    return _number if "_" in "".join(words) else float


def _row_by_row(lines, start, places, width, path):
    trajectory, time, channel = [], [], []
    for number, line in enumerate(lines[start:], start + 1):
        if not _holds_click(line):
            continue
        try:
            row = _cells(line)
            if len(row) > width:
                raise ValueError(
                    f"{path} must have no more cells in a line than the {width} columns that it "
                    f"names, but line {number} is {short(line)}"
                ) from None
            values = (
                0 if places[0] is None else _digits(row[places[0]]),
                _number(row[places[1]]),
                row[places[2]],
            )
        except (_NoNumberError, IndexError, csv.Error):
            raise ValueError(
                f"{path} must hold a number for each time, an integer for each trajectory and a "
                f"channel, but line {number} is {short(line)}"
            ) from None
        if not values[2]:
            raise ValueError(f"{path} must hold a channel in each line, but line {number} has none")
        for column, value in zip((trajectory, time, channel), values, strict=True):
            column.append(value)
    return trajectory, time, channel


class _NoNumberError(ValueError):
    pass


def _number(word):
    try:
        if "_" not in word:
            return float(word)
    except ValueError:
        pass
    raise _NoNumberError


def _digits(word):
    try:
        if "_" not in word and int(word) <= LAST:
            return int(word)
    except ValueError:
        pass
    raise _NoNumberError
