"""A progress bar with the rate and the time left, in a terminal and in a notebook."""

from contextlib import contextmanager, nullcontext

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)


def reporting(progress, total, needed=None, what="trajectories"):
    """Return a context that gives a function of (done, total, moments), or None.

    Parameters
    ----------
    progress : None, bool or callable
        True for a bar; else a function of (done, total).
    total : int or None
    needed : callable, optional
        Called with the moments so far; gives about how many trajectories the run will take, or
        None.
    what : str
        What is counted.
    """
    if not progress:
        return nullcontext()
    if callable(progress):
        return nullcontext(lambda done, total, _: progress(done, total))
    return _bar(total, needed, what)


@contextmanager
def _bar(total, needed, what):
    columns = (
        TextColumn(what),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(what, total=total, rate="")

        def report(done, total, moments):
            speed = progress.tasks[0].speed
            expected = needed(moments) if needed else None
            progress.update(
                task,
                completed=done,
                total=total if expected is None else min(total, max(done, round(expected))),
                rate=f"{speed:.3g}/s" if speed else "",
            )

        yield report
