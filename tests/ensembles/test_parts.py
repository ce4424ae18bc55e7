"""Array jobs: parts of a run, each for itself, are together what one process gives."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import trajbatt as tb
from trajbatt.ensembles import locks, parts, plan
from trajbatt.ensembles.store import CHUNK_FILE

BATTERY = tb.Battery(300, 1.87, 3000.0, gamma_plus=10.0)  # 128 trajectories are a chunk
MODEL, TIMES = BATTERY.charge(), np.linspace(0.0, 0.01, 5)
WHAT = {"seed": 3, "keep_clicks": True, "keep_samples": ("energy",)}
NTRAJ = 700  # 6 chunks, the last one smaller


def run(store, part=None, ntraj=NTRAJ, **others):
    return tb.mcsolve(MODEL, TIMES, ntraj, store=store, part=part, **{**WHAT, **others})


def same(one, other):
    for name in ("energy", "energy_sem", "energy_variance", "counts", "counts_sem", "dipole"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    np.testing.assert_array_equal(one.samples["energy"], other.samples["energy"])
    np.testing.assert_array_equal(one.clicks.time, other.clicks.time)
    np.testing.assert_array_equal(one.clicks.trajectory, other.clicks.trajectory)
    for i in (0, 130, one.ntraj - 1):
        np.testing.assert_array_equal(one.replay(i).energy, other.replay(i).energy)


@pytest.mark.parametrize("n", [1, 4, 6])
def test_parts_are_together_what_one_process_gives(n, tmp_path):
    alone = tb.mcsolve(MODEL, TIMES, NTRAJ, **WHAT)
    sizes = [run(tmp_path / "run", (i + 1, n)).ntraj for i in range(n)]
    assert sum(sizes) == NTRAJ
    merged = tb.merge(tmp_path / "run")
    assert merged.ntraj == NTRAJ
    same(merged, alone)
    # It is an ordinary store now, and goes on like one.
    names = {one.name for one in (tmp_path / "run").iterdir() if not CHUNK_FILE.match(one.name)}
    assert names == {"run.json", "run.npz", "lock"}
    same(run(tmp_path / "run", ntraj=800), tb.mcsolve(MODEL, TIMES, 800, **WHAT))


def test_a_part_is_a_run_of_its_own(tmp_path):
    alone = tb.mcsolve(MODEL, TIMES, NTRAJ, **WHAT)
    second = run(tmp_path / "run", (2, 4))  # chunks 1 and 5
    own = np.r_[128:256, 640:700]
    np.testing.assert_array_equal(second.samples["energy"], alone.samples["energy"][own])
    np.testing.assert_array_equal(second.replay(130).energy, alone.replay(642).energy)
    assert second.energy_sem[-1] > alone.energy_sem[-1]
    # It resumes: nothing is computed again.
    again = run(tmp_path / "run", (2, 4), executor=_Never())
    np.testing.assert_array_equal(again.energy, second.energy)


class _Never:
    """An executor that nothing may be given to."""

    def submit(self, *_, **__):
        raise AssertionError("computed again")


def test_lost_parts_are_named(tmp_path):
    place = tmp_path / "run"
    for i in (1, 2, 4):
        run(place, (i, 4))
    damaged = next((place / "part-2-of-4").glob("chunk-*"))
    damaged.write_bytes(damaged.read_bytes()[:-40])
    with pytest.warns(RuntimeWarning, match=r"of 4 parts of .*, 2, 3 are not finished.*\(2, 4\)"):
        merged = tb.merge(place)
    assert merged.ntraj == 128  # up to the first gap
    assert sorted(one.name for one in place.glob("part-*")) == ["part-2-of-4"]
    with pytest.warns(RuntimeWarning, match="is computed again"):
        run(place, (2, 4))
    lock = locks.acquire(place / "part-2-of-4")
    try:
        with pytest.warns(RuntimeWarning, match="2, 3 are not finished"):
            tb.merge(place)
    finally:
        lock.release()
    with pytest.warns(RuntimeWarning, match=r"3 is not finished.*ntraj=700, part=\(3, 4\)"):
        tb.merge(place)
    for read in (tb.load, tb.merge):  # as long as it is missing
        with pytest.warns(RuntimeWarning, match="of 4 parts of .*, 3 is not finished"):
            read(place)
    with pytest.raises(ValueError, match=r"must hold the same run, but .*seed: 3 there, 4 now"):
        run(place, (3, 4), seed=4)
    run(place, (3, 4))
    same(tb.merge(place), tb.mcsolve(MODEL, TIMES, NTRAJ, **WHAT))
    same(tb.merge(place), tb.load(place))  # nothing is left to be joined


def test_a_damaged_chunk_is_joined_again(tmp_path):
    """The folders of finished parts go, so what they hold must be good in the run."""
    place = tmp_path / "run"
    run(place, (1, 2))
    with pytest.warns(RuntimeWarning, match="2 is not finished"):
        tb.merge(place)
    run(place, (1, 2))  # computed again
    chunk = place / "chunk-000002-128.npz"
    chunk.write_bytes(chunk.read_bytes()[:-40])
    run(place, (2, 2))
    same(tb.merge(place), tb.mcsolve(MODEL, TIMES, NTRAJ, **WHAT))
    assert not parts.are_in(place)


def test_the_last_chunk_is_missed_if_it_is_lost(tmp_path):
    for i in range(1, 4):
        run(tmp_path / "run", (i, 3))
    (tmp_path / "run" / "part-3-of-3" / "chunk-000001-60.npz").unlink()
    with pytest.warns(RuntimeWarning, match="of 3 parts of .*, 3 is not finished"):
        merged = tb.merge(tmp_path / "run")
    assert merged.ntraj == 640


def test_parts_that_do_not_belong_together_are_refused(tmp_path):
    place = tmp_path / "run"
    run(place, (1, 2))
    with pytest.raises(ValueError, match="but holds parts of one: merge joins them"):
        tb.load(place)
    run(tmp_path / "other", (2, 2), seed=4)
    shutil.copytree(tmp_path / "other" / "part-2-of-2", place / "part-2-of-2")
    with pytest.raises(ValueError, match=r"parts of one run, but parts 1 and 2 differ .*seed"):
        tb.merge(place)
    shutil.rmtree(place / "part-2-of-2")
    shutil.copytree(place / "part-1-of-2", place / "part-2-of-2")
    with pytest.raises(ValueError, match=r"must hold part 2 of 2, but holds \(1, 2\)"):
        tb.merge(place)
    run(place, (2, 3))
    with pytest.raises(ValueError, match=r"parts of one division, but .* some of 2 and 3"):
        tb.merge(place)
    with pytest.raises(ValueError, match=r"must hold parts of a run, but .* holds none"):
        tb.merge(tmp_path)
    assert not (place / "run.json").exists()


def test_other_laws_and_processors_are_not_mixed(tmp_path, monkeypatch):
    place = tmp_path / "run"
    for i in (1, 2):
        run(place, (i, 2))
    manifest = place / "part-2-of-2" / "run.json"
    about = json.loads(manifest.read_text())
    manifest.write_text(json.dumps({**about, "processor": "another"}))
    with pytest.raises(ValueError, match="parts of one kind of processor, but part 1"):
        tb.merge(place)
    manifest.write_text(json.dumps(about))
    monkeypatch.setitem(plan.LAWS, "ladder", 99)
    with pytest.raises(ValueError, match="today's version of the law"):
        tb.merge(place)


def test_a_part_that_was_killed_at_once_is_lost(tmp_path):
    place = tmp_path / "run"
    run(place, (1, 2))
    (place / "part-2-of-2").mkdir()
    with pytest.warns(RuntimeWarning, match="of 2 parts of .*, 2 is not finished"):
        assert tb.merge(place).ntraj == 128
    shutil.rmtree(place / "part-1-of-2", ignore_errors=True)
    with pytest.raises(ValueError, match=r"nothing of .* can be read"):
        tb.merge(place)


@pytest.mark.parametrize(
    ("given", "kind", "message"),
    [
        ({"part": (5, 4)}, ValueError, r"`part` must be \(1, 4\) to \(4, 4\), but is \(5, 4\)"),
        ({"part": (0, 4)}, ValueError, "`part` must be"),
        ({"part": (1, 0)}, ValueError, "`part` must be"),
        ({"part": "3/4"}, TypeError, "`part` must be two integers"),
        ({"part": (1.5, 4)}, TypeError, "`part` must be two integers"),
        ({"part": (True, 4)}, TypeError, "`part` must be two integers"),
        (
            {"part": (7, 8)},
            ValueError,
            "`part` must be one of at most 6, because a part",
        ),
        ({"part": (1, 2), "seed": None}, ValueError, "`seed` must be given with `part`"),
        ({"part": (1, 2), "target": {"energy": 1.0}}, ValueError, "`target` must be left out"),
    ],
)
def test_bad_parts_write_nothing(given, kind, message, tmp_path):
    with pytest.raises(kind, match=message):
        run(tmp_path / "run", **given)
    assert not (tmp_path / "run").exists()


def test_the_array_job_of_the_documentation(tmp_path):
    """Each line is a process of its own, as on a cluster."""
    page = Path(__file__).parents[2] / "docs" / "howto" / "cluster.md"
    (line,) = re.findall(r"^trajbatt (charge .*--part .*)$", page.read_text(), re.MULTILINE)
    line = line.replace("-N 1000", "-N 40").replace("100000", "3000").replace("/64", "/3")
    jobs = []
    for task in ("1", "2", "3"):
        words = line.replace("$SLURM_ARRAY_TASK_ID", task).split()
        command = [sys.executable, "-m", "trajbatt", *words, "--workers", "1"]
        jobs.append(subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True))
    for job in jobs:
        said, _ = job.communicate(timeout=200)
        assert job.returncode == 0
        assert "of 3000 trajectories" in said
    merged = subprocess.run(
        [sys.executable, "-m", "trajbatt", "show", "runs/big"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "3000 trajectories" in merged.stdout
    joined = tb.load(tmp_path / "runs" / "big")
    alone = tb.mcsolve(joined.model, joined.times, 3000, seed=joined.seed)
    np.testing.assert_array_equal(joined.energy, alone.energy)
    assert not parts.are_in(tmp_path / "runs" / "big")
