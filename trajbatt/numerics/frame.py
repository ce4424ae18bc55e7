r"""A frame of its own for the collective spin: rotations in space, and their kets.

A frame is a rotation R, given by the images of the bare axes: R+ J_x R = u J, R+ J_y R = v J and
R+ J_z R = d J, with d = u x v. Its matrix has the rows u, v, d, and takes the components of a
vector in the frame to bare ones. The kets R|n> are what a state in the frame is made of; those of
small n are near the coherent state whose mean spin is -N/2 times the last column.
"""

import math

import numpy as np

from trajbatt.numerics import spin

SHORT = 1e-9  # of N/2: a mean spin that has no direction


def rows_of(axes):
    """Return the matrices of frames (..., 3, 3) from u and v, `axes` (..., 6 or more)."""
    u, v = axes[..., :3], axes[..., 3:6]
    return np.stack((u, v, np.cross(u, v)), axis=-2)


def facing(mean_spin):
    """Return the axes (6,) of a frame whose lowest level has its mean spin along `mean_spin`."""
    length = np.linalg.norm(mean_spin)
    pole = -mean_spin / length if length > 0.0 else np.array([0.0, 0.0, 1.0])
    helper = np.eye(3)[0] if abs(pole[0]) < 0.9 else np.eye(3)[1]
    first = helper - (helper @ pole) * pole
    first /= np.linalg.norm(first)
    matrix = np.stack((first, np.cross(pole, first), pole), axis=1)
    return matrix[:2].ravel()


def in_basis(matrix, theta):
    """Return the matrix of a frame (..., 3, 3) in the dressed basis of an angle."""
    cos, sin = math.cos(theta), math.sin(theta)
    return np.array([[cos, 0.0, sin], [0.0, 1.0, 0.0], [-sin, 0.0, cos]]) @ matrix


def kets(n_atoms, matrix, levels):
    """Return R|n>, n < `levels`, as the columns of a matrix, up to one phase of all.

    Parameters
    ----------
    n_atoms : int
    matrix : ndarray (3, 3)
        In the basis in which the kets are wanted, see `in_basis`.
    levels : int

    Returns
    -------
    ndarray (N+1, levels), complex128
    """
    k, n = np.arange(n_atoms + 1), np.arange(levels)
    polar = math.atan2(math.hypot(matrix[0, 2], matrix[1, 2]), matrix[2, 2])
    if math.sin(polar) > 1e-12:
        before = math.atan2(matrix[1, 2], matrix[0, 2])
        after = math.atan2(matrix[2, 1], -matrix[2, 0])
    else:  # about one axis, but for rounding
        before, after = 0.0, math.atan2(matrix[1, 0], matrix[1, 1])
        polar = 0.0 if polar < 1.0 else math.pi
    turned = spin.lowest_kets(n_atoms, polar, levels)
    # exp(-i polar J_y) has the elements of exp(i polar J_y) with the signs (-1)^(k + n).
    left = np.exp(-1j * before * k) * (-1.0) ** (k % 2)
    right = np.exp(-1j * after * n) * (-1.0) ** (n % 2)
    return left[:, None] * turned * right


def enter_ket(ket, n_atoms, theta, negligible):
    """Return the axes (6,) of the frame of a ket (N+1,), and the ket in it; `theta` is its basis.

    With as many levels as leave out less than `negligible`, in probability.
    """
    spinor = spin.coherent_spinor(ket, negligible)
    if spinor is not None:
        up, down = spinor
        across = 2.0 * np.conj(up) * down
        mean = np.array([across.real, across.imag, abs(up) ** 2 - abs(down) ** 2])
        return facing(to_bare(mean, theta)), np.ones(1, dtype=complex)
    axes = facing(to_bare(mean_spin(ket), theta))
    matrix, levels = in_basis(rows_of(axes), theta), 16
    while True:
        levels = min(levels, n_atoms + 1)
        inside = kets(n_atoms, matrix, levels).conj().T @ ket
        if levels == n_atoms + 1 or 1.0 - np.linalg.norm(inside) ** 2 < negligible:
            return axes, inside / np.linalg.norm(inside)
        levels = 3 * levels // 2


def to_bare(vector, theta):
    """Return the bare components of a vector (3,) in the basis of an angle."""
    return in_basis(np.eye(3), theta).T @ vector


def mean_spin(ket):
    """Return <J_x>, <J_y> and <J_z> of a ket (N+1,), float64 (3,)."""
    n_atoms = ket.size - 1
    plus = (ket[1:].conj() * ket[:-1]) @ spin.raising_elements(n_atoms)[:-1]
    return np.array([plus.real, plus.imag, np.abs(ket) ** 2 @ spin.magnetic_numbers(n_atoms)])
