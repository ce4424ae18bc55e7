"""A density matrix in the co-moving frame: its layout, and what is read off it.

The vector has the frame first, as `trajbatt.kernels.moving_frame` has it, then the lower half of
each matrix, row after row, real and imaginary parts side by side, then scalars. Nothing of it is in
an interaction picture.
"""

from dataclasses import dataclass

import numpy as np

from trajbatt.exact.orders import check_full
from trajbatt.exact.spread import SpreadError, TensorState
from trajbatt.numerics import frame, spin
from trajbatt.states.mixture import Mixture
from trajbatt.states.products import of_covariance

AXES = 7  # of the kernel: u, v, and the integral of abs(c_z)^2
SCATTERED = 1e-11  # of probability: what an initial state may have beyond the levels


@dataclass(frozen=True, eq=False)
class InFrame:
    """Hermitian matrices in a frame, which the next stage begins with: they iterate in its basis.

    Attributes
    ----------
    n_atoms : int
    axes : ndarray (6,)
    matrices : ndarray (n, levels, levels), complex128
    theta : float
        The angle of the next stage's basis.
    """

    n_atoms: int
    axes: np.ndarray
    matrices: np.ndarray
    theta: float

    def __iter__(self):
        """Yield the matrices (N+1, N+1) in the basis of the next stage."""
        return iter(self.in_basis())

    def in_basis(self):
        """Return the matrices (n, N+1, N+1) in the basis of the next stage."""
        check_full(self.n_atoms)
        turned = frame.in_basis(frame.rows_of(self.axes), self.theta)
        kets = frame.kets(self.n_atoms, turned, self.matrices.shape[-1])
        return kets @ self.matrices @ kets.conj().T


class FrameLayout:
    """The layout of n matrices on some levels of the frame.

    Parameters
    ----------
    n_atoms : int
    theta : float
        The angle of the basis that others ask for.
    levels : int
    """

    def __init__(self, n_atoms, theta, levels):
        self.n_atoms, self.theta, self.levels = n_atoms, theta, levels
        self.size = levels * (levels + 1)  # numbers of one matrix
        self.stop = AXES + self.size
        rows, columns = np.tril_indices(levels)
        self._lower = rows, columns
        place = 2 * np.arange(rows.size)
        # Where the elements (n, n), (n + 1, n) and (n + 2, n) begin.
        self._orders = [place[rows - columns == q] for q in range(3)]

    def of_matrices(self, matrices):
        """Return Hermitian matrices (..., levels, levels) as numbers, (..., size)."""
        return np.ascontiguousarray(matrices[..., *self._lower]).view(float)

    def matrices(self, y):
        """Return the matrices in the frame, complex128 (..., levels, levels), of (..., size)."""
        halves = np.ascontiguousarray(y).view(complex)
        found = np.zeros((*y.shape[:-1], self.levels, self.levels), dtype=complex)
        rows, columns = self._lower
        found[..., columns, rows] = halves.conj()
        found[..., rows, columns] = halves
        return found

    def for_moments(self, y):
        """Return the part of y (stop, ...) that means and variances need: all."""
        return y

    def traces(self, numbers):
        """Return the traces of the matrices (..., size)."""
        return numbers[..., self._orders[0]].sum(axis=-1)

    def trace(self, y):
        """Return the trace of the state in y (stop or more,)."""
        return self.traces(y[AXES : self.stop])

    def click_rates(self, y):
        """Return <J_+ J_-> and <J_- J_+> of y (stop or more, ...), float64 (2, ...)."""
        (x, y_, z), covariance = self._bare(y)
        both = x**2 + y_**2 + covariance[0, 0] + covariance[1, 1]
        return np.array([both + z, both - z])

    def mixture(self, y, _, theta):
        """Return the state as a `Mixture` in the basis of an angle."""
        matrix = self.matrices(y[AXES : self.stop])
        return Mixture.in_frame(self.n_atoms, y[:6], matrix, theta)

    def widened(self, y, levels):
        """Return the matrices (..., size) on more levels, as numbers: zeros come behind."""
        return np.pad(y, [(0, 0)] * (y.ndim - 1) + [(0, levels * (levels + 1) - self.size)])

    def _bare(self, y):
        """Return the bare mean spin (3, ...) and its covariances (3, 3, ...)."""
        half = y[AXES : self.stop]
        once, twice = (half[at] + 1j * half[at + 1] for at in self._orders[1:])
        mean, covariance = frame.moments(self.n_atoms, half[self._orders[0]], once, twice)
        return frame.to_bare_moments(np.moveaxis(y[:AXES], 0, -1), mean, covariance)

    def observables(self, y, _):
        """Return energy, its variance, the bare dipole and `PRODUCTS` (4, ...) of y (size, ...)."""
        mean, covariance = self._bare(y)
        energy, variance = mean[2] + 0.5 * self.n_atoms, np.maximum(covariance[2, 2], 0.0)
        return energy, variance, mean[0] + 1j * mean[1], of_covariance(mean, covariance)

    def spin_distribution(self, y):
        """Return the probability of J = N/2, float64 (1, ...), of y (size, ...)."""
        return np.ones((1, *y.shape[1:]))

    def handed_over(self, y, theta):
        """Return the state in y (stop or more,) for another stage, in whose basis it iterates."""
        return InFrame(self.n_atoms, y[:6], self.matrices(y[None, AXES : self.stop]), theta)

    def matrix(self, y, _):
        """Return the Hermitian matrix (N+1, N+1) in the basis of `theta`."""
        return self.in_basis(y[None], _, self.theta)[0]

    def occupied(self, y, _):
        """Return 2J and the Hermitian matrix in the frame, on one level more than it has."""
        more = min(1, self.n_atoms + 1 - self.levels)
        return [(self.n_atoms, np.pad(self.matrices(y[AXES : self.stop]), (0, more)))]

    def blocks_of(self, y, _):
        """Return 2J = N and the Hermitian matrix in the basis of `theta`."""
        return [(self.n_atoms, self.matrix(y, _))]

    def in_basis(self, rows, _, theta):
        """Return the Hermitian matrices (n, N+1, N+1) of `rows` (n, stop) in any basis."""
        matrices = self.matrices(rows[:, AXES : self.stop])
        return InFrame(self.n_atoms, rows[0, :6], matrices, theta).in_basis()

    def bare_state(self, y, phase):
        """Return the bare density matrix (N+1, N+1)."""
        return self.in_basis(y[None], phase, 0.0)[0]

    def bare_populations(self, y, _):
        """Return the probabilities of the numbers of excited atoms, float64 (N+1,)."""
        kets = frame.kets(self.n_atoms, frame.rows_of(y[:6]), self.levels)
        found = np.einsum("kn,kn->k", kets @ self.matrices(y[AXES : self.stop]), kets.conj())
        return np.maximum(found.real, 0.0)


def enter(given, model, fewest):
    """Return the axes (6,) of a frame and the matrices (n, levels, levels) of a state in it.

    Parameters
    ----------
    given : Mixture, or Hermitian matrices (n, N+1, N+1), in the basis of `theta`; or `InFrame`
        Of several matrices the first is the density matrix.
    model : FrameModel
    fewest : int
        Levels, if there are so many.

    Raises
    ------
    SpreadError
        If the state needs too many, or is given by tensors.
    """
    n_atoms, theta = model.n_atoms, model.theta
    fewest = min(fewest, model.n_levels)
    if isinstance(given, TensorState):
        raise SpreadError
    if isinstance(given, InFrame):
        lacking = max(fewest - given.matrices.shape[-1], 0)
        return given.axes, np.pad(given.matrices, [(0, 0), *[(0, lacking)] * 2])
    weights = rows = None
    if isinstance(given, Mixture):
        weights, rows = given.weights, given.rows(n_atoms + 1)
        if weights.size == 1 and (axes := frame.axes_of_coherent(rows[0], theta)) is not None:
            matrices = np.zeros((1, fewest, fewest), dtype=complex)
            matrices[0, 0, 0] = 1.0
            return axes, matrices
        mean = np.einsum("p,pa->a", weights, [frame.mean_spin(row) for row in rows])
    else:
        given = np.asarray(given)
        mean = _mean_of_matrix(given[0])
    axes = frame.facing(frame.to_bare(mean, theta))
    turned = frame.in_basis(frame.rows_of(axes), theta)
    levels = fewest
    while True:
        kets = frame.kets(n_atoms, turned, levels)
        if rows is not None:
            inside = rows @ kets.conj()
            matrices = np.einsum("p,pi,pj->ij", weights, inside, inside.conj(), optimize=True)[None]
        else:
            matrices = kets.conj().T @ given @ kets
        if levels == n_atoms + 1 or 1.0 - np.trace(matrices[0]).real < SCATTERED:
            return axes, matrices
        levels = min(n_atoms + 1, 3 * levels // 2)
        model.check_levels(levels)


def _mean_of_matrix(matrix):
    n_atoms = len(matrix) - 1
    raising, m = spin.raising_elements(n_atoms)[:-1], spin.magnetic_numbers(n_atoms)
    plus = raising @ np.diagonal(matrix, 1)
    return np.array([plus.real, plus.imag, m @ np.diagonal(matrix).real])
