"""Which operators are polynomials of the second degree in J_x, J_y and J_z, and of which terms.

With r_M = <M+1|J_+|M> the bands of such an operator are, for M = -J..J,

    a polynomial of the second degree in M,    r_M (alpha + beta (M + 1/2)),    gamma r_M r_M+1.

In spins of several lengths J^2 is a term of its own: a number in each, of which J_x^2 has a share.
"""

import numpy as np

from trajbatt.numerics import spin, spin_blocks

EXACT = 1e-12  # relative: what a combination may differ from its operator
FEW = 3  # longest and shortest spins in which an operator must be its combination


def combination_of(operator):
    """Return the coefficients of an operator on the symmetric subspace; None if it is no such sum.

    Parameters
    ----------
    operator : csr_array (N+1, N+1)
        Hermitian, in the bare basis.

    Returns
    -------
    ndarray (10,), float64, or None
        Of 1, J_z, J_z^2, J_x, J_y, the four `trajbatt.states.products.PRODUCTS`, and J^2: of this
        0, because J^2 is a number.
    """
    found = _fitted(operator)
    return found if _is_combination(operator, found) else None


def combination_in_blocks(observable, n_atoms):
    """Return the same of an `Observable` on spins of all lengths that `n_atoms` atoms add up to."""
    lengths = spin_blocks.lengths(n_atoms).tolist()
    longest, shortest = lengths[0], lengths[-1]
    found = _fitted(observable.sparse(n_atoms, longest))
    if longest != shortest:
        # What is the number 1 in the longest spins, but not in the shortest, is J^2.
        actual = observable.sparse(n_atoms, shortest).diagonal()[0].real
        change = spin.casimir(longest) - spin.casimir(shortest)
        found[9] = (_bands(found, shortest)[0][0] - actual) / change
        found[0] -= found[9] * spin.casimir(longest)
    judged = {*lengths[:FEW], lengths[len(lengths) // 2], *lengths[-FEW:]}
    every = (_is_combination(observable.sparse(n_atoms, n), found) for n in judged)
    return found if all(every) else None


def _fitted(operator):
    """Return the coefficients (10,) through a few elements of an operator."""
    n_atoms = operator.shape[0] - 1
    m, raising = spin.magnetic_numbers(n_atoms), spin.raising_elements(n_atoms)[:-1]
    diagonal, below, far_below = _bands_of(operator)
    # Through the ends and, for several atoms, a level between them.
    at = np.unique([0, n_atoms // 2, n_atoms])
    one, z, z_square = _through(m[at], diagonal.real[at], 3)
    ends = np.unique([(n_atoms - 1) // 4, n_atoms - 1 - (n_atoms - 1) // 4])
    alpha, beta = _through((m[:-1] + 0.5)[ends], (below / raising)[ends], 2)
    middle = max(n_atoms - 2, 0) // 2
    pairs = (raising[:-1] * raising[1:])[middle : middle + 1]
    gamma = (far_below[middle : middle + 1] / pairs).sum()
    # J_x^2 = (J^2 - J_z^2)/2 + (J_+^2 + J_-^2)/4 has a diagonal, too.
    x_square = 4.0 * gamma.real
    one, z_square = one - 0.5 * spin.casimir(n_atoms) * x_square, z_square + 0.5 * x_square
    linear = [2.0 * alpha.real, -2.0 * alpha.imag]
    with_z = [2.0 * beta.real, -2.0 * beta.imag]
    return np.array([one, z, z_square, *linear, *with_z, x_square, -4.0 * gamma.imag, 0.0])


def _bands(combination, length):
    """Return the diagonal and two bands below it of a combination, for spins of 2J = `length`."""
    one, z, z_square, x, y, z_x, z_y, x_square, x_y, j_square = combination
    m, raising = spin.magnetic_numbers(length), spin.raising_elements(length)[:-1]
    constant = one + (j_square + 0.5 * x_square) * spin.casimir(length)
    diagonal = constant + z * m + (z_square - 0.5 * x_square) * m**2
    below = 0.5 * raising * (x - 1j * y + (z_x - 1j * z_y) * (m[:-1] + 0.5))
    return diagonal, below, 0.25 * (x_square - 1j * x_y) * raising[:-1] * raising[1:]


def _bands_of(operator):
    """Return the same of an operator."""
    return [operator.diagonal(-q) if q < operator.shape[0] else np.empty(0) for q in range(3)]


def _is_combination(operator, combination):
    known = _bands_of(operator)
    inside = np.count_nonzero(known[0]) + 2 * sum(np.count_nonzero(band) for band in known[1:])
    if np.count_nonzero(operator.data) != inside:
        return False
    scale = np.abs(operator.data).max(initial=0.0)
    pairs = zip(known, _bands(combination, operator.shape[0] - 1), strict=True)
    return all(np.all(np.abs(band - other) <= EXACT * scale) for band, other in pairs)


def _through(places, values, n):
    """Return the n coefficients, ascending, of the polynomial through some points, up to n."""
    powers = np.vander(places, places.size, increasing=True)
    return np.append(np.linalg.solve(powers, values), np.zeros(n))[:n]
