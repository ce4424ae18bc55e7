r"""What a ramp is optimised for, as a function of the final spin and the photons.

The mean of J_z over the next period of Omega_P, were the last drive to stay, is that of
cos(theta) J'_z, with J'_z = cos(theta) J_z - sin(theta) J_x.
"""

from dataclasses import dataclass

import numpy as np

from trajbatt.base import checks
from trajbatt.states.observables import JX, JY, JZ

OBJECTIVES = "energy", "work", "work_per_photon"


@dataclass(frozen=True)
class Aim:
    """An objective.

    Parameters
    ----------
    objective : {"energy", "work", "work_per_photon"}
    in_period : bool
        Whether <J_z> is its mean over the next period.
    n_atoms : int

    Raises
    ------
    ValueError, TypeError
        If they are none.
    """

    objective: str
    in_period: bool
    n_atoms: int

    def __post_init__(self) -> None:
        checks.choice("objective", self.objective, OBJECTIVES)
        checks.boolean("in_period", self.in_period)

    def __call__(self, state, photons, theta):
        """Return the objective, and how it changes: the observable, and the slope of photons.

        Parameters
        ----------
        state : ndarray (N+1, N+1)
            The bare density matrix in the end.
        photons : float
        theta : float
            Of the drive in the end.
        """
        spin = np.array([one.mean(state) for one in (JX, JY, JZ)])
        of_z = np.array([0.0, 0.0, 1.0])
        if self.in_period:
            of_z = np.cos(theta) * np.array([-np.sin(theta), 0.0, np.cos(theta)])
        if self.objective == "energy":
            half = 0.5 * self.n_atoms
            return of_z @ spin + half, self._observable(of_z, half), 0.0
        length = np.linalg.norm(spin)
        along = spin / length if length > 0.0 else np.zeros(3)
        work, observable = of_z @ spin + length, self._observable(of_z + along)
        if self.objective == "work":
            return work, observable, 0.0
        return work / photons, observable / photons, -work / photons**2

    def _observable(self, weights, number=0.0):
        parts = (one.matrix(self.n_atoms) for one in (JX, JY, JZ))
        found = sum(weight * part for weight, part in zip(weights, parts, strict=True))
        return found + number * np.eye(self.n_atoms + 1)
