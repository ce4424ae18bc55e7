"""A chunk belongs to its run, and to its place in it."""

import os
import shutil

import numpy as np
import pytest
from oracle.runs import CHUNK, MODEL, TIMES, everything, files_of, solve

import trajbatt as tb
from trajbatt.ensembles import chunks

FIRST, SECOND = (f"chunk-{i:06d}-{CHUNK}.npz" for i in (0, 1))


@pytest.fixture
def store(tmp_path):
    solve(store=tmp_path / "run")
    return tmp_path / "run"


def other_run(place, **changes):
    call = {"tlist": TIMES, "ntraj": 2 * CHUNK, "seed": 7, "keep_clicks": True, **changes}
    tb.mcsolve(MODEL, **call, store=place)
    return place


@pytest.mark.slow
@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"seed": 8}, "is of another run"),
        ({"tlist": TIMES / 2}, "is of another run"),
        ({}, r"is a file of another place \(chunk 0, not 1\)"),
    ],
)
def test_a_chunk_from_elsewhere_is_not_taken(store, tmp_path, at_once, changes, words):
    source = other_run(tmp_path / "other", **changes) / (SECOND if changes else FIRST)
    shutil.copy(source, store / SECOND)
    with pytest.warns(RuntimeWarning, match=f"{SECOND} {words}; the same call"):
        assert tb.load(store).ntraj == CHUNK
    with pytest.warns(RuntimeWarning, match=f"{SECOND} {words}, and is computed again"):
        assert everything(solve(store=store)) == at_once
    assert everything(tb.load(store)) == at_once


def test_a_renamed_shorter_chunk_is_not_taken(store, at_once):
    (store / "chunk-000005-30.npz").rename(store / "chunk-000005-31.npz")
    with pytest.warns(RuntimeWarning, match=r"31\.npz is a file of another place \(size 30, not"):
        assert tb.load(store).ntraj == 5 * CHUNK


@pytest.mark.parametrize("damage", ["lost", "cut"])
def test_a_lost_manifest_loses_nothing(store, monkeypatch, at_once, damage):
    manifest = store / "run.json"
    whole = manifest.read_bytes()
    manifest.unlink()
    if damage == "cut":
        manifest.write_bytes(whole[:100])
    with pytest.warns(RuntimeWarning, match=r"run\.npz says what run it is"):
        assert everything(tb.load(store)) == at_once
    monkeypatch.setattr("trajbatt.ensembles.run.run_chunk", None)  # nothing is computed
    assert everything(solve(store=store)) == at_once
    assert manifest.read_bytes() == whole


def test_the_chunks_alone_are_enough_to_go_on(store, monkeypatch, at_once):
    for name in ("run.json", "run.npz"):
        (store / name).unlink()
    before = files_of(store)
    with pytest.raises(ValueError, match=r"`store` must hold the same run, but in .*lost"):
        tb.mcsolve(MODEL, TIMES, 20, seed=8, keep_clicks=True, store=store)
    assert files_of(store) == before
    monkeypatch.setattr("trajbatt.ensembles.run.run_chunk", None)
    assert everything(solve(store=store)) == at_once
    assert everything(tb.load(store)) == at_once


def test_arrays_of_another_run_are_noticed(store, tmp_path, at_once):
    other = other_run(tmp_path / "other", tlist=TIMES / 2)
    shutil.copy(other / "run.npz", store / "run.npz")
    with pytest.raises(
        ValueError, match=r"run\.npz and run\.json differ \(times last: 0\.01 in ru"
    ):
        tb.load(store)
    assert everything(solve(store=store)) == at_once
    assert everything(tb.load(store)) == at_once


def test_an_edited_manifest_is_noticed(store):
    manifest = store / "run.json"
    manifest.write_text(manifest.read_text().replace('"seed": 7', '"seed": 8'))
    with pytest.raises(ValueError, match=r"differ \(seed: 7 in run\.npz, 8 in run\.json\)"):
        tb.load(store)


def test_chunks_open_with_numpy(store):
    for path in store.glob("*.npz"):
        with np.load(path) as archive:
            assert archive.files
    with np.load(store / FIRST) as archive:
        assert archive["count"] == CHUNK


def test_an_unsealed_chunk_is_taken_in_an_older_store_only(store, tmp_path):
    golden = os.path.join(os.path.dirname(__file__), "..", "golden", "stores", "ladder")
    shutil.copytree(golden, tmp_path / "older")
    older = tmp_path / "older"
    plain = (older / "chunk-000000-20.npz").read_bytes()
    assert not plain.startswith(b"PK")
    assert tb.load(older).ntraj == 20
    # The same chunk where the manifest says that chunks are sealed.
    shutil.copy(older / "run.json", tmp_path / "run.json")
    text = (older / "run.json").read_text()
    (older / "run.json").write_text(text.replace('"run":', '"seals": 2, "run":', 1))
    with (
        pytest.warns(RuntimeWarning, match="does not say what run it is of"),
        pytest.raises(ValueError, match="must hold finished chunks"),
    ):
        tb.load(older)


def test_a_folder_is_not_listed_for_every_chunk(tmp_path, monkeypatch):
    calls = []
    original = os.listdir

    def counted(*arguments):
        calls.append(arguments)
        return original(*arguments)

    monkeypatch.setattr("os.listdir", counted)
    monkeypatch.setattr("os.scandir", None)
    found = []
    for i, n in enumerate((3, 12)):
        calls.clear()
        runs = solve(n * CHUNK, store=tmp_path / str(i))
        assert runs.clicks is not None
        _ = tb.load(tmp_path / str(i)).clicks
        found.append(len(calls))
    assert found[0] == found[1]


def test_a_finished_run_computes_nothing(store, monkeypatch):
    monkeypatch.setattr(chunks, "_run_block", None)
    assert solve(store=store).ntraj == 5 * CHUNK + 30
