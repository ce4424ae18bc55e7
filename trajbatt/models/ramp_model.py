"""The driven Eq. (5) while its drive moves: theta and Omega_P as polynomials of the time."""

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar

import numpy as np
from numpy.polynomial import Polynomial

from trajbatt.base import checks
from trajbatt.base.types import FloatArray
from trajbatt.models.model import Model
from trajbatt.models.schedule import Stage

TERMS = 4  # coefficients of a polynomial
ROUNDING = 1e-9  # what they may leave the range by


@dataclass(frozen=True)
class RampModel(Model):
    """Eq. (5) with H(t) = Omega_P(t) (cos(theta(t)) J_z - sin(theta(t)) J_x), for some time.

    `Battery.ramp(..., secular=False)` makes a protocol of such models, one for each interval
    between knots. States are told in the bare basis.

    Parameters
    ----------
    name : str
    n_atoms : int
    duration : float
        How long it may be used.
    thetas, omegas : tuple of 4 float
        Coefficients of 1, t, t^2 and t^3, t from the begin of the stage.
    rate : float
        gamma, the rate of J_-.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range, all along the ramp, or of the wrong kind.
    """

    name: str
    n_atoms: int
    duration: float
    thetas: tuple[float, ...]
    omegas: tuple[float, ...]
    rate: float
    start: None = None
    moves: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if self.start is not None:
            raise TypeError(f"`start` must be None, but is {checks.shown(self.start)}")
        checked = {
            "n_atoms": checks.integer("n_atoms", self.n_atoms, 1),
            "duration": checks.positive("duration", self.duration),
            "rate": checks.real("rate", self.rate, 0),
            "thetas": _coefficients("thetas", self.thetas),
            "omegas": _coefficients("omegas", self.omegas),
        }
        for name, value in checked.items():
            object.__setattr__(self, name, value)
        for value in self._extremes(self.thetas):
            checks.angle("theta", _inside(value, ROUNDING, math.pi))
        low, high = self._extremes(self.omegas)
        checks.real("omega_p", _inside(low, ROUNDING * abs(high), math.inf), 0)

    def _extremes(self, coefficients):
        """Return the least and the largest value of a polynomial along the ramp."""
        polynomial = Polynomial(coefficients)
        turns = polynomial.deriv().roots()
        turns = turns.real[np.abs(turns.imag) == 0.0]
        inside = turns[(turns > 0.0) & (turns < self.duration)]
        values = polynomial(np.array([0.0, self.duration, *inside]))
        return float(values.min()), float(values.max())

    @property
    def theta(self) -> float:
        """The angle of the basis, the bare one: it does not follow the drive."""
        return 0.0

    @property
    def frequency(self) -> float:
        """There is no interaction picture: 0."""
        return 0.0

    @property
    def drive(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """The coefficients of theta and of Omega_P."""
        return self.thetas, self.omegas

    @property
    def lasts(self) -> float:
        """How long it may be used."""
        return self.duration

    @cached_property  # solvers ask for it in each piece of time
    def fastest(self) -> float:
        """The largest Omega_P, and no less than the fastest change of theta."""
        slopes = self._extremes(tuple(Polynomial(self.thetas).deriv().coef))
        return max(self._extremes(self.omegas)[1], *map(abs, slopes))

    @property
    def channel_names(self) -> tuple[str, ...]:
        """`all`."""
        return ("all",)

    @property
    def coherent_rate(self) -> float:
        """The rate of Eq. (19)."""
        return self.rate

    @property
    def oscillates_at(self) -> float:
        """The largest Omega_P."""
        return self._extremes(self.omegas)[1]

    @property
    def label(self) -> str:
        """What is done, and that it is by Eq. (5)."""
        return f"{self.name} by Eq. (5)"

    @property
    def rates(self) -> FloatArray:
        """That of J_-, float64 (1,)."""
        return np.array([self.rate])

    @property
    def jump_mix(self) -> FloatArray:
        """J_- in the bare basis, float64 (1, 3)."""
        return np.array([[1.0, 0.0, 0.0]])

    @property
    def timescale(self) -> float:
        """The shortest time in which collective means change; inf if never."""
        fastest = self.rate * (self.n_atoms + 2.0) + self.fastest
        return 1.0 / fastest if fastest > 0 else math.inf

    @property
    def largest_rate(self) -> float:
        """A bound of the click rate gamma <J_+ J_->, at most gamma (N/2 + 1)^2."""
        return self.rate * (self.n_atoms / 2 + 1) ** 2

    def typical_clicks(self, duration: float) -> float:
        """Return a rough number of clicks in a trajectory: the mean rate of all levels at work."""
        return float((self.jump_bands**2).sum(axis=(0, 1)).mean() * duration)

    def stages(self, until: float = math.inf) -> tuple[Stage, ...]:
        """Return the one stage that it is."""
        return (Stage(self, 0.0, self.duration, (0,)),)

    def parameters(self, alone: bool = True) -> dict[str, float]:
        """Return gamma; see `Model.parameters`."""
        return {"gamma": self.rate}

    def with_parameters(self, **changed: float) -> "RampModel":
        """Return the same model with another gamma."""
        for name in changed:
            checks.choice("parameters", name, tuple(self.parameters()))
        return replace(self, rate=changed.get("gamma", self.rate))

    @property
    def battery_parameters(self) -> None:
        """A battery has no moving drive: None."""
        return None


def _inside(value, rounding, highest):
    """Return a value, which rounding may have taken off its range, from 0 to the highest."""
    if -rounding <= value <= highest + rounding:
        return min(max(value, 0.0), highest)
    return value


def _coefficients(name, given):
    """Return the coefficients of a polynomial, checked."""
    try:
        found = tuple(float(one) for one in given)
    except (TypeError, ValueError):
        found = ()
    if len(found) != TERMS or not all(map(math.isfinite, found)):
        raise ValueError(f"`{name}` must be {TERMS} finite numbers, but is {checks.shown(given)}")
    return found
