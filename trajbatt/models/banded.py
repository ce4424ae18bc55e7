"""Banded models, whose jumps take a level to itself and its neighbours: the driven Eq. (5).

Known as cooperative resonance fluorescence, as the driven Dicke model, and on resonance, with many
atoms, as a boundary time crystal.
"""

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from trajbatt.base import checks
from trajbatt.base.types import FloatArray
from trajbatt.models.channel import ABSORBED
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
    thermal : float
        The mean number of thermal photons: J_- jumps at gamma (1 + thermal), J_+ at gamma thermal.

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
    thermal: float = 0.0

    def __post_init__(self) -> None:
        if self.start is not None:
            raise TypeError(f"`start` must be None, but is {checks.shown(self.start)}")
        for name, value in {
            "n_atoms": checks.integer("n_atoms", self.n_atoms, 1),
            "theta": checks.angle("theta", self.theta),
            "frequency": checks.real("frequency", self.frequency, 0),
            "rate": checks.real("rate", self.rate, 0),
            "thermal": checks.real("thermal", self.thermal, 0),
        }.items():
            object.__setattr__(self, name, value)

    @property
    def rabi(self) -> float:
        """The Rabi frequency Omega_R."""
        return self.frequency * math.sin(self.theta)

    @property
    def detuning(self) -> float:
        """The detuning Delta = omega_0 - (frequency of the drive)."""
        return self.frequency * math.cos(self.theta)

    @property
    def critical_drive(self) -> float:
        """The Rabi frequency gamma N/2 beyond which no mean spin is at rest on resonance."""
        return 0.5 * self.rate * self.n_atoms

    @property
    def is_warm(self) -> bool:
        """Whether light is absorbed as well."""
        return self.rate * self.thermal > 0.0

    @property
    def channel_names(self) -> tuple[str, ...]:
        """`all`; and `all_absorbed`, if there are thermal photons."""
        return ("all", "all" + ABSORBED) if self.is_warm else ("all",)

    @property
    def photons(self) -> FloatArray:
        """+1 of what emits a photon, -1 of what absorbs one, float64 (nc,)."""
        return np.array([1.0, -1.0])[: len(self.channel_names)]

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
        """Those of J_- and J_+, float64 (nc,)."""
        return self.rate * np.array([1.0 + self.thermal, self.thermal])[: len(self.channel_names)]

    @property
    def jump_mix(self) -> FloatArray:
        """J_- = (1 + cos(theta))/2 J'_- - sin(theta) J'_z - (1 - cos(theta))/2 J'_+, (nc, 3)."""
        down, up = math.cos(self.theta / 2) ** 2, math.sin(self.theta / 2) ** 2
        emission = [down, -math.sin(self.theta), -up]
        return np.array([emission, emission[::-1]])[: len(self.channel_names)]

    @property
    def timescale(self) -> float:
        """The shortest time in which collective means change; inf if never."""
        fastest = self.rate * (1.0 + 2.0 * self.thermal) * (self.n_atoms + 2.0) + self.frequency
        return 1.0 / fastest if fastest > 0 else np.inf

    @property
    def largest_rate(self) -> float:
        """A bound of the click rate gamma <J_+ J_->, at most gamma (N/2 + 1)^2."""
        return float(self.rates.sum()) * (self.n_atoms / 2 + 1) ** 2

    def typical_clicks(self, duration: float) -> float:
        """Return a rough number of clicks in a trajectory: the mean rate of all levels at work."""
        return float((self.jump_bands**2).sum(axis=(0, 1)).mean() * duration)

    def parameters(self, alone: bool = True) -> dict[str, float]:
        """Return theta, omega_p and gamma, and thermal if it is there; see `Model.parameters`."""
        known = {"theta": self.theta, "omega_p": self.frequency, "gamma": self.rate}
        return known | ({"thermal": self.thermal} if self.thermal else {})

    def with_parameters(self, **changed: float) -> "BandedModel":
        """Return the same model with some of its `parameters` changed."""
        for name in changed:
            checks.choice("parameters", name, tuple(self.parameters()))
        known = self.parameters() | changed
        return replace(
            self,
            theta=known["theta"],
            frequency=known["omega_p"],
            rate=known["gamma"],
            thermal=known.get("thermal", 0.0),
        )

    @property
    def battery_parameters(self) -> dict[str, Any]:
        """The arguments of the `Battery` that makes such a model, a dict."""
        rates = dict.fromkeys(("gamma_0", "gamma_plus", "gamma_minus"), self.rate)
        warm = dict.fromkeys(("thermal_0", "thermal_plus", "thermal_minus"), self.thermal)
        drive = {"n_atoms": self.n_atoms, "theta": self.theta, "omega_p": self.frequency}
        return {**drive, **rates, **(warm if self.thermal else {})}


def angle_and_splitting(rabi, detuning):
    """Return theta and Omega_P of a drive, checked."""
    rabi, detuning = checks.real("rabi", rabi, 0), checks.real("detuning", detuning)
    return math.atan2(rabi, detuning), math.hypot(rabi, detuning)


def no_click_bands(jump_bands):
    """Return the bands of M = sum_c L_c+ L_c, whose half damps a wavefunction without a click.

    Parameters
    ----------
    jump_bands : ndarray (nc, 3, N+1), float64 or complex128

    Returns
    -------
    ndarray (3, N+1), of the same type
        <k + q|M|k> for q = 0, 1, 2. In the interaction picture of H they carry
        exp(i q Omega t); M is Hermitian.
    """
    bands = np.zeros(jump_bands.shape[1:], dtype=jump_bands.dtype)
    levels = bands.shape[1]
    for step in (-1, 0, 1):
        for back in (-1, 0, 1):
            q = step - back
            if q >= 0:
                # L takes k to k + step, where L+ comes from k + q, which L takes there too.
                back_there = jump_bands[:, 1 + back, q:].conj()
                pairs = jump_bands[:, 1 + step, : levels - q] * back_there
                bands[q, : levels - q] += pairs.sum(axis=0)
    return bands
