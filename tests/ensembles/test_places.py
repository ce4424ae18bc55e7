"""Where a store may be, and what happens to a folder that is refused."""

import errno
import fcntl
import os
import shutil
import stat

import pytest
from oracle.runs import CHUNK, everything, solve

import trajbatt as tb
from trajbatt.base import files


def test_a_relative_store_stays_where_it_is(tmp_path, monkeypatch, at_once):
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    runs = solve(store="run")
    loaded = tb.load("run")
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert everything(runs) == at_once
    assert everything(loaded) == at_once
    assert not os.listdir(tmp_path / "elsewhere")


@pytest.mark.parametrize("place", [5, None, b"run", ["run"]])
def test_what_is_no_path_is_named(place):
    with pytest.raises(TypeError, match="`store` must be a path, but is"):
        tb.load(place)
    if place is not None:
        with pytest.raises(TypeError, match="`store` must be a path, but is"):
            solve(20, store=place)
    with pytest.raises(TypeError, match="`path` must be a path, but is"):
        solve(20).save(place)


def test_an_empty_path_is_not_the_current_folder(empty_folder):
    with pytest.raises(ValueError, match="`store` must be a path, but is empty"):
        solve(20, store="")
    with pytest.raises(ValueError, match=r"`store` must be a path, .* null character"):
        solve(20, store="a\0b")
    assert not os.listdir(empty_folder)


def test_a_refused_folder_is_as_it_was(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(ValueError, match="`store` must be an empty folder or hold a run"):
        solve(20, store=tmp_path)
    assert os.listdir(tmp_path) == ["notes.txt"]


def test_a_file_of_somebody_that_is_called_lock(tmp_path):
    (tmp_path / "lock").write_text("mine")
    with pytest.raises(ValueError, match="`store` must be an empty folder or hold a run"):
        solve(20, store=tmp_path)
    assert (tmp_path / "lock").read_text() == "mine"
    shutil.rmtree(tmp_path)
    tmp_path.mkdir()
    (tmp_path / ".run.sh").write_text("mine")
    with pytest.raises(ValueError, match="`store` must be an empty folder or hold a run"):
        solve(20, store=tmp_path)
    assert (tmp_path / ".run.sh").read_text() == "mine"


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP])
def test_a_filesystem_without_locks_is_named_and_can_be_read(tmp_path, monkeypatch, number):
    solve(CHUNK, store=tmp_path)

    def unsupported(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", unsupported)
    monkeypatch.setattr(fcntl, "lockf", unsupported)
    with pytest.raises(ValueError, match="`store` must be on a filesystem with file locks"):
        solve(2 * CHUNK, store=tmp_path)
    assert tb.load(tmp_path).ntraj == CHUNK


def test_an_unreadable_manifest_is_not_said_to_be_none(tmp_path, monkeypatch):
    from pathlib import Path

    solve(20, store=tmp_path)
    (tmp_path / "run.npz").unlink()

    def refused(self):
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "read_text", refused)
    with pytest.raises(ValueError, match=r"its run\.json cannot be read \(Permission denied\)"):
        tb.load(tmp_path)


def test_files_have_the_permissions_of_any_new_file(tmp_path, monkeypatch):
    before = os.umask(0o027)
    try:
        # It can be asked for only by changing it, for all threads.
        monkeypatch.setattr("os.umask", None)
        files.write(tmp_path / ("x" * 250), b"1")
    finally:
        monkeypatch.undo()
        os.umask(before)
    (path,) = tmp_path.iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
