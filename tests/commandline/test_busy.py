"""Long silent parts say on a terminal what is being done."""

import io
import sys

from trajbatt.commandline.outputs import busy


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_terminal_is_told(monkeypatch):
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("TERM", "xterm")
    with busy("solving the master equation of 7 atoms", quiet=False):
        pass
    assert "master equation of 7 atoms" in screen.getvalue()


def test_nobody_else_is(monkeypatch):
    for screen, quiet in ((Terminal(), True), (io.StringIO(), False)):
        monkeypatch.setattr(sys, "stderr", screen)
        with busy("solving", quiet=quiet):
            pass
        assert screen.getvalue() == ""
