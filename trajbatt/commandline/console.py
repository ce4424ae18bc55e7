"""What the command line shows: tables, numbers with their errors."""

import math

from rich import box
from rich.console import Console
from rich.table import Table

UNKNOWN = "–"


class Screen(Console):
    """A console that leaves it to its command what a reader who has gone means."""

    def on_broken_pipe(self):
        """Raise the `BrokenPipeError` again: Rich would end the process here."""
        raise


def screen(*, to_stderr=False, quiet=False):
    """Return the console of a command, on standard error where standard output is for JSON.

    It is as wide as its tables: a narrow terminal wraps a line, but no digit is lost. Square
    brackets are what they are, as in the names of folders.
    """
    return Screen(
        stderr=to_stderr, quiet=quiet, highlight=False, markup=False, soft_wrap=True, width=500
    )


def formatted(value, sem, exact):
    """Return the three numbers as text, in one format: two digits of the standard error.

    Very large and very small numbers are in units of one power of ten: "9.436(38)e+06" is written
    as "9.436e+06", "0.038e+06".
    """
    if not math.isfinite(value):
        return UNKNOWN, UNKNOWN, _plain(exact)
    known = math.isfinite(sem) and sem > 1e-13 * abs(value)
    size = max(abs(value), abs(exact) if exact is not None and math.isfinite(exact) else 0.0)
    power = math.floor(math.log10(size)) if size > 0 else 0
    power = power if power >= 6 or power < -3 else 0
    unit = 10.0**power
    digits = math.floor(math.log10(sem / unit)) if known else -5
    decimals = min(max(0, 1 - digits), 12)

    def text(number, extra=0):
        if number is None:
            return ""
        if not math.isfinite(number):
            return UNKNOWN
        if number == 0.0 and not known:
            return "0"
        mantissa = f"{number / unit:.{decimals + extra}f}"
        return f"{mantissa}e{power:+03d}" if power else mantissa

    return text(value), text(sem) if known else UNKNOWN, text(exact, 1)


def _plain(number):
    if number is None:
        return ""
    return f"{number:.6g}" if math.isfinite(number) else UNKNOWN


def summary_table(rows, title):
    """Return the table of a summary: ensemble ± standard error, exact value, z."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column(title, no_wrap=True)
    for column in ("ensemble", "±", "exact", "z"):
        table.add_column(column, justify="right", no_wrap=True)
    for row in rows:
        value, sem, exact = formatted(row.ensemble, row.sem, row.exact)
        z = "" if row.z is None else UNKNOWN if math.isnan(row.z) else f"{row.z:+.2f}"
        table.add_row(row.label, value, sem, exact, z)
    return table


def facts_table(facts):
    """Return a table of (label, number) pairs."""
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    for label, number in facts:
        table.add_row(label, f"{number:.9g}" if math.isfinite(number) else UNKNOWN)
    return table


def columns_table(headings, rows):
    """Return a table of rows of numbers."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in headings:
        table.add_column(heading, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(*(f"{number:.4g}" for number in row))
    return table


def plural(n, word):
    """Return "1 atom" or "2 atoms", with the plural of `word`."""
    ending = "" if n == 1 else "ies" if word.endswith("y") else "s"
    return f"{n} {word[:-1] if ending == 'ies' else word}{ending}"
