"""Results as xarray datasets, and as NetCDF files that describe themselves.

The files are NetCDF-4, that is HDF5. Complex numbers are two real variables. Clicks are a
contiguous ragged array of the CF conventions: `row_size` tells how many each trajectory has.
"""

import json
import tempfile
from pathlib import Path

import numpy as np

from trajbatt.base import files
from trajbatt.base.version import __version__
from trajbatt.states.json_form import plain

QUANTA = "hbar omega_0"
WITH_ERROR = {
    "energy": ("mean energy <E>", QUANTA),
    "energy_variance": ("variance of the energy in the ensemble state", f"({QUANTA})^2"),
    "quantum_variance": ("mean quantum variance of the conditional states", f"({QUANTA})^2"),
    "trajectory_variance": ("variance of the conditional energy", f"({QUANTA})^2"),
    "coherent_energy": ("energy emitted coherently, Eq. (19) integrated", QUANTA),
    "coherent_fraction": ("coherent energy over the energy before", "1"),
}


def ensemble_dataset(runs, identity):
    """Return an `EnsembleResult` as an `xarray.Dataset`; `identity` says what run it is."""
    variables = _common(runs)
    for name in variables.copy():
        if name.endswith(("_real", "_imag")):
            sem = runs.dipole_sem.real if name.endswith("_real") else runs.dipole_sem.imag
            variables[f"{name}_sem"] = _variable("time", sem, "standard error", "1")
    variables["counts_sem"] = _variable(
        ("channel", "time"), runs.counts_sem, "standard error of counts", "1"
    )
    variables["final_counts"] = _variable(
        ("trajectory", "channel"), runs.final_counts, "photons of each trajectory", "1"
    )
    if runs.clicks is not None:
        row_size = np.bincount(runs.clicks.trajectory, minlength=runs.ntraj)
        variables["row_size"] = (
            "trajectory",
            row_size,
            {"long_name": "clicks of each trajectory", "sample_dimension": "click"},
        )
        variables["click_time"] = _variable("click", runs.clicks.time, "time of a click", "1/rate")
        variables["click_channel"] = _variable(
            "click", runs.clicks.channel, "index of its channel", "1"
        )
    return _dataset(
        runs,
        variables,
        kind="ensemble of quantum trajectories",
        run=json.dumps(identity),
        seed=str(runs.seed),  # up to 128 bits
        ntraj=runs.ntraj,
        method=runs.plan.method,
        ended=runs.ended,
    )


def exact_dataset(exact):
    """Return a `MasterEquationResult` as an `xarray.Dataset`."""
    variables = _common(exact)
    if exact.states is not None:
        for part in ("real", "imag"):
            variables[f"states_{part}"] = _variable(
                ("time", "row", "column"),
                getattr(exact.states, part),
                "bare density matrix in the pump frame, index = number of excited atoms",
                "1",
            )
    return _dataset(
        exact,
        variables,
        kind="solution of the master equation",
        model=json.dumps(plain(exact.model)),
        rtol=exact.rtol,
    )


def write(dataset, path):
    """Write a dataset as a NetCDF-4 file, all at once."""
    with tempfile.TemporaryDirectory() as place:
        whole = Path(place) / "whole.nc"
        dataset.to_netcdf(whole, engine="h5netcdf")
        files.write(Path(path), whole.read_bytes())


def _common(result):
    """Return the variables that both kinds of results have."""
    variables = {}
    for name, (words, unit) in WITH_ERROR.items():
        if name.startswith("coherent") and "_coherent" not in vars(result):
            continue  # it takes new runs, if nobody has asked for it
        for suffix, about in (("", words), ("_sem", f"standard error of {name}")):
            values = getattr(result, name + suffix, None)
            if values is not None:
                variables[name + suffix] = _variable("time", values, about, unit)
    for part in ("real", "imag"):
        variables[f"dipole_{part}"] = _variable(
            "time", getattr(result.dipole, part), f"{part} part of the bare dipole <J_+>", "1"
        )
    variables["counts"] = _variable(
        ("channel", "time"), result.counts, "mean photons since t = 0", "1"
    )
    if result.counts_covariance is not None:
        variables["counts_covariance"] = _variable(
            ("channel", "other_channel", "time"),
            result.counts_covariance,
            "covariance of the photon counts",
            "1",
        )
    return variables


def _variable(dimensions, values, words, unit):
    return dimensions, values, {"long_name": words, "units": unit}


def require():
    """Raise `ImportError`, with what to do, without xarray and h5netcdf."""
    try:
        import h5netcdf  # noqa: F401
        import xarray  # noqa: F401
    except ImportError as error:
        raise ImportError(
            f"{error.name} is needed for this: pip install 'trajbatt[netcdf]'"
        ) from None


def about(title):
    """Return the attributes that every file has."""
    import numba

    return {
        "Conventions": "CF-1.11",
        "title": f"quantum battery: {title}",
        "source": f"trajbatt {__version__}",
        "versions": f"numpy {np.__version__}, numba {numba.__version__}",
    }


def _dataset(result, variables, **attributes):
    require()
    import xarray

    names = np.array(result.channels, dtype=str)
    coordinates = {
        "time": _variable("time", result.times, "time since the start", "1/rate"),
        "channel": ("channel", names, {"long_name": "photon channel"}),
    }
    if "counts_covariance" in variables:
        coordinates["other_channel"] = ("other_channel", names, {"long_name": "photon channel"})
    n_atoms = result.model.n_atoms
    described = about(f"{result.model.name}, N = {n_atoms}")
    return xarray.Dataset(variables, coordinates, {**described, "n_atoms": n_atoms, **attributes})
