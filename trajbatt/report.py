"""Results as a person or a machine reads them: rows of a table, and JSON."""

import math
from dataclasses import asdict, dataclass, fields, is_dataclass

import numpy as np

from trajbatt.compare import z_scores
from trajbatt.ensemble import EnsembleResult
from trajbatt.mesolve import MasterEquationResult
from trajbatt.records import COUNTS, JZ, JZ_SQUARE, JZ_VARIANCE
from trajbatt.version import __version__


@dataclass(frozen=True)
class Row:
    """One line of a summary.

    Attributes
    ----------
    name : str
        As JSON names it.
    label : str
        As a table shows it.
    ensemble, sem : float
        The estimate and its standard error.
    exact : float or None
        Its exact value; None where the master equation knows none.
    z : float or None
        (ensemble - exact)/sem.
    """

    name: str
    label: str
    ensemble: float
    sem: float
    exact: float | None
    z: float | None


def photon_energies(battery, omega_0=None):
    """Return the energy of a photon of each channel, in units of hbar omega_0, float64 (3,).

    Without `omega_0` each photon counts as one quantum. With it, in the unit of the rates, a photon
    of `red`, `center` and `blue` has the frequency omega_P - Omega_P, omega_P and omega_P + Omega_P
    of the Mollow triplet, with the pump's frequency omega_P = omega_0 - Delta.
    """
    if omega_0 is None:
        return np.ones(3)
    pump = omega_0 - battery.detuning
    frequencies = pump + battery.omega_p * np.array([-1.0, 0.0, 1.0])
    if frequencies[0] <= 0:
        raise ValueError(
            f"`omega_0` must exceed the detuning plus omega_p, "
            f"{battery.detuning + battery.omega_p:g}, or red photons have no energy, "
            f"but is {omega_0:g}"
        )
    return frequencies / omega_0


def charging_summary(runs, exact, verdict, energies):
    """Return what a charging run stored, how sharply and at what price, at its last time.

    Parameters
    ----------
    runs : EnsembleResult
    exact : MasterEquationResult
    verdict : Comparison
        Of the two. A row has a z-score only if everything in it has one there.
    energies : ndarray (nc,)
        Of the photons, in units of hbar omega_0.

    Returns
    -------
    list of Row
        Standard errors of ratios are by the delta method.
    """
    judged = {
        JZ: verdict.energy[-1],
        JZ_SQUARE: verdict.energy_variance[-1],
        **{COUNTS + i: z[-1] for i, z in enumerate(verdict.counts)},
    }
    with np.errstate(divide="ignore", invalid="ignore"):  # a battery may stay empty
        return [_row(runs, judged, *entry) for entry in _entries(runs, exact, energies)]


def _entries(runs, exact, energies):
    """Return name, label, value, its gradient by the means of the samples, and exact value."""
    n_atoms, duration = runs.model.n_atoms, runs.times[-1]
    mean = runs.moments.mean[:, -1]
    unit = np.eye(len(mean))
    energy, d_energy = mean[JZ] + n_atoms / 2, unit[JZ]
    d_variance = unit[JZ_SQUARE] - 2 * mean[JZ] * unit[JZ]
    d_quantum = unit[JZ_VARIANCE]
    counts, d_counts = mean[COUNTS:], unit[COUNTS:]

    def relative(variance, gradient):
        """Return sqrt(variance)/energy and its gradient, nan where the variance is rounding."""
        ratio = np.sqrt(variance) / energy
        if variance <= 1e-12 * n_atoms**2:
            return ratio, np.full_like(gradient, np.nan)
        return ratio, ratio * (gradient / (2 * variance) - d_energy / energy)

    waste = energies @ counts / energy
    exact_energy = exact.energy[-1]
    return [
        ("energy_per_atom", "stored energy per atom, E/N", energy / n_atoms, d_energy / n_atoms,
         exact_energy / n_atoms),
        ("relative_fluctuation", "fluctuation, ΔE/E",
         *relative(runs.energy_variance[-1], d_variance),
         np.sqrt(exact.energy_variance[-1]) / exact_energy),
        ("relative_fluctuation_quantum", "  quantum part",
         *relative(runs.quantum_variance[-1], d_quantum), None),
        ("relative_fluctuation_trajectory", "  trajectory part",
         *relative(runs.trajectory_variance[-1], d_variance - d_quantum), None),
        *[
            (f"photons_{name}", f"photons, {name}", counts[i], d_counts[i], exact.counts[i, -1])
            for i, name in enumerate(runs.channels)
        ],
        ("waste_per_quantum", "waste per stored quantum", waste,
         (energies @ d_counts - waste * d_energy) / energy,
         energies @ exact.counts[:, -1] / exact_energy),
        ("average_power", "average power E/T", energy / duration, d_energy / duration,
         exact_energy / duration),
    ]  # fmt: skip


def _row(runs, judged, name, label, value, gradient, exact):
    sem = float(runs.moments.sem(np.asarray(gradient)[:, None])[-1])
    if exact is None:
        return Row(name, label, float(value), sem, None, None)
    parts = [z for row, z in judged.items() if gradient[row] != 0]
    # Rows may be small fractions: only what is tiny beside 1e-6 is rounding whatever its size.
    z = math.nan if np.any(np.isnan(parts)) else float(z_scores(value, exact, sem, 1e-6))
    return Row(name, label, float(value), sem, float(exact), z)


def as_json(value):
    """Return `value` as JSON has it: complex numbers as [re, im], nan and inf as null.

    Of a result dataclass, the attributes that its users read; of arrays, nested lists.
    """
    if isinstance(value, EnsembleResult):
        names = (
            "times channels ntraj seed energy energy_sem energy_variance energy_variance_sem "
            "quantum_variance trajectory_variance dipole dipole_sem counts counts_sem "
            "counts_covariance"
        )
        return {name: as_json(getattr(value, name)) for name in names.split()}
    if isinstance(value, MasterEquationResult):
        names = "times channels energy energy_variance dipole counts counts_covariance"
        return {name: as_json(getattr(value, name)) for name in names.split()}
    if is_dataclass(value):
        return {f.name: as_json(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, np.ndarray):
        if np.iscomplexobj(value):
            value = np.stack((value.real, value.imag), axis=-1)
        return as_json(value.tolist())
    if isinstance(value, dict):
        return {name: as_json(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [as_json(item) for item in value]
    if isinstance(value, complex):
        return [as_json(value.real), as_json(value.imag)]
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, np.integer):
        return int(value)
    return value


def provenance(command, battery, **parameters):
    """Return what is needed to repeat a run, for JSON."""
    return {
        "command": command,
        "version": __version__,
        "parameters": {**asdict(battery), **parameters},
    }
