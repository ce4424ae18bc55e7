"""Homodyne currents as text files: a line for each bin of time."""

import csv
import io
from pathlib import Path

import numpy as np

from trajbatt.base import files
from trajbatt.base.checks import shown
from trajbatt.base.types import PathLike
from trajbatt.base.version import __version__
from trajbatt.light.currents import HomodyneRecord

BIN = ("begin", "end")


def write_current_csv(record: HomodyneRecord, path: PathLike) -> None:
    """Write homodyne currents as a text file.

    The columns are begin and end of each bin, and current_0, current_1, ... Numbers come back bit
    for bit.

    Parameters
    ----------
    record : HomodyneRecord, or a trajectory that has a current
    path : str or Path

    Returns
    -------
    None

    Raises
    ------
    TypeError
        If it is neither.
    """
    record = HomodyneRecord.of(record)
    text = io.StringIO()
    text.write(f"# trajbatt {__version__} homodyne currents\n")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow((*BIN, *(f"current_{i}" for i in range(len(record.current)))))
    columns = record.edges[:-1], record.edges[1:], *record.current
    writer.writerows(zip(*(map(repr, column.tolist()) for column in columns), strict=True))
    files.write(Path(path), text.getvalue().encode())


def read_current_csv(path: PathLike) -> HomodyneRecord:
    """Return the `HomodyneRecord` in a text file.

    The first line that is no comment names the columns: `begin` and `end` of each bin, in the order
    of time and without gaps, and then the currents of the model's channels.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    HomodyneRecord

    Raises
    ------
    ValueError
        With one sentence that names the file or the line.
    OSError
        If the file cannot be read.
    """
    lines = Path(path).read_text(encoding="utf-8-sig").splitlines()
    numbered = [(i, line) for i, line in enumerate(lines, 1) if line.strip() and line[0] != "#"]
    if not numbered:
        raise ValueError(f"{path} must have a line that names its columns, but has none")
    names = [name.strip() for name in numbered[0][1].split(",")]
    if tuple(names[:2]) != BIN or len(names) < 3:
        raise ValueError(
            f"{path} must have the columns begin, end and currents, but has {', '.join(names)}"
        )
    rows: list[list[float]] = []
    for i, line in numbered[1:]:
        try:
            row = [float(cell) for cell in line.split(",")]
        except ValueError:
            row = []
        if len(row) != len(names) or not np.all(np.isfinite(row)):
            raise ValueError(
                f"{path} must have {len(names)} numbers in each line, but line {i} is {shown(line)}"
            )
        if row[0] != (rows[-1][1] if rows else 0.0):
            raise ValueError(
                f"{path} must have bins from 0 on without gaps, but line {i} begins at {row[0]:g}"
            )
        rows.append(row)
    if not rows:
        raise ValueError(f"{path} must hold at least one bin, but holds none")
    table = np.array(rows)
    return HomodyneRecord(np.append(table[:1, 0], table[:, 1]), table[:, 2:].T)
