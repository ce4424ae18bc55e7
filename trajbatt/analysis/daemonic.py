r"""Daemonic ergotropy: what can be extracted, on average, by someone who knows the record.

A record r of the light leaves the conditional state rho_r, of which W(rho_r) can be extracted; the
daemonic ergotropy is the mean of it over the records (Francica et al., npj Quantum Inf. 3, 12
(2017)). It lies between the work W(rho) of the mean state, if nothing is seen, and, if every photon
is seen and the battery began in a pure state, the whole energy, for unitaries that may be any.

The mean of the conditional energies E_r is known exactly, so they serve as a control variate: with
b the slope of W_r on E_r, the mean of W_r - b (E_r - E) has the same limit and a smaller variance.
"""

from dataclasses import dataclass
from functools import partial
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import ArrayLike

from trajbatt.base import checks
from trajbatt.base.arrays import ReadOnlyPickle, read_only
from trajbatt.base.cards import Card
from trajbatt.base.citation import DAEMONIC, UNRAVELLING
from trajbatt.base.types import FloatArray, PerChannel
from trajbatt.ensembles.chunks import blocks
from trajbatt.ensembles.executors import ordered
from trajbatt.ensembles.result import EnsembleResult
from trajbatt.exact.mesolve import mesolve
from trajbatt.inference.filter import filter as filter_record
from trajbatt.light.detectors import Detectors, described
from trajbatt.models.model import stays_symmetric
from trajbatt.states.work import rotation_work
from trajbatt.trajectories.records import ROW

FEWEST = 10  # records of which a slope is fitted
ROUNDED = 1e-8  # of N: conditional energies that scatter by less do not
KINDS = {
    "rotation": "ergotropy_rotation",
    "subspace": "ergotropy",
    "global": "ergotropy_global",
}


@dataclass(frozen=True, eq=False, repr=False)
class DaemonicErgotropy(Card, ReadOnlyPickle):
    """The mean work that can be extracted knowing the record, with its standard error.

    Energies are totals in units of hbar omega_0; times are in the unit of 1/rate.

    Attributes
    ----------
    times : ndarray (nt,), float64
    kind : str
        "rotation", "subspace" or "global".
    ntraj : int
        The number of records.
    work, work_sem : ndarray (nt,), float64
        The daemonic ergotropy and its standard error.
    without_record : ndarray (nt,), float64
        The ergotropy of the mean state, exactly.
    energy : ndarray (nt,), float64
        The mean energy, exactly: no more can be extracted.
    variance_reduction : ndarray (nt,), float64
        How many times fewer records the control variate needs; inf where all scatter is the
        energy's.
    """

    times: FloatArray
    kind: str
    ntraj: int
    work: FloatArray
    work_sem: FloatArray
    without_record: FloatArray
    energy: FloatArray
    variance_reduction: FloatArray
    cites: ClassVar[tuple[str, ...]] = (UNRAVELLING, DAEMONIC)

    def __repr__(self) -> str:
        """Return a card of four lines, of the last time."""
        return (
            f"DaemonicErgotropy: {self.kind}, {self.ntraj} records\n"
            f"  without the record  {self.without_record[-1]:.6g}\n"
            f"  with it             {self.work[-1]:.6g} ± {self.work_sem[-1]:.2g}\n"
            f"  energy              {self.energy[-1]:.6g}"
        )


def daemonic_ergotropy(
    runs: EnsembleResult,
    kind: Literal["rotation", "subspace", "global"] = "rotation",
    efficiency: PerChannel = 1.0,
    *,
    dark_rate: PerChannel = 0.0,
    detectors: Detectors | None = None,
    tlist: ArrayLike | None = None,
    ntraj: int | None = None,
    seed: int = 0,
) -> DaemonicErgotropy:
    """Return the mean work that can be extracted from batteries whose light is recorded.

    Where every photon is seen and the battery began in a pure state, the conditional states are
    those of the trajectories; else each record is filtered, on the threads or the executor of the
    run: O(N) a click for rotations, O(N^3) a time for the others.

    Parameters
    ----------
    runs : EnsembleResult
    kind : {"rotation", "subspace", "global"}
        What may be done to the battery: one classical pulse, any unitary on the symmetric subspace,
        or any on the 2^N states; see `MasterEquationResult.ergotropy_rotation`, `.ergotropy`,
        `.ergotropy_global`.
    efficiency : float, array_like (nc,) or dict
    dark_rate : float, array_like (nc,) or dict
    detectors : Detectors, optional
        As in `filter`.
    tlist : array_like (nt,), optional
        Other times than those of the run, which do not go on after them.
    ntraj : int, optional
        Of how many trajectories; all by default.
    seed : int
        Of which photons are seen.

    Returns
    -------
    DaemonicErgotropy

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range or of the wrong kind.
    """
    if not isinstance(runs, EnsembleResult):
        raise TypeError(f"`runs` must be a result of mcsolve, but is {type(runs).__name__}")
    checks.choice("kind", kind, tuple(KINDS))
    n = runs.ntraj if ntraj is None else checks.integer("ntraj", ntraj, 1)
    if n > runs.ntraj or n < 2:
        raise ValueError(f"`ntraj` must be from 2 to the {runs.ntraj} of the run, but is {n}")
    detectors = described(detectors, efficiency, dark_rate)
    times = runs.times_within(tlist)
    exact = mesolve(runs.model, times, runs.initial)
    if _sees_all(runs, detectors):
        found = _of_trajectories(runs, times, kind, n)
    else:
        found = _of_records(runs, times, kind, n, detectors, seed)
    energy, work = np.moveaxis(np.concatenate(list(found)), 1, 0)
    least = ROUNDED * runs.model.n_atoms
    mean, sem, reduction = _controlled(work, energy, exact.energy, least)
    without = np.array(getattr(exact, KINDS[kind]))
    read_only(mean, sem, without, reduction)
    return DaemonicErgotropy(times, kind, n, mean, sem, without, exact.energy, reduction)


def _sees_all(runs, detectors):
    sees, dark = detectors.response_of(runs.model)
    is_plain = np.array_equal(sees, np.eye(len(runs.channels))) and not np.any(dark)
    # With noise of single atoms J is hidden.
    return is_plain and stays_symmetric(runs.model) and runs.plan.mixture.weights.size == 1


def _of_trajectories(runs, times, kind, n):
    """Yield conditional energies and works, (n, 2, nt), of chunk after chunk."""
    left = n
    for source in runs.sources:
        wanted, grid = min(left, source.ntraj), source.times_to_last(times)
        yield from source.each_chunk(_of_chunk, grid, times.size, kind, ntraj=wanted)
        left -= wanted


def _of_chunk(plan, n_times, kind, chunk, size):
    found = []
    for rng, n in blocks(plan, chunk, size):
        samples = plan.engine.run(rng, n, plan.times)[1].samples[:, :, :n_times]
        energy = samples[:, ROW["jz"]] + plan.model.n_atoms / 2
        work = energy  # all of a pure state's
        if kind == "rotation":
            dipole = samples[:, ROW["jx"]] + 1j * samples[:, ROW["jy"]]
            work = rotation_work(energy, dipole, plan.model.n_atoms)
        found.append(np.stack((energy, work), axis=1))
    return np.concatenate(found)


def _of_records(runs, times, kind, n, detectors, seed):
    """Yield the same, (1, 2, nt), of record after record."""
    clicks = runs.draw_clicks().of_trajectories(0, n)
    seen = detectors.see(clicks, seed=seed, model=runs.model)
    seen = seen.where(seen.time <= times[-1])
    work = partial(_of_record, runs.model, times, runs.initial, detectors, kind)
    pieces = ((i, (seen.of_trajectory(i),)) for i in range(n))
    source = runs.sources[0]
    yield from ordered(work, pieces, source.executor, source.threads)


def _of_record(model, times, initial, detectors, kind, clicks):
    found = filter_record(model, clicks, times, initial=initial, detectors=detectors)
    return np.array([[found.energy, getattr(found, KINDS[kind])]])


def _controlled(work, energy, exact_energy, least):
    """Return the mean of `work` (n, nt), its standard error and the gain of the control variate.

    Energies that scatter by less than `least`, which is rounding, and those of a few records, of
    which any line goes through two, control nothing.
    """
    n = len(work)
    w, e = work - work.mean(axis=0), energy - energy.mean(axis=0)
    square = (e**2).sum(axis=0)
    scatters = (square > n * least**2) & (n >= FEWEST)
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = np.where(scatters, (w * e).sum(axis=0) / square, 0.0)
        left = ((w - slope * e) ** 2).sum(axis=0)
        reduction = np.nan_to_num((w**2).sum(axis=0) / left, nan=1.0, posinf=np.inf)
    mean = work.mean(axis=0) - slope * (energy.mean(axis=0) - exact_energy)
    return mean, np.sqrt(left / (n * (n - 1 - scatters))), reduction
