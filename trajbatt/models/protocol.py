"""Protocols: models one after the other, such as charge, store and discharge."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from trajbatt.base import checks
from trajbatt.base.types import BoolArray, FloatArray
from trajbatt.light.checking import AT_THE_END, MOST_CHANNELS
from trajbatt.models.model import Current, Model
from trajbatt.models.schedule import Stage
from trajbatt.models.until import Until, check_rule


@dataclass(frozen=True, repr=False)
class Protocol(Model):
    """Several models, one after the other; the state passes from each to the next.

    Photons of a channel that several stages have are counted together; those of a discharge are in
    the channel `dis`.

    Parameters
    ----------
    steps : sequence of (model, duration)
        Such as `[(battery.charge(), 0.1), (battery.store(), 1.0), (battery.discharge(), 0.2)]`. In
        place of a duration, but for the last, there may be a rule by which the stage ends, such as
        `tb.until(clicks=("blue", 50), at_most=0.1)`; see `until`.

    Raises
    ------
    ValueError, TypeError
        If there is no stage, a duration is not above zero, the numbers of atoms differ, or a rule
        can never be met.
    """

    steps: Sequence[tuple[Model, float | Until]]
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
        steps = tuple(
            (model, length if isinstance(length, Until) else checks.positive("duration", length))
            for model, length in steps
        )
        for model, length in steps:
            longest = length.at_most if isinstance(length, Until) else length
            if longest > model.lasts * (1.0 + AT_THE_END):
                raise ValueError(
                    f"`steps` must not go on after the end of a ramp, {model.lasts:g}, "
                    f"but one does to {longest:g}"
                )
        object.__setattr__(self, "steps", steps)
        self._check_rules()
        if len(self.channel_names) > MOST_CHANNELS:
            raise ValueError(
                f"`steps` must have at most {MOST_CHANNELS} channels, "
                f"but have {len(self.channel_names)}"
            )

    def _check_rules(self):
        rules = [(model, rule) for model, rule in self.steps if isinstance(rule, Until)]
        for model, rule in rules:
            check_rule(rule, model)
        if isinstance(self.steps[-1][1], Until):
            raise ValueError(
                "`steps` must end with a duration, such as (battery.store(), 1.0), but end with "
                f"{self.steps[-1][1]!r}"
            )
        if rules and not self.has_clicks:
            raise ValueError(
                "`steps` must not have currents, `beta = inf`, beside stages that end by what is "
                "seen"
            )
        efficiencies = {rule.efficiency for _, rule in rules if rule.energy is not None}
        if len(efficiencies) > 1:
            raise ValueError(
                f"`steps` must have one `efficiency` in all rules, but have {sorted(efficiencies)}"
            )
        if min(efficiencies, default=1.0) < 1.0 and any(rule.clicks for _, rule in rules):
            raise ValueError(
                "`steps` must not end by clicks beside an `efficiency` below 1: whoever counts all "
                "clicks sees all photons"
            )

    def __repr__(self) -> str:
        """Return one line: what is done, for how long, with how many atoms."""
        words = []
        for (name, rule), steps in groupby(self.steps, _name_and_rule):
            lengths = [length for _, length in steps if not isinstance(length, Until)]
            several = f" in {len(lengths)} stages" if len(lengths) > 1 else ""
            lasting = f"until {rule.words}" if rule else f"for {sum(lengths):g}{several}"
            words.append(f"{name} {lasting}")
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
    def is_steered(self) -> bool:  # type: ignore[override]
        """Whether stages end by what is seen."""
        return any(isinstance(length, Until) for _, length in self.steps)

    @property
    def watched_with(self) -> float | None:
        """The efficiency with which its light is watched for an energy; None if it is not."""
        rules = (length for _, length in self.steps if isinstance(length, Until))
        return next((rule.efficiency for rule in rules if rule.energy is not None), None)

    @property
    def duration(self) -> float:
        """How long all stages last, at most."""
        return self._stages[-1].end

    def ended(self, ends: ArrayLike) -> "Protocol":
        """Return the protocol of one trajectory: its stages last as long as they did there.

        So `tb.filter(model.ended(one.stage_ends), one.clicks, tlist)` reads a trajectory `one`.

        Parameters
        ----------
        ends : array_like (n_stages,)
            When the stages ended, ascending, such as `Trajectory.stage_ends`. The last goes on to
            the end of this protocol, and those that ended at the same time, or after it, are left
            out.

        Raises
        ------
        ValueError
            If there are not so many, or they do not ascend from 0 to the end of the protocol.
        """
        n, given = len(self.steps), ends
        try:
            ends = np.asarray(ends, dtype=float)
        except (TypeError, ValueError):
            ends = np.empty(0)
        highest = self.duration * (1.0 + AT_THE_END)
        inside = ends.shape == (n,) and np.all((ends >= 0.0) & (ends <= highest))
        if not inside or np.any(np.diff(ends) < 0.0):
            raise ValueError(
                f"`ends` must be {n} times, one for each stage, ascending from 0 to the end of the "
                f"protocol, {self.duration:g}, but are {checks.shown(given)}"
            )
        steps, start = [], 0.0
        for (model, _), end in zip(self.steps, [*ends[:-1], self.duration], strict=True):
            if end <= start:
                continue
            duration = end - start
            while start + duration < end:  # the click that ended it is in it
                duration = math.nextafter(duration, math.inf)
            steps.append((model, duration))
            start += duration
        return Protocol(steps)

    @cached_property
    def channel_names(self) -> tuple[str, ...]:
        """The names of the channels, in the order in which the stages bring them."""
        names = (name for model, _ in self.steps for name in model.names_in_protocol)
        return tuple(dict.fromkeys(names))

    @cached_property
    def _stages(self):
        stages, start = [], 0.0
        for model, length in self.steps:
            places = tuple(self.channel_names.index(name) for name in model.names_in_protocol)
            rule = length if isinstance(length, Until) else None
            duration = length if rule is None else rule.at_most
            stages.append(Stage(model, start, start + duration, places, rule))
            start += duration
        return tuple(stages)

    def stages(self, until: float = math.inf) -> tuple[Stage, ...]:
        """Return the stages that begin before the time `until`, a tuple of `Stage`; one at least.

        All by default.

        Raises
        ------
        ValueError
            If they end by what is seen, in each trajectory at another time.
        """
        if self.is_steered:
            raise ValueError(
                "`model` must have stages of given durations here, but some end by what is seen; "
                "that of one trajectory is model.ended(one.stage_ends)"
            )
        return self.latest_stages(until)

    def latest_stages(self, until: float = math.inf) -> tuple[Stage, ...]:
        """Return the same with the latest times at which they can begin and end."""
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
            for stage in self.latest_stages(duration)
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


def _name_and_rule(step):
    model, length = step
    return model.name, length if isinstance(length, Until) else None


def parameters_by_stage(model):
    """Return the values of each parameter in the stages that have it, a dict of str to list."""
    found = {}
    for i, stage in enumerate(model.latest_stages()):
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
    end = model.latest_stages()[-1].end
    if times[-1] <= end:
        return times
    if times[-1] > end * (1.0 + AT_THE_END):
        kind = "protocol" if model.is_staged else "ramp"
        raise ValueError(
            f"`{name}` must end by the end of the {kind}, {end}, but ends at {times[-1]}"
        )
    times = np.minimum(times, end)
    times.flags.writeable = False
    return times
