r"""The steady state of the driven Eq. (5): the null vector of its Liouvillian, block by block.

In the bare basis the decay keeps the coherence order and the drive changes it by one. With d_q the
diagonal rho_{k+q,k}, k = 0..N-q, and r_k = <k+1|J_+|k>, the orders q >= 1 obey

    A_q d_q + B_q d_{q-1} + C_q d_{q+1} = 0,

so from the highest order down d_q = T_q d_{q-1} with T_q = -(A_q + C_q T_{q+1})^(-1) B_q. For the
populations d_0 what remains is that no current flows between any two levels,

    gamma r_k^2 d_0(k+1) = Omega_R r_k Im d_1(k),     d_1 = T_1 d_0.

O(N^3) memory and O(N^4) time, instead of O(N^4) and O(N^6) for a general solver.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from trajbatt.numerics import spin
from trajbatt.states.observables import ENERGY, JX, JY

MOST_STEADY = 500  # 0.7 GB


@dataclass(frozen=True, eq=False, repr=False)
class DrivenSteadyState:
    """The steady state of the driven Eq. (5).

    Attributes
    ----------
    n_atoms : int
    theta : float
        The angle of the dressed basis.
    matrix : ndarray (N+1, N+1), complex128
        The bare density matrix in the pump frame, index = number of excited atoms.
    """

    n_atoms: int
    theta: float
    matrix: np.ndarray

    @cached_property
    def populations(self):
        """Populations of the dressed levels, ascending, float64 (N+1,)."""
        turn = spin.change_of_basis(self.n_atoms, 0.0, self.theta)
        return np.einsum("ik,ij,jk->k", turn, self.matrix.real, turn, optimize=True)

    @property
    def _bare_populations(self):
        return self.matrix.diagonal().real

    @property
    def energy(self):
        """<E> = <J_z> + N/2, in units of hbar omega_0."""
        return ENERGY.mean(self.matrix)

    @property
    def energy_variance(self):
        """The variance of E."""
        k = np.arange(self.n_atoms + 1.0)
        return float(self._bare_populations @ (k - self.energy) ** 2)

    @cached_property
    def ergotropy(self):
        """The energy that unitaries on the symmetric subspace can extract."""
        passive = np.linalg.eigvalsh(self.matrix)[::-1]
        return self.energy - float(passive @ np.arange(self.n_atoms + 1.0))

    @property
    def dipole(self):
        """The bare dipole <J_+>, complex."""
        return complex(JX.mean(self.matrix), JY.mean(self.matrix))

    def __repr__(self):
        """Return one line."""
        return (
            f"DrivenSteadyState(n_atoms={self.n_atoms}, theta={self.theta}, "
            f"energy={self.energy:.9g})"
        )


def check_size(n_atoms):
    """Raise `ValueError` if there are too many atoms for it."""
    if n_atoms > MOST_STEADY:
        raise ValueError(
            f"the steady state of the driven Eq. (5) is offered up to {MOST_STEADY} atoms, "
            f"but `n_atoms` is {n_atoms}"
        )


def driven_steady_state(model):
    """Return the steady state of a `BandedModel`.

    Raises
    ------
    ValueError
        Without decay, when nothing is steady, or for more than 500 atoms.
    """
    n_atoms = model.n_atoms
    if model.rate == 0.0:
        raise ValueError("`model` must have a unique steady state, but its rate is zero")
    check_size(n_atoms)
    rabi = model.frequency * np.sin(model.theta)
    raising = spin.raising_elements(n_atoms)
    transfers = _transfers(n_atoms, model.rate, model.frequency * np.cos(model.theta), rabi)

    # Row k: the current between the levels k and k + 1; last row: the trace.
    equations = np.ones((n_atoms + 1, n_atoms + 1))
    equations[:-1] = -rabi * raising[:-1, None] * transfers[0].imag
    k = np.arange(n_atoms)
    equations[k, k + 1] += model.rate * raising[:-1] ** 2
    trace = np.zeros(n_atoms + 1)
    trace[-1] = 1.0
    scale = np.abs(equations).max(axis=1, keepdims=True)
    order = np.linalg.solve(equations / scale, trace).astype(complex)

    matrix = np.diag(order)
    for q, transfer in enumerate(transfers, start=1):
        order = transfer @ order
        k = np.arange(order.size)
        matrix[k + q, k] = order
        matrix[k, k + q] = order.conj()
    return DrivenSteadyState(n_atoms, model.theta, matrix)


def _transfers(n_atoms, rate, detuning, rabi):
    """Return the matrices T_1, ..., T_N."""
    raising = spin.raising_elements(n_atoms)
    above = None
    transfers = []
    for q in range(n_atoms, 0, -1):
        size = n_atoms + 1 - q
        k = np.arange(size)
        # r_{-1} is 0, as is raising[-1].
        block = np.diag(
            -1j * detuning * q - 0.5 * rate * (raising[k + q - 1] ** 2 + raising[k - 1] ** 2)
        )
        block[k[:-1], k[:-1] + 1] = rate * raising[k[:-1] + q] * raising[k[:-1]]
        if above is not None:
            block[:-1] += 0.5j * rabi * raising[k[:-1] + q, None] * above
            block[1:] -= 0.5j * rabi * raising[k[:-1], None] * above
        source = np.zeros((size, size + 1), dtype=complex)
        source[k, k] = 0.5j * rabi * raising[k + q - 1]
        source[k, k + 1] = -0.5j * rabi * raising[k]
        above = -np.linalg.solve(block, source)
        transfers.append(above)
    return transfers[::-1]
