"""The lines of a text file of clicks, taken apart: strictly, and by PyArrow if there are many."""

import csv
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from trajbatt.base.checks import shown
from trajbatt.exchange.csv_by_arrow import by_arrow
from trajbatt.exchange.structured import COLUMNS
from trajbatt.light.checking import EXACT, LAST, listed

MANY = 500_000  # characters; to read fewer takes less time than to import PyArrow


@dataclass(frozen=True)
class Table:
    """The columns of a file.

    Attributes
    ----------
    trajectory : ndarray (n_clicks,), int64
        0 if there is none.
    time : ndarray (n_clicks,), float64
    words : list of str
        The channels that there are, as they come.
    places : ndarray (n_clicks,), int64
        Which of them each click is of.
    text : str
        The lines of the clicks.
    before : int
        How many lines there are before them.
    columns : list of str
        Their names.
    """

    trajectory: np.ndarray
    time: np.ndarray
    words: list
    places: np.ndarray
    text: str
    before: int
    columns: list

    def integers(self, name, path):
        """Return a column of integers, int64 (n_clicks,), or None if there is none of the name."""
        if name not in self.columns:
            return None
        place = self.columns.index(name)
        lines = (line for line in self.text.split("\n") if _holds_click(line))
        try:
            return np.array([_digits(_cells(line)[place]) for line in lines], dtype=np.int64)
        except (_NoNumberError, IndexError):
            raise ValueError(f"{path} must hold an integer for each {name}") from None

    def first_line(self, word):
        """Return what a message calls the first click of a channel."""
        return self.line(int(np.argmax(self.places == self.words.index(word))))

    def line(self, i):
        """Return what a message calls the click of an index."""
        return f"line {self._row(i)[0]}"

    def check_tags(self, path):
        """Raise `ValueError` if times are integers so large that they were rounded."""
        large = np.flatnonzero(np.isfinite(self.time) & (self.time >= EXACT))
        if large.size:
            number, line = self._row(large[0])
            if any(cell.isdecimal() and int(cell) > EXACT for cell in _cells(line)):
                raise ValueError(
                    f"{path} must have times that floats can tell apart, but line {number} is "
                    f"{shown(line)}: trajbatt.exchange.read_tags takes integers, with an origin"
                )

    def _row(self, i):
        """Return the number and the text of the line of a click."""
        lines = enumerate(self.text.split("\n"), self.before + 1)
        rows = (numbered for numbered in lines if _holds_click(numbered[1]))
        return next(islice(rows, int(i), None))


def head_and_table(path):
    """Return the names and values in the comments at the head of a file, a dict, and its `Table`.

    Raises
    ------
    ValueError
        With one sentence that names the file or the line.
    OSError
        If the file cannot be read.
    """
    text, head, line = _opened(path)
    if line is None:
        raise ValueError(f"{path} must have a line that names its columns, but has none")
    columns = _columns(line, path)
    places = [columns.index(name) if name in columns else None for name in COLUMNS]
    found = by_arrow(text, places, len(columns)) if len(text) > MANY else None
    if found is None:
        trajectory, time, channel = _row_by_row(text, len(head), places, len(columns), path)
        words = {word: i for i, word in enumerate(dict.fromkeys(channel))}
        found = (
            np.array(trajectory, dtype=np.int64),
            np.array(time, dtype=float),
            list(words),
            np.fromiter(map(words.__getitem__, channel), np.int64, len(channel)),
        )
    return dict(_comments(head)), Table(*found, text, len(head), columns)


def head_of(path):
    """Return what stands in the comments at the head of a file, a dict; as `head_and_table`."""
    return dict(_comments(_opened(path)[1]))


def _opened(path):
    """Return the text of the clicks, the lines before it, and the last of these, which names them.

    That is None if there is none.
    """
    try:
        text = Path(path).read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError(f"{path} must be a text file in UTF-8, but is not") from None
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    head, begin = [], 0
    while begin < len(text):
        end = text.find("\n", begin)
        end = len(text) if end < 0 else end
        head.append(text[begin:end])
        begin = end + 1
        if _holds_click(head[-1]):
            return text[begin:], head, head[-1]
    return "", head, None


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
        raise ValueError(f"{path} must name its columns, but has {shown(line)}: {error}") from None
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


def _row_by_row(text, before, places, width, path):
    trajectory, time, channel = [], [], []
    for number, line in enumerate(text.split("\n"), before + 1):
        if not _holds_click(line):
            continue
        try:
            row = _cells(line)
            if len(row) > width:
                raise ValueError(
                    f"{path} must have no more cells in a line than the {width} columns that it "
                    f"names, but line {number} is {shown(line)}"
                ) from None
            values = (
                0 if places[0] is None else _digits(row[places[0]]),
                _number(row[places[1]]),
                row[places[2]],
            )
        except (_NoNumberError, IndexError, csv.Error):
            raise ValueError(
                f"{path} must hold a number for each time, an integer for each trajectory and a "
                f"channel, but line {number} is {shown(line)}"
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
