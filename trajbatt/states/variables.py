"""What both kinds of results have in common as datasets: their variables and coordinates."""

import numpy as np

from trajbatt.base import datasets
from trajbatt.base.datasets import variable

QUANTA = "in units of hbar omega_0"
SQUARED = "in units of (hbar omega_0)^2"
WITH_ERROR = {
    "energy": ("mean energy <E>", QUANTA),
    "energy_variance": ("variance of the energy in the ensemble state", SQUARED),
    "quantum_variance": ("mean quantum variance of the conditional states", SQUARED),
    "trajectory_variance": ("variance of the conditional energy", SQUARED),
    "coherent_energy": ("energy emitted coherently, Eq. (19) integrated", QUANTA),
    "coherent_fraction": ("coherent energy over the energy before", ""),
}


def common_variables(result):
    """Return the variables that both kinds of results have."""
    variables = {}
    for name, (words, unit) in WITH_ERROR.items():
        if name.startswith("coherent") and not result.knows_coherent_energy:
            continue
        for suffix, about in (("", words), ("_sem", f"standard error of {name}")):
            values = getattr(result, name + suffix, None)
            if values is not None:
                words_with_unit = f"{about}, {unit}" if unit else about
                variables[name + suffix] = variable("time", values, words_with_unit)
    for part in ("real", "imag"):
        variables[f"dipole_{part}"] = variable(
            "time", getattr(result.dipole, part), f"{part} part of the bare dipole <J_+>"
        )
    if result.expect:
        dimensions = ("observable", "time")
        rows = np.array(list(result.expect.values()))
        variables["expect"] = variable(dimensions, rows, "mean of an observable of the user")
        errors = getattr(result, "expect_sem", None)
        if errors:
            rows = np.array(list(errors.values()))
            variables["expect_sem"] = variable(dimensions, rows, "standard error of expect")
    variables["counts"] = variable(("channel", "time"), result.counts, "mean photons since t = 0")
    if result.counts_covariance is not None:
        variables["counts_covariance"] = variable(
            ("channel", "other_channel", "time"),
            result.counts_covariance,
            "covariance of the photon counts",
        )
    return variables


def described_dataset(result, variables, **attributes):
    """Return the `xarray.Dataset` of a result, with what it is in its attributes."""
    datasets.require()
    import xarray

    used = {name for dimensions, *_ in variables.values() for name in np.atleast_1d(dimensions)}
    names = np.array(result.channels, dtype=str)
    coordinates = {
        "time": variable("time", result.times, "time since the start, in units of 1/rate"),
        "channel": ("channel", names, {"long_name": "photon channel"}),
        "other_channel": ("other_channel", names, {"long_name": "photon channel"}),
        "observable": (
            "observable",
            np.array(list(result.expect), dtype=str),
            {"long_name": "observable of the user"},
        ),
    }
    coordinates = {name: one for name, one in coordinates.items() if name in used}
    n_atoms = result.model.n_atoms
    described = datasets.about(f"{result.model.name}, N = {n_atoms}")
    found = xarray.Dataset(variables, coordinates, {**described, "n_atoms": n_atoms, **attributes})
    for coordinate in found.coords.values():  # CF: nothing is missing in them
        coordinate.encoding["_FillValue"] = None
    return found
