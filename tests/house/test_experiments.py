"""The studies: in quick mode each runs, draws, and decides its verdicts by its numbers."""

import importlib
import json
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[2]))  # last: the package is the one that is installed
from experiments import fig1, report, study


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


def test_numbers_stand_beside_those_of_the_report(tmp_path):
    file = tmp_path / "numbers.json"
    study.main(fig1, ["--quick", "--folder", str(tmp_path), "--json", str(file)])
    found = json.loads(file.read_text())
    assert found
    assert all(set(one) <= {"now", "report", "goal"} for one in found.values())
    assert any("report" in one for one in found.values())


def test_every_ratio_has_its_goal():
    pytest.importorskip("qutip")
    from experiments import benchmark

    stored = json.loads((Path(study.__file__).parent / "report.json").read_text())["studies"]
    assert set(benchmark.GOALS) <= set(stored["benchmark"])
