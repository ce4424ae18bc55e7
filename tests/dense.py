"""Equation (7) as a dense Liouvillian in the bare basis: slow, short and independent."""

import numpy as np
from scipy.linalg import expm


def spin_operators(n):
    """Return J_z and J_+ with index = number of excited atoms."""
    k = np.arange(n)
    raising = np.zeros((n + 1, n + 1))
    raising[k + 1, k] = np.sqrt((n - k) * (k + 1))
    return np.diag(np.arange(n + 1) - n / 2), raising


def jump_operators(battery):
    """Return the Hamiltonian and the jump operators of red, center and blue (DESIGN 2)."""
    j_z, j_plus = spin_operators(battery.n_atoms)
    j_x, j_y = (j_plus + j_plus.T) / 2, (j_plus - j_plus.T) / 2j
    cos, sin = np.cos(battery.theta), np.sin(battery.theta)
    dressed_z, dressed_x = cos * j_z - sin * j_x, cos * j_x + sin * j_z
    dressed_plus = dressed_x + 1j * j_y
    jumps = (
        np.sqrt(battery.gamma_minus) * np.sin(battery.theta / 2) ** 2 * dressed_plus,
        np.sqrt(battery.gamma_0) * sin * dressed_z,
        np.sqrt(battery.gamma_plus) * np.cos(battery.theta / 2) ** 2 * dressed_plus.conj().T,
    )
    return battery.omega_p * dressed_z, jumps


def evolve(battery, rho, times):
    """Return the density matrices at `times`, from the bare `rho` at t = 0."""
    hamiltonian, jumps = jump_operators(battery)
    one = np.eye(battery.n_atoms + 1)
    liouvillian = -1j * (np.kron(hamiltonian, one) - np.kron(one, hamiltonian.T))
    for jump in jumps:
        square = jump.conj().T @ jump
        liouvillian += np.kron(jump, jump.conj()) - 0.5 * (
            np.kron(square, one) + np.kron(one, square.T)
        )
    return [(expm(liouvillian * t) @ rho.ravel()).reshape(rho.shape) for t in times]
