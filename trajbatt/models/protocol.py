"""Protocols: models one after the other, such as charge, store and discharge."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import Any, ClassVar

import numpy as np

from trajbatt.base import checks
from trajbatt.base.types import BoolArray, FloatArray
from trajbatt.light.checking import AT_THE_END, MOST_CHANNELS
from trajbatt.models.model import Current, Model
from trajbatt.models.schedule import Stage


@dataclass(frozen=True, repr=False)
class Protocol(Model):
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

    steps: Sequence[tuple[Model, float]]
    is_staged: ClassVar[bool] = True

    def __post_init__(self) -> None:
        try:
            steps = tuple((model, duration) for model, duration in self.steps)
        except (TypeError, ValueError):
            raise TypeError(
                f"`steps` must be a list of (model, duration), but is {self.steps!r}"
            ) from None
        if not steps:
            raise ValueError("`steps` must hold at least one (model, duration), but is empty")
        for model, _ in steps:
            if not isinstance(model, Model) or model.is_staged:
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
        if len(self.channel_names) > MOST_CHANNELS:
            raise ValueError(
                f"`steps` must have at most {MOST_CHANNELS} channels, "
                f"but have {len(self.channel_names)}"
            )

    def __repr__(self) -> str:
        """Return one line: what is done, for how long, with how many atoms."""
        words = []
        for name, steps in groupby(self.steps, lambda step: step[0].name):
            durations = [duration for _, duration in steps]
            several = f" in {len(durations)} stages" if len(durations) > 1 else ""
            words.append(f"{name} for {sum(durations):g}{several}")
        return f"Protocol: {', '.join(words)}; N = {self.n_atoms}"

    @property
    def name(self) -> str:
        """The names of the stages, joined; of a ramp, that of all its stages once."""
        return ", ".join(name for name, _ in groupby(model.name for model, _ in self.steps))

    @property
    def n_atoms(self) -> int:
        """The number of atoms."""
        return self.steps[0][0].n_atoms

    @property
    def duration(self) -> float:
        """How long all stages last."""
        return self._stages[-1].end

    @cached_property
    def channel_names(self) -> tuple[str, ...]:
        """The names of the channels, in the order in which the stages bring them."""
        names = (name for model, _ in self.steps for name in model.names_in_protocol)
        return tuple(dict.fromkeys(names))

    @cached_property
    def _stages(self):
        stages, start = [], 0.0
        for model, duration in self.steps:
            places = tuple(self.channel_names.index(name) for name in model.names_in_protocol)
            stages.append(Stage(model, start, start + duration, places))
            start += duration
        return tuple(stages)

    def stages(self, until: float = math.inf) -> tuple[Stage, ...]:
        """Return the stages that begin before the time `until`, a tuple of `Stage`; one at least.

        All by default.
        """
        return tuple(one for one in self._stages if one.start < until) or self._stages[:1]

    @cached_property
    def photons(self) -> FloatArray:
        """Of each channel, +1 if its jumps emit a photon, -1 if they absorb one, else 0, (nc,)."""
        found = np.ones(len(self.channel_names))
        for stage in self._stages:
            found[list(stage.places)] = stage.model.photons
        return found

    @cached_property
    def is_hidden(self) -> BoolArray:
        """Of each channel, whether nobody sees it, bool (nc,)."""
        found = np.zeros(len(self.channel_names), dtype=bool)
        for stage in self._stages:
            found[list(stage.places)] = stage.model.is_hidden
        return found

    @property
    def has_clicks(self) -> bool:  # type: ignore[override]
        """Whether the channels of all stages click."""
        return all(model.has_clicks for model, _ in self.steps)

    @property
    def counted_as(self) -> str:
        """What people call the counts, if it is the same in all stages that have any; or counts."""
        words = {model.counted_as for model, _ in self.steps if model.channel_names}
        return words.pop() if len(words) == 1 else "counts"

    @property
    def currents(self) -> tuple[Current, ...]:
        """The homodyne currents of its light; those of stages that share channels are one."""
        found: dict[str, Current] = {}
        for stage in self._stages:
            names = stage.model.names_in_protocol
            for one in stage.model.currents:
                plus, minus = (-1 if i < 0 else stage.places[i] for i in (one.plus, one.minus))
                name = names[one.plus].removesuffix("_plus")
                current = Current(name, plus, minus, one.beta)
                if found.setdefault(name, current) != current:
                    raise ValueError(f"`model` must have one oscillator for {name} in all stages")
        return tuple(found.values())

    @property
    def timescale(self) -> float:
        """That of the fastest stage."""
        return min(model.timescale for model, _ in self.steps)

    @property
    def largest_rate(self) -> float:
        """That of the brightest stage."""
        return max(model.largest_rate for model, _ in self.steps)

    def default_initial(self) -> FloatArray | Model:
        """Return that of the first stage."""
        return self.steps[0][0].default_initial()

    def typical_clicks(self, duration: float) -> float:
        """Return a rough number of clicks in a trajectory of this duration."""
        return sum(
            stage.model.typical_clicks(min(stage.end, duration) - stage.start)
            for stage in self.stages(duration)
        )

    def parameters(self, alone: bool = True) -> dict[str, float]:
        """Return the parameters that are the same in all stages that have them.

        A default initial state is asked for in the first stage only; see `Model.parameters`.
        """
        found = parameters_by_stage(self)
        return {name: values[0] for name, values in found.items() if len(set(values)) == 1}

    @property
    def changeable(self) -> tuple[str, ...]:
        """The names that any of the stages can change."""
        return tuple(dict.fromkeys(name for model, _ in self.steps for name in model.changeable))

    def with_parameters(self, **changed: float) -> "Protocol":
        """Return the same protocol with some parameters changed in all stages that have them."""
        for name in changed:
            checks.choice("parameters", name, self.changeable)

        def changed_one(model):
            own = {name: value for name, value in changed.items() if name in model.changeable}
            return model.with_parameters(**own)

        return Protocol([(changed_one(model), duration) for model, duration in self.steps])

    @property
    def battery_parameters(self) -> dict[str, Any] | None:
        """Those of the first stage."""
        return self.steps[0][0].battery_parameters


def parameters_by_stage(model):
    """Return the values of each parameter in the stages that have it, a dict of str to list."""
    found = {}
    for i, stage in enumerate(model.stages()):
        for name, value in stage.model.parameters(alone=i == 0).items():
            found.setdefault(name, []).append(value)
    return found


def within(model: Model, times: FloatArray, name: str = "tlist") -> FloatArray:
    """Return `times`; those that are past the end of a protocol by rounding are set to its end.

    Raises
    ------
    ValueError
        If `times` go on after the end.
    """
    end = model.stages()[-1].end
    if times[-1] <= end:
        return times
    if times[-1] > end * (1.0 + AT_THE_END):
        raise ValueError(
            f"`{name}` must end by the end of the protocol, {end}, but ends at {times[-1]}"
        )
    times = np.minimum(times, end)
    times.flags.writeable = False
    return times
