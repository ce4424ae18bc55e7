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


def reporting(progress, ntraj, needed=None):
    """Return a context that gives a function of (done, ntraj, moments), or None.

    Parameters
    ----------
    progress : None, bool or callable
        True for a bar; else a function of (done, ntraj).
    ntraj : int
    needed : callable, optional
        Called with the moments so far; gives about how many trajectories the run will take, or
        None.
    """
    if not progress:
        return nullcontext()
    if callable(progress):
        return nullcontext(lambda done, ntraj, _: progress(done, ntraj))
    return _bar(ntraj, needed)


@contextmanager
def _bar(ntraj, needed):
    columns = (
        TextColumn("trajectories"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("trajectories", total=ntraj, rate="")

        def report(done, ntraj, moments):
            speed = progress.tasks[0].speed
            expected = needed(moments) if needed else None
            progress.update(
                task,
                completed=done,
                total=ntraj if expected is None else min(ntraj, max(done, round(expected))),
                rate=f"{speed:.3g}/s" if speed else "",
            )

        yield report
