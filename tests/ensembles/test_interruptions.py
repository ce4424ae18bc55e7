"""Runs that are killed or interrupted, and disks that are full."""

import os
import random
import signal
import subprocess
import sys
import time

import pytest
from oracle.runs import CHUNK, everything, files_of, solve

import trajbatt as tb
from trajbatt.numerics.moments import Moments

DRIVER = """
import sys, numpy as np, trajbatt as tb
model = tb.Battery(200, 1.87, 2000.0, gamma_plus=10.0).charge()
print("ready", flush=True)
tb.mcsolve(model, np.linspace(0, 0.02, 5), int(sys.argv[2]), seed=7, keep_clicks=True,
           store=sys.argv[1])
"""


@pytest.mark.slow
def test_a_killed_driver_loses_no_finished_chunk(tmp_path):
    ntraj = 160 * CHUNK + 11
    reference = everything(solve(ntraj))
    rng = random.Random(1)
    kills, finished = 0, set()
    while kills < 20:
        driver = subprocess.Popen(
            [sys.executable, "-c", DRIVER, str(tmp_path), str(ntraj)], stdout=subprocess.PIPE
        )
        driver.stdout.readline()
        time.sleep(rng.uniform(0.0, 0.25))
        driver.send_signal(signal.SIGKILL)
        ended = driver.wait()
        driver.stdout.close()
        assert ended in (0, -signal.SIGKILL)
        kills += ended != 0
        now = {path.name for path in tmp_path.glob("chunk*")}
        assert finished <= now  # what was finished stays
        finished = now
        if ended == 0:
            # It came to its end before the signal: go on with an empty folder.
            for path in tmp_path.iterdir():
                path.unlink()
            finished = set()
    assert everything(solve(ntraj, store=tmp_path)) == reference
    assert everything(tb.load(tmp_path)) == reference


def test_read_only_folder_and_full_disk(tmp_path, monkeypatch):
    solve(2 * CHUNK, store=tmp_path)
    before = files_of(tmp_path)
    original = os.replace

    def full(source, target):
        if "chunk-000003" in str(target):
            raise OSError(28, "No space left on device", str(target))
        original(source, target)

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(OSError, match="No space left on device"):
        solve(store=tmp_path, threads=1)
    monkeypatch.undo()
    names = {path.name for path in tmp_path.glob("chunk*")}
    assert names == {f"chunk-{i:06d}-{CHUNK}.npz" for i in range(3)}
    assert before.items() <= files_of(tmp_path).items()
    assert everything(solve(store=tmp_path)) == everything(solve())


def test_killed_before_the_manifest_was_written(tmp_path, at_once):
    solve(30, store=tmp_path)
    for path in tmp_path.iterdir():
        if path.name not in ("run.npz", "lock"):
            path.unlink()
    (tmp_path / "run.npz").write_bytes(b"half")
    (tmp_path / ".run.npz.abc").write_bytes(b"half")
    assert everything(solve(store=tmp_path)) == at_once
    assert not (tmp_path / ".run.npz.abc").exists()
    (tmp_path / "run.npz").unlink()
    with pytest.raises(ValueError, match=r"run\.npz is damaged; the same call"):
        tb.load(tmp_path)
    solve(store=tmp_path)
    assert everything(tb.load(tmp_path)) == at_once


def test_ctrl_c_while_a_tally_is_added(monkeypatch):
    original = Moments.__add__
    calls = []

    def interrupted(self, other):
        calls.append(0)
        if len(calls) == 4:  # the checkpoints of the third chunk
            raise KeyboardInterrupt
        return original(self, other)

    monkeypatch.setattr(Moments, "__add__", interrupted)
    with pytest.warns(RuntimeWarning, match="interrupted"):
        runs = solve(threads=1)
    monkeypatch.undo()
    assert everything(runs) == everything(solve(2 * CHUNK))


def test_ctrl_c_while_the_coherent_energy_is_computed(tmp_path, monkeypatch):
    battery = tb.Battery(100, 1.87, 1000.0, gamma_plus=10.0)
    model, times = battery.discharge(), [0.02]
    runs = tb.mcsolve(model, times, 2000, seed=1, store=tmp_path)

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("trajbatt.ensembles.tally.Total.add", interrupted)
    with pytest.raises(KeyboardInterrupt):
        _ = runs.coherent_energy
    monkeypatch.undo()
    expected = tb.mcsolve(model, times, 2000, seed=1).coherent_energy
    assert tb.load(tmp_path).coherent_energy == expected
