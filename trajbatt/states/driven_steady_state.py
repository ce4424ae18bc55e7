r"""The steady state of the driven Eq. (5) in closed form, at any detuning.

In the pump frame H = Delta J_z - Omega_R J_x with Delta = Omega_P cos(theta) and
Omega_R = Omega_P sin(theta). Seek rho = F F+ with an F that commutes with J_-, F = sum_n c_n J_-^n,
as the field that the battery emits is absorbed without trace by a partner of opposite detuning
(Stannigel, Rabl and Zoller, New J. Phys. 14, 063014 (2012)). The terms of Eq. (5) cancel if

    (-i H - gamma J_+J_-/2) F = F (-i H' - gamma J_-J_+/2),    H' = -Delta J_z - Omega_R J_x,

and with [J_+, J_-^n] = 2 n J_-^(n-1) J_z - n (n-1) J_-^(n-1) the powers of J_- give, one by one,

    c_n/c_{n-1} = (gamma + 2 i Delta/n)/(i Omega_R).

On resonance this is the geometric series of Puri and Lawande (1979). Every element of F is one
product, so that the bare populations, sums of abs(F_km)^2, keep their relative precision however
small, and rho is positive for any parameters. O(N^2) memory, O(N^3) time for the product.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from trajbatt.base.arrays import copied, read_only
from trajbatt.base.types import ComplexArray, FloatArray
from trajbatt.numerics import spin
from trajbatt.states.driven_quantities import DrivenQuantities
from trajbatt.states.observables import ENERGY, JX, JY

MOST_STEADY = 2000  # as many as `mesolve` takes of Eq. (5)


@dataclass(frozen=True, eq=False, repr=False)
class DrivenSteadyState(DrivenQuantities):
    """The steady state of the driven Eq. (5).

    Attributes
    ----------
    n_atoms : int
    theta : float
        The angle of the dressed basis.
    matrix : ndarray (N+1, N+1), complex128
        The bare density matrix in the pump frame, read-only, index = number of excited atoms.
    """

    n_atoms: int
    theta: float
    matrix: ComplexArray

    def __post_init__(self) -> None:
        object.__setattr__(self, "matrix", copied(self.matrix))

    @cached_property
    def populations(self) -> FloatArray:
        """Populations of the dressed levels, ascending, float64 (N+1,), read-only."""
        turn = spin.change_of_basis(self.n_atoms, 0.0, self.theta)
        found = np.einsum("ik,ij,jk->k", turn, self.matrix.real, turn, optimize=True)
        return read_only(np.maximum(found, 0.0))  # rounding leaves about -1e-17

    @property
    def _bare_populations(self):
        return self.matrix.diagonal().real

    @property
    def energy(self) -> float:
        """<E> = <J_z> + N/2, in units of hbar omega_0."""
        return ENERGY.mean(self.matrix)

    @property
    def energy_variance(self) -> float:
        """The variance of E."""
        k = np.arange(self.n_atoms + 1.0)
        return float(self._bare_populations @ (k - self.energy) ** 2)

    @property
    def _light(self):
        """<J_+ J_-> and <J_+^2 J_-^2>."""
        k, n = np.arange(self.n_atoms + 1.0), self.n_atoms
        once = k * (n - k + 1.0)
        return self._bare_populations @ np.array([once, once * (k - 1.0) * (n - k + 2.0)]).T

    @cached_property
    def _eigenvalues(self):
        return np.linalg.eigvalsh(self.matrix)

    @property
    def dipole(self) -> complex:
        """The bare dipole <J_+>, complex."""
        return complex(JX.mean(self.matrix), JY.mean(self.matrix))

    def __repr__(self) -> str:
        """Return one line."""
        return (
            f"DrivenSteadyState(n_atoms={self.n_atoms}, theta={self.theta}, "
            f"energy={self.energy:.9g})"
        )


def check_size(n_atoms):
    """Raise `ValueError` if there are too many atoms for its matrix."""
    if n_atoms > MOST_STEADY:
        raise ValueError(
            f"the matrix of the steady state of Eq. (5) is offered up to {MOST_STEADY} atoms, "
            f"but `n_atoms` is {n_atoms}"
        )


def driven_steady_state(model):
    """Return the steady state of a `BandedModel` of at most `MOST_STEADY` atoms.

    Raises
    ------
    ValueError
        Without decay, when nothing is steady.
    """
    if model.rate == 0.0:
        raise ValueError("`model` must have a unique steady state, but its rate is zero")
    factor = _factor(model)
    matrix = factor @ factor.conj().T
    return DrivenSteadyState(model.n_atoms, model.theta, (matrix + matrix.conj().T) / 2)


def _factor(model):
    """Return F (N+1, N+1), upper triangular and of Frobenius norm 1."""
    n_levels = model.n_levels
    detuning = model.frequency * np.cos(model.theta)
    rabi = model.frequency * np.sin(model.theta)
    factor = np.zeros((n_levels, n_levels), dtype=complex)
    if rabi == 0.0:
        factor[0, 0] = 1.0  # without drive, the ground state
        return factor
    # In logarithms, since c_n and J_-^n leave the range of floating-point numbers.
    ratios = np.log(model.rate + 2j * detuning / np.arange(1, n_levels)) - np.log(1j * rabi)
    logarithms = np.concatenate(([0.0], np.cumsum(ratios)))
    raising = spin.raising_elements(model.n_atoms)[:-1]
    heights = np.concatenate(([0.0], np.cumsum(np.log(raising))))
    largest = -np.inf
    for k in range(n_levels):
        # F_km = c_{m-k} r_k ... r_{m-1} for m = k..N, with r_k = <k+1|J_+|k>.
        factor[k, k:] = logarithms[: n_levels - k] + heights[k:] - heights[k]
        largest = max(largest, factor[k, k:].real.max())
    for k in range(n_levels):
        factor[k, k:] = np.exp(factor[k, k:] - largest)
    return factor / np.linalg.norm(factor)
