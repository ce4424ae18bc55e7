"""Banded models, whose jumps take a level to itself and its neighbours: the driven Eq. (5)."""

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from trajbatt.base import checks
from trajbatt.base.types import FloatArray
from trajbatt.models.model import Model


@dataclass(frozen=True)
class BandedModel(Model):
    """The driven Eq. (5): all photons leave by J_-, which is tridiagonal in the dressed basis.

    Parameters
    ----------
    name : str
    n_atoms : int
    theta : float
        The angle of the dressed basis.
    frequency : float
        Omega_P: H = Omega_P J'_z.
    rate : float
        gamma, the rate of J_-.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range or of the wrong kind.
    """

    name: str
    n_atoms: int
    theta: float
    frequency: float
    rate: float
    start: None = None

    def __post_init__(self) -> None:
        if self.start is not None:
            raise TypeError(f"`start` must be None, but is {checks.shown(self.start)}")
        for name, value in {
            "n_atoms": checks.integer("n_atoms", self.n_atoms, 1),
            "theta": checks.angle("theta", self.theta),
            "frequency": checks.real("frequency", self.frequency, 0),
            "rate": checks.real("rate", self.rate, 0),
        }.items():
            object.__setattr__(self, name, value)

    @property
    def channel_names(self) -> tuple[str, ...]:
        """The one channel, `all`."""
        return ("all",)

    @property
    def coherent_rate(self) -> float:
        """The rate of Eq. (19)."""
        return self.rate

    @property
    def oscillates_at(self) -> float:
        """Omega_P: the drive mixes the coherence orders."""
        return self.frequency

    @property
    def label(self) -> str:
        """What is done, and that it is by Eq. (5)."""
        return f"{self.name} by Eq. (5)"

    @property
    def rates(self) -> FloatArray:
        """The one rate, float64 (1,)."""
        return np.array([self.rate])

    @property
    def jump_mix(self) -> FloatArray:
        """J_- = (1 + cos(theta))/2 J'_- - sin(theta) J'_z - (1 - cos(theta))/2 J'_+, (1, 3)."""
        down, up = math.cos(self.theta / 2) ** 2, math.sin(self.theta / 2) ** 2
        return np.array([[down, -math.sin(self.theta), -up]])

    @property
    def timescale(self) -> float:
        """The shortest time in which collective means change; inf if never."""
        fastest = self.rate * (self.n_atoms + 2.0) + self.frequency
        return 1.0 / fastest if fastest > 0 else np.inf

    @property
    def largest_rate(self) -> float:
        """A bound of the click rate gamma <J_+ J_->, at most gamma (N/2 + 1)^2."""
        return self.rate * (self.n_atoms / 2 + 1) ** 2

    def typical_clicks(self, duration: float) -> float:
        """Return a rough number of clicks in a trajectory: the mean rate of all levels at work."""
        return float((self.jump_bands**2).sum(axis=(0, 1)).mean() * duration)

    def parameters(self, alone: bool = True) -> dict[str, float]:
        """Return theta, omega_p and gamma; see `Model.parameters`."""
        return {"theta": self.theta, "omega_p": self.frequency, "gamma": self.rate}

    def with_parameters(self, **changed: float) -> "BandedModel":
        """Return the same model with some of its `parameters` changed."""
        for name in changed:
            checks.choice("parameters", name, tuple(self.parameters()))
        known = self.parameters() | changed
        return replace(self, theta=known["theta"], frequency=known["omega_p"], rate=known["gamma"])

    @property
    def battery_parameters(self) -> dict[str, Any]:
        """The arguments of the `Battery` that makes such a model, a dict."""
        rates = dict.fromkeys(("gamma_0", "gamma_plus", "gamma_minus"), self.rate)
        return {"n_atoms": self.n_atoms, "theta": self.theta, "omega_p": self.frequency, **rates}


def no_click_bands(jump_bands):
    """Return the bands of M = sum_c L_c+ L_c, whose half damps a wavefunction without a click.

    Parameters
    ----------
    jump_bands : ndarray (nc, 3, N+1), float64

    Returns
    -------
    ndarray (3, N+1), float64
        <k + q|M|k> for q = 0, 1, 2. In the interaction picture of H they carry
        exp(i q Omega t); M is Hermitian.
    """
    bands = np.zeros(jump_bands.shape[1:])
    levels = bands.shape[1]
    for step in (-1, 0, 1):
        for back in (-1, 0, 1):
            q = step - back
            if q >= 0:
                # L takes k to k + step, where L+ comes from k + q, which L takes there too.
                pairs = jump_bands[:, 1 + step, : levels - q] * jump_bands[:, 1 + back, q:]
                bands[q, : levels - q] += pairs.sum(axis=0)
    return bands
