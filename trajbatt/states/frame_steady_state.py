"""The steady state of the driven Eq. (5) at any N, near its mean spin: see `fixed_frame`."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from trajbatt.base.arrays import copied, read_only
from trajbatt.base.types import ComplexArray, FloatArray
from trajbatt.models.banded import BandedModel
from trajbatt.numerics import frame
from trajbatt.states.driven_quantities import DrivenQuantities
from trajbatt.states.fixed_frame import fixed_frame
from trajbatt.states.mixture import Mixture


@dataclass(frozen=True, eq=False, repr=False)
class FrameSteadyState(DrivenQuantities):
    """The steady state of the driven Eq. (5), on the levels of a frame at its mean spin.

    Attributes
    ----------
    n_atoms : int
    theta : float
        The angle of the dressed basis.
    axes : ndarray (6,), float64
        u and v of the frame, see `trajbatt.numerics.frame`, read-only.
    in_frame : ndarray (levels, levels), complex128
        The density matrix on the lowest levels of the frame, read-only.
    """

    n_atoms: int
    theta: float
    axes: FloatArray
    in_frame: ComplexArray

    def __post_init__(self) -> None:
        object.__setattr__(self, "axes", copied(self.axes))
        object.__setattr__(self, "in_frame", copied(self.in_frame))

    @cached_property
    def _moments(self):
        parts = (np.diagonal(self.in_frame, -q) for q in (1, 2))
        mean, covariance = frame.moments(self.n_atoms, self.in_frame.diagonal().real, *parts)
        return frame.to_bare_moments(self.axes, mean, covariance)

    @property
    def energy(self) -> float:
        """<E> = <J_z> + N/2, in units of hbar omega_0."""
        return float(self._moments[0][2] + self.n_atoms / 2)

    @property
    def energy_variance(self) -> float:
        """The variance of E."""
        return float(self._moments[1][2, 2])

    @property
    def dipole(self) -> complex:
        """The bare dipole <J_+>, complex."""
        x, y, _ = self._moments[0]
        return complex(x, y)

    @cached_property
    def _light(self):
        """<J_+ J_-> and <J_+^2 J_-^2>."""
        more = min(2, self.n_atoms + 1 - len(self.in_frame))
        state = np.pad(self.in_frame, (0, more))
        lowering = frame.lowering(self.n_atoms, self.axes, len(state))
        twice = lowering @ lowering
        return [np.trace(one @ state @ one.conj().T).real for one in (lowering, twice)]

    @cached_property
    def populations(self) -> FloatArray:
        """Populations of the dressed levels, ascending, float64 (N+1,), read-only."""
        turned = frame.in_basis(frame.rows_of(self.axes), self.theta)
        kets = frame.kets(self.n_atoms, turned, len(self.in_frame))
        found = np.einsum("kn,kn->k", kets @ self.in_frame, kets.conj()).real
        return read_only(np.maximum(found, 0.0))

    def mixture(self, theta: float, negligible: float) -> Mixture:
        """Return the eigenstates as a `Mixture` in the basis of an angle."""
        return Mixture.in_frame(self.n_atoms, self.axes, self.in_frame, theta, negligible)

    @cached_property
    def _eigenvalues(self):
        return np.linalg.eigvalsh(self.in_frame)

    def __repr__(self) -> str:
        """Return one line."""
        return (
            f"FrameSteadyState(n_atoms={self.n_atoms}, theta={self.theta}, "
            f"energy={self.energy:.9g})"
        )


def frame_steady_state(model: BandedModel) -> FrameSteadyState:
    """Return the steady state of a `BandedModel` near its mean spin.

    Raises
    ------
    ValueError
        Without decay, when nothing is steady, or if there is no such state.
    """
    found, axes = fixed_frame(model)
    return FrameSteadyState(model.n_atoms, model.theta, axes, found.steady)
