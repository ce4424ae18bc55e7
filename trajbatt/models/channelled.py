"""What ladder models have in common: a diagonal Hamiltonian, and channels of single steps."""

import math
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np

from trajbatt.base import checks
from trajbatt.base.types import FloatArray, IntArray
from trajbatt.light.checking import MOST_CHANNELS
from trajbatt.models.channel import Channel
from trajbatt.models.model import Model, check_plain
from trajbatt.models.origin import Origin

DISCHARGED = "dis"  # the channel of photons from a discharge, where other stages emit too


@dataclass(frozen=True)
class ChannelledModel(Model):
    """A master equation whose Hamiltonian is diagonal and whose jumps step by one level.

    Parameters
    ----------
    name : str
        What the battery is doing, e.g. "charge".
    n_atoms : int
    theta : float
        The angle of the ladder's basis (see `trajbatt.numerics.spin`); 0 is the bare basis.
    frequency : float
        The spacing of the levels: H = frequency * J'_z.
    channels : sequence of Channel
        With different names.
    start : Model, optional
        The model whose steady state is the default initial state; by default the bare ground state
        is.
    coherent_rate : float, optional
        The rate of Eq. (19), where the light comes from the bare dipole, as in a discharge.

    Attributes
    ----------
    origin : Origin or None
        The battery that made it; None for a model of the user's.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range or of the wrong kind.
    """

    name: str
    n_atoms: int
    theta: float
    frequency: float
    channels: Sequence[Channel]
    start: Model | None = None
    coherent_rate: float | None = None
    origin: Origin | None = field(default=None, init=False, compare=False, repr=False)
    has_lines: ClassVar[bool] = True

    def __post_init__(self) -> None:
        channels = _checked_channels(self.channels)
        if self.start is not None:
            check_plain(self.start)
        rate = self.coherent_rate
        for name, value in {
            "n_atoms": checks.integer("n_atoms", self.n_atoms, 1),
            "theta": checks.angle("theta", self.theta),
            "frequency": checks.real("frequency", self.frequency),
            "channels": channels,
            "coherent_rate": None if rate is None else checks.real("coherent_rate", rate, 0),
        }.items():
            object.__setattr__(self, name, value)

    def made_by(self, origin: Origin) -> Self:
        """Return the same model, which knows its `Origin`."""
        model = copy(self)  # which is checked already
        object.__setattr__(model, "origin", origin)
        return model

    @property
    def channel_names(self) -> tuple[str, ...]:
        """The names of the channels, a tuple of nc strings."""
        return tuple(channel.name for channel in self.channels)

    @property
    def is_discharge(self) -> bool:
        """Whether the light comes from the bare dipole with the pump off."""
        return self.coherent_rate is not None

    @property
    def names_in_protocol(self) -> tuple[str, ...]:
        """The names of the channels where other stages emit, too: `dis` is what a discharge emits.

        That is its only channel, or the one called `all`.
        """
        if not self.is_discharge:
            return self.channel_names
        if len(self.channels) == 1:
            return (DISCHARGED,)
        renamed = {"all": DISCHARGED, "all_absorbed": f"{DISCHARGED}_absorbed"}
        return tuple(renamed.get(name, name) for name in self.channel_names)

    @property
    def oscillates_at(self) -> float:
        """0: under a diagonal H mean click rates only relax."""
        return 0.0

    @cached_property
    def shifts(self) -> IntArray:
        """The steps on the ladder, int64 (nc,)."""
        return np.array([channel.shift for channel in self.channels], dtype=np.int64)

    @cached_property
    def photons(self) -> FloatArray:
        """Of each channel, +1 if its jumps emit a photon, -1 if they absorb one, else 0, (nc,)."""
        return np.array([channel.photons for channel in self.channels], dtype=float)

    @cached_property
    def rates(self) -> FloatArray:
        """The rates of the channels, float64 (nc,)."""
        return np.array([channel.rate for channel in self.channels])

    @cached_property
    def jump_mix(self) -> FloatArray:
        """One of J'_-, J'_z and J'_+ in each channel, float64 (nc, 3)."""
        return np.eye(3)[1 + self.shifts].reshape(-1, 3)

    def rate_of(self, shift: int) -> float:
        """Return the summed rate of J'_+, J'_z or J'_- (of Eq. (7): B, C, A)."""
        return sum((c.rate for c in self.channels if c.shift == shift and not c.local), 0.0)

    def parameters(self, alone: bool = True) -> dict[str, float]:
        """Return those of the battery that made it; else theta, frequency and each channel's rate.

        The latter are called `rate_NAME`. See `Model.parameters`.
        """
        if self.origin is not None:
            return self.origin.parameters(alone)
        rates = {f"rate_{channel.name}": channel.rate for channel in self.channels}
        return {"theta": self.theta, "frequency": self.frequency, **rates}

    @property
    def changeable(self) -> tuple[str, ...]:
        """The names that `with_parameters` takes, also of noise that is not there yet."""
        return tuple(self.parameters()) if self.origin is None else self.origin.names

    def with_parameters(self, **changed: float) -> Self:
        """Return the same model with some of its `parameters` changed."""
        for name in changed:
            checks.choice("parameters", name, self.changeable)
        if self.origin is not None:
            return self.origin.made(changed)
        return replace(
            self,
            theta=changed.get("theta", self.theta),
            frequency=changed.get("frequency", self.frequency),
            channels=tuple(
                replace(channel, rate=changed.get(f"rate_{channel.name}", channel.rate))
                for channel in self.channels
            ),
        )

    @property
    def battery_parameters(self) -> dict[str, Any] | None:
        """The arguments of the `Battery` that makes such a model, a dict; None if there is none.

        Rates that the model does not know, as of a channel at sin(theta) = 0, are zero.
        """
        if self.origin is not None:
            return self.origin.battery.arguments()
        if self.start is not None:
            return self.start.battery_parameters
        if any(one.local or one.photons != 1 for one in self.channels):
            return None
        theta = self.theta
        # In Eq. (7) the steps and the angular factors of the rates.
        factors = {
            "gamma_0": (0, math.sin(theta) ** 2),
            "gamma_plus": (-1, math.cos(theta / 2) ** 4),
            "gamma_minus": (1, math.sin(theta / 2) ** 4),
        }
        rates = {}
        for name, (shift, factor) in factors.items():
            if factor <= 1e-30 and self.rate_of(shift) > 0.0:
                return None  # no battery emits such photons at this angle
            rates[name] = self.rate_of(shift) / factor if factor > 1e-30 else 0.0
        if self.frequency < 0.0:
            return None
        return {"n_atoms": self.n_atoms, "theta": theta, "omega_p": self.frequency, **rates}


def _checked_channels(channels):
    try:
        channels = tuple(channels)
    except TypeError:
        raise TypeError(f"`channels` must be a sequence of Channel, but is {channels!r}") from None
    for one in channels:
        if not isinstance(one, Channel):
            raise TypeError(f"`channels` must be a sequence of Channel, but holds {one!r}")
    if len(channels) > MOST_CHANNELS:
        raise ValueError(f"`channels` must be at most {MOST_CHANNELS}, but are {len(channels)}")
    names = [one.name for one in channels]
    if len(set(names)) < len(names):
        raise ValueError(f"`channels` must have different names, but have {', '.join(names)}")
    return channels
