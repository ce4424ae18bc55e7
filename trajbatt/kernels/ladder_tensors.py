r"""Stages of Eq. (7) for the spherical tensors of the density matrix, each in its own basis.

y_kq = Tr(T_kq+ rho), k = 0..K, of which q = 0..k do: y_{k,-q} = (-1)^q y_kq*. With the rates
B of J'_+, C of J'_z and A of J'_-, in the interaction picture,

    dy_kq/dt = -((A + B)/2 (k (k + 1) - q^2) + (C/2) q^2) y_kq
               - (A - B) (k + 1) A_k sqrt(k^2 - q^2) y_{k-1,q}
               + (A - B) k A_{k+1} sqrt((k + 1)^2 - q^2) y_{k+1,q},

with A_k of `trajbatt.kernels.tensors`: every q goes its own way, and is taken on by Chebyshev
polynomials as there. From one stage to the next the basis is turned about y, which leaves k alone:

    y_k -> Z* D exp(i delta m) D^T Z y_k,    Z = i^q,    D = exp(i pi/2 J_y) of the spin k.

A state is an array (2, M + 2) of real and imaginary parts: the row q, k = q..K, behind the row
q - 1, from place 1 on; a zero at both ends.
"""

import math
from typing import NamedTuple

import numpy as np

from trajbatt.kernels.bessel import bessel
from trajbatt.kernels.compile import kernel

READ = 11  # numbers that are read off: y_10, y_11, y_20, y_21, y_22; and the integrals
COUNTED = 3  # of y_00, y_10 and y_20


class Shapes(NamedTuple):
    """What the matrices of all stages are made of.

    Attributes
    ----------
    loss, order, below, above : ndarray (M+2,), float64
        In the places of the state: what (A + B)/2, C/2, and A - B multiply; zero elsewhere.
    rows : ndarray (K+1,), int64
        Where y_qq is.
    pieces : ndarray, int64
        Where some rows end that are gone through together, so few that they stay in the fastest
        memory; the first three are among the first ones.
    quarter : ndarray, float64
        D_qm of each k = 0..K, one behind the other: for each q = 0..k first all m = 0..k for which
        k + m is even, then the others; twice that for q > 0.
    """

    loss: np.ndarray
    order: np.ndarray
    below: np.ndarray
    above: np.ndarray
    rows: np.ndarray
    pieces: np.ndarray
    quarter: np.ndarray


class Stages(NamedTuple):
    """The stages, arrays of (n_stages,), float64.

    Attributes
    ----------
    gain, dephasing, loss : B, C and A.
    duration : how long each lasts
    longest : of a block
    phase : Omega t at its end
    turn : by how much theta grows behind it
    shift, fastest : sigma and R of `trajbatt.kernels.tensors`
    """

    gain: np.ndarray
    dephasing: np.ndarray
    loss: np.ndarray
    duration: np.ndarray
    longest: np.ndarray
    phase: np.ndarray
    turn: np.ndarray
    shift: np.ndarray
    fastest: np.ndarray


@kernel
def quarter_turns(rank, out):
    """Write `Shapes.quarter` to `out`, by the recurrence in k of the elements D_qm.

    k sqrt((k+1)^2 - q^2) sqrt((k+1)^2 - m^2) D^{k+1}
        = -(2 k + 1) q m D^k - (k + 1) sqrt(k^2 - q^2) sqrt(k^2 - m^2) D^{k-1}
    """
    begins = np.zeros(rank + 2, dtype=np.int64)
    for k in range(rank + 1):
        begins[k + 1] = begins[k] + (k + 1) ** 2
    edge = 1.0  # D_qm at k = q, up to a sign: sqrt(binomial(2 q, q + m)) / 2^q, first for m = 0
    for q in range(rank + 1):
        if q > 0:
            edge *= math.sqrt((2.0 * q - 1.0) / (2.0 * q))
        first = edge
        for m in range(q + 1):
            if m > 0:
                first *= math.sqrt((q - m + 1.0) / (q + m))
            sign = 1.0 if (q - m) % 2 == 0 else -1.0
            before, now = 0.0, first
            for k in range(q, rank + 1):
                if k > q:
                    j = k - 1.0
                    risen = -(2.0 * j + 1.0) * q * m * now
                    risen -= (j + 1.0) * math.sqrt((j * j - q * q) * (j * j - m * m)) * before
                    scale = math.sqrt(((j + 1.0) ** 2 - q * q) * ((j + 1.0) ** 2 - m * m))
                    before, now = now, risen / (j * scale) if j > 0.0 else 0.0
                out[begins[k] + place(k, q, m)] = now if q == 0 else 2.0 * now
                out[begins[k] + place(k, m, q)] = sign * (now if m == 0 else 2.0 * now)


@kernel
def place(k, q, m):
    """Return where D_qm is in the part of `Shapes.quarter` that belongs to k."""
    return q * (k + 1) + m // 2 + (k // 2 + 1 if (k + m) % 2 == 1 else 0)


@kernel(inline=True)
def add_applied(diagonal, below, above, x, factor, out, weight, y, begin, end):
    """Add factor (L + sigma)/R x to `out`, and then `weight` times that to y, in some rows."""
    one, re, im = np.uint64(1), np.uint64(0), np.uint64(1)
    for i in range(np.uint64(begin), np.uint64(end)):
        left, right = i - one, i + one
        on, down, up = diagonal[i], below[i], above[i]
        new_re = on * x[re, i] + down * x[re, left] + up * x[re, right]
        new_im = on * x[im, i] + down * x[im, left] + up * x[im, right]
        new_re = factor * new_re + out[re, i]
        new_im = factor * new_im + out[im, i]
        out[re, i] = new_re
        out[im, i] = new_im
        y[re, i] += weight * new_re
        y[im, i] += weight * new_im


@kernel(inline=True)
def half_turn(quarter, k, x, out):
    """Write sum_q D_qm x_q to `out`, m = 0..k, for one k, where x_{-q} = (-1)^q x_q*.

    Parameters
    ----------
    quarter : *in* ndarray ((k+1)^2,), float64
        The part of `Shapes.quarter`.
    k : int
    x, out : *in*, *out* ndarray (2, >= k+1), float64
        Of `out` first the m for which k + m is even.
    """
    # D_{-q,m} = (-1)^(k+m) D_qm: either the real or the imaginary part of x_q remains.
    even = k // 2 + 1
    out[:, : k + 1] = 0.0
    for q in range(k + 1):
        first = q % 2  # the part that the even ones take
        a, b, begin = x[first, q], x[1 - first, q], q * (k + 1)
        for i in range(np.uint64(even)):
            out[first, i] += a * quarter[begin + i]
        for i in range(np.uint64(even), np.uint64(k + 1)):
            out[1 - first, i] += b * quarter[begin + i]


@kernel
def turn_basis(shapes, phase, angle, y, work):
    """Take y, *in, out*, from the interaction picture to that of the next basis.

    Parameters
    ----------
    phase : float
        Omega t.
    angle : float
        By how much theta grows.
    work : *scratch* ndarray (3, 2, K + 1), float64
    """
    rows, (x, half, factors) = shapes.rows, work
    cos, sin = factors
    for m in range(rows.size):
        cos[m], sin[m] = math.cos(m * angle), math.sin(m * angle)
    turns = np.empty((2, rows.size))
    for q in range(rows.size):
        # exp(-i q Omega t), and Z
        turns[0, q], turns[1, q] = math.cos(q * phase), -math.sin(q * phase)
        for _ in range(q % 4):
            turns[0, q], turns[1, q] = -turns[1, q], turns[0, q]
    begin = 0
    for k in range(rows.size):
        quarter = shapes.quarter[begin : begin + (k + 1) ** 2]
        begin += (k + 1) ** 2
        even = k // 2 + 1
        for q in range(k + 1):
            i = rows[q] + k - q
            x[0, q] = turns[0, q] * y[0, i] - turns[1, q] * y[1, i]
            x[1, q] = turns[0, q] * y[1, i] + turns[1, q] * y[0, i]
        half_turn(quarter, k, x, half)
        for m in range(k + 1):
            # D_qm = (-1)^(q+m) D_mq: the same table serves for the way back.
            i = m // 2 + (even if (k + m) % 2 == 1 else 0)
            sign = 1.0 if m % 2 == 0 else -1.0
            x[0, m] = sign * (cos[m] * half[0, i] - sin[m] * half[1, i])
            x[1, m] = sign * (cos[m] * half[1, i] + sin[m] * half[0, i])
        half_turn(quarter, k, x, half)
        for q in range(k + 1):
            # (-1)^q Z* = Z
            i = q // 2 + (even if (k + q) % 2 == 1 else 0)
            re, im = half[0, i], half[1, i]
            for _ in range(q % 4):
                re, im = -im, re
            y[0, rows[q] + k - q], y[1, rows[q] + k - q] = re, im


@kernel
def polynomials_for(length, shift, fastest, accuracy, weights):
    """Return how many polynomials count in a block, and write J_n(R t) at its end to `weights`.

    For eigenvalues of up to sigma/R phi_n grows as exp(n arsinh(sigma/R)).
    """
    bessel(fastest * length, weights)
    growth = math.asinh(shift / fastest)
    n = math.ceil(fastest * length)
    while n < weights.size - 1:
        if abs(weights[n]) * math.exp(n * growth - shift * length) < accuracy:
            break
        n += 1
    return n + 1


@kernel(inline=True)
def read(rows, x, counted, row):
    """Write what is read off a state to `row`, *out* (READ,)."""
    row[:] = 0.0
    zero, one = rows[0], rows[1]
    row[0], row[1], row[2] = x[0, zero + 1], x[0, one], x[1, one]
    if rows.size > 2:
        two = rows[2]
        row[3], row[4], row[5] = x[0, zero + 2], x[0, one + 1], x[1, one + 1]
        row[6], row[7] = x[0, two], x[1, two]
    row[8:] = counted


@kernel
def cross_block(tables, y, counted, length, times, accuracy, seen, work):
    """Take y and the integrals on by one block, *in, out*, and read them off at `times` in it."""
    diagonal, below, above, shift, fastest, rows, pieces = tables
    states, weights, readings = work
    n = polynomials_for(length, shift, fastest, accuracy, weights)
    sums = np.zeros((2, COUNTED))
    sums[0] = counted
    damping = math.exp(-shift * length)
    states[0] = y
    states[1] = 0.0
    y *= weights[0] * damping
    counted *= weights[0] * damping
    for piece in range(pieces.size - 1):
        begin, end = pieces[piece], pieces[piece + 1]
        a, b = 0, 1
        for j in range(n):
            if j > 0:
                # phi_1 = X phi_0; then phi_{n+1} = 2 X phi_n + phi_{n-1}, in the place of phi_{n-1}
                factor, weight = (1.0 if j == 1 else 2.0), 2.0 * damping * weights[j]
                if piece == 0:
                    for c in range(COUNTED):
                        gain = shift * sums[a, c]
                        if c < rows.size:
                            gain += states[a, 0, rows[0] + c]
                        sums[b, c] += factor * gain / fastest
                        counted[c] += weight * sums[b, c]
                add_applied(
                    diagonal, below, above, states[a], factor, states[b], weight, y, begin, end
                )
                a, b = b, a
            if piece == 0:
                read(rows, states[a], sums[a], readings[j])
    for t in range(times.size):
        bessel(fastest * times[t], weights[:n])
        scale = math.exp(-shift * times[t])
        seen[t] = 0.0
        for j in range(n):
            weight = scale * weights[j] * (1.0 if j == 0 else 2.0)
            for r in range(READ):
                seen[t, r] += weight * readings[j, r]


@kernel
def cross(shapes, stages, times, ends, accuracy, most, y, seen, totals):
    """Take y through all stages, *in, out*, and read it off on the way.

    Parameters
    ----------
    times : *in* ndarray (nt,), float64
        Of all stages, one after the other, each on its own clock.
    ends : *in* ndarray (n_stages,), int64
        Where those of each stage end.
    accuracy : float
        Of a term of a series.
    most : int
        Polynomials in any block.
    seen : *out* ndarray (nt, READ), float64
        In the interaction picture of the stage, with the integrals since its beginning.
    totals : *out* ndarray (n_stages, COUNTED), float64
        These integrals at its end.
    """
    rows, trace = shapes.rows, y[0, shapes.rows[0]]
    diagonal, below, above = np.empty((3, y.shape[1]))
    counted = np.empty(COUNTED)
    work = np.empty((2, *y.shape)), np.empty(most), np.empty((most, READ))
    turning = np.empty((3, 2, rows.size))
    begin = 0
    for s in range(ends.size):
        fastest, shift = stages.fastest[s], stages.shift[s]
        both = 0.5 * (stages.gain[s] + stages.loss[s])
        difference = (stages.loss[s] - stages.gain[s]) / fastest
        for i in range(diagonal.size):
            lost = both * shapes.loss[i] + 0.5 * stages.dephasing[s] * shapes.order[i]
            diagonal[i] = (shift - lost) / fastest
            below[i] = difference * shapes.below[i]
            above[i] = difference * shapes.above[i]
        tables = diagonal, below, above, shift, fastest, rows, shapes.pieces
        blocks = max(1, math.ceil(stages.duration[s] / stages.longest[s]))
        length = stages.duration[s] / blocks
        counted[:] = 0.0
        first = begin
        for block in range(blocks):
            stop = first
            while stop < ends[s] and (block == blocks - 1 or times[stop] <= (block + 1) * length):
                stop += 1
            within = times[first:stop] - block * length
            cross_block(tables, y, counted, length, within, accuracy, seen[first:stop], work)
            y *= trace / y[0, rows[0]]  # which is conserved
            first = stop
        totals[s] = counted
        begin = ends[s]
        if s + 1 < ends.size:
            turn_basis(shapes, stages.phase[s], stages.turn[s], y, turning)
