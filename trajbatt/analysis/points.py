"""The points of a sweep: what each comes to, and where it is kept.

What was computed for a point is a small file named after a digest of its parameters, so a sweep may
be interrupted, repeated and widened: known points are read.
"""

import contextlib
import hashlib
import json
import math
import time

import numpy as np

from trajbatt.analysis.phase_free import OF_ENERGY, OF_WASTE, estimates, exact_numbers
from trajbatt.base import files
from trajbatt.ensembles.plan import LAW
from trajbatt.models.battery import Battery
from trajbatt.models.noise import with_noise
from trajbatt.states.steady_state import steady_state

CHANNELS = ("red", "center", "blue")
NOISE = ("local", "dephasing", "thermal")
PHOTONS = tuple(f"photons_{name}" for name in CHANNELS)
QUANTUM = "hbar omega_0"
EXACT = {
    "charging_time": ("T90", "1/gamma_minus"),
    "duration": ("duration of the charging", "1/gamma_minus"),
    "final_energy_per_atom": ("energy per atom in the steady state", QUANTUM),
    "lowest_energy_per_atom": ("lower bound of the stored energy per atom in a period", QUANTUM),
    "mean_energy_per_atom": ("stored energy per atom, mean over a period of Omega_P", QUANTUM),
    "highest_energy_per_atom": ("upper bound of the stored energy per atom in a period", QUANTUM),
    "energy_per_atom": ("stored energy per atom at the very time, with its phase", QUANTUM),
    "ergotropy_rotation_per_atom": (
        "work per atom by one classical pulse, mean over a period",
        QUANTUM,
    ),
    "relative_fluctuation": ("Delta E/E, both in the mean over a period", "1"),
    **{f"photons_{name}": (f"mean photons, {name}", "1") for name in CHANNELS},
    "lowest_waste_per_quantum": ("photons per quantum of the upper bound of the energy", "1"),
    "waste_per_quantum": ("photons per quantum stored in the mean over a period", "1"),
    "highest_waste_per_quantum": ("photons per quantum of the lower bound of the energy", "1"),
    "power": ("average power, of the mean over a period", f"{QUANTUM} gamma_minus"),
    "lowest_power": ("lower bound of the average power", f"{QUANTUM} gamma_minus"),
    "highest_power": ("upper bound of the average power", f"{QUANTUM} gamma_minus"),
}
OF_POWER = {
    "lowest_power": "lowest_energy_per_atom",
    "power": "mean_energy_per_atom",
    "highest_power": "highest_energy_per_atom",
}
ESTIMATED = (*OF_ENERGY, "relative_fluctuation", *PHOTONS, *OF_WASTE, *OF_POWER)
SEEDS = 4  # goes into the seeds of the points
NUMBERS = 5  # goes up whenever the numbers of a point would be others than before
ABANDONED = 60.0  # seconds after which a file that is being written is not any more


def battery_at(point):
    """Return the `Battery` of a point, a dict of its parameters."""
    battery = Battery(
        n_atoms=point["n_atoms"],
        theta=point["theta"],
        omega_p=point["drive"] * point["n_atoms"],
        gamma_0=point["gamma_0"],
        gamma_plus=point["ratio"],
        gamma_minus=1.0,
    )
    return with_noise(battery, **{name: point[name] for name in NOISE if name in point})


def names(ntraj):
    """Return the names of the numbers of a point."""
    found = list(EXACT)
    if ntraj:
        found += [f"{name}_{kind}" for name in ESTIMATED for kind in ("estimate", "sem")]
    return found


def solve(point, ntraj, seed):
    """Return the numbers of one point, a dict of floats; nan where T90 is asked for and infinite.

    Parameters
    ----------
    point : dict
        Of parameters; the duration is `time`, or T90 without it.
    ntraj, seed : int
    """
    battery = battery_at(point)
    duration = point.get("time", battery.charging_time)
    nothing = dict.fromkeys(names(ntraj), math.nan)
    known = {"charging_time": battery.charging_time, "duration": duration}
    if math.isinf(duration):
        return nothing | known
    energies, counts = exact_numbers(battery, duration)
    per_time = battery.n_atoms / duration
    numbers = known | energies
    numbers["final_energy_per_atom"] = _final_energy(battery)
    photons = dict(zip(CHANNELS, PHOTONS, strict=True))
    numbers |= {name: float(counts.get(one, 0.0)) for one, name in photons.items()}
    numbers |= {name: energies[energy] * per_time for name, energy in OF_POWER.items()}
    if ntraj:
        own_seed = int(digest(point, ntraj, seed, SEEDS)[:16], 16)
        found, counted = estimates(battery, duration, ntraj, own_seed)
        found |= {name: counted.get(one, (0.0, 0.0)) for one, name in photons.items()}
        for name, energy in OF_POWER.items():
            found[name] = tuple(number * per_time for number in found[energy])
        for name, (estimate, sem) in found.items():
            numbers |= {f"{name}_estimate": estimate, f"{name}_sem": sem}
    return {name: numbers[name] for name in names(ntraj)}


def _final_energy(battery):
    try:
        return steady_state(battery.charge()).energy / battery.n_atoms
    except ValueError:  # without rates it settles nowhere
        return math.nan


def digest(point, ntraj, seed, version=NUMBERS):
    """Return what a point is known by, as hexadecimal digits."""
    return hashlib.sha256(json.dumps([point, ntraj, seed, LAW, version]).encode()).hexdigest()


def _path(place, point, ntraj, seed):
    return place / f"point-{digest(point, ntraj, seed)[:24]}.json"


def stored(place, point, ntraj, seed):
    """Return the result of a point in a folder, or None if it is not there or damaged."""
    try:
        about = json.loads(_path(place, point, ntraj, seed).read_text())
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(about, dict) or about.get("point") != point:
        return None
    result = about.get("result")
    good = isinstance(result, dict) and set(result) == set(names(ntraj))
    good = good and all(isinstance(number, int | float) for number in result.values())
    return result if good else None


def keep(place, point, ntraj, seed, result):
    """Write the result of a point into a folder."""
    about = {"point": point, "ntraj": ntraj, "seed": seed, "result": result}
    files.write(_path(place, point, ntraj, seed), json.dumps(about).encode())


def tidy(place):
    """Remove from a folder what killed sweeps had begun to write."""
    for path in place.glob(".point-*"):
        with contextlib.suppress(OSError):
            if time.time() - path.stat().st_mtime > ABANDONED:
                path.unlink()


def as_arrays(results, shape):
    """Return the results of all points, a dict of arrays of the shape of the grid."""
    return {
        name: np.array([result[name] for result in results], dtype=float).reshape(shape)
        for name in results[0]
    }
