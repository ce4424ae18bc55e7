"""A density matrix by coherence order: its layout, and what is read off it.

Order q is the diagonal rho_{k+q,k}, k = 0..N-q, in the basis of H = Omega J'_z. Some orders,
ascending from 0, are stacked one after the other in a vector, which may go on with other things;
the other half of the matrix is their conjugate. Under H order q carries the factor
exp(-i q Omega t), which is left out here and put in where something is read off: so this is the
interaction picture.
"""

import math
from functools import cached_property, lru_cache

import numpy as np

from trajbatt.base.arrays import read_only
from trajbatt.numerics import spin
from trajbatt.states.mixture import Mixture
from trajbatt.states.products import bare_products

LARGEST_FULL = 2000  # atoms up to which the whole density matrix is offered
EMPTY = 1e-26  # populations of levels whose coherences, of the square root, do not matter
MOST_KEPT = 200  # atoms up to which tables are kept for other stages, less than a megabyte each
UNSEEN = 1e-12  # of the trace, which need not be found among the numbers of excited atoms
DEVIATIONS = 8.0  # of the energy, where they are looked for first


def check_full(n_atoms):
    """Raise `ValueError` if there are too many atoms for whole density matrices."""
    if n_atoms > LARGEST_FULL:
        raise ValueError(
            f"full density matrices are offered up to {LARGEST_FULL} atoms, "
            f"but `n_atoms` is {n_atoms}"
        )


class _Places:
    """Where some coherence orders are in a vector, whatever the basis: made once for many stages.

    Parameters
    ----------
    n_atoms : int
    orders : tuple of int
    """

    def __init__(self, n_atoms, orders):
        self._n_atoms, self._orders = n_atoms, orders
        self.lengths = [n_atoms + 1 - q for q in orders]
        self.ends = np.cumsum(self.lengths)
        self.slices = [
            slice(end - length, end) for end, length in zip(self.ends, self.lengths, strict=True)
        ]

    @cached_property
    def elements(self):
        """See `Orders.elements`."""
        levels = np.concatenate([np.arange(length) for length in self.lengths])
        return read_only(levels, np.repeat(self._orders, self.lengths))

    @cached_property
    def raised(self):
        """See `Orders.raised`."""
        (k, q), raising = self.elements, spin.raising_elements(self._n_atoms)
        return read_only(raising[k + q] * raising[k])


_kept_places = lru_cache(maxsize=8)(_Places)


class Orders:
    """The layout of some coherence orders.

    Parameters
    ----------
    n_atoms : int
    theta : float
        The angle of the basis.
    orders : sequence of int
        Ascending, from 0.

    Raises
    ------
    ValueError
        If all orders are asked for, O(N^2) of memory, of too many atoms.
    """

    def __init__(self, n_atoms, theta, orders):
        if len(orders) > LARGEST_FULL + 1:
            check_full(n_atoms)
        self.n_atoms = n_atoms
        self.theta = theta
        self.orders = tuple(orders)
        places_of = _kept_places if n_atoms <= MOST_KEPT else _Places
        self._places = places = places_of(n_atoms, self.orders)
        self.lengths, self.slices, self._ends = places.lengths, places.slices, places.ends
        self.stop = int(self._ends[-1])
        self.populations = self.slices[0]
        self._read_from(spin.magnetic_numbers(n_atoms), spin.raising_elements(n_atoms))

    def _read_from(self, m, raising):
        """Keep what moments are made of: m, and elements and mean m of what raises by 1 and 2."""
        self._m = m
        self._raising, self._between = raising[:-1], m[:-1] + 0.5
        self._raising_twice = raising[:-2] * raising[1:-1]

    @classmethod
    def every(cls, model):
        """Return the layout of all orders in the basis of a plain model."""
        return cls(model.n_atoms, model.theta, range(model.n_levels))

    @property
    def elements(self):
        """Level and order of each element, k and q of rho_{k+q,k}, int64 (stop,) each."""
        return self._places.elements

    @property
    def raised(self):
        """<k+q+1|J'_+|k+q> <k+1|J'_+|k>: what a jump up multiplies each by, float64 (stop,)."""
        return self._places.raised

    def rows(self, given):
        """Return the orders (n, stop) of a `Mixture`, or of Hermitian matrices (n, N+1, N+1)."""
        if isinstance(given, Mixture):
            return self.of_mixture(given)[None]
        return np.array([self.of_matrix(matrix) for matrix in given])

    def for_moments(self, y):
        """Return the part of y (stop, ...) that means and variances need: orders 0, 1 and 2."""
        return y[: self.slices[:3][-1].stop]

    def trace(self, y):
        """Return the traces of y (..., stop)."""
        return y[..., self.populations].sum(axis=-1)

    def of_mixture(self, mixture):
        """Return the orders of a `Mixture`, float64 or complex128 (stop,)."""
        y = np.zeros(self.stop, dtype=mixture.amplitudes.dtype)
        for weight, first, ket in mixture.kets():
            for q, part in zip(self.orders, self.slices, strict=True):
                if q < ket.size:
                    start = part.start + first
                    pairs = ket[q:] * ket[: ket.size - q].conj()
                    y[start : start + pairs.size] += weight * pairs
        return y

    def of_matrix(self, matrix):
        """Return the orders of a Hermitian matrix (N+1, N+1) in this basis, complex128 (stop,)."""
        k, q = self.elements
        return matrix[k + q, k]

    def matrix(self, y, phase):
        """Return the Hermitian matrix (N+1, N+1) at Omega t = `phase`; needs all orders."""
        matrix = np.zeros((self.n_atoms + 1,) * 2, dtype=complex)
        k, q = self.elements
        elements = y[: self.stop] * np.exp(-1j * phase * np.arange(self.n_atoms + 1))[q]
        matrix[k + q, k] = elements
        matrix[k, k + q] = elements.conj()
        return matrix

    def blocks_of(self, y, phase):
        """Return 2J and the Hermitian matrix of each block of J at Omega t = `phase`: J = N/2."""
        return [(self.n_atoms, self.matrix(y, phase))]

    def occupied(self, y, phase):
        """Return the same, in any basis, without the highest levels if they are empty."""
        return self.blocks_of(y, phase)

    def bare_state(self, y, phase):
        """Return the bare density matrix (N+1, N+1) at Omega t = `phase`; needs all orders."""
        return self.in_basis(y[None], phase, 0.0)[0]

    def bare_populations(self, y, phase):
        """Return the probabilities of the numbers of excited atoms, float64 (N+1,).

        Only levels that are occupied are taken to the bare basis, only real parts, and only to the
        numbers around the energy among which the whole trace is: O(w^2 v) for w such levels and v
        such numbers.
        """
        from scipy.linalg import blas

        populations = y[self.populations].real
        if self.theta == 0.0:
            return populations.copy()
        occupied = np.flatnonzero(populations > EMPTY)
        first, stop = occupied[0], occupied[-1] + 1
        upper = self._upper_half(y[: self.stop], phase, first, stop)
        energy, variance, *_ = self.observables(y, phase)
        found = np.zeros(self.n_atoms + 1)
        for places in _outwards(energy, DEVIATIONS * np.sqrt(variance) + 4.0, found.size):
            for numbers in places:
                turn = np.ascontiguousarray(self._to_bare[first:stop, numbers])
                # Fortran's order: transposed.
                turned = blas.dtrmm(1.0, upper.T, turn.T, side=1, lower=0).T
                found[numbers] = np.maximum(np.einsum("ik,ik->k", turned, turn), 0.0)
            if found.sum() > populations.sum() - UNSEEN:
                break
        return found

    def _upper_half(self, y, phase, first, stop):
        """Return what has, of real vectors, the same squares as the matrix of some levels.

        The halves of the matrix have the same real parts: the upper one stands for both.
        """
        width = stop - first
        matrix = np.zeros((width, width))
        flat = matrix.reshape(-1)
        turns = 2.0 * np.exp(-1j * phase * np.arange(width))
        turns[0] = 1.0
        is_real = np.isrealobj(y)
        living = np.searchsorted(self._ends, np.flatnonzero(y != 0.0)[-1], side="right") + 1
        for q in range(min(width, living)):
            begin = self.slices[q].start
            band = y[begin + first : begin + stop - q]
            np.multiply(band.real, turns[q].real, out=flat[q * width :: width + 1])
            if not is_real:
                flat[q * width :: width + 1] -= band.imag * turns[q].imag
        return matrix

    @cached_property
    def _to_bare(self):
        return spin.change_of_basis(self.n_atoms, self.theta, 0.0)

    def in_basis(self, rows, phase, theta):
        """Return the Hermitian matrices (n, N+1, N+1) of `rows` (n, stop) in another basis.

        It costs a `spin.change_of_basis`, and two matrix products for each.
        """
        turn = _change_of_basis(self.n_atoms, self.theta, theta)
        return np.array([_turned(self.matrix(y, phase), turn) for y in rows])

    def mixture(self, y, phase, theta):
        """Return the state as a `Mixture` in the basis of an angle; needs all orders."""
        if theta == self.theta:
            matrix = self.matrix(y, phase)
        else:
            (matrix,) = self.in_basis(y[None], phase, theta)
        return Mixture.of_matrix(matrix, negligible=0.0)

    def moments(self, y):
        """Return the sums that fix energy, variance and dipole, for y (size, ...).

        Returns
        -------
        z_mean, z_variance : float64 (...)
            <J'_z> and its variance.
        plus, plus_z, plus_plus : (...), of the type of y
            <J'_+>, the symmetrised covariance of J'_z and J'_+, and <J'_+^2>, without phases.
        """
        p, rho_1, rho_2 = self._first_orders(y)
        m = _column(self._m, p)
        z_mean = (m * p.real).sum(axis=0)
        z_variance = ((m - z_mean) ** 2 * p.real).sum(axis=0)
        b = _column(self._raising, rho_1) * rho_1.conj()
        plus_z = ((_column(self._between, rho_1) - z_mean) * b).sum(axis=0)
        plus_plus = (_column(self._raising_twice, rho_2) * rho_2.conj()).sum(axis=0)
        return z_mean, z_variance, b.sum(axis=0), plus_z, plus_plus

    def square(self, y):
        """Return <J^2> of y (size, ...)."""
        return spin.casimir(self.n_atoms)

    def spin_distribution(self, y):
        """Return the probability of each J, descending from N/2, float64 (nJ, ...), of y."""
        return np.ones((1, *y.shape[1:]))

    def observables(self, y, phase):
        """Return energy, its variance, the bare dipole and `PRODUCTS` (4, ...) of y (size, ...).

        At Omega t = `phase`.
        """
        cos, sin = np.cos(self.theta), np.sin(self.theta)
        z_mean, z_variance, plus, plus_z, plus_plus = self.moments(y)
        turn = np.exp(1j * phase)
        plus, plus_z, plus_plus = plus * turn, plus_z * turn, plus_plus * turn**2
        z_square, with_z = z_variance + z_mean**2, plus_z + z_mean * plus
        x_square = 0.5 * (self.square(y) - z_square + plus_plus.real)
        if self.theta == 0.0:  # so that little energy keeps its digits
            p = y[self.populations].real
            energy = (_column(self._m + self.n_atoms / 2, p) * p).sum(axis=0)
        else:
            energy = self.n_atoms / 2 + cos * z_mean + sin * plus.real
        variance = (
            cos**2 * z_variance + sin**2 * (x_square - plus.real**2) + 2 * sin * cos * plus_z.real
        )
        dipole = cos * plus.real - sin * z_mean + 1j * plus.imag
        turned = z_square, with_z.real, with_z.imag, x_square, 0.5 * plus_plus.imag
        products = np.array(bare_products(self.theta, turned))
        return energy, np.maximum(variance, 0.0), dipole, products

    def _first_orders(self, y):
        parts = [y[part] for part in self.slices[:3]]
        # A single atom has no order 2.
        return [*parts, np.zeros((0, *y.shape[1:]), dtype=y.dtype)][:3]


class CountedOrders:
    """Orders, and behind them mean photon counts: one vector.

    Parameters
    ----------
    layout : Orders
    n_channels : int
    """

    def __init__(self, layout, n_channels):
        self.layout, self._n_channels = layout, n_channels

    def begin(self, given):
        """Return the orders of a `Mixture`, or of a matrix handed over, and counts of zero."""
        return np.append(self.layout.rows(given)[0], np.zeros(self._n_channels))

    def orders(self, y):
        """Return the orders alone of y (stop + nc, ...)."""
        return y[: self.layout.stop]

    def counts(self, y):
        """Return the mean photon counts in y (stop + nc, ...), float64 (nc, ...)."""
        return y[self.layout.stop :].real

    def hand_over(self, y, phase, theta):
        """Return the matrix (1, N+1, N+1) for another stage."""
        return self.layout.in_basis(self.orders(y)[None], phase, theta)


def _change_of_basis(n_atoms, before, after):
    """Return `spin.change_of_basis`, kept where few atoms go through many stages.

    It depends on the angle between alone; its last bits, by which the stages of a ramp differ, are
    below its own rounding.
    """
    if n_atoms > MOST_KEPT:
        return spin.change_of_basis(n_atoms, before, after)
    return _turn_by(n_atoms, round(after - before, 15))


@lru_cache(maxsize=64)
def _turn_by(n_atoms, angle):
    return read_only(spin.change_of_basis(n_atoms, max(-angle, 0.0), max(angle, 0.0)))


def _outwards(center, distance, n):
    """Yield lists of slices of 0..n-1: what is near `center`, then on both sides, and so on."""
    low = high = min(max(round(float(center)), 0), n)
    while low > 0 or high < n:
        lower = max(math.ceil(center - distance), 0)
        upper = min(math.floor(center + distance) + 1, n)
        around = [slice(lower, upper)] if low == high else [slice(lower, low), slice(high, upper)]
        yield [one for one in around if one.stop > one.start]
        low, high, distance = lower, upper, 2.0 * distance


def _turned(matrix, turn):
    """Return turn.T @ matrix @ turn: of real and imaginary parts, so that `turn` remains real."""
    found = np.empty_like(matrix)
    found.real = turn.T @ np.ascontiguousarray(matrix.real) @ turn
    found.imag = turn.T @ np.ascontiguousarray(matrix.imag) @ turn
    return found


def _column(values, like):
    """Return `values` (n,) shaped to multiply `like` (n, ...)."""
    return values.reshape(-1, *(1,) * (like.ndim - 1))
