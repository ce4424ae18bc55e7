r"""The weakly driven Eq. (5) in the bare basis, where rare photons keep all their digits.

In the dressed basis the ground state is a superposition of all levels, so what is rare is a small
difference of large terms: rates are resolved to 1e-16 of the largest. With k the number of excited
atoms and eps = Omega_R/gamma, element (i, j) of a weakly driven density matrix is of the order of
eps^(i+j), and so is each term of its derivative in the bare basis,

    H = Delta J_z - Omega_R J_x,    Delta = Omega_P cos(theta),    Omega_R = Omega_P sin(theta),

where a jump lowers i and j by one and the drive changes one of them by one. So every element keeps
its relative precision, however small, if only the steps are judged by it.
"""

import math
from dataclasses import dataclass
from typing import ClassVar

from trajbatt.models.banded import BandedModel

WEAK = 0.1  # Omega_R/gamma below which the decay sets the pace, and light is rare


@dataclass(frozen=True)
class BareModel(BandedModel):
    """A `BandedModel` in the bare basis, for the deterministic twin.

    Parameters
    ----------
    name, n_atoms, rate
        As there.
    theta : float
        0.
    frequency : float
        The detuning Delta, of any sign.
    rabi : float
        Omega_R.
    """

    rabi: float = 0.0
    resolves_rare_light: ClassVar[bool] = True

    def __post_init__(self):
        """Nothing to check: it is made of a model that is."""

    @classmethod
    def of(cls, model):
        """Return a `BandedModel` in the bare basis."""
        detuning = model.frequency * math.cos(model.theta)
        rabi = model.frequency * math.sin(model.theta)
        return cls(model.name, model.n_atoms, 0.0, detuning, model.rate, rabi=rabi)

    @property
    def timescale(self):
        """The shortest time in which collective means change."""
        return 1.0 / (self.rate * (self.n_atoms + 2.0) + abs(self.frequency) + self.rabi)

    @property
    def oscillates_at(self):
        """The generalized Rabi frequency Omega_P."""
        return math.hypot(self.frequency, self.rabi)


def is_weak(model):
    """Return whether the drive of a `BandedModel` is so weak that its light is rare."""
    return (
        not model.is_warm
        and model.rate > 0.0
        and model.frequency * math.sin(model.theta) < WEAK * model.rate
    )
