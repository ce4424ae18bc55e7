"""What was kept of every trajectory of an ensemble: arrays by name, and what follows from them."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from trajbatt.base import checks
from trajbatt.base.arrays import read_only
from trajbatt.base.types import AnyArray, FloatArray
from trajbatt.trajectories.records import COUNTS, ROW

ALWAYS = ("energy", "energy_variance", "dipole", "counts")  # besides the names of the e_ops


class Samples(Mapping[str, AnyArray]):
    """The samples of all trajectories, or of some of them.

    A mapping from names to arrays (n, nt), or (n, nc, nt) of "counts" and (n, nd, nt-1) of
    "current": the mean energy of the conditional state, the quantum variance of it, the bare dipole
    (complex), the photons since t = 0, the homodyne currents between the times, and the means of
    the `e_ops`.

    Parameters
    ----------
    arrays : dict of str to ndarray
        Whose first axis is the trajectories.
    """

    def __init__(self, arrays: dict[str, AnyArray]) -> None:
        self._arrays = arrays
        read_only(*arrays.values())

    def __getitem__(self, name: str) -> AnyArray:
        """Return the array of a name."""
        return self._arrays[name]

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names."""
        return iter(self._arrays)

    def __len__(self) -> int:
        """Return how many names there are."""
        return len(self._arrays)

    @property
    def ntraj(self) -> int:
        """The number of trajectories."""
        return len(next(iter(self._arrays.values())))

    def where(self, mask: ArrayLike) -> "Samples":
        """Return the `Samples` of some trajectories.

        Parameters
        ----------
        mask : array_like (n,), bool

        Raises
        ------
        ValueError, TypeError
            If it has another length, or is of another kind.
        """
        mask = np.asarray(mask)
        if mask.dtype != bool or mask.shape != (self.ntraj,):
            raise TypeError(
                f"`mask` must be an array of bool, one for each of {self.ntraj} trajectories, "
                f"but is {checks.shown(mask)}"
            )
        return Samples({name: array[mask] for name, array in self._arrays.items()})

    def mean(self, name: str) -> AnyArray:
        """Return the average over the trajectories, (nt,) or (nc, nt); nan if there are none."""
        array = self._array(name)
        return array.mean(axis=0) if len(array) else np.full(array.shape[1:], np.nan)

    def sem(self, name: str) -> AnyArray:
        """Return the standard error of `mean`; of "dipole" that of each part, complex128."""
        array, n = self._array(name), self.ntraj
        if n < 2:
            return np.full(array.shape[1:], np.nan)
        if np.iscomplexobj(array):
            parts = [part.std(axis=0, ddof=1) / np.sqrt(n) for part in (array.real, array.imag)]
            return parts[0] + 1j * parts[1]
        return array.std(axis=0, ddof=1) / np.sqrt(n)

    def quantile(self, name: str, q: ArrayLike) -> FloatArray:
        """Return quantiles over the trajectories, float64 (..., nt); see `numpy.quantile`.

        nan if there are no trajectories. Raises `ValueError` for the complex "dipole".
        """
        array = self._array(name)
        if np.iscomplexobj(array):
            raise ValueError(f"`name` must be of real samples, but {name!r} is complex")
        if not len(array):
            return np.full(np.shape(q) + array.shape[1:], np.nan)
        return np.quantile(array, np.asarray(q), axis=0)

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take the arrays of a pickle, read-only as they were."""
        vars(self).update(state)
        read_only(*self._arrays.values())

    def _array(self, name):
        return self._arrays[checks.choice("name", name, tuple(self._arrays))]

    def __repr__(self) -> str:
        """Return one line."""
        return f"Samples: {', '.join(self)} of {self.ntraj} trajectories"


def checked(keep_samples, expectations, model):
    """Return the names of the samples of a model's trajectories to keep, a tuple.

    Raises
    ------
    ValueError, TypeError
        If they are no sequence of names of what there is.
    """
    if isinstance(keep_samples, str) or not isinstance(keep_samples, list | tuple):
        raise TypeError(
            '`keep_samples` must be a sequence of names, such as ("energy",), '
            f"but is {checks.shown(keep_samples)}"
        )
    own = (*ALWAYS, "current") if model.currents else ALWAYS
    known = (*own, *(one.name for one in expectations))
    for name in keep_samples:
        checks.choice("keep_samples", name, known)
        if known.count(name) > 1:
            raise ValueError(
                f"`keep_samples` must not have a name that one of `e_ops` took, such as {name!r}"
            )
    return tuple(dict.fromkeys(keep_samples))


def kept(names, model, times, samples, expected):
    """Return the arrays to keep of n trajectories, a dict.

    Parameters
    ----------
    names : tuple of str
    model : Model
    times : ndarray (nt,)
    samples : ndarray (n, 5 + nc, nt), float64
    expected : dict of str to ndarray (n, nt), float64
    """
    read = {
        "energy": lambda: samples[:, ROW["jz"]] + model.n_atoms / 2,
        "energy_variance": lambda: samples[:, ROW["jz_variance"]].copy(),
        "dipole": lambda: samples[:, ROW["jx"]] + 1j * samples[:, ROW["jy"]],
        "counts": lambda: model.counted(samples[:, COUNTS:]),
        "current": lambda: model.current(times, samples[:, COUNTS:]),
    }
    return {name: read[name]() if name in read else expected[name].copy() for name in names}


def joined(parts):
    """Return the arrays of several dicts, one after the other."""
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
