"""What a run stored, how sharply and at what price: the rows of its table."""

import math
from dataclasses import replace

import numpy as np

from trajbatt.numerics.scores import z_scores
from trajbatt.reports.row import Row
from trajbatt.trajectories.records import COUNTS, JZ, JZ_SQUARE, JZ_VARIANCE

EMPTY = 1e-12  # of N: less energy is rounding
ENOUGH_QUANTA = 25  # of an ensemble, below which a standard error means nothing
ROUNDING = 1e-6  # rows may be small fractions: only what is tiny beside this is rounding


class Moment:
    """An ensemble and its exact twin at one of the requested times.

    Standard errors of ratios are by the delta method. A row has a z-score only if everything in it
    has one there.

    Parameters
    ----------
    runs : EnsembleResult
    exact : MasterEquationResult
    verdict : Comparison
        Of the two.
    index : int
        Of the time.
    """

    def __init__(self, runs, exact, verdict, index=-1):
        self._runs, self._exact, self._index = runs, exact, index
        self._n_atoms = runs.model.n_atoms
        self._mean = runs.moments.mean[:, index]
        self._unit = np.eye(len(self._mean))
        self._judged = {
            JZ: verdict.energy[index],
            JZ_SQUARE: verdict.energy_variance[index],
            **{COUNTS + i: z[index] for i, z in enumerate(verdict.counts)},
        }
        self._energy = self._mean[JZ] + self._n_atoms / 2
        self._exact_energy = exact.energy[index]
        self._is_empty = self._exact_energy < EMPTY * self._n_atoms

    def _row(self, name, label, value, gradient, exact):
        sem = float(self._runs.moments.sem(np.asarray(gradient)[:, None])[self._index])
        if exact is None:
            return Row(name, label, float(value), sem, None, None)
        parts = [z for row, z in self._judged.items() if gradient[row] != 0]
        if np.any(np.isnan(parts)) or not math.isfinite(value):
            z = math.nan
        elif np.all(np.array(parts) == 0.0):  # nothing fluctuates, or it agrees to rounding
            z = 0.0
        else:
            z = float(z_scores(value, exact, sem, ROUNDING))
        return Row(name, label, float(value), sem, float(exact), z)

    def energy_per_atom(self, name, label):
        """Return the row of E/N."""
        gradient = self._unit[JZ] / self._n_atoms
        exact = self._exact_energy / self._n_atoms
        return self._row(name, label, self._energy / self._n_atoms, gradient, exact)

    def power(self, duration):
        """Return the row of E/T."""
        gradient, exact = self._unit[JZ] / duration, self._exact_energy / duration
        label = "average power E/T"
        return self._row("average_power", label, self._energy / duration, gradient, exact)

    def fluctuations(self):
        """Return the rows of Delta E/E and of its quantum and trajectory parts."""
        d_variance = self._unit[JZ_SQUARE] - 2 * self._mean[JZ] * self._unit[JZ]
        d_quantum = self._unit[JZ_VARIANCE]
        runs, at = self._runs, self._index
        exact = np.sqrt(self._exact.energy_variance[at]) / self._exact_energy
        return [
            self._relative("", "fluctuation, ΔE/E", runs.energy_variance[at], d_variance, exact),
            self._relative(
                "_quantum", "  quantum part", runs.quantum_variance[at], d_quantum, None
            ),
            self._relative(
                "_trajectory",
                "  trajectory part",
                runs.trajectory_variance[at],
                d_variance - d_quantum,
                None,
            ),
        ]

    def _relative(self, part, label, variance, gradient, exact):
        """Return the row of sqrt(variance)/E; without an error where the variance is rounding."""
        if self._is_empty:
            return Row(f"relative_fluctuation{part}", label, math.nan, math.nan, math.nan, None)
        ratio = np.sqrt(variance) / self._energy
        if variance <= 1e-12 * self._n_atoms**2:
            slope = np.full_like(gradient, np.nan)
        else:
            slope = ratio * (gradient / (2 * variance) - self._unit[JZ] / self._energy)
        return self._row(f"relative_fluctuation{part}", label, ratio, slope, exact)

    def photons(self, names):
        """Return the rows of the mean counts of some channels."""
        channels = self._runs.channels
        return [
            self._row(
                f"photons_{name}",
                f"photons, {name}",
                self._mean[COUNTS + i],
                self._unit[COUNTS + i],
                self._exact.counts[i, self._index],
            )
            for i, name in enumerate(channels)
            if name in names
        ]

    def waste(self, energies):
        """Return the row of the photons' energy for each stored quantum; `energies` (nc,)."""
        name, label = "waste_per_quantum", "waste per stored quantum"
        if self._is_empty:
            return Row(name, label, math.nan, math.nan, math.nan, None)
        waste = energies @ self._mean[COUNTS:] / self._energy
        gradient = (energies @ self._unit[COUNTS:] - waste * self._unit[JZ]) / self._energy
        exact = energies @ self._exact.counts[:, self._index] / self._exact_energy
        return self._row(name, label, waste, gradient, exact)


def charging_summary(runs, exact, verdict, energies):
    """Return the rows of a charging run, at its last time.

    Parameters
    ----------
    runs : EnsembleResult
    exact : MasterEquationResult
    verdict : Comparison
    energies : ndarray (nc,)
        Of the photons, in units of hbar omega_0.

    Returns
    -------
    list of Row
    """
    end = Moment(runs, exact, verdict)
    with np.errstate(divide="ignore", invalid="ignore"):  # a battery may stay empty
        return [
            end.energy_per_atom("energy_per_atom", "stored energy per atom, E/N"),
            *end.fluctuations(),
            *end.photons(runs.channels),
            end.waste(energies),
            end.power(runs.times[-1]),
        ]


def discharge_summary(runs, exact, verdict):
    """Return the rows of a discharge: what was there, what is left, and what came out coherently.

    The first of the requested times must be 0; parameters as for `charging_summary`.
    """
    start, end = (Moment(runs, exact, verdict, index) for index in (0, -1))
    return [
        start.energy_per_atom("energy_at_start_per_atom", "energy at the start per atom, E/N"),
        end.energy_per_atom("energy_left_per_atom", "energy left per atom, E/N"),
        *end.photons(runs.channels),
        *_coherent_rows(runs, exact),
    ]


def protocol_summary(runs, exact, verdict):
    """Return the rows of a protocol: each stage at the last of the times in it.

    Parameters as for `charging_summary`.
    """
    rows = []
    for i, stage in enumerate(runs.model.until(runs.times[-1])):
        wanted, _ = stage.select(runs.times)
        if wanted.stop == wanted.start:
            continue
        again = stage.model.name in [model.name for model, _ in runs.model.steps[:i]]
        names = [runs.channels[tag] for tag in stage.tags]
        then = Moment(runs, exact, verdict, wanted.stop - 1)
        with np.errstate(divide="ignore", invalid="ignore"):  # a battery may stay empty
            stage_rows = _stage_rows(then, stage.model.name, names, runs.channels)
        rows += [replace(row, name=f"{row.name}_{i + 1}") if again else row for row in stage_rows]
    return rows + (_coherent_rows(runs, exact) if runs.coherent_energy is not None else [])


def _stage_rows(then, stage, names, channels):
    if stage == "charge":
        emitted = np.array([1.0 if name in names else 0.0 for name in channels])
        return [
            then.energy_per_atom("energy_per_atom", "stored energy per atom, E/N"),
            then.fluctuations()[0],
            *then.photons(names),
            then.waste(emitted),
        ]
    if stage == "store":
        return [then.energy_per_atom("energy_after_store_per_atom", "after the storage, E/N")]
    return [
        *then.photons(names),
        then.energy_per_atom("energy_left_per_atom", "left after the discharge, E/N"),
    ]


def _coherent_rows(runs, exact):
    n_atoms = runs.model.n_atoms
    pairs = [
        (
            "coherent_energy_per_atom",
            "coherently extracted per atom, W/N",
            runs.coherent_energy[-1] / n_atoms,
            runs.coherent_energy_sem[-1] / n_atoms,
            exact.coherent_energy[-1] / n_atoms,
        ),
        (
            "efficiency",
            "efficiency, W/E",
            runs.coherent_fraction[-1],
            runs.coherent_fraction_sem[-1],
            exact.coherent_fraction[-1],
        ),
    ]
    known_well = runs.ntraj * exact.coherent_energy[-1] > ENOUGH_QUANTA
    return [
        Row(
            name,
            label,
            float(value),
            float(sem),
            float(known),
            float(z_scores(value, known, sem, ROUNDING)) if known_well else math.nan,
        )
        for name, label, value, sem, known in pairs
    ]
