"""A run whose last bits hang on the kind of processor is computed on one kind."""

import json
import subprocess
import sys

import numpy as np
import pytest

import trajbatt as tb
from trajbatt.ensembles import chunks, processors
from trajbatt.kernels.compile import processor

MODEL = tb.Battery(5, 1.2, 20.0).charge()
TIMES = [0.1, 0.3]


def solve(method, store=None):
    return tb.mcsolve(MODEL, TIMES, 5, seed=1, method=method, store=store)


@pytest.fixture
def elsewhere(monkeypatch):
    """Let this process be one on another kind of processor."""

    def go(module):
        monkeypatch.setattr(module, "processor", lambda: "other-01234567")

    return go


@pytest.mark.parametrize("method", ["banded", "mcwf"])
def test_a_store_of_another_kind_is_read_and_not_gone_on_with(method, tmp_path, elsewhere):
    here = solve(method, tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    elsewhere(processors)
    with pytest.raises(ValueError, match=rf"`store` must .* one kind .* {processor()} did"):
        solve(method, tmp_path)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before
    stored = tb.load(tmp_path)
    np.testing.assert_array_equal(stored.energy, here.energy)
    stored.replay(3)


def test_the_ladder_is_the_same_everywhere(tmp_path, elsewhere):
    here = solve("ladder", tmp_path)
    elsewhere(processors)
    np.testing.assert_array_equal(solve("ladder", tmp_path).energy, here.energy)


def test_workers_of_another_kind(elsewhere):
    elsewhere(chunks)
    with pytest.raises(ValueError, match=r"`workers` must .* but other-01234567 did"):
        solve("banded")
    solve("ladder")


def test_stores_that_do_not_say_the_kind_are_taken(tmp_path):
    here = solve("banded", tmp_path)
    about = json.loads((tmp_path / "run.json").read_text())
    assert about.pop("processor") == processor()
    (tmp_path / "run.json").write_text(json.dumps(about))
    np.testing.assert_array_equal(solve("banded", tmp_path).energy, here.energy)


@pytest.mark.slow
def test_a_generic_kind_for_all_machines():
    def kind(**variables):
        code = "from trajbatt.kernels.compile import processor; print(processor())"
        command = ["env", *(f"{name}={value}" for name, value in variables.items())]
        return subprocess.check_output([*command, sys.executable, "-c", code], text=True).strip()

    assert kind(NUMBA_CPU_NAME="generic").startswith("generic-")
    assert kind(NUMBA_DISABLE_JIT="1") == "python"
    assert kind() == processor()


def test_a_lost_manifest_does_not_hide_the_kind(tmp_path, elsewhere):
    solve("mcwf", tmp_path)
    (tmp_path / "run.json").unlink()
    elsewhere(processors)
    with pytest.raises(ValueError, match="`store` must compute on one kind"):
        solve("mcwf", tmp_path)


def test_an_unknown_kind_stays_unknown(tmp_path):
    solve("mcwf", tmp_path)
    for name in ("run.json", "run.npz"):
        (tmp_path / name).unlink()
    solve("mcwf", tmp_path)
    assert json.loads((tmp_path / "run.json").read_text())["processor"] is None
