"""What a run stored, how sharply and at what price: the rows of its table."""

import math
from dataclasses import replace

import numpy as np

from trajbatt.analysis.daemonic import daemonic_ergotropy
from trajbatt.ensembles.statistics import Quantity
from trajbatt.numerics.scores import z_scores
from trajbatt.reports.row import Row
from trajbatt.trajectories.records import COUNTS, ROW

ENOUGH_QUANTA = 25  # of an ensemble, below which a standard error means nothing
SMALL = 1e-6  # rows may be small fractions: only what is tiny beside this is rounding


def summarise(runs, exact, verdict, energies=None):
    """Return what a run comes to: when that is, and the rows.

    Parameters
    ----------
    runs : EnsembleResult
    exact : MasterEquationResult
    verdict : Comparison
        Of the two.
    energies : ndarray (nc,), optional
        Of the photons that are wasted in a charging, in units of hbar omega_0; each is one quantum
        by default.

    Returns
    -------
    title : str
    rows : list of Row
    """
    with np.errstate(divide="ignore", invalid="ignore"):  # a battery may stay empty
        if runs.model.is_staged:
            when = "at the end" if runs.model.is_steered else "stage by stage"
            return when, _protocol_rows(runs, exact, verdict)
        if runs.model.is_discharge:
            return "discharge", _discharge_rows(runs, exact, verdict)
        return "at the end", _charging_rows(runs, exact, verdict, energies)


def alone(runs):
    """Return the title and the rows, at the end, of a run without an exact twin."""
    with np.errstate(divide="ignore", invalid="ignore"):  # a battery may stay empty
        return "at the end", _steered_rows(Instant(runs, None, None), runs.channels)


class Instant:
    """An ensemble and its exact twin at one of the requested times.

    A row has a z-score only if everything in it has one there.

    Parameters
    ----------
    runs, exact, verdict
        As in `summarise`; the last two may be None.
    index : int
        Of the time.
    """

    def __init__(self, runs, exact, verdict, index=-1):
        self._runs, self._exact, self._index = runs, exact, index
        self._statistics, self._n_atoms = runs.statistics, runs.model.n_atoms
        if exact is None:
            self._exact_energy = self._exact_fluctuation = None
            self._exact_counts = [None] * len(runs.channels)
            return
        self._judged = {
            ROW["jz"]: verdict.energy[index],
            ROW["jz_square"]: verdict.energy_variance[index],
            **{COUNTS + i: z[index] for i, z in enumerate(verdict.counts)},
        }
        self._exact_energy = exact.energy[index]
        self._exact_fluctuation = np.sqrt(exact.energy_variance[index]) / self._exact_energy
        self._exact_counts = exact.counts[:, index]

    def _row(self, name, label, quantity, exact):
        """Return the row of a `Quantity`, whose exact value may be None."""
        value = float(quantity.value[self._index])
        sem = float(self._statistics.sem(quantity)[self._index])
        if exact is None:
            return Row(name, label, value, sem, None, None)
        if math.isnan(value):
            return Row(name, label, math.nan, math.nan, math.nan, None)
        slopes = quantity.gradient[:, self._index]
        parts = [z for row, z in self._judged.items() if slopes[row] != 0]
        if np.any(np.isnan(parts)) or not math.isfinite(value):
            z = math.nan
        elif np.all(np.array(parts) == 0.0):  # nothing fluctuates, or it agrees to rounding
            z = 0.0
        else:
            z = float(z_scores(value, exact, sem, SMALL))
        return Row(name, label, value, sem, float(exact), z)

    def energy_per_atom(self, name, label):
        """Return the row of E/N."""
        energy = _scaled(self._statistics.energy, 1.0 / self._n_atoms)
        known = None if self._exact is None else self._exact_energy / self._n_atoms
        return self._row(name, label, energy, known)

    def power(self, duration):
        """Return the row of E/T."""
        power = _scaled(self._statistics.energy, np.divide(1.0, duration))
        exact = np.divide(self._exact_energy, duration)
        return self._row("average_power", "average power E/T", power, exact)

    def fluctuations(self):
        """Return the rows of Delta E/E and of its quantum and trajectory parts."""
        found, exact = self._statistics, self._exact_fluctuation
        return [
            self._row(f"relative_fluctuation{part}", label, found.relative_fluctuation(of), known)
            for part, label, of, known in (
                ("", "fluctuation, ΔE/E", found.energy_variance, exact),
                ("_quantum", "  quantum part", found.quantum_variance, None),
                ("_trajectory", "  trajectory part", found.trajectory_variance, None),
            )
        ]

    def photons(self, names):
        """Return the rows of the mean counts of some channels, those with light."""
        lit = self._runs.model.lit_channels
        return [
            self._row(f"photons_{name}", f"photons, {name}", count, exact)
            for name, count, exact in zip(
                self._runs.channels, self._statistics.counts, self._exact_counts, strict=True
            )
            if name in names and name in lit
        ]

    def waste(self, energies):
        """Return the row of the photons' energy for each stored quantum; `energies` (nc,)."""
        exact = energies @ self._exact_counts / self._exact_energy
        waste = self._statistics.waste(energies)
        return self._row("waste_per_quantum", "waste per stored quantum", waste, exact)

    def work(self):
        """Return the rows of the work of one pulse, and of the same knowing all photons."""
        label, share = "work of one pulse per atom", 1.0 / self._n_atoms
        found = _scaled(self._statistics.rotation_work, share)
        known = float(self._exact.ergotropy_rotation[self._index]) * share
        rows = [self._row("ergotropy_rotation_per_atom", label, found, known)]
        daemonic = self._daemonic()
        if daemonic is not None:
            work, sem = daemonic.work[-1] * share, daemonic.work_sem[-1] * share
            words = "  knowing all photons"
            rows.append(Row("daemonic_work_per_atom", words, float(work), float(sem), None, None))
        return rows

    def _daemonic(self):
        """Return the `DaemonicErgotropy` by rotations now, where it takes a moment, or None."""
        runs = self._runs
        is_known = not any(source.outdated for source in runs.sources)
        if runs.ntraj < 2 or not is_known or not runs.model.clicks_from_populations:
            return None
        return daemonic_ergotropy(runs, "rotation", tlist=runs.times[[self._index]])

    def heat(self, energies):
        """Return the row of the photons' energy per atom; `energies` (nc,) of one each."""
        exact = energies @ self._exact.counts[:, self._index] / self._n_atoms
        heat = _scaled(self._statistics.heat(energies), 1.0 / self._n_atoms)
        return self._row("heat_per_atom", "heat per atom, all photons", heat, exact)


def _scaled(quantity, factor):
    return Quantity(*(factor * part for part in quantity))


def _charging_rows(runs, exact, verdict, energies):
    """Return the rows at the last time; those of photons only if the model has any."""
    end = Instant(runs, exact, verdict)
    rows = [
        end.energy_per_atom("energy_per_atom", "stored energy per atom, E/N"),
        *end.fluctuations(),
    ]
    if runs.channels:
        energies = runs.model.photons if energies is None else energies
        rows += [*end.photons(runs.channels), end.heat(energies)]
        rows += [end.waste(energies), end.power(runs.times[-1])]
    return rows + end.work()


def _discharge_rows(runs, exact, verdict):
    """Return the rows of what was there, what is left, and what came out coherently."""
    start, end = (Instant(runs, exact, verdict, index) for index in (0, -1))
    begin = "the start" if runs.times[0] == 0.0 else f"t = {runs.times[0]:.4g}"
    return [
        start.energy_per_atom("energy_at_start_per_atom", f"energy at {begin} per atom, E/N"),
        end.energy_per_atom("energy_left_per_atom", "energy left per atom, E/N"),
        *end.photons(runs.channels),
        *_coherent_rows(runs, exact),
    ]


def _protocol_rows(runs, exact, verdict):
    """Return the rows of each stage at the last of the times in it.

    Where stages end by what is seen, each trajectory's at its own time, only those of the end.
    """
    if runs.model.is_steered:
        return _steered_rows(Instant(runs, exact, verdict), runs.channels)
    rows, names = [], set()
    for i, stage in enumerate(runs.model.stages(runs.times[-1]), 1):
        wanted, _ = stage.select(runs.times)
        if wanted.stop == wanted.start:
            continue
        found = _stage_rows(Instant(runs, exact, verdict, wanted.stop - 1), stage, runs.channels)
        again = any(row.name in names for row in found)
        names.update(row.name for row in found)
        rows += [replace(row, name=f"{row.name}_{i}") if again else row for row in found]
    return rows + (_coherent_rows(runs, exact) if runs.coherent_energy is not None else [])


def _steered_rows(end, channels):
    stored = end.energy_per_atom("energy_per_atom", "energy at the end per atom, E/N")
    return [stored, end.fluctuations()[0], *end.photons(channels)]


def _stage_rows(then, stage, channels):
    names = [channels[place] for place in stage.places]
    if stage.model.is_discharge:
        return [
            *then.photons(names),
            then.energy_per_atom("energy_left_per_atom", "left after the discharge, E/N"),
        ]
    if not names:
        return [then.energy_per_atom("energy_after_store_per_atom", "after the storage, E/N")]
    emitted = np.array([1.0 if name in names else 0.0 for name in channels])
    return [
        then.energy_per_atom("energy_per_atom", "stored energy per atom, E/N"),
        then.fluctuations()[0],
        *then.photons(names),
        then.waste(emitted),
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
            float(z_scores(value, known, sem, SMALL)) if known_well else math.nan,
        )
        for name, label, value, sem, known in pairs
    ]
