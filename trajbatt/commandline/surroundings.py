"""What a command must not suffer from: other programs' settings, warnings with source."""

import logging
import os
import warnings
from contextlib import contextmanager

from trajbatt.commandline import streams


@contextmanager
def surroundings():
    """Keep the environment away from a command, and say warnings in one line each.

    MPLBACKEND of a notebook names a module that need not be there, and matplotlib refuses to be
    imported. Pictures are drawn by Agg in any case.
    """
    backend = os.environ.get("MPLBACKEND")
    os.environ["MPLBACKEND"] = "agg"
    chatter = logging.getLogger("matplotlib")
    level = chatter.level
    chatter.setLevel(logging.ERROR)  # such as of a cache that it cannot write
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _say
            yield
    finally:
        chatter.setLevel(level)
        if backend is None:
            del os.environ["MPLBACKEND"]
        else:
            os.environ["MPLBACKEND"] = backend


def _say(message, category, filename, lineno, file=None, line=None):
    """Show a warning without the line of source that gave it."""
    streams.say(f"warning: {message}")
