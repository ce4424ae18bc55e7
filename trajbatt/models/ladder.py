"""Ladder models: a basis in which H is diagonal and every jump takes a level to one other level.

L_c|k> = w_c(k)|k + s_c>, with s_c = +1, 0 or -1. Equation (7) is one in the dressed basis, storage
and discharge are such in the bare basis. Build your own from `Channel`s: a thermal bath, collective
pumping, a single line of the triplet.
"""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np

from trajbatt.base.types import FloatArray
from trajbatt.models.channelled import ChannelledModel
from trajbatt.numerics import spin


@dataclass(frozen=True)
class LadderModel(ChannelledModel):
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

    clicks_from_populations: ClassVar[bool] = True

    def __post_init__(self) -> None:
        super().__post_init__()
        for one in self.channels:
            if one.local:
                raise ValueError(
                    f"`channels` must be collective, but {one.name!r} is local: "
                    "build a LocalLadderModel"
                )

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

    @property
    def log_ratio(self) -> float:
        """ln x of the downward rate to the upward one: both must be above zero.

        For a battery it is ln r + 4 ln cot(theta/2), without the rounding of the rates.
        """
        up, down = self.rate_of(1), self.rate_of(-1)
        if self.origin is not None and self.start is None and not self.origin.battery.is_warm:
            battery = self.origin.battery
            return math.log(battery.r) + 4.0 * math.atanh(math.cos(battery.theta))
        return math.log1p((down - up) / up)

    @property
    def rate_polynomial(self) -> FloatArray:
        """The coefficients of 1, m and m^2 in the total rate R(m), float64 (3,)."""
        up, dephasing, down = (self.rate_of(shift) for shift in (1, 0, -1))
        j = self.n_atoms / 2
        return np.array([(up + down) * j * (j + 1), down - up, dephasing - down - up])
