"""Stages: which model rules when."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from trajbatt.base.types import FloatArray


@dataclass(frozen=True)
class Stage:
    """One model of a schedule, and when it rules.

    Attributes
    ----------
    model : Model
        A plain one.
    start, end : float
        From the beginning of the schedule; `end` may be inf.
    places : tuple of int
        For each channel of the model, its place among those of the schedule.
    rule : trajbatt.models.until.Until or None
        What ends it; `start` and `end` are then the latest.
    """

    model: Any
    start: float
    end: float
    places: tuple[int, ...]
    rule: Any = None

    @property
    def duration(self) -> float:
        """How long the stage lasts."""
        return self.end - self.start

    def select(self, times: FloatArray, to_end: bool = False) -> tuple[slice, FloatArray]:
        """Return which of `times` fall into the stage, and when that is on its own clock.

        A boundary belongs to the stage that ends there; nothing jumps at it.

        Parameters
        ----------
        times : ndarray (nt,)
        to_end : bool
            Add the end of the stage to the local times if it is not there.

        Returns
        -------
        wanted : slice
        local : ndarray, float64
            Of the length of the slice, or longer by one.
        """
        first = np.searchsorted(times, self.start, side="right") if self.start > 0 else 0
        stop = np.searchsorted(times, self.end, side="right")
        local = np.minimum(times[first:stop] - self.start, self.duration)
        if to_end and (local.size == 0 or local[-1] < self.duration):
            local = np.append(local, self.duration)
        return slice(int(first), int(stop)), local


class Leg(NamedTuple):
    """A stage on the way through a schedule.

    Attributes
    ----------
    stage : Stage
    following : Stage or None
        None at the last one.
    wanted : slice
        Which of the requested times are in the stage.
    local : ndarray, float64
        These on its own clock, and, if another stage follows, its end.
    """

    stage: Stage
    following: Stage | None
    wanted: slice
    local: FloatArray

    @property
    def n_wanted(self) -> int:
        """How many of the `local` times were requested."""
        return self.wanted.stop - self.wanted.start


def legs(stages, times):
    """Yield the `Leg` of each stage, for `times` (nt,) that the last one still rules."""
    for stage, following in pairwise([*stages, None]):
        yield Leg(stage, following, *stage.select(times, to_end=following is not None))
