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
        np.testing.assert_array_equal(data.final_counts, runs.final_counts)
        assert data.energy.attrs["units"] == "hbar omega_0"
        assert data.attrs["seed"] == str(2**100)
        assert data.attrs["ntraj"] == 90
        assert json.loads(data.attrs["run"])["model"]["theta"] == 1.87
        assert data.attrs["Conventions"] == "CF-1.11"
        # The ragged array gives the clicks of one trajectory.
        ends = np.cumsum(data.row_size.values)
        own = slice(ends[40], ends[41])
        clicks = runs.clicks.of_trajectory(41)
        np.testing.assert_array_equal(data.click_time[own], clicks.time)
        np.testing.assert_array_equal(data.click_channel[own], clicks.channel)
        assert data.row_size.attrs["sample_dimension"] == "click"
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
