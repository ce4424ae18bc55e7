"""Long silent parts say on a terminal what is being done."""

import io
import sys
import types

from trajbatt.commandline import main
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


def test_objects_that_ctrl_c_left_half_made_say_nothing():
    from llvmlite.binding import ffi

    said = []
    for thing, words in ((ffi.ObjectRef.__del__, 0), (test_a_terminal_is_told, 1)):
        said.clear()
        main._unless_half_made(said.append, types.SimpleNamespace(object=thing))
        assert len(said) == words
