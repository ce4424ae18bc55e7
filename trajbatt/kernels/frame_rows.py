"""States of `trajbatt.kernels.frame` as rows of cells, and what multiplies them.

A workspace is flat, with rows at constant places: so the compiler knows that they do not overlap,
and vectorises. Each state, and each band of an exponent, has a real and an imaginary part; behind
them come the tables of the levels. States have whole blocks of `BLOCK` levels, so that loops over
them are vectors only, without a rest; behind them there are zeros, as beyond the level N.

What is called at every click does not count references to its arrays, which would take longer than
the work: it is compiled by `borrowing`, and has them as arguments, not in tuples.
"""

import functools
import math

import numpy as np

from trajbatt.kernels.compile import kernel

BLOCK = 8  # levels
PAD = 2  # levels of zeros on both sides of a state
MOST = 4096  # levels
TERMS = 60  # of a series at most
ROW = MOST + 28
STATE, END, KEPT, TERM, NEXT, DIAGONAL, ONCE, TWICE, CELLS = (4 + 2 * ROW * i for i in range(9))
ZZ, PP, MM, UP, DOWN, BOTH, RAISING, LOWERING, LEVEL = (
    np.uint64(CELLS + ROW * i) for i in range(9)
)
IMAGINARY = np.uint64(ROW)  # from a real part to its imaginary one
EIGHT = np.uint64(BLOCK)

borrowing = functools.partial(kernel, counting=False)


def whole_blocks(levels):
    """Return so many levels, or as many more as whole blocks need."""
    return -(-levels // BLOCK) * BLOCK


def fresh_cells(n_atoms, raising):
    """Return a workspace of zeros, and the tables of the levels.

    Parameters
    ----------
    n_atoms : int
    raising : ndarray (most,), float64
        r_n = <n+1|J_+|n>, zero from n = N on.

    Returns
    -------
    ndarray (CELLS + 9 ROW,), float64
    """
    cells, n = np.zeros(CELLS + 9 * ROW), np.arange(float(raising.size))
    for at, table in (
        (ZZ, n * (n - n_atoms)),
        (PP, n * (n_atoms - n - 1)),
        (MM, n * (n_atoms - n + 1)),
        (UP, raising * (n + 1 - n_atoms / 2)),
        (DOWN, raising * (n - n_atoms / 2)),
        (BOTH, raising * np.append(raising[1:], 0.0)),
        (RAISING, raising),
        (LOWERING, np.append(0.0, raising[:-1])),
        (LEVEL, n),
    ):
        cells[int(at) : int(at) + n.size] = table
    return cells


@borrowing
def write_bands(cells, blocks, products):
    """Write the bands of M, less its constant, to the workspace.

    `products` are those of `trajbatt.kernels.frame.products_of`. Bands that lead to levels beyond
    the blocks do no harm: there are zeros.
    """
    zz, pp, mm, up, down, both, _ = products
    up_re, up_im, down_re, down_im = up.real, up.imag, down.real, down.imag
    both_re, both_im = both.real, both.imag
    at_diagonal, at_once, at_twice = np.uint64(DIAGONAL), np.uint64(ONCE), np.uint64(TWICE)
    for n in range(EIGHT * np.uint64(blocks)):
        cells[at_diagonal + n] = zz * cells[ZZ + n] + pp * cells[PP + n] + mm * cells[MM + n]
        cells[at_once + n] = up_re * cells[UP + n] + down_re * cells[DOWN + n]
        cells[at_once + IMAGINARY + n] = up_im * cells[UP + n] + down_im * cells[DOWN + n]
        cells[at_twice + n] = both_re * cells[BOTH + n]
        cells[at_twice + IMAGINARY + n] = both_im * cells[BOTH + n]


def make_multiply(x, y):
    """Return the kernel that multiplies the state at x by the bands, to y."""
    x_below, x_above, x_2_below, x_2_above = map(np.uint64, (x - 1, x + 1, x - 2, x + 2))
    once_below, twice_below = np.uint64(ONCE - 1), np.uint64(TWICE - 2)
    once, twice, diagonal, end = map(np.uint64, (ONCE, TWICE, DIAGONAL, END))
    x, y, row = np.uint64(x), np.uint64(y), IMAGINARY

    @borrowing(reassociate=True)
    def multiply(cells, scale, blocks):
        """Write `scale` M x to y, add it to `END`, and return its squared norm."""
        total = 0.0
        for n in range(EIGHT * np.uint64(blocks)):
            re, re_below, re_above = cells[x + n], cells[x_below + n], cells[x_above + n]
            re_2_below, re_2_above = cells[x_2_below + n], cells[x_2_above + n]
            im, im_below = cells[x + row + n], cells[x_below + row + n]
            im_above, im_2_below = cells[x_above + row + n], cells[x_2_below + row + n]
            im_2_above = cells[x_2_above + row + n]
            d = cells[diagonal + n]
            a, b = cells[once_below + n], cells[once_below + row + n]
            e, f = cells[once + n], cells[once + row + n]
            g, h = cells[twice_below + n], cells[twice_below + row + n]
            p, q = cells[twice + n], cells[twice + row + n]
            new_re = scale * (
                (d * re + a * re_below - b * im_below + e * re_above + f * im_above)
                + (g * re_2_below - h * im_2_below + p * re_2_above + q * im_2_above)
            )
            new_im = scale * (
                (d * im + a * im_below + b * re_below + e * im_above - f * re_above)
                + (g * im_2_below + h * re_2_below + p * im_2_above - q * re_2_above)
            )
            cells[y + n] = new_re
            cells[y + row + n] = new_im
            cells[end + n] += new_re
            cells[end + row + n] += new_im
            total += new_re * new_re + new_im * new_im
        return total

    return multiply


@borrowing(reassociate=True)
def norm(cells, x, blocks):
    """Return the squared norm of the state at x."""
    at, total = np.uint64(x), 0.0
    for n in range(EIGHT * np.uint64(blocks)):
        total += cells[at + n] ** 2 + cells[at + IMAGINARY + n] ** 2
    return total


@borrowing
def copy(cells, x, y, scale, blocks):
    """Write `scale` times the state at x to y."""
    source, target = np.uint64(x), np.uint64(y)
    for n in range(EIGHT * np.uint64(blocks)):
        cells[target + n] = scale * cells[source + n]
    source, target = source + IMAGINARY, target + IMAGINARY
    for n in range(EIGHT * np.uint64(blocks)):
        cells[target + n] = scale * cells[source + n]


multiply, multiply_back = make_multiply(TERM, NEXT), make_multiply(NEXT, TERM)


@borrowing
def exponential(cells, scale, blocks, tolerance):
    """Multiply `END` by exp(scale times what the bands are), by a Taylor series."""
    copy(cells, END, TERM, 1.0, blocks)
    least = tolerance * tolerance
    last = 2.0 * least
    k = 1
    while k < TERMS and last >= least:
        last = multiply(cells, scale / k, blocks)
        if last >= least:
            last = multiply_back(cells, scale / (k + 1), blocks)
        k += 2


def make_rotate(x, y):
    """Return the kernel that multiplies the state at x by a generator of rotations, to y."""
    x_below, x_above, state = map(np.uint64, (x - 1, x + 1, STATE))
    y, row = np.uint64(y), IMAGINARY

    @borrowing(reassociate=True)
    def rotate(cells, kappa, blocks):
        """Write (kappa J_+ - kappa* J_-) x to y, add it to `STATE`, and return its squared norm."""
        a, b = kappa.real, kappa.imag
        total = 0.0
        for n in range(EIGHT * np.uint64(blocks)):
            up, down = cells[LOWERING + n], cells[RAISING + n]
            new_re = up * (a * cells[x_below + n] - b * cells[x_below + row + n])
            new_im = up * (a * cells[x_below + row + n] + b * cells[x_below + n])
            new_re -= down * (a * cells[x_above + n] + b * cells[x_above + row + n])
            new_im -= down * (a * cells[x_above + row + n] - b * cells[x_above + n])
            cells[y + n] = new_re
            cells[y + row + n] = new_im
            cells[state + n] += new_re
            cells[state + row + n] += new_im
            total += new_re * new_re + new_im * new_im
        return total

    return rotate


rotate, rotate_back = make_rotate(TERM, NEXT), make_rotate(NEXT, TERM)


@borrowing
def rotate_state(cells, kappa, blocks, tolerance):
    """Multiply `STATE` by exp(kappa J_+ - kappa* J_-), by a Taylor series, and normalise it."""
    copy(cells, STATE, TERM, 1.0, blocks)
    least = tolerance * tolerance
    last = 2.0 * least
    k = 1
    while k < TERMS and last >= least:
        last = rotate(cells, kappa / k, blocks)
        if last >= least:
            last = rotate_back(cells, kappa / (k + 1), blocks)
        k += 2
    normalise(cells, STATE, blocks)


@borrowing
def normalise(cells, x, blocks):
    """Divide the state at x by its norm; return its squared norm before."""
    total = norm(cells, x, blocks)
    copy(cells, x, x, 1.0 / math.sqrt(total), blocks)
    return total


@borrowing
def write_jump(cells, jump, shift, half, blocks):
    """Write c J + `shift` times `END` to `STATE`, normalised.

    `jump` has c_m, c_z and c_p of c J = c_m J_- + c_z J_z + c_p J_+, and `half` is N/2.
    """
    c_m, c_z, c_p = jump
    z_re, z_im, p_re, p_im, m_re, m_im = c_z.real, c_z.imag, c_p.real, c_p.imag, c_m.real, c_m.imag
    re, im = shift.real, shift.imag
    at, below, above = np.uint64(END), np.uint64(END - 1), np.uint64(END + 1)
    to, row = np.uint64(STATE), IMAGINARY
    for n in range(EIGHT * np.uint64(blocks)):
        here, lower, upper = at + n, below + n, above + n
        z, p, m = cells[LEVEL + n] - half, cells[LOWERING + n], cells[RAISING + n]
        cells[to + n] = (
            z * (z_re * cells[here] - z_im * cells[here + row])
            + p * (p_re * cells[lower] - p_im * cells[lower + row])
            + m * (m_re * cells[upper] - m_im * cells[upper + row])
            + (re * cells[here] - im * cells[here + row])
        )
        cells[to + row + n] = (
            z * (z_re * cells[here + row] + z_im * cells[here])
            + p * (p_re * cells[lower + row] + p_im * cells[lower])
            + m * (m_re * cells[upper + row] + m_im * cells[upper])
            + (re * cells[here + row] + im * cells[here])
        )
    normalise(cells, STATE, blocks)


@borrowing(reassociate=True)
def moments(cells, n_atoms, x, blocks):
    """Return <J_x>, <J_y>, <n> and what is left of the second moments in the state at x.

    These are <J_x^2 + J_y^2>, <n^2>, and sums over r_n r_n+1 and over n r_n as complex numbers. The
    state is normalised.
    """
    n_mean = n_square = once_re = once_im = with_re = with_im = twice_re = twice_im = 0.0
    one, two, row = np.uint64(1), np.uint64(2), np.uint64(ROW)
    for n in range(EIGHT * np.uint64(blocks)):
        at = np.uint64(x) + n
        re, im = cells[at], cells[at + row]
        above_re, above_im = cells[at + one], cells[at + one + row]
        next_re, next_im = cells[at + two], cells[at + two + row]
        weight = re * re + im * im
        # phi_{n+1} phi_n*
        up_re = cells[RAISING + n] * (above_re * re + above_im * im)
        up_im = cells[RAISING + n] * (above_im * re - above_re * im)
        n_mean += cells[LEVEL + n] * weight
        n_square += cells[LEVEL + n] * cells[LEVEL + n] * weight
        once_re += up_re
        once_im += up_im
        with_re += cells[LEVEL + n] * up_re
        with_im += cells[LEVEL + n] * up_im
        twice_re += cells[BOTH + n] * (next_re * re + next_im * im)
        twice_im += cells[BOTH + n] * (next_im * re - next_re * im)
    across = (0.5 + n_mean) * n_atoms - n_square
    return (
        (once_re, -once_im, n_mean),
        (across, n_square),
        (with_re, -with_im),
        (twice_re, twice_im),
    )


@borrowing
def top_weight(cells, blocks, n):
    """Return the weight of the highest n of the levels in `STATE`."""
    top = STATE + BLOCK * blocks
    weight = 0.0
    for at in range(top - n, top):
        weight += cells[at] ** 2 + cells[at + ROW] ** 2
    return weight


@borrowing
def clear(cells, begin, end):
    """Write zeros to all rows of states, from block `begin` to before `end`, and to the padding."""
    for row in range(STATE, CELLS, ROW):
        for n in range(BLOCK * begin, BLOCK * end + PAD):
            cells[row + n] = 0.0
