"""Runs on disk: resumed, extended, refused, damaged."""

import hashlib
import pickle
import subprocess
import sys

import numpy as np
import pytest
from oracle.runs import CHUNK, MODEL, TIMES, everything, files_of, solve

import trajbatt as tb
from trajbatt.ensembles import chunks
from trajbatt.ensembles.plan import LAW


def test_a_stored_run_is_the_same_run(tmp_path, at_once):
    store = tmp_path / "deep" / "run"
    assert everything(solve(store=store)) == at_once
    before = files_of(store)
    assert everything(solve(store=str(store), threads=1)) == at_once
    assert files_of(store) == before  # not a byte, not a time stamp
    assert everything(tb.load(store)) == at_once


def test_extended_run_is_the_run_at_once(tmp_path, at_once):
    for ntraj in (40, CHUNK, 2 * CHUNK + 1, 5 * CHUNK + 30):
        runs = solve(ntraj, store=tmp_path)
        assert everything(runs) == everything(solve(ntraj))
    assert everything(runs) == at_once
    # Only the new chunks: the old files are as they were.
    names = sorted(path.name for path in tmp_path.glob("chunk*"))
    assert names == [f"chunk-{i:06d}-{CHUNK}.npz" for i in range(5)] + ["chunk-000005-30.npz"]


def test_a_shorter_run_from_a_longer_one(tmp_path):
    solve(store=tmp_path)
    before = files_of(tmp_path)
    assert everything(solve(3 * CHUNK, store=tmp_path)) == everything(solve(3 * CHUNK))
    assert files_of(tmp_path) == before


def test_only_what_is_missing_is_computed(tmp_path, monkeypatch, at_once):
    solve(store=tmp_path)
    (tmp_path / f"chunk-000002-{CHUNK}.npz").unlink()
    computed = []
    original = chunks.run_chunk

    def spy(plan, chunk, size):
        computed.append(chunk)
        return original(plan, chunk, size)

    monkeypatch.setattr("trajbatt.ensembles.run.run_chunk", spy)
    assert tb.load(tmp_path).ntraj == 2 * CHUNK  # up to the gap
    assert everything(solve(store=tmp_path)) == at_once
    assert computed == [2]


def test_the_seed_of_a_store_is_taken(tmp_path):
    first = tb.mcsolve(MODEL, TIMES, 50, store=tmp_path)
    again = tb.mcsolve(MODEL, TIMES, 80, store=tmp_path)
    assert again.seed == first.seed
    assert tb.mcsolve(MODEL, TIMES, 50).seed != first.seed


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"seed": 8}, r"seed: 7 there, 8 now"),
        ({"method": "mcwf"}, "method: ladder there, mcwf now"),
        ({"keep_clicks": True}, "keep_clicks: False there, True now"),
        ({"tlist": [0.01]}, "times number: 2 there, 1 now"),
        ({"tlist": [0.01, 0.03]}, "times last: 0.02 there, 0.03 now"),
        ({"tlist": [0.011, 0.02]}, "arrays times"),
        ({"initial": tb.excited_state(200)}, "initial"),
        ({"model": tb.Battery(200, 1.9, 2000.0).charge()}, "model theta: 1.87 there, 1.9 now"),
        (
            {"model": tb.Battery(200, 1.87, 2000.0, gamma_plus=9.0).charge()},
            "model channels 2 rate",
        ),
    ],
)
def test_another_run_is_refused(tmp_path, change, words):
    call = {"model": MODEL, "tlist": [0.01, 0.02], "ntraj": 20, "seed": 7}
    tb.mcsolve(**call, store=tmp_path)
    before = files_of(tmp_path)
    with pytest.raises(ValueError, match=f"`store` must hold the same run, .*{words}"):
        tb.mcsolve(**{**call, **change}, store=tmp_path)
    assert files_of(tmp_path) == before


def test_another_version_of_the_law_is_refused(tmp_path, monkeypatch):
    solve(20, store=tmp_path)
    monkeypatch.setattr("trajbatt.ensembles.plan.LAW", LAW + 1)
    with pytest.raises(ValueError, match=f"law: {LAW} there, {LAW + 1} now"):
        solve(20, store=tmp_path)


def test_folders_that_are_no_stores(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(ValueError, match="`store` must be an empty folder or hold a run"):
        solve(20, store=tmp_path)
    with pytest.raises(ValueError, match=r"must be a stored run, but holds no run\.json"):
        tb.load(tmp_path)
    (tmp_path / "run.json").write_text("{}")
    with pytest.raises(ValueError, match="must be a stored run"):
        tb.load(tmp_path)
    assert (tmp_path / "notes.txt").read_text() == "mine"


@pytest.mark.slow
@pytest.mark.parametrize("damage", ["truncated", "flipped", "empty"])
def test_a_damaged_chunk_is_named_and_computed_again(tmp_path, damage, at_once):
    solve(store=tmp_path)
    path = tmp_path / f"chunk-000003-{CHUNK}.npz"
    good = path.read_bytes()
    bad = {
        "truncated": good[: len(good) // 2],
        "flipped": good[:5000] + bytes([good[5000] ^ 1]) + good[5001:],
        "empty": b"",
    }[damage]
    path.write_bytes(bad)
    with pytest.warns(RuntimeWarning, match=r"chunk-000003-\d+\.npz is damaged"):
        assert tb.load(tmp_path).ntraj == 3 * CHUNK
    with pytest.warns(RuntimeWarning, match=r"chunk-000003-\d+\.npz is damaged, and is computed"):
        again = solve(store=tmp_path)
    assert everything(again) == at_once
    assert hashlib.sha256(path.read_bytes()).digest() == hashlib.sha256(good).digest()


@pytest.mark.slow
def test_a_store_in_use_is_refused(tmp_path):
    code = (
        "import sys, time, trajbatt as tb\n"
        "from trajbatt.ensembles.store import Store\n"
        "from trajbatt.ensembles.plan import Plan\n"
        "from trajbatt.states.initial import prepare\n"
        "import numpy as np\n"
        "model = tb.Battery(3, 1.0, 1.0).charge()\n"
        "plan = Plan(model, prepare(model, None), np.array([1.0]), 1, 'ladder', 1e-6, False)\n"
        "held = Store(sys.argv[1]).open(plan)\n"
        "print('open', flush=True)\n"
        "time.sleep(60)\n"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert other.stdout.readline() == "open\n"
        with pytest.raises(ValueError, match="`store` must not be in use"):
            tb.mcsolve(tb.Battery(3, 1.0, 1.0).charge(), [1.0], 10, seed=1, store=tmp_path)
    finally:
        other.kill()
        other.wait()
        other.stdout.close()
    # The lock dies with its process.
    tb.mcsolve(tb.Battery(3, 1.0, 1.0).charge(), [1.0], 10, seed=1, store=tmp_path)


def test_protocols_and_eq_5_survive_the_store(tmp_path):
    battery = tb.Battery(5, 1.2, 30.0)
    protocol = tb.Protocol(
        [(battery.charge(secular=False), 0.2), (battery.store(), 0.1), (battery.discharge(), 0.3)]
    )
    starts = [None, tb.steady_state(battery.charge()), tb.coherent_state(5, 1.0, 0.4)]
    starts.append(tb.steady_state(battery.charge(secular=False)))
    for i, initial in enumerate(starts):
        call = dict(ntraj=30, initial=initial, seed=2, keep_clicks=True)
        runs = tb.mcsolve(protocol, [0.1, 0.6], **call, store=tmp_path / str(i))
        loaded = tb.load(tmp_path / str(i))
        assert everything(loaded) == everything(runs)
        assert loaded.model == protocol
        np.testing.assert_array_equal(loaded.replay(11).energy, runs.replay(11).energy)
        assert loaded.coherent_energy[-1] == runs.coherent_energy[-1]


def test_clicks_of_a_run_that_has_grown(tmp_path):
    first = solve(CHUNK + 20, store=tmp_path)
    solve(2 * CHUNK, store=tmp_path)
    assert everything(first) == everything(solve(CHUNK + 20))


def test_the_same_initial_state_in_other_words(tmp_path):
    ket = np.zeros(201)
    ket[3] = 1.0
    call = dict(model=MODEL, tlist=[0.01], ntraj=20, seed=1, store=tmp_path)
    first = tb.mcsolve(**call, initial=ket)
    for other in (ket.astype(int), -1.0 * -ket - 0.0, [int(x) for x in ket]):
        again = tb.mcsolve(**call, initial=other)
        assert again.energy.tolist() == first.energy.tolist()


def test_a_wrong_executor_leaves_no_store(tmp_path):
    with pytest.raises(TypeError, match="`executor` must have the interface"):
        solve(20, store=tmp_path / "s", executor=3)
    assert not (tmp_path / "s").exists()
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match=r"`store` must be a folder, but .*file is a file"):
        solve(20, store=tmp_path / "file")


def test_stored_results_can_be_pickled(tmp_path):
    runs = solve(20, store=tmp_path)
    assert everything(pickle.loads(pickle.dumps(runs))) == everything(runs)
