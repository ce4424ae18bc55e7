"""Ladder models: a basis in which H is diagonal and every jump takes a level to one other level.

L_c|k> = w_c(k)|k + s_c>, with s_c = +1, 0 or -1. Equation (7) is one in the dressed basis, storage
and discharge are such in the bare basis. Build your own from `Channel`s: a thermal bath, collective
pumping, a single line of the triplet.
"""

import math
from collections.abc import Sequence
from copy import copy
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from trajbatt.base import checks
from trajbatt.base.types import FloatArray, IntArray
from trajbatt.light.checking import MOST_CHANNELS
from trajbatt.models.channel import Channel
from trajbatt.models.model import Model, check_plain
from trajbatt.models.origin import Origin
from trajbatt.numerics import spin

DISCHARGED = "dis"  # the channel of photons from a discharge, where other stages emit too


@dataclass(frozen=True)
class LadderModel(Model):
    """A master equation whose Hamiltonian is diagonal and whose jumps climb one ladder.

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
    clicks_from_populations: ClassVar[bool] = True

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

    def made_by(self, origin: Origin) -> "LadderModel":
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
        """The names of the channels where other stages emit, too; `dis` if a discharge has one."""
        return (
            (DISCHARGED,) if self.is_discharge and len(self.channels) == 1 else self.channel_names
        )

    @property
    def oscillates_at(self) -> float:
        """0: under a diagonal H mean click rates only relax."""
        return 0.0

    @cached_property
    def shifts(self) -> IntArray:
        """The steps on the ladder, int64 (nc,)."""
        return np.array([channel.shift for channel in self.channels], dtype=np.int64)

    @cached_property
    def rates(self) -> FloatArray:
        """The rates of the channels, float64 (nc,)."""
        return np.array([channel.rate for channel in self.channels])

    @cached_property
    def jump_elements(self) -> FloatArray:
        """<k + s_c|J'_c|k> without the rate, float64 (nc, N+1): J'_+, J'_z or J'_-."""
        raising = spin.raising_elements(self.n_atoms)
        table = {1: raising, 0: spin.magnetic_numbers(self.n_atoms), -1: raising[::-1]}
        return np.array([table[channel.shift] for channel in self.channels]).reshape(
            len(self.channels), self.n_levels
        )

    @cached_property
    def click_rates(self) -> FloatArray:
        """The rate w_c(k)^2 of channel c on level k, float64 (nc, N+1)."""
        return self.rates[:, None] * self.jump_elements**2

    @cached_property
    def total_rates(self) -> FloatArray:
        """The rate R of all clicks on each level, float64 (N+1,)."""
        return self.click_rates.sum(axis=0)

    @cached_property
    def jump_mix(self) -> FloatArray:
        """One of J'_-, J'_z and J'_+ in each channel, float64 (nc, 3)."""
        return np.eye(3)[1 + self.shifts].reshape(-1, 3)

    @property
    def timescale(self) -> float:
        """The shortest time in which collective means change, for Omega_P apart; inf if never."""
        up, down = self.rate_of(1), self.rate_of(-1)
        fastest = self.n_atoms * abs(down - up) + 2.0 * (down + up) + self.rate_of(0)
        return 1.0 / fastest if fastest > 0 else np.inf

    @property
    def largest_rate(self) -> float:
        """The rate of all clicks on the level where it is largest."""
        return float(self.total_rates.max(initial=0.0))

    def typical_clicks(self, duration: float) -> float:
        """Return a rough number of clicks in a trajectory: the mean rate of all levels at work."""
        return float(self.total_rates.mean() * duration)

    def rate_of(self, shift: int) -> float:
        """Return the summed rate of the channels that step by `shift` (of Eq. (7): B, C, A)."""
        return sum((c.rate for c in self.channels if c.shift == shift), 0.0)

    @property
    def log_ratio(self) -> float:
        """ln x of the downward rate to the upward one: both must be above zero.

        For a battery it is ln r + 4 ln cot(theta/2), without the rounding of the rates.
        """
        up, down = self.rate_of(1), self.rate_of(-1)
        if self.origin is not None and self.start is None:
            battery = self.origin.battery
            return math.log(battery.r) + 4.0 * math.atanh(math.cos(battery.theta))
        return math.log1p((down - up) / up)

    @property
    def rate_polynomial(self) -> FloatArray:
        """The coefficients of 1, m and m^2 in the total rate R(m), float64 (3,)."""
        up, dephasing, down = (self.rate_of(shift) for shift in (1, 0, -1))
        j = self.n_atoms / 2
        return np.array([(up + down) * j * (j + 1), down - up, dephasing - down - up])

    def parameters(self, alone: bool = True) -> dict[str, float]:
        """Return those of the battery that made it; else theta, frequency and each channel's rate.

        The latter are called `rate_NAME`. See `Model.parameters`.
        """
        if self.origin is not None:
            return self.origin.parameters(alone)
        rates = {f"rate_{channel.name}": channel.rate for channel in self.channels}
        return {"theta": self.theta, "frequency": self.frequency, **rates}

    def with_parameters(self, **changed: float) -> "LadderModel":
        """Return the same model with some of its `parameters` changed."""
        for name in changed:
            checks.choice("parameters", name, tuple(self.parameters()))
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
            return asdict(self.origin.battery)
        if self.start is not None:
            return self.start.battery_parameters
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
