"""Protocols: models one after the other, such as charge, store and discharge."""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from trajbatt.base import checks
from trajbatt.models.banded import BandedModel
from trajbatt.models.ladder import LadderModel
from trajbatt.models.model import WithoutTables

ROUNDING = 1e-12  # relative
DISCHARGED = "dis"  # the channel of photons from a discharge, where other stages emit too


@dataclass(frozen=True)
class Stage:
    """One model of a protocol, and when it rules.

    Attributes
    ----------
    model : LadderModel or BandedModel
    start, end : float
        From the beginning of the protocol; `end` may be inf.
    tags : tuple of int
        For each channel of the model, its place among those of the protocol.
    """

    model: LadderModel | BandedModel
    start: float
    end: float
    tags: tuple[int, ...]

    @property
    def duration(self):
        """How long the stage lasts."""
        return self.end - self.start

    def select(self, times, to_end=False):
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


@dataclass(frozen=True, repr=False)
class Protocol(WithoutTables):
    """Several models, one after the other; the state passes from each to the next.

    Photons of a channel that several stages have are counted together; those of a discharge are in
    the channel `dis`.

    Parameters
    ----------
    steps : sequence of (model, duration)
        Such as `[(battery.charge(), 0.1), (battery.store(), 1.0), (battery.discharge(), 0.2)]`.

    Raises
    ------
    ValueError, TypeError
        If there is no stage, a duration is not above zero, or the numbers of atoms differ.
    """

    steps: tuple[tuple[LadderModel | BandedModel, float], ...]

    def __post_init__(self):
        try:
            steps = tuple((model, duration) for model, duration in self.steps)
        except (TypeError, ValueError):
            raise TypeError(
                f"`steps` must be a list of (model, duration), but is {self.steps!r}"
            ) from None
        if not steps:
            raise ValueError("`steps` must hold at least one (model, duration), but is empty")
        for model, _ in steps:
            if not isinstance(model, LadderModel | BandedModel):
                raise TypeError(
                    "`steps` must hold models such as battery.charge(), "
                    f"but holds a {type(model).__name__}"
                )
            if model.n_atoms != steps[0][0].n_atoms:
                raise ValueError(
                    "`steps` must all have the same number of atoms, "
                    f"but have {steps[0][0].n_atoms} and {model.n_atoms}"
                )
        steps = tuple((model, checks.positive("duration", length)) for model, length in steps)
        object.__setattr__(self, "steps", steps)

    def __repr__(self):
        """Return one line: what is done, for how long, with how many atoms."""
        lasting = ", ".join(f"{model.name} for {duration:g}" for model, duration in self.steps)
        return f"Protocol: {lasting}; N = {self.n_atoms}"

    @property
    def name(self):
        """The names of the stages, joined."""
        return ", ".join(model.name for model, _ in self.steps)

    @property
    def n_atoms(self):
        """The number of atoms."""
        return self.steps[0][0].n_atoms

    @property
    def duration(self):
        """How long all stages last."""
        return self.stages[-1].end

    @cached_property
    def channel_names(self):
        """The names of the channels, in the order in which the stages bring them."""
        return tuple(dict.fromkeys(name for model, _ in self.steps for name in _names(model)))

    @cached_property
    def stages(self):
        """The models with their times, a tuple of `Stage`."""
        stages, start = [], 0.0
        for model, duration in self.steps:
            tags = tuple(self.channel_names.index(name) for name in _names(model))
            stages.append(Stage(model, start, start + duration, tags))
            start += duration
        return tuple(stages)

    def until(self, time):
        """Return the stages that begin before `time`; at least the first."""
        return tuple(stage for stage in self.stages if stage.start < time) or self.stages[:1]

    def typical_clicks(self, duration):
        """Return a rough number of clicks in a trajectory of this duration."""
        return sum(
            stage.model.typical_clicks(min(stage.end, duration) - stage.start)
            for stage in self.until(duration)
        )


def stages_of(model, time):
    """Return the stages of a model or protocol that begin before `time`: a model has one."""
    if isinstance(model, Protocol):
        return model.until(time)
    return (Stage(model, 0.0, math.inf, tuple(range(len(model.channel_names)))),)


def check_model(model):
    """Raise `TypeError` if `model` is no model or protocol, such as a battery in its place."""
    if not isinstance(model, LadderModel | BandedModel | Protocol):
        raise TypeError(f"`model` must be a model such as battery.charge(), but is {model!r}")


def within(model, times, name="tlist"):
    """Return `times`; those that are past the end of a protocol by rounding are set to its end.

    Raises
    ------
    ValueError
        If `times` go on after the end.
    """
    if not isinstance(model, Protocol) or times[-1] <= model.duration:
        return times
    if times[-1] > model.duration * (1.0 + ROUNDING):
        raise ValueError(
            f"`{name}` must end by the end of the protocol, {model.duration}, "
            f"but ends at {times[-1]}"
        )
    times = np.minimum(times, model.duration)
    times.flags.writeable = False
    return times


def _names(model):
    names = model.channel_names
    return tuple(DISCHARGED for _ in names) if model.name == "discharge" else names
