"""Commands that keep their runs: sweep, show and export."""

import json

import numpy as np
import pytest
import xarray

import trajbatt as tb
from trajbatt.commandline.main import main

SWEEP = ["sweep", "-N", "3,6", "--theta", "1.4:1.8:3", "--store", "s", "--ntraj", "20"]


@pytest.mark.slow
def test_a_sweep(tmp_path, capsys):
    command = [*SWEEP, "--out", "a", "--json", "a.json"]
    assert main(command) == 0
    shown = capsys.readouterr().out
    assert "6 points, each charged to its T90" in shown
    with xarray.open_dataset("a/sweep.nc", engine="h5netcdf") as data:
        np.testing.assert_allclose(data.theta, [1.4, 1.6, 1.8])
        assert data.mean_energy_per_atom.shape == (2, 3, 1, 1, 1)
        numbers = json.loads((tmp_path / "a.json").read_text())
        assert numbers["axes"]["n_atoms"] == [3, 6]
        assert numbers["points"]["power"] == data.power.values.tolist()
    points = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "s").glob("point*")}
    assert {path.name for path in (tmp_path / "s").iterdir()} == set(points)
    assert main(command) == 0
    assert points == {p.name: p.stat().st_mtime_ns for p in (tmp_path / "s").glob("point*")}
    capsys.readouterr()
    for wrong in (
        ["--theta", "1:2"],
        ["-N", "3,x"],
        ["-N", "1e999"],
        ["--theta", "1:2:3:lin"],
        ["--workers", "0"],
        ["--store", ""],
        ["--axis", "time"],
        ["--time", "0"],
    ):
        assert main(["sweep", *wrong]) == 2
        assert capsys.readouterr().err.count("\n") == 1
    assert not (tmp_path / "trajbatt-out").exists()


@pytest.mark.slow
def test_a_sweep_overwrites_nothing(tmp_path, capsys):
    (tmp_path / "theirs").mkdir()
    precious = tmp_path / "theirs" / "sweep.nc"
    precious.write_text("mine")
    assert main([*SWEEP, "--out", "theirs"]) == 2
    assert "not written by trajbatt" in capsys.readouterr().err
    assert not (tmp_path / "s").exists()  # nothing was computed either
    assert main([*SWEEP[:-1], "0", "--store", "theirs", "--out", "b", "-q"]) == 0
    assert precious.read_text() == "mine"
    assert main([*SWEEP, "--out", "a", "-q"]) == 0
    larger = (tmp_path / "a" / "sweep.nc").read_bytes()
    smaller = ["sweep", "-N", "3", "--theta", "1.4", "--store", "s", "--ntraj", "20"]
    assert main([*smaller, "--out", "a"]) == 2
    assert "n_atoms [3, 6] there, [3] now" in capsys.readouterr().err
    assert main([*smaller, "-q"]) == 0  # in a folder of its own
    assert (tmp_path / "a" / "sweep.nc").read_bytes() == larger
    assert main([*smaller, "--out", "a", "--force", "-q"]) == 0
    assert (tmp_path / "a" / "sweep.nc").read_bytes() != larger


@pytest.mark.slow
@pytest.mark.filterwarnings("error")
def test_sweeps_at_the_edges(tmp_path, capsys):
    for i, axes in enumerate(
        (
            ["--theta", "0", "-N", "3,5"],
            ["--theta", "1.5707963267948966", "--ratio", "1", "-N", "3"],
            ["--theta", "1.4", "-N", "3"],
            ["--theta", "1.2,1.4", "--ratio", "0,1", "-N", "2", "--drive", "0,5"],
            ["--theta", "1.4", "-N", "3", "--time", "0.01:10:5:log", "--drive", "5,10"],
            ["--theta", "1.3,1.4", "-N", "2:8:7", "--gamma-0", "0.1:10:5:log", "--axis", "theta"],
        )
    ):
        assert main(["sweep", *axes, "--store", "s", "--out", f"a{i}"]) == 0, axes
        assert (tmp_path / f"a{i}" / "sweep.png").exists()
    captured = capsys.readouterr()
    assert captured.err == ""
    assert captured.out.count("no T90, because x = 1: 1 point; see --time") == 1


def test_a_sweep_needs_no_xarray(monkeypatch, capsys, tmp_path):
    from trajbatt.base import datasets

    def missing():
        raise ImportError("xarray is needed for this")

    monkeypatch.setattr(datasets, "require", missing)
    assert main(["sweep", "-N", "3", "--theta", "1.4", "--json", "a.json"]) == 0
    assert "that needs the packages xarray and h5netcdf" in capsys.readouterr().out
    assert json.loads((tmp_path / "a.json").read_text())["points"]


def test_store_show_and_export(tmp_path, capsys):
    command = ["cycle", "-N", "6", "--ntraj", "50", "--store", "run", "--json", "-"]
    assert main(command) == 0
    first = json.loads(capsys.readouterr().out)
    before = {path.name: path.read_bytes() for path in (tmp_path / "run").iterdir()}
    assert main([*command, "--workers", "1"]) == 0
    capsys.readouterr()
    assert {path.name: path.read_bytes() for path in (tmp_path / "run").iterdir()} == before
    assert main(["show", "run", "--json", "-"]) == 0
    again = json.loads(capsys.readouterr().out)
    assert again["summary"] == first["summary"]
    assert again["ensemble"] == first["ensemble"]
    assert again["parameters"]["gamma_plus"] == pytest.approx(10.0)
    assert main(["show", "run", "--trajectory", "17", "--out", "one", "-q"]) == 0
    assert (tmp_path / "one" / "show.png").exists()
    assert main(["export", "run", "run.nc"]) == 0
    with xarray.open_dataset("run.nc", engine="h5netcdf") as data:
        np.testing.assert_array_equal(data.energy, first["ensemble"]["energy"])
    capsys.readouterr()
    for wrong, words in (
        (["export", "run", "run.nc"], "`file` must not exist"),
        (["export", "run", "no/run.nc"], "`file` must be in a folder"),
        (["show", "none"], "must be a stored run"),
        (["show", "run", "--trajectory", "50", "--out", "b"], "`trajectory` must be below the 50"),
        (["charge", "-N", "6", "--store", "run"], "`store` must hold the same run"),
        (["charge", "--target", "energy"], "`target` must name standard errors"),
        (["charge", "--target", "charge=1"], "`target` must be 'energy'"),
        (["charge", "--store", " "], "`store` must name a folder"),
    ):
        assert main(wrong) == 2
        error = capsys.readouterr().err
        assert words in error
        assert error.count("\n") == 1


@pytest.mark.parametrize("has_twin", [True, False])
def test_runs_whose_stages_end_by_what_is_seen_are_shown(has_twin, capsys):
    battery = tb.Battery(4, 1.9, 40.0)
    rule = {"clicks": ("red", 2)} if has_twin else {"energy": 3.0, "efficiency": 0.5}
    steps = [(battery.charge(), tb.until(at_most=0.3, **rule)), (battery.store(), 0.1)]
    protocol = tb.Protocol(steps)
    runs = tb.mcsolve(protocol, np.linspace(0, 0.4, 9), 60, seed=1, store="run")
    assert main(["show", "run", "--json", "numbers.json"]) == 0
    shown = capsys.readouterr().out
    assert "at the end" in shown
    assert "until 2 red, at most 0.3" in shown or "until energy above 3" in shown
    assert ("no exact solution" in shown) is not has_twin
    with open("numbers.json") as file:
        numbers = json.load(file)
    assert numbers["summary"][0]["ensemble"] == pytest.approx(runs.energy[-1] / 4)
