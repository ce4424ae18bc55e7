"""What the README says is what happens."""

import contextlib
import io
import re
import shlex
import subprocess
import sys
import tomllib
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

import trajbatt as tb
from trajbatt.commandline.main import main

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", README, flags=re.DOTALL)
FEW = {name: ["--ntraj", "50"] for name in ("charge", "discharge", "cycle")}  # not to take long
COMMANDS = {"Charging": "charge"}  # by the first word that they print


def stripped(text):
    return [line.rstrip() for line in text.strip().splitlines()]


CLUSTER = (ROOT / "docs" / "howto" / "cluster.md").read_text()
CLUSTER_BLOCKS = re.findall(r"```(\w+)\n(.*?)```", CLUSTER, flags=re.DOTALL)
SCRIPTS = {
    code.split()[1]: code
    for language, code in CLUSTER_BLOCKS
    if language == "python" and code[0] == "#"
}


@pytest.mark.slow
def test_python_examples_print_what_they_say(empty_folder):
    names = {}
    checked = 0
    for (language, code), (_, promised) in pairwise(BLOCKS):
        if language == "python":
            shown = io.StringIO()
            with contextlib.redirect_stdout(shown):
                exec(compile(code, "README", "exec"), names)
            assert stripped(shown.getvalue()) == stripped(promised)
            checked += 1
    assert checked == 1


@pytest.mark.slow
def test_cluster_examples_run(tmp_path):
    assert set(SCRIPTS) == {"with_dask.py", "with_mpi.py"}
    for name, code in SCRIPTS.items():
        (tmp_path / name).write_text(code)
    slurm = next(code for _, code in CLUSTER_BLOCKS if "#SBATCH" in code).splitlines()[-1]
    mpi = slurm.replace("$SLURM_NTASKS", "3").split()
    beside = Path(sys.executable).parent
    commands = {
        "dask-run": [sys.executable, "with_dask.py"],
        "mpi-run": [str(beside / mpi[0]), *mpi[1:3], sys.executable, *mpi[4:]],
    }
    battery = tb.Battery(100, 1.87, 1000.0, gamma_plus=10.0)
    times = np.linspace(0, battery.charging_time, 101)
    here = tb.mcsolve(battery.charge(), times, 4096, seed=1)
    for store, command in commands.items():
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
        assert stripped(done.stdout) == stripped(repr(here))
        assert tb.load(tmp_path / store).moments.comoment.tobytes() == (
            here.moments.comoment.tobytes()
        )


@pytest.mark.slow
def test_commands_print_what_they_say(capsys, empty_folder):
    checked = set()
    for (before, _), (language, promised) in pairwise(BLOCKS):
        if language == "text" and before != "python":
            command = COMMANDS[promised.split()[0]]
            assert main([command]) == 0
            shown = stripped(capsys.readouterr().out)
            assert shown[: len(stripped(promised))] == stripped(promised)
            checked.add(command)
    assert checked == set(COMMANDS.values())


@pytest.mark.slow
def test_commands_run(capsys, empty_folder):
    assert main(["charge", "--store", "RUN", "--ntraj", "100"]) == 0
    assert main(["export", "RUN", "clicks.csv"]) == 0
    words = dict.fromkeys(re.findall(r"`(trajbatt [^`]*)`", README))
    assert len(words) > 10
    for command in words:
        few = [] if "RUN" in command else FEW.get(shlex.split(command)[1], [])
        assert main([*shlex.split(command)[1:], *few]) == 0, command


def test_it_is_short_and_its_links_lead_somewhere():
    assert README.count("\n") < 200
    for link in re.findall(r"\]\(([^)]+)\)", README):
        assert link.startswith("https://") or (ROOT / link).exists(), link


def test_extras_exist():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for name in re.findall(r"pip install '\.\[(\w+)\]'", README):
        assert name in extras["optional-dependencies"]


@pytest.mark.parametrize(
    "name",
    [
        "LICENSE",
        "CHANGELOG.md",
        "CITATION.cff",
        ".gitignore",
        ".ci/run",
        ".github/workflows/ci.yml",
    ],
)
def test_files_exist(name):
    assert (ROOT / name).exists()
