"""A progress bar with the rate and the time left, in a terminal and in a notebook."""

import math
import time
from contextlib import contextmanager, nullcontext

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)

PAUSE = 0.2  # seconds between two looks of a bar in a notebook


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
    console = Console(stderr=True)
    if console.is_jupyter:
        return nullcontext(NotebookBar(needed, what))
    return _bar(console, total, needed, what)


def _total_of(total, needed, done, moments):
    """Return how many trajectories the run will take, as far as it is known by now."""
    expected = needed(moments) if needed else None
    return total if expected is None else min(total, max(done, round(expected)))


class NotebookBar:
    """A bar in a notebook, by what every notebook has: a display that is written anew.

    Parameters
    ----------
    needed, what
        As in `reporting`.
    """

    def __init__(self, needed, what):
        self._needed, self._what = needed, what
        self._began, self._shown, self._handle = time.monotonic(), -math.inf, None

    def __call__(self, done, total, moments):
        """Show how far the run is, at most every `PAUSE` seconds and in the end."""
        now = time.monotonic()
        total = _total_of(total, self._needed, done, moments)
        if now - self._shown < PAUSE and done < total:
            return
        self._shown, rate = now, done / max(now - self._began, 1e-9)
        left = f", {(total - done) / rate:.0f} s left" if 0 < done < total else ""
        self._show(
            f"<progress value='{done}' max='{total}'></progress> "
            f"{done:,} of {total:,} {self._what}, {rate:.3g}/s{left}"
        )

    def _show(self, text):
        from IPython.display import HTML, display

        if self._handle is None:
            self._handle = display(HTML(text), display_id=True)
        else:
            self._handle.update(HTML(text))


@contextmanager
def _bar(console, total, needed, what):
    columns = (
        TextColumn(what),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as progress:
        task = progress.add_task(what, total=total, rate="")

        def report(done, total, moments):
            speed = progress.tasks[0].speed
            progress.update(
                task,
                completed=done,
                total=_total_of(total, needed, done, moments),
                rate=f"{speed:.3g}/s" if speed else "",
            )

        yield report
