"""What the README says is what happens."""

import contextlib
import io
import re
import shlex
import tomllib
from itertools import pairwise
from pathlib import Path

import pytest

from trajbatt.cli import main

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


BLOCKS = re.findall(r"```(\w+)\n(.*?)```", README, flags=re.DOTALL)
COMMANDS = {"Charging": "charge", "100": "cycle"}  # by the first word that they print


def stripped(text):
    return [line.rstrip() for line in text.strip().splitlines()]


def test_python_examples_print_what_they_say():
    names = {}
    checked = 0
    for (language, code), (_, promised) in pairwise(BLOCKS):
        if language == "python":
            shown = io.StringIO()
            with contextlib.redirect_stdout(shown):
                exec(compile(code, "README", "exec"), names)
            assert stripped(shown.getvalue()) == stripped(promised)
            checked += 1
    assert checked == 2


def test_commands_print_what_they_say(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    checked = set()
    for (before, _), (language, promised) in pairwise(BLOCKS):
        if language == "text" and before != "python":
            command = COMMANDS[promised.split()[0]]
            assert main([command]) == 0
            shown = stripped(capsys.readouterr().out)
            assert shown[: len(stripped(promised))] == stripped(promised)
            checked.add(command)
    assert checked == set(COMMANDS.values())


def test_commands_exist(capsys):
    words = re.findall(r"`(trajbatt [^`]*)`", README)
    assert words
    for command in words:
        assert main(shlex.split(command)[1:]) == 0


def test_extras_exist():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for name in re.findall(r"pip install '\.\[(\w+)\]'", README):
        assert name in extras["optional-dependencies"]


@pytest.mark.parametrize("name", ["LICENSE", "CHANGELOG.md", ".gitignore", ".ci/run"])
def test_files_exist(name):
    assert (ROOT / name).exists()
