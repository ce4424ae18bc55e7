"""What both kinds of results have in common as datasets: their variables and coordinates."""

import numpy as np

from trajbatt.base import datasets
from trajbatt.base.datasets import variable

QUANTA = "hbar omega_0"
WITH_ERROR = {
    "energy": ("mean energy <E>", QUANTA),
    "energy_variance": ("variance of the energy in the ensemble state", f"({QUANTA})^2"),
    "quantum_variance": ("mean quantum variance of the conditional states", f"({QUANTA})^2"),
    "trajectory_variance": ("variance of the conditional energy", f"({QUANTA})^2"),
    "coherent_energy": ("energy emitted coherently, Eq. (19) integrated", QUANTA),
    "coherent_fraction": ("coherent energy over the energy before", "1"),
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
                variables[name + suffix] = variable("time", values, about, unit)
    for part in ("real", "imag"):
        variables[f"dipole_{part}"] = variable(
            "time", getattr(result.dipole, part), f"{part} part of the bare dipole <J_+>", "1"
        )
    variables["counts"] = variable(
        ("channel", "time"), result.counts, "mean photons since t = 0", "1"
    )
    if result.counts_covariance is not None:
        variables["counts_covariance"] = variable(
            ("channel", "other_channel", "time"),
            result.counts_covariance,
            "covariance of the photon counts",
            "1",
        )
    return variables


def described_dataset(result, variables, **attributes):
    """Return the `xarray.Dataset` of a result, with what it is in its attributes."""
    datasets.require()
    import xarray

    names = np.array(result.channels, dtype=str)
    coordinates = {
        "time": variable("time", result.times, "time since the start", "1/rate"),
        "channel": ("channel", names, {"long_name": "photon channel"}),
    }
    if "counts_covariance" in variables:
        coordinates["other_channel"] = ("other_channel", names, {"long_name": "photon channel"})
    n_atoms = result.model.n_atoms
    described = datasets.about(f"{result.model.name}, N = {n_atoms}")
    return xarray.Dataset(variables, coordinates, {**described, "n_atoms": n_atoms, **attributes})
