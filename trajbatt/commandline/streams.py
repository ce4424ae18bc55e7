"""Standard output and standard error, which may be closed, or whose reader may have gone."""

import os
import sys


def prepare():
    """Make both streams fit to write to, whatever the process was given.

    A closed one becomes a way to nowhere: else the next file that is opened takes its number, and
    is written into. A terminal without Greek letters gets question marks.
    """
    for name, number in (("stdout", 1), ("stderr", 2)):
        stream = getattr(sys, name)
        if stream is None:
            _close_gap(number)
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 - it stays
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


def is_open(stream):
    """Whether what is written to a stream goes anywhere."""
    return stream is not None and not stream.closed and getattr(stream, "name", "") != os.devnull


def say(words):
    """Print one line on standard error, after the name of the program; never fail.

    What is said there, such as a warning, is no result: a reader who has gone must not end a
    command that has not written its results yet.
    """
    try:
        print("trajbatt: " + " ".join(words.split()), file=sys.stderr, flush=True)
    except (OSError, ValueError):  # the reader has gone, or somebody has closed the stream
        _to_nowhere(sys.stderr)


def leave():
    """Let what is still to be written to either stream go nowhere, after its reader has gone."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            _to_nowhere(stream)


def _to_nowhere(stream):
    """Else the interpreter tries again when it ends, and complains."""
    try:
        number = stream.fileno()
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, number)
        os.close(nowhere)
    except (OSError, ValueError):
        pass  # no stream of the system's


def _close_gap(number):
    try:
        os.fstat(number)
    except OSError:
        nowhere = os.open(os.devnull, os.O_RDWR)
        if nowhere != number:
            os.dup2(nowhere, number)
            os.close(nowhere)
