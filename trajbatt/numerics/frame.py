r"""A frame of its own for the collective spin: rotations in space, and their kets.

A frame is a rotation R, given by the images of the bare axes: R+ J_x R = u J, R+ J_y R = v J and
R+ J_z R = d J, with d = u x v. Its matrix has the rows u, v, d, and takes the components of a
vector in the frame to bare ones. The kets R|n> are what a state in the frame is made of; those of
small n are near the coherent state whose mean spin is -N/2 times the last column.
"""

import math

import numpy as np
from scipy.linalg import expm

from trajbatt.numerics import spin


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
    axes = axes_of_coherent(ket, theta, negligible)
    if axes is not None:
        return axes, np.ones(1, dtype=complex)
    axes = facing(to_bare(mean_spin(ket), theta))
    matrix, levels = in_basis(rows_of(axes), theta), 16
    while True:
        levels = min(levels, n_atoms + 1)
        inside = kets(n_atoms, matrix, levels).conj().T @ ket
        if levels == n_atoms + 1 or 1.0 - np.linalg.norm(inside) ** 2 < negligible:
            return axes, inside / np.linalg.norm(inside)
        levels = 3 * levels // 2


def axes_of_coherent(ket, theta, negligible=0.0):
    """Return the axes (6,) of the frame of a coherent state (N+1,), or None if it is none."""
    spinor = spin.coherent_spinor(ket, negligible)
    if spinor is None:
        return None
    up, down = spinor
    across = 2.0 * np.conj(up) * down
    mean = np.array([across.real, across.imag, abs(up) ** 2 - abs(down) ** 2])
    return facing(to_bare(mean, theta))


def to_bare(vector, theta):
    """Return the bare components of a vector (3,) in the basis of an angle."""
    return in_basis(np.eye(3), theta).T @ vector


def mean_spin(ket):
    """Return <J_x>, <J_y> and <J_z> of a ket (N+1,), float64 (3,)."""
    n_atoms = ket.size - 1
    plus = (ket[1:].conj() * ket[:-1]) @ spin.raising_elements(n_atoms)[:-1]
    return np.array([plus.real, plus.imag, np.abs(ket) ** 2 @ spin.magnetic_numbers(n_atoms)])


def lowering(n_atoms, axes, levels):
    """Return the bare J_- on the lowest levels of a frame, complex128 (levels, levels)."""
    u, v, _ = rows_of(axes)
    x, y, z = u - 1j * v
    raising = spin.raising_elements(n_atoms, levels)[:-1]
    found = np.diag(z * (np.arange(levels) - 0.5 * n_atoms))
    found += 0.5 * (x - 1j * y) * np.diag(raising, -1)
    return found + 0.5 * (x + 1j * y) * np.diag(raising, 1)


def moments(n_atoms, populations, once, twice):
    """Return the mean spin (3, ...) and its covariances (3, 3, ...) in a frame.

    Parameters
    ----------
    n_atoms : int
    populations : ndarray (levels, ...), float64
    once, twice : ndarray (levels - 1, ...) and (levels - 2, ...), complex128
        The elements (n + 1, n) and (n + 2, n) of a density matrix.
    """
    levels = len(populations)
    n = np.arange(levels).reshape(-1, *(1,) * (populations.ndim - 1))
    raising = spin.raising_elements(n_atoms, levels).reshape(n.shape)
    mean_n, n_square = (n * populations).sum(axis=0), (n**2 * populations).sum(axis=0)
    across = (raising[:-1] * once).sum(axis=0)  # X - i Y
    both = (raising[:-2] * raising[1:-1] * twice).sum(axis=0)
    with_n = (n[:-1] * raising[:-1] * once).sum(axis=0)
    x, y = across.real, -across.imag
    # <J_x^2 + J_y^2>, in which N^2 has cancelled.
    square = 0.5 * n_atoms + n_atoms * mean_n - n_square
    xx, yy = 0.5 * (square + both.real) - x * x, 0.5 * (square - both.real) - y * y
    xy = -0.5 * both.imag - x * y
    zx = with_n.real + 0.5 * x - mean_n * x
    zy = -with_n.imag + 0.5 * y - mean_n * y
    zz = ((n - mean_n) ** 2 * populations).sum(axis=0)
    mean = np.array([x, y, mean_n - 0.5 * n_atoms])
    return mean, np.array([[xx, xy, zx], [xy, yy, zy], [zx, zy, zz]])


def to_bare_moments(axes, mean, covariance):
    """Return the same of the bare spin; `axes` are (..., 6 or more)."""
    matrix = np.moveaxis(rows_of(axes), (-2, -1), (0, 1))
    turned = np.einsum("ia...,ab...,jb...->ij...", matrix, covariance, matrix)
    return np.einsum("ia...,a...->i...", matrix, mean), turned


def recentred(n_atoms, axes, matrix, spare):
    """Return the axes (6,) of a frame that faces the mean spin, and the matrix of a state in it.

    Parameters
    ----------
    n_atoms : int
    axes : ndarray (6,)
        Of the frame in which the state is.
    matrix : ndarray (levels, levels), complex128
        Of trace 1, with its mean spin near the pole.
    spare : int
        Levels more that the result has, if there are so many.
    """
    levels = min(len(matrix) + spare, n_atoms + 1)
    raising = spin.raising_elements(n_atoms, levels)[:-1]
    lower = raising[: len(matrix) - 1] @ np.diagonal(matrix, -1)  # <J_->
    n_mean = np.arange(len(matrix)) @ np.diagonal(matrix).real
    matrix = np.pad(matrix, (0, levels - len(matrix)))
    off = abs(lower)
    if off == 0.0:
        return axes, matrix
    angle = math.atan2(off, 0.5 * n_atoms - n_mean)
    kappa = -0.5 * angle * lower / off
    turn = expm(np.diag(kappa * raising, -1) - np.diag(np.conj(kappa) * raising, 1))
    about = np.array([-2.0 * kappa.imag, -2.0 * kappa.real, 0.0]) / angle
    vectors = axes.reshape(2, 3)
    along = (vectors @ about)[:, None] * about * (1.0 - math.cos(angle))
    turned = math.cos(angle) * vectors + math.sin(angle) * np.cross(about, vectors) + along
    return turned.ravel(), turn @ matrix @ turn.conj().T
