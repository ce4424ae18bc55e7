"""Measured homodyne currents: a grid of time, and what was seen between its points."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from trajbatt.base import checks
from trajbatt.base.arrays import read_only
from trajbatt.base.types import FloatArray

ON_GRID = 1e-9  # of a bin: how far from an edge of it a time may be


@dataclass(frozen=True, eq=False)
class HomodyneRecord:
    """Homodyne currents of one battery, as `filter` and `fit` take them.

    Parameters
    ----------
    edges : array_like (n+1,), float64
        Of the bins of time, in the unit of 1/rate; the first is 0, when the battery begins.
    current : array_like (nd, n), float64
        The mean of dY/dt in each bin, of each current of the model, in the order of its channels;
        (n,) of a single one. dY has the variance dt.

    Raises
    ------
    ValueError, TypeError
        If the edges are no increasing times from 0 on, or the currents are no finite numbers, one
        for each bin.
    """

    edges: FloatArray
    current: FloatArray

    def __post_init__(self) -> None:
        edges = checks.edges("edges", self.edges)
        if edges[0] != 0.0:
            raise ValueError(
                f"`edges` must begin at 0, with the battery, but begin at {edges[0]:g}"
            )
        try:
            current = np.atleast_2d(np.array(self.current, dtype=float))
        except (TypeError, ValueError):
            raise TypeError(
                f"`current` must hold numbers, but is {checks.shown(self.current)}"
            ) from None
        if current.ndim != 2 or current.shape[1] != edges.size - 1:
            raise ValueError(
                f"`current` must have one value for each of {edges.size - 1} bins, "
                f"but has the shape {current.shape}"
            )
        if not np.all(np.isfinite(current)):
            raise ValueError("`current` must be finite, but holds nan or inf")
        object.__setattr__(self, "edges", edges)
        object.__setattr__(self, "current", read_only(current))

    @classmethod
    def of(cls, given: Any) -> "HomodyneRecord":
        """Return a record as it is, or that of a trajectory, whose times are the edges.

        Raises
        ------
        TypeError
            If it is neither.
        """
        if isinstance(given, cls):
            return given
        if getattr(given, "current", None) is None or not hasattr(given, "times"):
            raise TypeError(
                "`clicks` must be a HomodyneRecord, or a trajectory, for a model with "
                f"`beta = inf`, but is {checks.shown(given)}"
            )
        return cls(given.times, given.current)

    @property
    def duration(self) -> float:
        """How long the light was watched."""
        return float(self.edges[-1])

    def place(self, time: float, name: str) -> int:
        """Return which of the edges a time is.

        Raises
        ------
        ValueError
            If it is none: what was seen of a bin's part nobody knows.
        """
        place = int(np.argmin(np.abs(self.edges - time)))
        bin_length = np.diff(self.edges).min()
        if abs(self.edges[place] - time) > ON_GRID * max(bin_length, abs(time)):
            raise ValueError(f"`{name}` must be edges of the current's bins, but {time:g} is none")
        return place
