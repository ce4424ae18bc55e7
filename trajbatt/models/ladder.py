"""Models: the tables that the trajectory engines and the deterministic solver both eat.

A *ladder model* has a basis in which the Hamiltonian is diagonal and every jump takes a level to
one other level, L_c|k> = w_c(k)|k + s_c> (DESIGN 3.1). Equation (7) is one in the dressed basis. In
a *banded model* a jump takes a level to itself and both its neighbours (DESIGN 3.2). The driven
Eq. (5) is one.
"""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from trajbatt.models.channel import Channel
from trajbatt.models.model import WithoutTables
from trajbatt.numerics import spin


@dataclass(frozen=True)
class LadderModel(WithoutTables):
    """A master equation whose Hamiltonian is diagonal and whose jumps climb one ladder.

    Attributes
    ----------
    name : str
        What the battery is doing, e.g. "charge".
    n_atoms : int
    theta : float
        The angle of the ladder's basis (see `trajbatt.numerics.spin`); 0 is the bare basis.
    frequency : float
        The spacing of the levels: H = frequency * J'_z.
    channels : tuple of Channel
    start : LadderModel or None
        The model whose steady state is the default initial state; None is the bare ground state.
    coherent_rate : float or None
        The rate of Eq. (19), where the light comes from the bare dipole; else None.
    """

    name: str
    n_atoms: int
    theta: float
    frequency: float
    channels: tuple[Channel, ...]
    start: "LadderModel | None" = None
    coherent_rate: float | None = None

    @property
    def channel_names(self):
        """The names of the channels, a tuple of nc strings."""
        return tuple(channel.name for channel in self.channels)

    @cached_property
    def shifts(self):
        """The steps on the ladder, int64 (nc,)."""
        return np.array([channel.shift for channel in self.channels], dtype=np.int64)

    @cached_property
    def jump_elements(self):
        """<k + s_c|J'_c|k> without the rate, float64 (nc, N+1): J'_+, J'_z or J'_-."""
        raising = spin.raising_elements(self.n_atoms)
        table = {1: raising, 0: spin.magnetic_numbers(self.n_atoms), -1: raising[::-1]}
        return np.array([table[channel.shift] for channel in self.channels]).reshape(
            len(self.channels), self.n_atoms + 1
        )

    @cached_property
    def click_rates(self):
        """The rate w_c(k)^2 of channel c on level k, float64 (nc, N+1)."""
        rates = np.array([channel.rate for channel in self.channels])
        return rates[:, None] * self.jump_elements**2

    @cached_property
    def jump_bands(self):
        """<k + s|L_c|k> for s = -1, 0, 1, float64 (nc, 3, N+1)."""
        bands = np.zeros((len(self.channels), 3, self.n_atoms + 1))
        for band, channel, elements in zip(bands, self.channels, self.jump_elements, strict=True):
            band[1 + channel.shift] = math.sqrt(channel.rate) * elements
        return bands

    @property
    def timescale(self):
        """The shortest time in which collective means change, for Omega_P apart; inf if never."""
        up, down = self.rate_of(1), self.rate_of(-1)
        fastest = self.n_atoms * abs(down - up) + 2.0 * (down + up) + self.rate_of(0)
        return 1.0 / fastest if fastest > 0 else np.inf

    def typical_clicks(self, duration):
        """Return a rough number of clicks in a trajectory: the mean rate of all levels at work."""
        return float(self.click_rates.sum(axis=0).mean() * duration)

    def rate_of(self, shift):
        """Return the summed rate of the channels that step by `shift` (DESIGN 2: B, C, A)."""
        return sum((c.rate for c in self.channels if c.shift == shift), 0.0)

    @property
    def rate_slope(self):
        """The factor of m in the total rate R(m), which is quadratic in m."""
        return self.rate_of(-1) - self.rate_of(1)

    @property
    def rate_curvature(self):
        """The factor of m^2 in the total rate R(m)."""
        return self.rate_of(0) - self.rate_of(-1) - self.rate_of(1)
