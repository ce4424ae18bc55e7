r"""The driven Eq. (5) for the spherical tensors of the density matrix, by Chebyshev polynomials.

y_kq = Tr(T_kq+ rho), k = 0..K, of which q = 0..k do: y_{k,-q} = (-1)^q y_kq*. In the bare basis

    dy_kq/dt = -i Delta q y_kq - (gamma/2) (k (k + 1) - q^2) y_kq
               + (i Omega_R/2) sqrt((k + q)(k - q + 1)) y_{k,q-1}
               + (i Omega_R/2) sqrt((k - q)(k + q + 1)) y_{k,q+1}
               - gamma (k + 1) A_k sqrt(k^2 - q^2) y_{k-1,q}
               + gamma k A_{k+1} sqrt((k + 1)^2 - q^2) y_{k+1,q},
    A_k = sqrt(((N + 1)^2 - k^2)/(4 k^2 - 1))/2.

Its matrix L, shifted by sigma, is nearly that of oscillations of frequencies up to R, so

    exp(t L) = exp(-sigma t) sum_n (2 - delta_n0) J_n(R t) phi_n,
    phi_{n+1} = 2 (L + sigma)/R phi_n + phi_{n-1},    phi_1 = (L + sigma)/R phi_0.

A state is an array (2, K + 3, K + 3) of real and imaginary parts, with y_kq in the row q + 1 and
the column k + 1, zeros around, y_{k,-1} in the first row, and the mean photon count, in a unit of
its own, in the corner.
"""

from typing import NamedTuple

import numpy as np

from trajbatt.kernels.compile import kernel

READ = 9  # numbers that are read off: y_10, y_11, y_20, y_21, y_22 and the count


class Tables(NamedTuple):
    """The matrix (L + sigma)/R: tables (K+1, K+1) over q and k, float64.

    Attributes
    ----------
    damping : ndarray
        sigma - (gamma/2) (k (k + 1) - q^2), over R.
    turning : ndarray (K+1,), float64
        -Delta q/R.
    lower, upper : ndarray
        Omega_R/(2 R) times the roots for q - 1 and for q + 1.
    below, above : ndarray
        What comes from k - 1 and from k + 1, over R.
    count : ndarray (4,), float64
        What the count gains from y_00, y_10 and y_20, and sigma; all over R.
    """

    damping: np.ndarray
    turning: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    below: np.ndarray
    above: np.ndarray
    count: np.ndarray


@kernel
def add_applied(tables, x, factor, out, keep):
    """Write factor (L + sigma)/R x + keep out to `out`."""
    rank = tables.turning.size - 1
    one, two, re, im = np.uint64(1), np.uint64(2), np.uint64(0), np.uint64(1)
    for k in range(2, rank + 2):  # y_{k,-1} = -y_{k,1}*
        x[0, 0, k] = -x[0, 2, k]
        x[1, 0, k] = x[1, 2, k]
    for q in range(np.uint64(rank + 1)):
        turning = tables.turning[q]
        row = q + one
        for k in range(q, np.uint64(rank + 1)):
            at = k + one
            damping, lower, upper = tables.damping[q, k], tables.lower[q, k], tables.upper[q, k]
            below, above = tables.below[q, k], tables.above[q, k]
            new_re = (
                (damping * x[re, row, at] - turning * x[im, row, at])
                + (below * x[re, row, k] + above * x[re, row, k + two])
                - (lower * x[im, q, at] + upper * x[im, q + two, at])
            )
            new_im = (
                (damping * x[im, row, at] + turning * x[re, row, at])
                + (below * x[im, row, k] + above * x[im, row, k + two])
                + (lower * x[re, q, at] + upper * x[re, q + two, at])
            )
            out[re, row, at] = factor * new_re + keep * out[re, row, at]
            out[im, row, at] = factor * new_im + keep * out[im, row, at]
    count = tables.count
    gain = count[3] * x[0, 0, 0] + count[0] * x[0, 1, 1] + count[1] * x[0, 1, 2]
    if rank > 1:
        gain += count[2] * x[0, 1, 3]
    out[0, 0, 0] = factor * gain + keep * out[0, 0, 0]


@kernel
def read(x, row):
    """Write what is read off a state to `row`, *out* (READ,)."""
    row[0], row[1], row[2] = x[0, 1, 2], x[0, 2, 2], x[1, 2, 2]
    row[3:8] = 0.0
    if x.shape[1] > 4:
        row[3], row[4], row[5] = x[0, 1, 3], x[0, 2, 3], x[1, 2, 3]
        row[6], row[7] = x[0, 3, 3], x[1, 3, 3]
    row[8] = x[0, 0, 0]


@kernel
def add_state(factor, x, y):
    """Add factor x to y, on the levels that count."""
    for part in range(np.uint64(2)):
        for q in range(np.uint64(x.shape[1])):
            for at in range(q, np.uint64(x.shape[2])):
                y[part, q, at] += factor * x[part, q, at]


@kernel
def propagate(tables, y, work, to_end, at_times, seen):
    """Take y on by one block, *in, out*, and read it off on the way.

    Parameters
    ----------
    work : *scratch* ndarray (2, 2, K + 3, K + 3), float64
    to_end : *in* ndarray (n,), float64
        What each phi_n counts at the end of the block.
    at_times : *in* ndarray (nt, n), float64
        The same at the times at which y is wanted.
    seen : *out* ndarray (nt, READ), float64
    """
    row = np.empty(READ)
    seen[:] = 0.0
    work[0] = y
    work[1] = 0.0
    y[:] = 0.0
    a, b = 0, 1
    for n in range(to_end.size):
        if n > 0:
            # phi_1 = X phi_0; then phi_{n+1} = 2 X phi_n + phi_{n-1}, in the place of phi_{n-1}
            add_applied(tables, work[a], 1.0 if n == 1 else 2.0, work[b], 1.0)
            a, b = b, a
        add_state(to_end[n], work[a], y)
        read(work[a], row)
        for t in range(seen.shape[0]):
            for r in range(READ):
                seen[t, r] += at_times[t, n] * row[r]
