"""Charging by Eq. (7) over a grid of parameters, point by point, on any executor.

Each point is charged to its own T90, or for a given time. The energy oscillates at Omega_P, and the
phase at the end is an accident; so what is reported is free of it: the mean over a period, and the
bounds of the oscillation.
"""

import itertools
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from trajbatt.analysis import points
from trajbatt.base import checks, datasets
from trajbatt.base.types import AnyArray, PathLike
from trajbatt.ensembles.executors import check_workers, finished
from trajbatt.ensembles.progress import reporting

if TYPE_CHECKING:
    from xarray import Dataset

AXES = {
    "n_atoms": ("number of atoms", "1"),
    "theta": ("dressing angle", "rad"),
    "ratio": ("gamma_plus/gamma_minus", "1"),
    "gamma_0": ("gamma_0/gamma_minus", "1"),
    "drive": ("Omega_P/(N gamma_minus)", "1"),
    "time": ("duration of the charging", "1/gamma_minus"),
    "local": ("decay of single atoms over collective decay", "1"),
    "dephasing": ("gamma_phi/gamma_minus of single atoms", "1"),
    "thermal": ("mean number of thermal photons", "1"),
}


@dataclass(frozen=True, eq=False)
class Grid:
    """The numbers of a sweep.

    Attributes
    ----------
    axes : dict of str to list
        The values of each parameter, ascending; `time` only if it was given.
    numbers : dict of str to ndarray
        float64, with one dimension for each of `axes`; see `trajbatt.analysis.points.EXACT`.
    ntraj, seed : int
    """

    axes: dict[str, list]
    numbers: dict[str, np.ndarray]
    ntraj: int
    seed: int

    def __getattr__(self, name):
        """Return some numbers by their name."""
        try:
            return self.__dict__["numbers"][name]
        except KeyError:
            raise AttributeError(name) from None

    def coordinates(self) -> dict[str, AnyArray]:
        """Return the parameters of each point, a dict of arrays of the shape of the grid."""
        values = np.meshgrid(*self.axes.values(), indexing="ij")
        return dict(zip(self.axes, values, strict=True))

    def to_xarray(self) -> "Dataset":
        """Return all as an `xarray.Dataset`, with units.

        Raises
        ------
        ImportError
            Without xarray, the extra `netcdf`.
        """
        return _dataset(self)


def sweep(
    n_atoms: ArrayLike,
    theta: ArrayLike,
    ratio: ArrayLike = 10.0,
    gamma_0: ArrayLike = 1.0,
    drive: ArrayLike = 10.0,
    time: ArrayLike | None = None,
    *,
    local: ArrayLike | None = None,
    dephasing: ArrayLike | None = None,
    thermal: ArrayLike | None = None,
    ntraj: int = 0,
    seed: int = 0,
    store: PathLike | None = None,
    executor: Executor | None = None,
    threads: int | None = None,
    progress: bool | Callable[[int, int], object] | None = None,
) -> "Dataset":
    """Charge batteries of all combinations of parameters.

    Parameters
    ----------
    n_atoms, theta, ratio, gamma_0, drive : number or sequence
        As in `Battery`, in units of gamma_minus; `ratio` is gamma_plus and `drive` Omega_P/N.
    time : number or sequence, optional
        How long they are charged, in 1/gamma_minus; each to its own T90 by default.
    local, dephasing, thermal : number or sequence, optional
        Noise of single atoms: their decay, in units of the collective rates, and their dephasing
        gamma_phi in units of gamma_minus; and the mean number of thermal photons.
    ntraj : int
        Trajectories at each point, beside the exact solution; 0 for none.
    seed : int
        Each point has its own seed, derived from this one and its parameters.
    store : path, optional
        A folder that keeps the points.
    executor : concurrent.futures.Executor, optional
    threads : int, optional
        As in `mcsolve`; the points are the pieces.
    progress : callable or bool, optional
        True shows a bar; a function is called as progress(done, points).

    Returns
    -------
    xarray.Dataset
        With the dimensions `n_atoms`, `theta`, `ratio`, `gamma_0`, `drive`, and `time`, `local`,
        `dephasing` and `thermal` if they were given. Energies in the mean over a period of Omega_P
        (`mean_energy_per_atom`), their bounds (`lowest_energy_per_atom`,
        `highest_energy_per_atom`) and, with its phase, that at the very
        end (`energy_per_atom`); power, fluctuation and waste are of the mean, and power and waste
        have bounds, too (`lowest_power`, `highest_waste_per_quantum`, ...). With `ntraj` also the
        estimates (`mean_energy_per_atom_estimate`, ...) and their standard errors (`..._sem`). nan
        where x = 1 and T90 is infinite, and for the waste per quantum of no energy.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range or of the wrong kind.
    ImportError
        Without xarray, the extra `netcdf`.
    """
    datasets.require()
    grid = run_grid(
        (n_atoms, theta, ratio, gamma_0, drive, time, local, dephasing, thermal),
        ntraj=ntraj,
        seed=seed,
        store=store,
        executor=executor,
        threads=threads,
        progress=progress,
    )
    return grid.to_xarray()


def run_grid(values, *, ntraj=0, seed=0, store=None, executor=None, threads=None, progress=None):
    """Return the `Grid` of a sweep, for which xarray is not needed.

    Parameters
    ----------
    values : sequence
        Of each of `AXES`, in this order.
    ntraj, seed, store, executor, threads, progress
        As in `sweep`, which raises the same.
    """
    ntraj, seed = checks.integer("ntraj", ntraj, 0), checks.integer("seed", seed, 0)
    axes, every = checked(values)
    check_workers(executor, threads)
    if not (progress is None or isinstance(progress, bool) or callable(progress)):
        raise TypeError(
            f"`progress` must be true, or a function of (done, points), but is {progress!r}"
        )
    place = None if store is None else checks.path("store", store)
    if place is not None and place.exists() and not place.is_dir():
        raise ValueError(f"`store` must be a folder, but {place} is a file")
    results, missing = {}, {}
    if place is not None:
        points.tidy(place)
    for i, point in enumerate(every):
        found = None if place is None else points.stored(place, point, ntraj, seed)
        if found is None:
            missing[i] = (point, ntraj, seed)
        else:
            results[i] = found
    with reporting(progress, len(every), what="points") as report:
        for i, result in finished(points.solve, missing, executor, threads):
            if place is not None:
                points.keep(place, every[i], ntraj, seed, result)
            results[i] = result
            if report:
                report(len(results), len(every), None)
    numbers = points.as_arrays(
        [results[i] for i in range(len(every))], [len(one) for one in axes.values()]
    )
    return Grid(axes, numbers, ntraj, seed)


def checked(values):
    """Return the axes of a sweep, and its points, each a dict of parameters.

    Raises
    ------
    ValueError, TypeError
        As in `sweep`.
    """
    given = {name: one for name, one in zip(AXES, values, strict=True) if one is not None}
    axes = {name: _axis(name, one) for name, one in given.items()}
    every = [dict(zip(axes, point, strict=True)) for point in itertools.product(*axes.values())]
    for point in every:
        points.battery_at(point)  # complain before anything is computed
    return axes, every


def _axis(name, values):
    """Return the values of one parameter, sorted, each once."""
    values = np.atleast_1d(values).tolist()
    if not values:
        raise ValueError(f"`{name}` must hold at least one number, but is empty")
    if name == "n_atoms":
        return sorted({checks.integer(name, value, 1) for value in values})
    if name == "time":
        return sorted({checks.positive(name, value) for value in values})
    return sorted({checks.real(name, value, 0) + 0.0 for value in values})  # -0.0 is 0.0


def _dataset(grid):
    datasets.require()
    import xarray

    def described(name):
        base = name.removesuffix("_estimate").removesuffix("_sem")
        words, unit = points.EXACT[base]
        if name.endswith("_sem"):
            words = f"standard error of {base}_estimate"
        elif name.endswith("_estimate"):
            words = f"{words}, by trajectories"
        return {"long_name": words, "units": unit}

    axes = grid.axes
    variables = {
        name: (tuple(axes), values, described(name)) for name, values in grid.numbers.items()
    }
    coordinates = {
        name: (name, np.array(values), {"long_name": AXES[name][0], "units": AXES[name][1]})
        for name, values in axes.items()
    }
    until = "for given times" if "time" in axes else "to T90"
    about = datasets.about(f"sweep of charging {until}")
    about |= {"ntraj": grid.ntraj, "seed": str(grid.seed)}
    return xarray.Dataset(variables, coordinates, about)
