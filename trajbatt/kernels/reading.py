"""What is read off a wavefunction in the basis of H: means, and the wavefunction itself.

Real and imaginary parts alternate in rows of cells: level k has the cells 2 (k + MARGIN) and the
next. A row is zero for MARGIN levels on both sides of its support.
"""

import math
from typing import NamedTuple

import numpy as np

from trajbatt.kernels.compile import kernel

MARGIN = 4  # levels: twice the reach of the operators M of `trajbatt.kernels.banded`


class Out(NamedTuple):
    """What is read off the states, and where it is written.

    Attributes
    ----------
    samples : ndarray (n, rows, nt), float64
    jz, jz_square, jz_variance, jx, jy : int
        The rows of <J_z>, <J_z^2>, Var(J_z), Re <J_+> and Im <J_+>.
    counts : int
        The row of the first channel's photons so far; those of the other channels follow.
    kets : ndarray (n, nk, N+1), complex128
        The states at the last nk of the times, as the kernel has them; zeros to begin with.
    products : ndarray (n, 5, nt), float64
        The means of J'_z^2, J'_z J'_x, J'_z J'_y, J'_x^2 and J'_x J'_y, symmetrised; (n, 0, nt) if
        they are not wanted.
    """

    samples: np.ndarray
    jz: int
    jz_square: int
    jz_variance: int
    jx: int
    jy: int
    counts: int
    kets: np.ndarray
    products: np.ndarray


@kernel(reassociate=True)
def norm(row, begin, end):
    """Return the squared norm of the cells `begin` to `end` of a flat array."""
    total = 0.0
    for i in range(np.uint64(begin), np.uint64(end)):
        total += row[i] * row[i]
    return total


@kernel
def write_products(state, raising, begin, end, total, row):
    """Write the symmetrised products of `Out.products` in a state to `row`, *out* (5,)."""
    spin = 0.5 * (raising.size // 2 - 2 * MARGIN - 1)
    square = 0.0
    with_z = plus_plus = 0.0j
    m = 0.5 * begin - MARGIN - spin
    for cell in range(begin, end, 2):
        amplitude = complex(state[cell], state[cell + 1])
        above = complex(state[cell + 2], -state[cell + 3])
        next_above = complex(state[cell + 4], -state[cell + 5])
        square += m * m * (amplitude.real**2 + amplitude.imag**2)
        with_z += (m + 0.5) * raising[cell] * above * amplitude
        plus_plus += raising[cell] * raising[cell + 2] * next_above * amplitude
        m += 1.0
    row[0] = square / total
    row[1] = with_z.real / total
    row[2] = with_z.imag / total
    row[3] = 0.5 * (spin * (spin + 1.0) - row[0] + plus_plus.real / total)
    row[4] = 0.5 * plus_plus.imag / total


@kernel(reassociate=True)
def write_sample(work, tables, begin, end, counts, out, i, j):
    """Write what `work.state` holds: energy, variance, dipole and the photons so far.

    With the bare J_z = cos(theta) J'_z + sin(theta) J'_x, energy and variance are the mean of J_z
    and the squared norm of (J_z - mean) psi.
    """
    state, raising = work.state, tables.raising
    cos_theta, sin_theta = tables.cos_theta, tables.sin_theta
    top = raising.size // 2 - 2 * MARGIN - 1
    start, stop, one, two = np.uint64(begin), np.uint64(end), np.uint64(1), np.uint64(2)
    total = norm(state, begin, end)
    z = 0.0
    x = 0.0
    y = 0.0
    m = 0.5 * begin - MARGIN - 0.5 * top
    for cell in range(start, stop, 2):
        z += m * (state[cell] ** 2 + state[cell + one] ** 2)
        x += raising[cell] * (
            state[cell + two] * state[cell] + state[cell + two + one] * state[cell + one]
        )
        y += raising[cell] * (
            state[cell + two] * state[cell + one] - state[cell + two + one] * state[cell]
        )
        m += 1.0
    z, x, y = z / total, x / total, y / total
    mean = cos_theta * z + sin_theta * x
    variance = 0.0
    m = 0.5 * begin - MARGIN - 1.0 - 0.5 * top
    for cell in range(start - two, stop + two, 2):
        diagonal = cos_theta * m - mean
        for part in range(2):
            at = cell + np.uint64(part)
            rest = diagonal * state[at] + 0.5 * sin_theta * (
                raising[at - two] * state[at - two] + raising[at] * state[at + two]
            )
            variance += rest * rest
        m += 1.0
    variance /= total
    out.samples[i, out.jz, j] = mean
    out.samples[i, out.jz_square, j] = variance + mean * mean
    out.samples[i, out.jz_variance, j] = variance
    out.samples[i, out.jx, j] = cos_theta * x - sin_theta * z
    out.samples[i, out.jy, j] = y
    for channel in range(counts.size):
        out.samples[i, out.counts + channel, j] = counts[channel]
    if out.products.shape[1] > 0:
        write_products(state, raising, begin, end, total, out.products[i, :, j])


@kernel
def write_ket(work, begin, end, row):
    """Write the normalised `work.state` to `row`, *out* (N+1,)."""
    scale = 1.0 / math.sqrt(norm(work.state, begin, end))
    for cell in range(begin, end, 2):
        ket = complex(scale * work.state[cell], scale * work.state[cell + 1])
        row[cell // 2 - MARGIN] = ket
