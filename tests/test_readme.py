"""What the README says is what happens."""

import contextlib
import io
import re
import shlex
import tomllib
from pathlib import Path

import pytest

from trajbatt.cli import main

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


def stripped(text):
    return [line.rstrip() for line in text.strip().splitlines()]


def test_python_example_prints_what_it_says():
    (code,) = blocks("python")
    shown = io.StringIO()
    with contextlib.redirect_stdout(shown):
        exec(compile(code, "README", "exec"), {})
    assert stripped(shown.getvalue()) == stripped(blocks("text")[1])


def test_charge_prints_what_it_says(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["charge"]) == 0
    shown = stripped(capsys.readouterr().out)
    promised = stripped(blocks("text")[0])
    assert shown[: len(promised)] == promised


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
