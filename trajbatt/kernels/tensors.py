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

A state is an array (2, (K + 3)^2) of real and imaginary parts, with y_kq in the row q + 1 and the
column k + 1 of a square, zeros around, y_{k,-1} in the first row, and the mean photon count, in a
unit of its own, in the corner. So a neighbour of any element is at one distance, and a loop may go
through many rows at once.
"""

import math
from typing import NamedTuple

import numpy as np

from trajbatt.kernels.bessel import bessel
from trajbatt.kernels.compile import kernel

READ = 9  # numbers that are read off: y_10, y_11, y_20, y_21, y_22 and the count
DAMPING, TURNING, BELOW, ABOVE, LOWER, UPPER = (np.uint64(i) for i in range(6))
SHARE = 0.75  # of the rows, which one loop goes through; of the others most places are empty
LONG = 100  # the rank from which on all rows are long enough for a loop each


class Tables(NamedTuple):
    """The matrix (L + sigma)/R.

    Attributes
    ----------
    elements : ndarray (6, (K+3)^2), float64
        In the places of the state, zero elsewhere, over R: what multiplies y_kq itself, sigma -
        (gamma/2) (k (k + 1) - q^2) and -Delta q; what comes from k - 1 and from k + 1; and
        Omega_R/2 times the roots for q - 1 and for q + 1.
    count : ndarray (4,), float64
        What the count gains from y_00, y_10 and y_20, and sigma; all over R.
    rank : int
        K.
    """

    elements: np.ndarray
    count: np.ndarray
    rank: int


@kernel
def add_applied(tables, x, factor, out, weight, y):
    """Add factor (L + sigma)/R x to `out`, and then `weight` times that to y."""
    elements, count, rank, width = tables.elements, tables.count, tables.rank, tables.rank + 3
    one, across, re, im = np.uint64(1), np.uint64(width), np.uint64(0), np.uint64(1)
    for k in range(2, rank + 2):  # y_{k,-1} = -y_{k,1}*
        x[0, k] = -x[0, 2 * width + k]
        x[1, k] = x[1, 2 * width + k]
    together = max(1, int(SHARE * (rank + 1))) if rank < LONG else 1
    q = 0
    while q <= rank:
        rows = together if q == 0 else 1
        begin, end = (q + 1) * width + q + 1, (q + rows + 1) * width - 1
        q += rows
        for i in range(np.uint64(begin), np.uint64(end)):
            left, right, down, up = i - one, i + one, i - across, i + across
            new_re = (
                (elements[DAMPING, i] * x[re, i] - elements[TURNING, i] * x[im, i])
                + (elements[BELOW, i] * x[re, left] + elements[ABOVE, i] * x[re, right])
                - (elements[LOWER, i] * x[im, down] + elements[UPPER, i] * x[im, up])
            )
            new_im = (
                (elements[DAMPING, i] * x[im, i] + elements[TURNING, i] * x[re, i])
                + (elements[BELOW, i] * x[im, left] + elements[ABOVE, i] * x[im, right])
                + (elements[LOWER, i] * x[re, down] + elements[UPPER, i] * x[re, up])
            )
            new_re = factor * new_re + out[re, i]
            new_im = factor * new_im + out[im, i]
            out[re, i] = new_re
            out[im, i] = new_im
            y[re, i] += weight * new_re
            y[im, i] += weight * new_im
    gain = count[3] * x[0, 0] + count[0] * x[0, width + 1] + count[1] * x[0, width + 2]
    if rank > 1:
        gain += count[2] * x[0, width + 3]
    out[0, 0] = factor * gain + out[0, 0]
    y[0, 0] += weight * out[0, 0]


@kernel
def read(x, rank, row):
    """Write what is read off a state to `row`, *out* (READ,)."""
    width = rank + 3
    first, second, third = width + 2, 2 * width + 2, 3 * width + 3
    row[0], row[1], row[2] = x[0, first], x[0, second], x[1, second]
    row[3:8] = 0.0
    if rank > 1:
        row[3], row[4], row[5] = x[0, first + 1], x[0, second + 1], x[1, second + 1]
        row[6], row[7] = x[0, third], x[1, third]
    row[8] = x[0, 0]


@kernel
def weigh(fastest, shift, durations, weights):
    """Write what each polynomial counts after the durations, exp(-sigma t) (2 - delta_n0) J_n(R t).

    Parameters
    ----------
    fastest, shift : float
        R and sigma.
    durations : *in* ndarray (nt,), float64
    weights : *out* ndarray (nt, n), float64
    """
    for t in range(durations.size):
        bessel(fastest * durations[t], weights[t])
        scale = math.exp(-shift * durations[t])
        weights[t, 0] *= scale
        for n in range(1, weights.shape[1]):
            weights[t, n] *= 2.0 * scale


@kernel
def propagate(tables, y, work, to_end, at_times, seen):
    """Take y on by one block, *in, out*, and read it off on the way.

    Parameters
    ----------
    work : *scratch* ndarray (2, 2, (K + 3)^2), float64
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
    y *= to_end[0]
    a, b = 0, 1
    for n in range(to_end.size):
        if n > 0:
            # phi_1 = X phi_0; then phi_{n+1} = 2 X phi_n + phi_{n-1}, in the place of phi_{n-1}
            factor = 1.0 if n == 1 else 2.0
            add_applied(tables, work[a], factor, work[b], to_end[n], y)
            a, b = b, a
        read(work[a], tables.rank, row)
        for t in range(seen.shape[0]):
            for r in range(READ):
                seen[t, r] += at_times[t, n] * row[r]
