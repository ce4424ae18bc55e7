"""Commands that keep their runs: sweep, show and export."""

import json

import numpy as np
import pytest
import xarray

from trajbatt.commandline.main import main


def test_the_command(tmp_path, capsys):
    command = ["sweep", "-N", "3,6", "--theta", "1.4:1.8:3", "--store", "s", "--ntraj", "20"]
    assert main(command) == 0
    shown = capsys.readouterr().out
    assert "6 points, each charged to its T90" in shown
    with xarray.open_dataset("s/sweep.nc", engine="h5netcdf") as data:
        np.testing.assert_allclose(data.theta, [1.4, 1.6, 1.8])
        assert data.energy_per_atom.shape == (2, 3, 1, 1, 1)
    points = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "s").glob("point*")}
    assert main(command) == 0
    assert points == {p.name: p.stat().st_mtime_ns for p in (tmp_path / "s").glob("point*")}
    capsys.readouterr()
    for wrong in (["--theta", "1:2"], ["-N", "3,x"], ["--workers", "0"], ["--store", ""]):
        assert main(["sweep", *wrong]) == 2
        assert capsys.readouterr().err.count("\n") == 1
    assert not (tmp_path / "trajbatt-out").exists()


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
