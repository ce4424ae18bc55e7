"""What a charging by Eq. (7) comes to, whatever the phase of Omega_P at which it ends.

The energy after a time T is N/2 + cos(theta) <J'_z> + sin(theta) Re <J'_+>, and Omega_P T is the
phase of the last term. Seen in its own basis, at the angle 0, a charging tells the parts: <J'_z>,
its variance and <J'_+>. Of these follow the mean over a period, the two sides of the oscillation,
and the variance in the mean over a period.
"""

import math
from dataclasses import replace

import numpy as np

from trajbatt.ensembles.mcsolve import mcsolve
from trajbatt.ensembles.spin_distribution import across_moments
from trajbatt.ensembles.statistics import Quantity
from trajbatt.exact.mesolve import mesolve
from trajbatt.numerics import spin
from trajbatt.states.quoted import EMPTY
from trajbatt.trajectories.records import ROW

OF_ENERGY = (
    "lowest_energy_per_atom",
    "mean_energy_per_atom",
    "highest_energy_per_atom",
    "energy_per_atom",
)
OF_WASTE = ("lowest_waste_per_quantum", "waste_per_quantum", "highest_waste_per_quantum")
ENERGY_OF_WASTE = (
    "highest_energy_per_atom",  # the more is stored, the less is waste
    "mean_energy_per_atom",
    "lowest_energy_per_atom",
)


def in_own_basis(battery):
    """Return the charging of a battery as a model at the angle 0, and the ground state there."""
    u, v = spin.rotated_spinor(0.0, 1.0, battery.theta)
    return replace(battery.charge(), theta=0.0), spin.coherent_ket(battery.n_atoms, u, v)


def exact_numbers(battery, duration):
    """Return the exact numbers after a time, a dict of floats, and the mean counts, another.

    Parameters
    ----------
    battery : Battery
    duration : float
    """
    n_atoms, j = battery.n_atoms, battery.n_atoms / 2
    cos, sin = math.cos(battery.theta), math.sin(battery.theta)
    model, ket = in_own_basis(battery)
    found = mesolve(model, [duration], ket)
    z, turning = found.energy[0] - j, found.dipole[0]
    middle, swing = j + cos * z, abs(sin) * abs(turning)
    spread = found.energy_variance[0]
    variance = cos**2 * spread
    variance += 0.5 * sin**2 * (found.spin_square[0] - spread - z**2 - abs(turning) ** 2)
    energies = middle - swing, middle, middle + swing, middle + sin * turning.real
    numbers = {
        name: float(min(max(value / n_atoms, 0.0), 1.0))
        for name, value in zip(OF_ENERGY, energies, strict=True)
    }
    fluctuation = _ratio(math.sqrt(max(variance, 0.0)), numbers["mean_energy_per_atom"] * n_atoms)
    counts = found.counts[:, 0]
    for name, energy in zip(OF_WASTE, ENERGY_OF_WASTE, strict=True):
        numbers[name] = _ratio(float(model.photons @ counts), numbers[energy] * n_atoms)
    # The mean of <J_z> + abs(<J>) over a period.
    work = max(cos * z + math.hypot(z, abs(turning)), 0.0) / n_atoms
    numbers |= {"relative_fluctuation": fluctuation, "ergotropy_rotation_per_atom": work}
    return numbers, dict(zip(model.channel_names, counts.tolist(), strict=True))


def estimates(battery, duration, ntraj, seed):
    """Return the same by trajectories, a dict of (estimate, standard error), and of the counts.

    Returns
    -------
    numbers : dict of str to (float, float)
    counts : dict of str to (float, float)
        Of each channel.
    """
    n_atoms = battery.n_atoms
    sin = math.sin(battery.theta)
    model, ket = in_own_basis(battery)
    runs = mcsolve(model, [duration], ntraj, ket, seed=seed, threads=1)
    found = runs.statistics
    x, _ = found.dipole
    low, middle, high = found.swing(battery.theta)
    at_time = Quantity(middle.value + sin * x.value, middle.gradient + sin * x.gradient)
    energies = low, middle, high, at_time
    per_atom = [Quantity(*(part / n_atoms for part in one)) for one in energies]
    quantities = dict(zip(OF_ENERGY, per_atom, strict=True))
    quantities["relative_fluctuation"] = _fluctuation(runs, battery.theta, middle)
    for name, of in zip(OF_WASTE, ENERGY_OF_WASTE, strict=True):
        stored = energies[OF_ENERGY.index(of)]
        quantities[name] = found.waste(model.photons, stored)

    def pair(quantity):
        return float(quantity.value[0]), float(found.sem(quantity)[0])

    photons = dict(zip(model.channel_names, map(pair, found.counts), strict=True))
    return {name: pair(one) for name, one in quantities.items()}, photons


def _fluctuation(runs, theta, middle):
    """Return Delta E/E in the mean over a period, a `Quantity`, and its error.

    `middle` is the mean energy; `theta` the angle of the basis, in which the runs are.
    """
    found, n_atoms = runs.statistics, runs.model.n_atoms
    cos, sin = math.cos(theta), math.sin(theta)
    square, spread = found.mean(ROW["jz_square"]), found.energy_variance
    x, y = found.dipole
    noise, turning = found.sem(x) ** 2 + found.sem(y) ** 2, found.length(x, y).value
    turns = 2.0 * (x.value * x.gradient + y.value * y.gradient)
    across = runs.spin_square - square.value - turning**2
    variance = cos**2 * spread.value + 0.5 * sin**2 * across
    with np.errstate(divide="ignore", invalid="ignore"):  # a battery may stay empty
        is_empty = middle.value < EMPTY * n_atoms
        ratio = np.where(is_empty, np.nan, np.sqrt(np.maximum(variance, 0.0)) / middle.value)
        if not runs.model.is_symmetric:
            return Quantity(ratio, 0.0 * middle.gradient, _error(runs, theta, ratio, variance))
        tilt = cos**2 * spread.gradient - 0.5 * sin**2 * (square.gradient + turns)
        beyond = cos**2 * spread.beyond + math.sqrt(0.5) * sin**2 * noise
        slopes = ratio * (tilt / (2.0 * variance) - middle.gradient / middle.value)
        return Quantity(ratio, slopes, ratio * beyond / (2.0 * variance))


def _error(runs, theta, ratio, variance):
    """Return the standard error of `_fluctuation`, (1,), where J scatters, too."""
    moments = across_moments(runs.sources)
    z, _, x, y, _ = moments.mean
    cos, sin = math.cos(theta), math.sin(theta)
    of_variance = np.array([-2.0 * cos**2 * z, cos**2, -(sin**2) * x, -(sin**2) * y, 0.5 * sin**2])
    of_energy = np.array([cos, 0.0, 0.0, 0.0, 0.0])
    mean = runs.model.n_atoms / 2 + cos * z
    slopes = ratio[0] * (of_variance / (2.0 * variance[0]) - of_energy / mean)
    return np.atleast_1d(moments.sem(slopes))


def _ratio(numerator, denominator):
    return numerator / denominator if denominator > 0.0 else math.nan
