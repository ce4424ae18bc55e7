"""What users want the mean of: operators and functions, checked, and their means in states.

An operator that is a polynomial of the second degree in J_x, J_y and J_z has its mean from ten
numbers: those of 1, J_z, J_z^2, J_x, J_y and J^2 are read off in any case, those of the four
`trajbatt.states.products` if they are wanted. For others the states are needed, in the bare basis.

Beyond the symmetric subspace a matrix on its N + 1 levels says nothing of spins with J < N/2; an
`Observable` does.
"""

from dataclasses import dataclass

import numpy as np

from trajbatt.base import checks
from trajbatt.base.arrays import read_only
from trajbatt.numerics import spin_blocks
from trajbatt.states.combinations import combination_in_blocks, combination_of
from trajbatt.states.observables import Observable

HERMITIAN = 1e-9  # relative: what an operator may deviate
MOST_IN_BLOCKS = 2000  # atoms up to which an operator is kept in all blocks of J
SPARSE = 0.2  # share of elements below which an operator is kept as a sparse matrix


@dataclass(frozen=True, eq=False)
class Expectation:
    """An operator, or a function of states, and the name of its mean.

    Attributes
    ----------
    name : str
    operator : csr_array or ndarray (N+1, N+1), or None
        Hermitian, in the bare basis, index = number of excited atoms. With noise of single atoms it
        is a csr_array on all blocks of J, one behind the other, or None if there is a combination.
    function : callable or None
        Of a bare ket (N+1,), or of a bare density matrix (N+1, N+1) for the exact side; gives a
        real number.
    combination : ndarray (10,), float64, or None
        As `trajbatt.states.combinations.combination_of` returns it.
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
        return self.combination is not None and bool(np.any(self.combination[5:9]))

    def of_kets(self, kets, spins=None):
        """Return the means in bare kets (..., N+1) of norm 1, float64 (...).

        With noise of single atoms `spins` (...) are 2J of each.
        """
        flat = kets.reshape(-1, kets.shape[-1])
        if self.function is not None:
            return np.array([self.of_state(ket) for ket in flat]).reshape(kets.shape[:-1])
        if spins is None:
            return _quadratic(self.operator, flat).reshape(kets.shape[:-1])
        n_atoms = kets.shape[-1] - 1
        means, of_each = np.empty(len(flat)), np.reshape(spins, -1)
        for n in np.unique(of_each).tolist():
            rows = of_each == n
            levels = flat[rows, spin_blocks.excited(n_atoms, n)]
            means[rows] = _quadratic(self.block(n_atoms, n), levels)
        return means.reshape(kets.shape[:-1])

    def block(self, n_atoms, n):
        """Return the operator on spins of 2J = n, (n+1, n+1)."""
        if self.operator.shape[0] == n_atoms + 1:
            return self.operator
        first = spin_blocks.offsets(n_atoms)[n]
        return self.operator[first : first + n + 1, first : first + n + 1]

    def of_means(self, jz, jz_square, dipole, products=None, spin_square=0.0):
        """Return the mean by the means that a combination needs, arrays of one shape (...).

        `products`, (4, ...), may be left out if it does not `needs_products`, and <J^2> in the
        symmetric subspace.
        """
        one, z, z_square, x, y, *others, square = self.combination
        mean = one + z * jz + z_square * jz_square + x * dipole.real + y * dipole.imag
        if self.needs_products:
            mean = mean + np.tensordot(others, products, axes=1)
        return mean + square * spin_square if square else mean

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


def _quadratic(operator, kets):
    """Return the means (n,) of an operator in kets (n, levels)."""
    return np.einsum("ij,ij->i", kets.conj(), (operator @ kets.T).T).real


def checked(e_ops, n_atoms, is_symmetric):
    """Return the `Expectation` of each of `e_ops`, a tuple.

    Parameters
    ----------
    e_ops : dict of str to object, or None
        Operators on the symmetric subspace in the bare basis, index = number of excited atoms, as
        arrays or sparse matrices (N+1, N+1); an `Observable`; a QuTiP `Qobj` in the basis of
        `qutip.jmat`, whose index runs the other way; or a function of a state.
    n_atoms : int
    is_symmetric : bool
        No noise of single atoms; else each must be an `Observable`.

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
    one = _checked_one if is_symmetric else _in_blocks
    return tuple(one(name, value, n_atoms) for name, value in e_ops.items())


def of_operator(name, operator):
    """Return the `Expectation` of a Hermitian operator, a csr_array (N+1, N+1)."""
    is_sparse = operator.nnz < SPARSE * operator.shape[0] ** 2
    kept = operator if is_sparse else operator.toarray()
    return Expectation(name, kept, combination=combination_of(operator))


def _checked_one(name, value, n_atoms):
    if callable(value) and not isinstance(value, Observable) and not hasattr(value, "full"):
        return Expectation(name, function=value)
    return of_operator(name, _operator(name, value, n_atoms))


def _in_blocks(name, value, n_atoms):
    """Return the `Expectation` of an `Observable` on spins of all lengths."""
    from scipy.sparse import block_diag

    if not isinstance(value, Observable):
        raise TypeError(
            "`e_ops` must be of trajbatt.observables with noise of single atoms, because others "
            f"say nothing of states with J < N/2, but {name!r} is {checks.shown(value)}"
        )
    combination = combination_in_blocks(value, n_atoms)
    if combination is not None:
        return Expectation(name, combination=combination)
    if n_atoms > MOST_IN_BLOCKS:
        raise ValueError(
            "`e_ops` other than sums of products of two spin components are offered up to "
            f"{MOST_IN_BLOCKS} atoms with noise of single atoms, but `n_atoms` is {n_atoms}"
        )
    every = [value.sparse(n_atoms, n) for n in spin_blocks.lengths(n_atoms).tolist()]
    return Expectation(name, block_diag(every, format="csr"))


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
