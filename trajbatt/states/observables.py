"""Observables: a name and the bands of a matrix in the bare basis.

Operators that reach two levels at most, as all products of two spin components do, are known by
their diagonal and two bands beside it: O(N) of them. Samples of trajectories are named by these.
They are known for every length J of the collective spin, so they have a meaning beyond the
symmetric subspace, where J = N/2.

Public as `trajbatt.observables`: `jx`, `jy`, `jz`, `energy`, `parity`, `population(k)`,
`j_square`, their sums, multiples, squares and symmetrised products, and `second_moments`, a dict of
all that fixes means and covariances of the spin, for `e_ops` of `mesolve` and `mcsolve`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

import numpy as np

from trajbatt.base import checks
from trajbatt.base.types import AnyArray, ComplexArray, FloatArray
from trajbatt.numerics import spin

if TYPE_CHECKING:
    from scipy.sparse import csr_array

REACH = 2  # levels


@dataclass(frozen=True)
class Observable:
    """A Hermitian operator with at most two bands beside the diagonal.

    Attributes
    ----------
    name : str
    elements : callable
        Of the number of atoms and of 2J; gives <M|O|M>, <M + 1|O|M> and <M + 2|O|M> for M = -J..J,
        arrays (2J+1,) or numbers, in the bare basis. The number of excited atoms is M + N/2.
    """

    name: str
    elements: Callable[[int, int], Any]

    def bands(self, n_atoms: int, spin: int | None = None) -> FloatArray | ComplexArray:
        """Return the diagonal and the two bands below it, complex128 or float64 (3, 2J+1).

        `spin` is 2J; N by default.
        """
        spin = n_atoms if spin is None else spin
        rows = [np.broadcast_to(row, spin + 1) for row in self.elements(n_atoms, spin)]
        bands = np.array(rows)
        for q in (1, 2):
            bands[q, max(0, spin + 1 - q) :] = 0.0
        return bands

    def matrix(self, n_atoms: int, spin: int | None = None) -> FloatArray | ComplexArray:
        """Return the operator on spins of 2J = `spin`, by default N, (2J+1, 2J+1)."""
        return self.sparse(n_atoms, spin).toarray()

    def sparse(self, n_atoms: int, spin: int | None = None) -> "csr_array":
        """Return the operator on spins of 2J = `spin`, a `scipy.sparse.csr_array` (2J+1, 2J+1)."""
        from scipy.sparse import diags_array

        diagonal, *below = self.bands(n_atoms, spin)
        n_levels = diagonal.size
        bands, offsets = [diagonal], [0]
        for q, band in enumerate(below, 1):
            if q < n_levels and np.any(band):
                part = band[: n_levels - q]
                bands += [part, part.conj()]
                offsets += [-q, q]
        return diags_array(bands, offsets=offsets, shape=(n_levels, n_levels)).tocsr()

    def mean(self, state: AnyArray) -> float:
        """Return the mean in a bare density matrix (N+1, N+1)."""
        n_levels = len(state)
        diagonal, *below = self.bands(n_levels - 1)
        mean = (diagonal * state.diagonal()).real.sum()
        for q, band in enumerate(below, 1):
            if q < n_levels:
                mean += 2.0 * (band[: n_levels - q] * state.diagonal(q)).real.sum()
        return float(mean)

    def __mul__(self, other: "float | Observable") -> "Observable":
        """Return a multiple, or the symmetrised product (AB + BA)/2 with another observable."""
        if isinstance(other, Real):
            return Observable(
                f"{float(other):g} {self._factor}", lambda *n: float(other) * self.bands(*n)
            )
        if not isinstance(other, Observable):
            return NotImplemented
        name = f"{self._factor}*{other._factor}"
        return Observable(
            name, lambda *n: _bands(_symmetrised(self.sparse(*n), other.sparse(*n)), name)
        )

    __rmul__ = __mul__

    def __truediv__(self, number: float) -> "Observable":
        """Return the observable divided by a number."""
        return self * (1.0 / number) if isinstance(number, Real) else NotImplemented

    @property
    def _factor(self):
        """The name as a factor of a product."""
        return f"({self.name})" if " " in self.name else self.name

    def __pow__(self, power: int) -> "Observable":
        """Return the square; other powers reach too many levels, but for diagonal observables."""
        if not isinstance(power, Integral) or power < 1:
            return NotImplemented
        name = f"{self._factor}**{power}"

        def elements(n_atoms, spin):
            matrix = self.sparse(n_atoms, spin)
            product = matrix
            for _ in range(power - 1):
                product = product @ matrix
            return _bands(product, name)

        return Observable(name, elements)

    def __add__(self, other: "float | Observable") -> "Observable":
        """Return the sum with another observable, or with a number."""
        if isinstance(other, Real):
            number = Observable(f"{float(other):g}", lambda *_: (float(other), 0.0, 0.0))
            return self + number
        if not isinstance(other, Observable):
            return NotImplemented
        return Observable(
            f"{self.name} + {other.name}", lambda *n: self.bands(*n) + other.bands(*n)
        )

    __radd__ = __add__

    def __neg__(self) -> "Observable":
        """Return the negative."""
        return -1.0 * self

    def __sub__(self, other: "float | Observable") -> "Observable":
        """Return the difference."""
        return self + -1.0 * other if isinstance(other, Observable | Real) else NotImplemented

    def __rsub__(self, other: float) -> "Observable":
        """Return a number minus the observable."""
        return other + -1.0 * self


def _symmetrised(a, b):
    return (a @ b + b @ a) / 2


def _bands(matrix, name):
    """Return the bands of a sparse matrix, complex128 (3, N+1)."""
    from scipy.sparse import coo_array

    found = coo_array(matrix)
    row, column = found.coords
    reaches = np.abs(row - column)[found.data != 0.0].max(initial=0)
    if reaches > REACH:
        raise ValueError(
            f"{name} must reach {REACH} levels at most, but reaches {reaches}; "
            "without noise of single atoms, give the matrix itself as an operator"
        )
    size = matrix.shape[0]
    bands = np.zeros((3, size), dtype=complex)
    for q in range(min(3, size)):
        bands[q, : size - q] = matrix.diagonal(-q)
    return bands if np.iscomplexobj(matrix) else bands.real


def _jz(_, length):
    return spin.magnetic_numbers(length), 0.0, 0.0


def _jz_square(_, length):
    return spin.magnetic_numbers(length) ** 2, 0.0, 0.0


def _jx(_, length):
    return 0.0, 0.5 * spin.raising_elements(length), 0.0


def _jy(_, length):
    return 0.0, -0.5j * spin.raising_elements(length), 0.0


def _j_square(_, length):
    return spin.casimir(length), 0.0, 0.0


def _excited(n_atoms, length):
    """Return how many atoms are excited."""
    return np.arange(length + 1) + (n_atoms - length) // 2


def _energy(n_atoms, length):
    return _excited(n_atoms, length).astype(float), 0.0, 0.0


def _parity(n_atoms, length):
    return 1.0 - 2.0 * (_excited(n_atoms, length) % 2), 0.0, 0.0


def population(k: int) -> Observable:
    """Return the probability of k excited atoms as an `Observable`.

    Parameters
    ----------
    k : int
        From 0 to the number of atoms.

    Returns
    -------
    Observable

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range or of the wrong kind.
    """
    k = checks.integer("k", k, 0)

    def elements(n_atoms, length):
        if k > n_atoms:
            raise ValueError(f"`k` must be at most the number of atoms, {n_atoms}, but is {k}")
        return (_excited(n_atoms, length) == k).astype(float), 0.0, 0.0

    return Observable(f"population({k})", elements)


JZ, JZ_SQUARE = Observable("jz", _jz), Observable("jz_square", _jz_square)
# The real and the imaginary part of the dipole <J_+>.
JX, JY = Observable("jx", _jx), Observable("jy", _jy)
ENERGY = Observable("energy", _energy)  # J_z + N/2
PARITY = Observable("parity", _parity)  # (-1)^k
J_SQUARE = Observable("j_square", _j_square)  # J (J + 1)

jx: Observable = JX
jy: Observable = JY
jz: Observable = JZ
energy: Observable = ENERGY
parity: Observable = PARITY
j_square: Observable = J_SQUARE

# All that fixes means and covariances of the spin, for `e_ops`; J^2 with noise of single atoms.
second_moments: dict[str, Observable] = {
    "jx": JX,
    "jy": JY,
    "jz": JZ,
    "jz^2": JZ**2,
    "jz*jx": JZ * JX,
    "jz*jy": JZ * JY,
    "jx^2": JX**2,
    "jx*jy": JX * JY,
    "j^2": J_SQUARE,
}
