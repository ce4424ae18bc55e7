"""Results and stores of runs never share a folder, and older results are known again."""

import json
from pathlib import Path

import pytest

import trajbatt as tb
from trajbatt.commandline import results_folder
from trajbatt.commandline.main import main

SMALL = ["charge", "-N", "4", "--ntraj", "20", "-q"]
TIMES = [0.0, 0.05, 0.1]


@pytest.fixture(autouse=True)
def empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def stored(empty_folder):
    """Return a folder with a stored run."""
    tb.mcsolve(tb.Battery(4, 1.87, 40.0).charge(), TIMES, 20, seed=1, store="d", keep_clicks=True)
    (empty_folder / "link").symlink_to("d")
    (empty_folder / "y.json").symlink_to("d/run.json")
    return empty_folder / "d"


def contents(folder):
    """Return all files under a folder, with what is in them."""
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def refused(command, capsys):
    """Return the one line with which a command is refused."""
    assert main(command) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    return captured.err


def no_computing(monkeypatch):
    # These bind what is replaced; they must not do so while it is.
    import trajbatt.analysis.sweep
    import trajbatt.commandline.presenting
    import trajbatt.reports.photon_report  # noqa: F401

    def compute(*_, **__):
        raise AssertionError("it was computed before it was refused")

    for name in ("trajbatt.ensembles.mcsolve.mcsolve", "trajbatt.exact.mesolve.mesolve"):
        monkeypatch.setattr(name, compute)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "words"),
    [
        ([*SMALL, "--out", "d"], "`out` must not be where a run is stored"),
        ([*SMALL, "--out", "d", "--force"], "`out` must not be where a run is stored"),
        ([*SMALL, "--out", "link"], "`out` must not be where a run is stored"),
        ([*SMALL, "--out", "./x/../d/"], "`out` must not be where a run is stored"),
        ([*SMALL, "--store", "d", "--out", "d"], "`out` must not be where a run is stored"),
        (["discharge", "-N", "4", "--out", "d", "--force"], "`out` must not be where a run"),
        (["cycle", "-N", "4", "--out", "d"], "`out` must not be where a run is stored"),
        (["secular", "-N", "4", "--out", "d"], "`out` must not be where a run is stored"),
        (["show", "d", "--out", "d"], "`out` must not be where a run is stored"),
        (["show", "d", "--out", "d", "--force"], "`out` must not be where a run is stored"),
        (["photons", "d", "--out", "link"], "`out` must not be where a run is stored"),
        (["cycle", "-N", "4", "--json", "d/x.json"], "`json` must not be where a run is stored"),
        ([*SMALL, "--json", "y.json"], "`json` must not be where a run is stored"),
        ([*SMALL, "--json", "d/x.json"], "`json` must not be where a run is stored"),
        ([*SMALL, "--json", "link/run.json", "--force"], "`json` must not be where a run"),
        (["steady", "--json", "d/run.json", "--force"], "`json` must not be where a run"),
        (["show", "d", "--json", "d/x.json"], "`json` must not be where a run is stored"),
        (["sweep", "-N", "4", "--store", "d"], "`store` must not be where a run is stored"),
        (["sweep", "-N", "4", "--store", "link/"], "`store` must not be where a run is stored"),
        (["export", "d", "d/x.csv"], "`file` must not be where a run is stored"),
        (["export", "d", "link/x.nc", "--force"], "`file` must not be where a run is stored"),
    ],
)
def test_no_results_in_the_folder_of_a_stored_run(command, words, stored, capsys, monkeypatch):
    before = contents(stored.parent)
    no_computing(monkeypatch)
    assert words in refused(command, capsys)
    assert contents(stored.parent) == before
    assert tb.load(stored).ntraj == 20


@pytest.mark.parametrize(
    ("places", "words"),
    [
        (["--store", "new", "--out", "new"], "`out` must not be the folder of --store"),
        (["--store", "new", "--out", "new", "--force"], "`out` must not be the folder of --store"),
        (["--store", "new", "--out", "new/"], "`out` must not be the folder of --store"),
        (["--store", "new", "--out", "a/../new"], "`out` must not be the folder of --store"),
        (["--store", "here", "--out", "there"], "`out` must not be the folder of --store"),
        (
            ["--store", "trajbatt-out/charge-n-atoms-4-ntraj-20"],
            "`out` must not be the folder of --store",
        ),
        (["--store", "here", "--json", "there/x.json"], "`json` must not be in the folder of"),
        (["--store", "new", "--json", "new/x.json"], "`json` must not be in the folder of"),
        (["--store", "new", "--json", "new"], "`json` must be a file, but new is to be a folder"),
        (["--store", "new/er", "--json", "new"], "`json` must be a file, but new is to be"),
        (["--out", "new/er", "--json", "new"], "`json` must be a file, but new is to be"),
    ],
)
def test_no_run_in_the_folder_of_its_results(places, words, capsys, monkeypatch, empty_folder):
    (empty_folder / "here").mkdir()
    (empty_folder / "there").symlink_to("here")
    no_computing(monkeypatch)
    assert words in refused([*SMALL, *places], capsys)
    assert contents(empty_folder) == {}
    assert sorted(path.name for path in empty_folder.iterdir()) == ["here", "there"]


def test_a_store_begins_in_no_folder_of_results(capsys, empty_folder):
    assert main([*SMALL, "--out", "a"]) == 0
    before = contents(empty_folder)
    assert "`store` must be a folder of its own" in refused([*SMALL, "--store", "a"], capsys)
    assert contents(empty_folder) == before


@pytest.mark.slow
def test_other_folders_are_free(stored):
    # The negative control: the same commands go through beside the store.
    before = contents(stored)
    for command in (
        [*SMALL, "--out", "a", "--json", "numbers.json"],
        [*SMALL, "--store", "new", "--out", "b", "--json", "a/numbers.json"],
        ["show", "d", "-q", "--out", "d-shown"],
        ["photons", "d", "-q", "--out", "d-photons", "--json", "p.json"],
        ["steady", "-q", "--json", "steady.json"],
        ["sweep", "-N", "4", "--theta", "1.87", "-q", "--store", "s"],
        ["export", "d", "x.csv", "-q"],
    ):
        assert main(command) == 0
    assert contents(stored) == before
    assert {path.name for path in Path("new").iterdir()} >= {"run.json", "run.npz"}
    assert {path.name for path in Path("a").iterdir()} == {
        "charge.png",
        "numbers.json",
        "results.json",
    }


def test_a_store_whose_manifest_is_damaged_is_one_still(stored, capsys):
    (stored / "run.json").write_text("{")
    before = contents(stored)
    assert "`out` must not be where" in refused([*SMALL, "--out", "d", "--force"], capsys)
    assert contents(stored) == before


@pytest.mark.slow
def test_older_results_are_known_again(capsys, empty_folder):
    assert main([*SMALL, "--out", "a"]) == 0
    place = empty_folder / "a"
    provenance = json.loads((place / "results.json").read_text())
    (place / "results.json").rename(place / "run.json")  # as it was called once
    message = refused([*SMALL, "--theta", "1.5", "--out", "a"], capsys)
    assert "theta 1.87 there, 1.5 now" in message
    message = refused(["discharge", "-N", "4", "--out", "a"], capsys)
    assert "command charge there, discharge now" in message
    assert (place / "run.json").exists()
    assert main([*SMALL, "--out", "a"]) == 0  # the same again is no other
    assert sorted(path.name for path in place.iterdir()) == ["charge.png", "results.json"]
    assert json.loads((place / "results.json").read_text()) == provenance


@pytest.mark.slow
def test_a_file_of_the_older_name_may_be_anybodys(empty_folder):
    place = empty_folder / "a"
    place.mkdir()
    (place / "run.json").write_text('{"mine": 1}')
    for extra in ([], ["--force"]):
        assert main([*SMALL, "--out", "a", *extra]) == 0
        assert (place / "run.json").read_text() == '{"mine": 1}'
    # Neither are the numbers of another command a manifest.
    assert main(["steady", "-q", "--json", "a/run.json", "--force"]) == 0
    numbers = (place / "run.json").read_text()
    assert main([*SMALL, "--out", "a"]) == 0
    assert (place / "run.json").read_text() == numbers


def test_numbers_are_not_written_over_a_manifest(capsys):
    for name in ("charge.png", "results.json", "run.json"):
        message = refused([*SMALL, "--out", "a", "--json", f"a/{name}"], capsys)
        assert "`json` must be a file of its own" in message


def test_the_manifest_has_a_name_of_its_own():
    from trajbatt.ensembles import store

    assert results_folder.MANIFEST != store.MANIFEST
