"""xarray and NetCDF: the same numbers, described."""

import json

import h5py
import numpy as np
import pytest
import xarray

import trajbatt as tb

BATTERY = tb.Battery(12, 1.87, 120.0, gamma_plus=10.0)
TIMES = np.linspace(0, 0.3, 7)


@pytest.fixture(scope="module")
def runs():
    return tb.mcsolve(BATTERY.charge(), TIMES, 90, seed=2**100, keep_clicks=True)


def test_a_file_opens_with_xarray_and_h5py(runs, tmp_path):
    runs.save(tmp_path / "run.nc")
    with xarray.open_dataset(tmp_path / "run.nc", engine="h5netcdf") as data:
        for name in ("energy", "energy_sem", "energy_variance", "quantum_variance"):
            np.testing.assert_array_equal(data[name], getattr(runs, name))
        np.testing.assert_array_equal(data.counts.sel(channel="blue"), runs.counts[2])
        np.testing.assert_array_equal(data.counts_sem, runs.counts_sem)
        np.testing.assert_array_equal(data.dipole_real + 1j * data.dipole_imag, runs.dipole)
        np.testing.assert_array_equal(data.dipole_imag_sem, runs.dipole_sem.imag)
        assert data.energy.attrs["units"] == "1"
        assert data.energy.attrs["long_name"] == "mean energy <E>, in units of hbar omega_0"
        assert data.attrs["seed"] == str(2**100)
        assert data.attrs["ntraj"] == 90
        assert json.loads(data.attrs["run"])["model"]["theta"] == 1.87
        assert data.attrs["Conventions"] == "CF-1.11"
        assert set(data.sizes) == {"time", "channel", "other_channel"}
    with xarray.open_dataset(tmp_path / "run.nc", engine="h5netcdf", group="trajectories") as data:
        np.testing.assert_array_equal(data.final_counts, runs.final_counts)
    with xarray.open_dataset(tmp_path / "run.nc", engine="h5netcdf", group="clicks") as data:
        own = data.where(data.click_trajectory == 41, drop=True)
        clicks = runs.clicks.of_trajectory(41)
        np.testing.assert_array_equal(own.click_time, clicks.time)
        np.testing.assert_array_equal(own.click_channel, clicks.channel)
        assert data.click_channel.attrs["flag_meanings"] == " ".join(runs.channels)
    with h5py.File(tmp_path / "run.nc") as file:
        np.testing.assert_array_equal(file["energy"], runs.energy)
        assert [name.decode() for name in file["channel"][:]] == list(runs.channels)


def test_the_exact_twin_likewise(tmp_path):
    model = BATTERY.discharge()
    exact = tb.mesolve(model, TIMES, covariances=True, keep_states=True)
    assert exact.coherent_energy[-1] > 0
    exact.save(tmp_path / "exact.nc")
    with xarray.open_dataset(tmp_path / "exact.nc", engine="h5netcdf") as data:
        np.testing.assert_array_equal(data.energy, exact.energy)
        np.testing.assert_array_equal(data.coherent_energy, exact.coherent_energy)
        np.testing.assert_array_equal(data.counts_covariance, exact.counts_covariance)
        np.testing.assert_array_equal(data.states_real + 1j * data.states_imag, exact.states)
        assert "energy_sem" not in data


def test_ensemble_and_exact_subtract(runs):
    ours = runs.to_xarray()
    difference = ours.energy - tb.mesolve(BATTERY.charge(), TIMES).to_xarray().energy
    assert np.all(np.abs(difference[1:]) < 6 * ours.energy_sem[1:])


def test_without_xarray_there_is_one_sentence(runs, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "xarray", None)
    with pytest.raises(ImportError, match="xarray is needed for this: pip install xarray h5netcdf"):
        runs.to_xarray()


def test_tables_have_a_row_for_each_thing(runs):
    assert len(runs.to_xarray().to_dataframe()) == TIMES.size * 3 * 3
    assert len(runs.to_xarray("trajectories").to_dataframe()) == 90 * 3
    assert len(runs.to_xarray("clicks").to_dataframe()) == len(runs.clicks)
    with pytest.raises(ValueError, match="`what` must be 'averages', 'trajectories' or 'clicks'"):
        runs.to_xarray("all")
    without = tb.mcsolve(BATTERY.charge(), TIMES, 9, seed=1)
    with pytest.raises(ValueError, match="must have kept its clicks"):
        without.to_xarray("clicks")


def test_files_keep_the_conventions_that_they_claim(runs, tmp_path):
    runs.save(tmp_path / "run.nc")
    tb.mesolve(BATTERY.charge(), TIMES, covariances=True).save(tmp_path / "exact.nc")
    for name in ("run.nc", "exact.nc"):
        with h5py.File(tmp_path / name) as file:

            def check(path, item):
                if not isinstance(item, h5py.Dataset) or item.dtype.kind not in "iuf":
                    return
                if b"not a netCDF variable" in np.bytes_(item.attrs.get("NAME", b"")):
                    return  # a dimension without a coordinate
                assert item.attrs["units"] == "1", path
                assert item.attrs["long_name"], path
                if item.is_scale:  # a coordinate
                    assert "_FillValue" not in item.attrs, path

            file.visititems(check)
            assert "_FillValue" not in file["time"].attrs


@pytest.mark.parametrize("kind", ["ensemble", "exact"])
def test_a_file_is_what_its_name_says_and_is_not_overwritten(runs, tmp_path, kind):
    result = runs if kind == "ensemble" else tb.mesolve(BATTERY.charge(), TIMES)
    with pytest.raises(ValueError, match=r"`path` must end in \.nc, .*, but is .*x\.csv"):
        result.save(tmp_path / "x.csv")
    assert not any(tmp_path.iterdir())
    path = tmp_path / "x.nc"
    path.write_text("mine")
    with pytest.raises(ValueError, match=r"x\.nc does: overwrite=True replaces it"):
        result.save(path)
    assert path.read_text() == "mine"
    with pytest.raises(TypeError, match="`overwrite` must be True or False"):
        result.save(path, overwrite=1)
    result.save(path, overwrite=True)
    with xarray.open_dataset(path, engine="h5netcdf") as data:
        np.testing.assert_array_equal(data.energy, result.energy)
    with pytest.raises(TypeError, match="`path` must be a path, but is None"):
        result.save(None)
    assert [one.name for one in tmp_path.iterdir()] == ["x.nc"]


def test_nothing_is_written_to_the_temporary_folder(runs, tmp_path, monkeypatch):
    # On a full one the HDF5 library ended the interpreter.
    import tempfile

    for name in ("mkstemp", "mkdtemp", "TemporaryDirectory", "TemporaryFile", "gettempdir"):
        monkeypatch.setattr(tempfile, name, None)
    runs.save(tmp_path / "run.nc")
    assert [one.name for one in tmp_path.iterdir()] == ["run.nc"]


def test_a_full_disk_leaves_nothing_behind(runs, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(OSError, match="No space left"):
        runs.save(tmp_path / "run.nc")
    assert not any(tmp_path.iterdir())
