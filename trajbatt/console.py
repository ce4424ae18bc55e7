"""What the command line shows: tables, a progress bar, numbers with their errors."""

import math
from contextlib import contextmanager

from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table


def console(*, to_stderr=False, quiet=False):
    """Return the console of a command; on standard error where standard output is for JSON."""
    return Console(stderr=to_stderr, quiet=quiet, highlight=False, soft_wrap=True)


@contextmanager
def progress_bar(total, quiet=False):
    """Show a progress bar on standard error; gives a function of (done, total)."""
    columns = (
        TextColumn("trajectories"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), disable=quiet) as progress:
        task = progress.add_task("trajectories", total=total)
        yield lambda done, _: progress.update(task, completed=done)


def with_error(value, sem):
    """Return value and standard error with two digits of the latter: ("0.69787", "0.00038")."""
    if not math.isfinite(value):
        return "–", "–"
    if not (math.isfinite(sem) and sem > 0):
        return f"{value:.6g}", "–" if math.isnan(sem) else "0"
    decimals = max(0, 1 - math.floor(math.log10(sem)))
    if decimals > 12:
        return f"{value:.6g}", f"{sem:.2g}"
    return f"{value:.{decimals}f}", f"{sem:.{decimals}f}"


def summary_table(rows):
    """Return the table of a summary: ensemble ± standard error, exact value, z."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("at the end", no_wrap=True)
    for column in ("ensemble", "±", "exact", "z"):
        table.add_column(column, justify="right", no_wrap=True)
    for row in rows:
        value, sem = with_error(row.ensemble, row.sem)
        exact = "" if row.exact is None else "–"
        if row.exact is not None and math.isfinite(row.exact):
            decimals = len(value.partition(".")[2])
            exact = f"{row.exact:.{decimals + 1}f}" if decimals else f"{row.exact:.6g}"
        z = "" if row.z is None else "–" if math.isnan(row.z) else f"{row.z:+.2f}"
        table.add_row(row.label, value, sem, exact, z)
    return table


def facts_table(facts):
    """Return a table of (label, text) pairs."""
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    for label, text in facts:
        table.add_row(label, text)
    return table
