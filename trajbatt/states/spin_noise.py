r"""Means and covariances of the collective spin, and what metrology makes of them.

With n the direction of the mean spin and V the least variance of a component across it,

    xi_R^2 = N V/abs(<J>)^2      (Wineland et al., Phys. Rev. A 46, R6797 (1992)),
    xi_S^2 = 4 V/N               (Kitagawa and Ueda, Phys. Rev. A 47, 5138 (1993)):

below 1 the atoms are entangled by the first, and squeezed by the second. The quantum Fisher
information of a rotation about the best axis is 4 times the largest variance in a pure state, and

    F = 2 sum_ab (p_a - p_b)^2/(p_a + p_b) abs(<a|J_n|b>)^2

in a mixture of p_a |a><a| (Braunstein and Caves, Phys. Rev. Lett. 72, 3439 (1994)).
"""

import numpy as np

from trajbatt.numerics import spin

SHORT = 1e-9  # of N/2: a mean spin that has no direction
PURE = 1e-15  # probabilities that are rounding


def mean_spin(n_atoms, energy, dipole):
    """Return <J_x>, <J_y>, <J_z> from energies and bare dipoles (...), float64 (3, ...)."""
    return np.array([dipole.real, dipole.imag, energy - n_atoms / 2])


def spin_covariance(spin_square, mean, jz_square, products):
    """Return the symmetrised covariances of J_x, J_y, J_z, float64 (3, 3, ...).

    Parameters
    ----------
    spin_square : float or ndarray (...)
        <J^2>.
    mean : ndarray (3, ...)
    jz_square : ndarray (...)
        <J_z^2>.
    products : ndarray (4, ...)
        The means of `trajbatt.states.products.PRODUCTS`.
    """
    zx, zy, xx, xy = products
    yy = spin_square - xx - jz_square
    second = np.array([[xx, xy, zx], [xy, yy, zy], [zx, zy, jz_square]])
    return second - mean[:, None] * mean[None]


def wineland(n_atoms, mean, covariance):
    """Return xi_R^2, float64 (...); nan where the mean spin has no direction."""
    length = np.linalg.norm(mean, axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return n_atoms * _least_across(n_atoms, mean, covariance) / length**2


def kitagawa_ueda(n_atoms, mean, covariance):
    """Return xi_S^2, float64 (...); nan where the mean spin has no direction."""
    return 4.0 * _least_across(n_atoms, mean, covariance) / n_atoms


def pure_qfi(covariance):
    """Return the quantum Fisher information of pure states with these covariances, (...)."""
    return np.maximum(
        4.0 * np.linalg.eigvalsh(np.moveaxis(covariance, (0, 1), (-2, -1)))[..., -1], 0.0
    )


def qfi(blocks):
    """Return that of a density matrix for a rotation about the best axis.

    Parameters
    ----------
    blocks : sequence of (int, ndarray)
        2J and the matrix of each block of J, all in the basis of one direction, on the lowest of
        the 2J + 1 levels, the others being empty.
    """
    information = sum(_information(n, state) for n, state in blocks)
    return max(float(np.linalg.eigvalsh(information)[-1]), 0.0)


def _information(n, state):
    """Return the information on rotations about all axes, float64 (3, 3), of a spin of 2J = n."""
    p, kets = np.linalg.eigh(state)
    p = np.maximum(p, 0.0)
    total = p[:, None] + p
    weights = np.divide(
        2.0 * (p[:, None] - p) ** 2, total, out=np.zeros_like(total), where=total > PURE
    )
    raising = np.diag(spin.raising_elements(n, len(state))[:-1], -1)
    z = np.arange(len(state))[:, None] * kets
    plus = kets.conj().T @ (raising @ kets)
    minus = plus.conj().T
    elements = np.array([(plus + minus) / 2, (plus - minus) / 2j, kets.conj().T @ z])
    return np.einsum("ab,iab,jab->ij", weights, elements, elements.conj()).real


def _least_across(n_atoms, mean, covariance):
    """Return the least variance of a component across the mean spin, float64 (...)."""
    length = np.linalg.norm(mean, axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        n = np.moveaxis(mean / length, 0, -1)
    n = np.where(length[..., None] > SHORT * n_atoms / 2, n, np.nan)
    # Two directions across n: any vector that is not along it, made orthogonal.
    helper = np.where(np.abs(n[..., 2:]) < 0.9, [0.0, 0.0, 1.0], [1.0, 0.0, 0.0])
    u = np.cross(n, helper)
    u = u / np.linalg.norm(u, axis=-1, keepdims=True)
    across = np.stack((u, np.cross(n, u)), axis=-2)
    within = np.einsum("...ai,ij...,...bj->...ab", across, covariance, across)
    half = (within[..., 0, 0] + within[..., 1, 1]) / 2
    split = np.hypot((within[..., 0, 0] - within[..., 1, 1]) / 2, within[..., 0, 1])
    return np.maximum(half - split, 0.0)
