"""The studies: in quick mode each runs, draws, and decides its verdicts by its numbers."""

import importlib
import json
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[2]))  # last: the package is the one that is installed
from experiments import report, study


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[pytest.mark.slow] * (name != "fig1")) for name in report.STUDIES],
)
def test_a_study_runs(name, tmp_path, monkeypatch):
    if name == "benchmark":
        pytest.importorskip("qutip")
    module = importlib.import_module(f"experiments.{name}")
    outcome = study.run(module, quick=True)
    assert outcome.name == name
    assert outcome.title
    assert not outcome.title.endswith(".")
    assert outcome.verdicts
    assert all(verdict.claim and verdict.finding for verdict in outcome.verdicts)
    assert outcome.numbers
    json.dumps(outcome.numbers, allow_nan=False)
    picture = study.save_picture(outcome, tmp_path)
    assert picture.stat().st_size > 5_000
    report.write([outcome], tmp_path)
    assert f"figures/{name}.png" in (tmp_path / "REPORT.md").read_text()


@pytest.mark.slow
def test_the_same_numbers_come_out_again():
    module = importlib.import_module("experiments.trajectories")
    assert study.run(module, quick=True).numbers == study.run(module, quick=True).numbers
