"""What users want the mean of: operators and functions, checked, and their means in states.

An operator that is a polynomial of the second degree in J_x, J_y and J_z has its mean from nine
numbers: those of 1, J_z, J_z^2, J_x and J_y are read off in any case, those of the four
`trajbatt.states.products` if they are wanted. For others the states are needed, in the bare basis.
"""

from dataclasses import dataclass

import numpy as np

from trajbatt.base import checks
from trajbatt.base.arrays import read_only
from trajbatt.numerics import spin
from trajbatt.states.observables import Observable

HERMITIAN = 1e-9  # relative: what an operator may deviate
EXACT = 1e-12  # relative: what a combination may differ from its operator
SPARSE = 0.2  # share of elements below which an operator is kept as a sparse matrix


@dataclass(frozen=True, eq=False)
class Expectation:
    """An operator, or a function of states, and the name of its mean.

    Attributes
    ----------
    name : str
    operator : csr_array or ndarray (N+1, N+1), or None
        Hermitian, in the bare basis, index = number of excited atoms.
    function : callable or None
        Of a bare ket (N+1,), or of a bare density matrix (N+1, N+1) for the exact side; gives a
        real number.
    combination : ndarray (9,), float64, or None
        The coefficients of 1, J_z, J_z^2, J_x, J_y and the `PRODUCTS`, if the operator is such a
        sum.
    """

    name: str
    operator: object = None
    function: object = None
    combination: np.ndarray | None = None

    def __post_init__(self):
        self._freeze()

    def __setstate__(self, state):
        """Take the fields of a pickle, whose arrays are read-only as they were."""
        vars(self).update(state)
        self._freeze()

    def _freeze(self):
        is_sparse = hasattr(self.operator, "toarray")
        arrays = (
            (self.operator.data, self.operator.indices, self.operator.indptr)
            if is_sparse
            else (self.operator,)
        )
        read_only(self.combination, *arrays)

    @property
    def needs_products(self):
        """Whether the mean hangs on the `PRODUCTS`."""
        return self.combination is not None and bool(np.any(self.combination[5:]))

    def of_kets(self, kets):
        """Return the means in bare kets (..., N+1) of norm 1, float64 (...)."""
        flat = kets.reshape(-1, kets.shape[-1])
        if self.operator is None:
            return np.array([self.of_state(ket) for ket in flat]).reshape(kets.shape[:-1])
        turned = (self.operator @ flat.T).T
        return np.einsum("ij,ij->i", flat.conj(), turned).real.reshape(kets.shape[:-1])

    def of_means(self, jz, jz_square, dipole, products=None):
        """Return the mean by the means that a combination needs, arrays of one shape (...).

        `products`, (4, ...), may be left out if it does not `needs_products`.
        """
        one, z, z_square, x, y, *others = self.combination
        mean = one + z * jz + z_square * jz_square + x * dipole.real + y * dipole.imag
        if self.needs_products:
            mean = mean + np.tensordot(others, products, axes=1)
        return mean

    def of_state(self, state):
        """Return the value of the function, of a bare ket or density matrix.

        Raises
        ------
        TypeError
            If it is no real number.
        """
        view = state.view()
        view.flags.writeable = False  # others look at it, too
        value = self.function(view)
        if np.ndim(value) or np.asarray(value).dtype.kind not in "biuf":
            raise TypeError(
                f"`e_ops` must give real numbers, but {self.name!r} gives {checks.shown(value)}"
            )
        return float(value)


def checked(e_ops, n_atoms):
    """Return the `Expectation` of each of `e_ops`, a tuple.

    Parameters
    ----------
    e_ops : dict of str to object, or None
        Operators on the symmetric subspace in the bare basis, index = number of excited atoms, as
        arrays or sparse matrices (N+1, N+1); an `Observable`; a QuTiP `Qobj` in the basis of
        `qutip.jmat`, whose index runs the other way; or a function of a state.
    n_atoms : int

    Raises
    ------
    ValueError, TypeError
        If one is none of these, has another shape, or is not Hermitian.
    """
    if e_ops is None:
        return ()
    if not isinstance(e_ops, dict):
        raise TypeError(
            '`e_ops` must be a dict of names and operators, such as {"Jx": observables.jx}, '
            f"but is {checks.shown(e_ops)}"
        )
    for name in e_ops:
        if not isinstance(name, str) or not name:
            raise TypeError(f"`e_ops` must have names, but one is {checks.shown(name)}")
    return tuple(_checked_one(name, value, n_atoms) for name, value in e_ops.items())


def of_operator(name, operator):
    """Return the `Expectation` of a Hermitian operator, a csr_array (N+1, N+1)."""
    is_sparse = operator.nnz < SPARSE * operator.shape[0] ** 2
    kept = operator if is_sparse else operator.toarray()
    return Expectation(name, kept, combination=_combination(operator))


def _checked_one(name, value, n_atoms):
    if callable(value) and not isinstance(value, Observable) and not hasattr(value, "full"):
        return Expectation(name, function=value)
    return of_operator(name, _operator(name, value, n_atoms))


def _operator(name, value, n_atoms):
    """Return a checked operator, a csr_array."""
    from scipy.sparse import csr_array, issparse

    if isinstance(value, Observable):
        matrix = value.sparse(n_atoms)
    elif hasattr(value, "full"):  # a Qobj, with all atoms excited first
        matrix = csr_array(value.full()[::-1, ::-1])
    elif issparse(value):
        matrix = csr_array(value)
    else:
        try:
            dense = np.array(value)
        except ValueError:
            dense = np.array(None)
        if dense.dtype.kind not in "iufc" or np.ma.is_masked(value):
            raise TypeError(
                "`e_ops` must hold operators or functions of a state, "
                f"but {name!r} is {checks.shown(value)}"
            )
        matrix = csr_array(dense) if dense.ndim == 2 else dense
    shape = (n_atoms + 1, n_atoms + 1)
    if matrix.shape != shape:
        raise ValueError(
            f"`e_ops` must hold operators of the shape {shape}, but {name!r} has {matrix.shape}"
        )
    matrix = matrix.astype(complex if np.iscomplexobj(matrix) else float)
    scale = np.abs(matrix.data).max(initial=0.0)
    if not np.isfinite(scale):
        raise ValueError(f"`e_ops` must hold finite numbers, but {name!r} does not")
    difference = np.abs((matrix - matrix.conj().T).data).max(initial=0.0)
    if difference > HERMITIAN * scale:
        raise ValueError(
            f"`e_ops` must hold Hermitian operators, but {name!r} deviates by {difference:.3g}"
        )
    matrix.sum_duplicates()
    if np.iscomplexobj(matrix) and not np.any(matrix.imag.data):
        matrix = matrix.real  # the same operator, however it was given
    return csr_array(matrix)


def _combination(operator):
    """Return the coefficients of `Expectation.combination`, (9,); None if it is no such sum.

    With r_k = <k+1|J_+|k> and m = k - N/2 the bands of such an operator are, for k = 0..N,

        a polynomial of the second degree in m,    r_k (alpha + beta (m + 1/2)),    gamma r_k r_k+1.
    """
    n_atoms = operator.shape[0] - 1
    m, raising = spin.magnetic_numbers(n_atoms), spin.raising_elements(n_atoms)[:-1]
    diagonal, below, far_below = (
        operator.diagonal(-q) if q <= n_atoms else np.empty(0) for q in range(3)
    )
    half, pairs = m[:-1] + 0.5, raising[:-1] * raising[1:]
    # Through the ends and, for several atoms, a level between them.
    at = np.unique([0, n_atoms // 2, n_atoms])
    parabola = _through(m[at], diagonal.real[at], 3)
    ends = np.unique([(n_atoms - 1) // 4, n_atoms - 1 - (n_atoms - 1) // 4])
    alpha, beta = _through(half[ends], (below / raising)[ends], 2)
    middle = max(n_atoms - 2, 0) // 2
    gamma = (far_below[middle : middle + 1] / pairs[middle : middle + 1]).sum()
    bands = (
        (diagonal, np.polynomial.polynomial.polyval(m, parabola)),
        (below, raising * (alpha + beta * half)),
        (far_below, gamma * pairs),
    )
    scale = np.abs(operator.data).max(initial=0.0)
    inside = np.count_nonzero(diagonal) + 2 * np.count_nonzero(below)
    inside += 2 * np.count_nonzero(far_below)
    if np.count_nonzero(operator.data) != inside:
        return None
    if any(np.any(np.abs(band - other) > EXACT * scale) for band, other in bands):
        return None
    # J_x^2 = (N/2 (N/2 + 1) - J_z^2)/2 + (J_+^2 + J_-^2)/4 has a diagonal, too.
    x_square, casimir = 4.0 * gamma.real, n_atoms / 2 * (n_atoms / 2 + 1)
    one, z, z_square = parabola
    of_z = [one - 0.5 * casimir * x_square, z, z_square + 0.5 * x_square]
    linear = [2.0 * alpha.real, -2.0 * alpha.imag]
    return np.array(
        [*of_z, *linear, 2.0 * beta.real, -2.0 * beta.imag, x_square, -4.0 * gamma.imag]
    )


def _through(places, values, n):
    """Return the n coefficients, ascending, of the polynomial through some points, up to n."""
    powers = np.vander(places, places.size, increasing=True)
    return np.append(np.linalg.solve(powers, values), np.zeros(n))[:n]
