"""Ladders with noise of single atoms: a jump also changes the length of the collective spin.

Noise that is the same for every atom leaves the density matrix in blocks |J, M>, J = N/2, N/2 - 1,
…, each with equal weight on the d_J ways in which N spins add up to J. In each block H is diagonal,
collective jumps step in M, and jumps of single atoms step in M and go to J, J - 1 or J + 1: a
ladder with two indices, see `trajbatt.numerics.spin_blocks`.
"""

from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np

from trajbatt.base.types import FloatArray
from trajbatt.models.channelled import ChannelledModel


@dataclass(frozen=True)
class LocalLadderModel(ChannelledModel):
    """A master equation whose jumps climb a ladder, some of them of single atoms.

    Its parameters are those of a `LadderModel`; channels that are `local` belong to every single
    atom. Batteries with `local_0`, `dephasing`, `pump` and the like make such models; build your
    own from channels.

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

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range or of the wrong kind.

    Examples
    --------
    >>> LocalLadderModel("store", 4, 0.0, 1.0, [Channel("side", -1, 0.5, local=True)]).n_atoms
    4
    """

    is_symmetric: ClassVar[bool] = False

    @classmethod
    def of(cls, model: ChannelledModel, **others: Any) -> Self:
        """Return a ladder model, perhaps without noise of single atoms, as one with it.

        `others` are fields of an heir.
        """
        known = {one.name: getattr(model, one.name) for one in fields(model) if one.init}
        found = cls(**known, **others)
        object.__setattr__(found, "origin", model.origin)
        return found

    @cached_property
    def collective_rates(self) -> FloatArray:
        """The summed rates of J'_-, J'_z and J'_+, float64 (3,)."""
        return self._summed(local=False)

    @cached_property
    def local_rates(self) -> FloatArray:
        """The summed rates of s'_-, s'_z and s'_+ of every atom, float64 (3,)."""
        return self._summed(local=True)

    def _summed(self, local, shares=None):
        rates = np.zeros(3)
        shares = np.ones(len(self.channels)) if shares is None else shares
        for one, share in zip(self.channels, shares, strict=True):
            if one.local == local:
                rates[1 + one.shift] += share * one.rate
        return rates

    @cached_property
    def is_local(self) -> np.ndarray:
        """Of each channel, whether it belongs to single atoms, bool (nc,)."""
        return np.array([channel.local for channel in self.channels], dtype=bool)

    def jump_rates(self, spin_length: int) -> FloatArray:
        """Return the rates of the channels on the levels of one block.

        Parameters
        ----------
        spin_length : int
            2J.

        Returns
        -------
        ndarray (nc, 2J+1), float64
        """
        u = np.arange(spin_length + 1.0)
        v = spin_length - u
        half, m = self.n_atoms / 2, 0.5 * (u - v)
        collective = {1: v * (u + 1.0), 0: m**2, -1: u * (v + 1.0)}
        single = {1: half - m, 0: np.full_like(m, 0.5 * half), -1: half + m}
        rows = [
            one.rate * (single if one.local else collective)[one.shift] for one in self.channels
        ]
        return np.array(rows).reshape(len(self.channels), spin_length + 1)

    @property
    def timescale(self) -> float:
        """The shortest time in which means change, for Omega_P apart; inf if never."""
        down, flat, up = self.collective_rates
        fastest = self.n_atoms * abs(down - up) + 2.0 * (down + up) + flat
        fastest += self.local_rates.sum()
        return 1.0 / fastest if fastest > 0 else np.inf

    @property
    def largest_rate(self) -> float:
        """The rate of all jumps on the level where it is largest, which has J = N/2."""
        return float(self.jump_rates(self.n_atoms).sum(axis=0).max(initial=0.0))

    def typical_clicks(self, duration: float) -> float:
        """Return a rough number of clicks in a trajectory: the mean rate of all levels at work."""
        return float(self.jump_rates(self.n_atoms).sum(axis=0).mean() * duration)

    def shortening_rate(self, shares: FloatArray | None = None) -> float:
        """Return a bound of the rate of jumps to J - 1, from any state.

        `shares` (nc,) count that much of each channel; all by default.

        From 2J = n they have the rate (N + n + 2)/(2 n (n + 1)) (l_- u^2 + l_+ v^2 + l_z u v) at
        most, with u + v = n: N times a mean of l_-, l_+ and l_z/2.
        """
        down, flat, up = self.local_rates if shares is None else self._summed(True, shares)
        return float(self.n_atoms * max(down, up, 0.5 * flat))
