"""Charging by Eq. (7) over a grid of parameters, point by point, on any executor.

Each point is charged to its own T90. What was computed for a point is a small file named after a
digest of its parameters, so a sweep may be interrupted, repeated and widened: known points are
read.
"""

import hashlib
import itertools
import json
import math
from pathlib import Path

import numpy as np

from trajbatt.base import checks, datasets, files
from trajbatt.ensembles.executors import finished
from trajbatt.ensembles.mcsolve import mcsolve
from trajbatt.ensembles.plan import LAW
from trajbatt.exact.mesolve import mesolve
from trajbatt.models.battery import Battery
from trajbatt.states.steady_state import steady_state

AXES = {
    "n_atoms": ("number of atoms", "1"),
    "theta": ("dressing angle", "rad"),
    "ratio": ("gamma_plus/gamma_minus", "1"),
    "gamma_0": ("gamma_0/gamma_minus", "1"),
    "drive": ("Omega_P/(N gamma_minus)", "1"),
}
CHANNELS = ("red", "center", "blue")
EXACT = {
    "charging_time": ("T90", "1/gamma_minus"),
    "final_energy_per_atom": ("energy per atom in the steady state", "hbar omega_0"),
    "energy_per_atom": ("stored energy per atom at T90", "hbar omega_0"),
    "relative_fluctuation": ("Delta E/E", "1"),
    **{f"photons_{name}": (f"mean photons, {name}", "1") for name in CHANNELS},
    "waste_per_quantum": ("photons per stored quantum", "1"),
    "power": ("average power until T90", "hbar omega_0 gamma_minus"),
}
NUMBERS = 2  # goes up whenever the numbers of a point would be others than before
ESTIMATED = ("energy_per_atom", "relative_fluctuation", *(f"photons_{c}" for c in CHANNELS))


def sweep(
    n_atoms,
    theta,
    ratio=10.0,
    gamma_0=1.0,
    drive=10.0,
    *,
    ntraj=0,
    seed=0,
    store=None,
    executor=None,
    threads=None,
    progress=None,
):
    """Charge batteries of all combinations of parameters to their T90.

    Parameters
    ----------
    n_atoms, theta, ratio, gamma_0, drive : number or sequence
        As in `Battery`, in units of gamma_minus; `ratio` is gamma_plus and `drive` Omega_P/N.
    ntraj : int
        Trajectories at each point, beside the exact solution; 0 for none.
    seed : int
        Each point has its own seed, derived from this one and its parameters.
    store : path, optional
        A folder that keeps the points.
    executor, threads
        As in `mcsolve`; the points are the pieces.
    progress : callable, optional
        Called as progress(done, points).

    Returns
    -------
    xarray.Dataset
        With the dimensions `n_atoms`, `theta`, `ratio`, `gamma_0`, `drive`, and with `ntraj` also
        the estimates (`energy_per_atom_estimate`, ...) and their standard errors (`..._sem`). nan
        where x = 1 and T90 is infinite.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range or of the wrong kind.
    ImportError
        Without xarray, the extra `netcdf`.
    """
    ntraj = checks.integer("ntraj", ntraj, 0)
    seed = checks.integer("seed", seed, 0)
    given = dict(zip(AXES, (n_atoms, theta, ratio, gamma_0, drive), strict=True))
    axes = {name: _axis(name, values) for name, values in given.items()}
    points = [dict(zip(axes, values, strict=True)) for values in itertools.product(*axes.values())]
    for point in points:
        _battery(point)  # complain before anything is computed
    datasets.require()
    place = None if store is None else Path(store)
    results, missing = {}, {}
    for i, point in enumerate(points):
        found = _stored(place, point, ntraj, seed)
        if found is None:
            missing[i] = (point, ntraj, seed)
        else:
            results[i] = found
    for i, result in finished(_solve, missing, executor, threads):
        if place is not None:
            about = {"point": points[i], "ntraj": ntraj, "seed": seed, "result": result}
            files.write(_path(place, points[i], ntraj, seed), json.dumps(about).encode())
        results[i] = result
        if progress:
            progress(len(results), len(points))
    shape = [len(values) for values in axes.values()]
    numbers = {
        name: np.array([results[i][name] for i in range(len(points))]).reshape(shape)
        for name in results[0]
    }
    return _dataset(axes, numbers, ntraj, seed)


def _axis(name, values):
    """Return the values of one parameter, sorted, each once."""
    values = np.atleast_1d(values).tolist()
    if not values:
        raise ValueError(f"`{name}` must hold at least one number, but is empty")
    if name == "n_atoms":
        return sorted({checks.integer(name, value, 1) for value in values})
    return sorted({checks.real(name, value, 0) + 0.0 for value in values})  # -0.0 is 0.0


def _battery(point):
    return Battery(
        n_atoms=point["n_atoms"],
        theta=point["theta"],
        omega_p=point["drive"] * point["n_atoms"],
        gamma_0=point["gamma_0"],
        gamma_plus=point["ratio"],
        gamma_minus=1.0,
    )


def _digest(point, ntraj, seed):
    return hashlib.sha256(json.dumps([point, ntraj, seed, LAW, NUMBERS]).encode()).hexdigest()


def _path(place, point, ntraj, seed):
    return place / f"point-{_digest(point, ntraj, seed)[:24]}.json"


def _stored(place, point, ntraj, seed):
    """Return the result of a point, or None if it is not there or damaged."""
    if place is None:
        return None
    try:
        about = json.loads(_path(place, point, ntraj, seed).read_text())
    except (OSError, ValueError):
        return None
    expected = _names(ntraj)
    good = isinstance(about, dict) and isinstance(about.get("result"), dict)
    good = good and about.get("point") == point and set(about["result"]) == expected
    return about["result"] if good else None


def _names(ntraj):
    """Return the names of the numbers of a point."""
    names = set(EXACT)
    if ntraj:
        names |= {f"{name}_{kind}" for name in ESTIMATED for kind in ("estimate", "sem")}
    return names


def _solve(point, ntraj, seed):
    """Return the numbers of one point, a dict of floats."""
    battery = _battery(point)
    duration = battery.charging_time
    if math.isinf(duration):
        return dict.fromkeys(_names(ntraj), math.nan) | {"charging_time": duration}
    with np.errstate(divide="ignore", invalid="ignore"):  # a battery may stay empty
        return _charged(battery, duration, point, ntraj, seed)


def _charged(battery, duration, point, ntraj, seed):
    n_atoms = battery.n_atoms
    exact = mesolve(battery.charge(), [duration])
    energy, counts = exact.energy[0], exact.counts[:, 0]
    numbers = {
        "charging_time": duration,
        "final_energy_per_atom": steady_state(battery.charge()).energy / n_atoms,
        "energy_per_atom": float(energy) / n_atoms,
        "relative_fluctuation": float(np.sqrt(exact.energy_variance[0]) / energy),
        **{f"photons_{name}": float(count) for name, count in zip(CHANNELS, counts, strict=True)},
        "waste_per_quantum": float(counts.sum() / energy),
        "power": float(energy) / duration,
    }
    if ntraj:
        own_seed = int(_digest(point, ntraj, seed)[:16], 16)
        runs = mcsolve(battery.charge(), [duration], ntraj, seed=own_seed, threads=1)
        spread = runs.statistics.relative_fluctuation()
        spread_sem = runs.statistics.sem(spread)[0]
        estimates = [runs.energy[0] / n_atoms, spread.value[0], *runs.counts[:, 0]]
        sems = [runs.energy_sem[0] / n_atoms, spread_sem, *runs.counts_sem[:, 0]]
        for name, estimate, sem in zip(ESTIMATED, estimates, sems, strict=True):
            numbers |= {f"{name}_estimate": float(estimate), f"{name}_sem": float(sem)}
    return numbers


def _dataset(axes, numbers, ntraj, seed):
    import xarray

    def described(name):
        base = name.removesuffix("_estimate").removesuffix("_sem")
        words, unit = EXACT[base]
        if name.endswith("_sem"):
            words = f"standard error of {base}_estimate"
        elif name.endswith("_estimate"):
            words = f"{words}, by trajectories"
        return {"long_name": words, "units": unit}

    variables = {name: (tuple(axes), values, described(name)) for name, values in numbers.items()}
    coordinates = {
        name: (name, np.array(values), {"long_name": AXES[name][0], "units": AXES[name][1]})
        for name, values in axes.items()
    }
    about = {**datasets.about("sweep of charging to T90"), "ntraj": ntraj, "seed": str(seed)}
    return xarray.Dataset(variables, coordinates, about)
