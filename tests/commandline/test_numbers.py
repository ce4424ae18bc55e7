"""Numbers and files as people give them on a command line."""

import math

import pytest

from trajbatt.commandline.main import main
from trajbatt.commandline.numbers import number, whole


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e5", 1e5),
        ("pi/2", math.pi / 2),
        ("3*pi/5", 3 * math.pi / 5),
        ("-2**-1", -0.5),
        ("(1 + 2) * 1e-3", 3e-3),
        ("2*T90", 6.0),
        (" 7 ", 7.0),
        ("inf", math.inf),
    ],
)
def test_formulas_of_numbers(text, value):
    assert number(text, T90=3.0) == pytest.approx(value)


@pytest.mark.parametrize(
    "text", ["", "pi/x", "2**9**9**9", "__import__('os')", "1,2", "'a'", "[1]", "1j", "True", "1/0"]
)
def test_what_is_no_number(text):
    with pytest.raises(ValueError, match="is not a number"):
        number(text)


def test_whole_numbers():
    assert whole("1e5") == 100_000
    assert whole("12345678901234567890") == 12345678901234567890
    for text in ("1.5", "inf", "1e400"):
        with pytest.raises(ValueError, match="is not a whole number"):
            whole(text)


def test_commands_take_them(capsys, empty_folder):
    arguments = ["charge", "-N", "1e1", "--ntraj", "4e1", "--theta", "3*pi/5", "--time", "2*T90"]
    assert main([*arguments, "--format", "svg", "--out", "here"]) == 0
    assert b"<svg" in (empty_folder / "here" / "charge.svg").read_bytes()
    assert "Charging 10 atoms" in capsys.readouterr().out
    for wrong, words in (
        (["charge", "--theta", "pi/x"], "'pi/x' is not a number"),
        (["charge", "-N", "1.5"], "'1.5' is not a whole number"),
        (["charge", "--time", "T9"], "`time`: 'T9' is not a number"),
        (["charge", "--format", "jpg"], "`format` must be"),
        (["charge", "--out", "a.pdf"], "--format chooses its kind"),
    ):
        assert main(wrong) == 2
        error = capsys.readouterr().err
        assert words in error
        assert error.count("\n") == 1
    assert main(["charge", "-h"]) == 0
    assert "Battery" in capsys.readouterr().out


@pytest.mark.slow
def test_films(capsys, empty_folder):
    assert main(["charge", "-N", "4", "--ntraj", "40", "--store", "run", "--out", "here"]) == 0
    folder = ["--out", "there"]
    assert main(["show", "run", "--trajectory", "2", "--animate", "one.gif", *folder]) == 0
    assert (empty_folder / "one.gif").read_bytes().startswith(b"GIF")
    assert "film of trajectory 2" in capsys.readouterr().out
    for path, words in (
        ("one.gif", "--force overwrites"),
        ("one.avi", "must end in .gif or .mp4"),
        ("no/one.gif", "must be in a folder"),
    ):
        assert main(["show", "run", "--animate", path, "--out", "else"]) == 2
        assert words in capsys.readouterr().err
