"""Tridiagonal systems, factorised once and solved many times, by LAPACK."""

import numpy as np


def tridiagonal_solver(below, diagonal, above):
    """Return the function that replaces b by T^(-1) b for a tridiagonal T, in place.

    Parameters
    ----------
    below, diagonal, above : ndarray (n-1,), (n,), (n-1,)
        All float64 or all complex128. Overwritten.

    Returns
    -------
    callable
        Takes a contiguous array (n,): complex128 if T is complex, else either type.

    """
    from scipy.linalg import lapack

    n = diagonal.size
    if n < 3:  # too small for SciPy's wrapper: more levels, decoupled
        below, above = np.append(below, [0] * (3 - n)), np.append(above, [0] * (3 - n))
        diagonal = np.append(diagonal, [1] * (3 - n))
    is_complex = np.iscomplexobj(diagonal)
    factorise, substitute = (
        (lapack.zgttrf, lapack.zgttrs) if is_complex else (lapack.dgttrf, lapack.dgttrs)
    )
    *factors, info = factorise(
        below, diagonal, above, overwrite_dl=True, overwrite_d=True, overwrite_du=True
    )
    if info:
        # T is singular to rounding, as where a step is so long that the identity is lost beside it.
        pivots = factors[1]
        pivots[pivots == 0.0] = np.finfo(float).eps * np.abs(pivots).max()

    def substituted(b):
        return substitute(*factors, b, overwrite_b=True)[0]

    def solve(b):
        if is_complex or np.isrealobj(b):
            substituted(b)
        else:
            b.real, b.imag = substituted(b.real.copy()), substituted(b.imag.copy())

    def solve_small(b):
        padded = np.append(b, [0] * (3 - n))
        solve(padded)
        b[:] = padded[:n]

    return solve if n > 2 else solve_small
