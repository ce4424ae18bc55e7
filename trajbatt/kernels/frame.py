r"""Trajectories of the driven Eq. (5), each in a frame of its own, in which a few levels hold it.

The frame is that of `trajbatt.numerics.frame`: u, v and d = u x v are the images of the bare axes,
so J_- is c J with c = u - i v, and the state is near the lowest level n = 0. The Hamiltonian turns
the frame exactly, about the axis nu = -sin(theta) u + cos(theta) d, and is gone: without a click

    d phi/dt = -(gamma/2) M(t) phi,    M = (c J)+ (c J),    c(t) = rotated about nu by -Omega t,

    <n|M|n> = C + abs(c_z)^2 n (n - N) + abs(c_p)^2 n (N - n - 1) + abs(c_m)^2 n (N - n + 1),
    <n+1|M|n> = r_n (c_z* c_p (n + 1 - N/2) + c_m* c_z (n - N/2)),
    <n+2|M|n> = r_n r_n+1 c_m* c_p,

with c_p = (c_x - i c_y)/2, c_m = (c_x + i c_y)/2 and C = abs(c_z)^2 N^2/4 + abs(c_p)^2 N, which is
taken out. A step is the commutator-free one of fourth order: two exponentials, each a Taylor
series. Its length is guessed from the click rate and its slope, so that it ends where the squared
norm has fallen to the click's; what is missing is made up for by short steps there. Requested times
are read off steps of their own, which change nothing. When the mean spin has moved off the pole, a
rotation takes it back.

The random numbers are drawn as in `trajbatt.kernels.banded`, so both engines give the same
trajectories, up to the accuracy of each.
"""

import math
from typing import NamedTuple

import numpy as np

from trajbatt.kernels.compile import kernel

PAD = 2  # levels of zeros on both sides of a state
FEWEST, MORE = 16, 8  # levels, and how many are added to them, or taken off
EMPTY = 1e-3  # of what is negligible: levels of less weight than this are taken off
TERMS = 60  # of a series at most
NODE = math.sqrt(3.0) / 6.0  # the nodes of a step are at 1/2 -+ this
OFF_POLE = 0.1  # abs(<J_->)^2/N beyond which the frame follows
LONGEST_TURN = 1.0  # over sqrt(N): of the frame, after a click
MISSED = 0.02  # -ln of the squared norm beyond which a step is taken again with another length
ROUNDS = 50
MOST = 4096  # levels
# A workspace is flat, with rows at constant places: so the compiler knows that they do not overlap,
# and vectorises. Each state, and each band of an exponent, has a real and an imaginary part; behind
# them come the tables of the levels.
ROW = MOST + 28
STATE, END, KEPT, TERM, NEXT, DIAGONAL, ONCE, TWICE, CELLS = (4 + 2 * ROW * i for i in range(9))
ZZ, PP, MM, UP, DOWN, BOTH, RAISING, LOWERING, LEVEL = (
    np.uint64(CELLS + ROW * i) for i in range(9)
)
IMAGINARY = np.uint64(ROW)  # from a real part to its imaginary one


class Tables(NamedTuple):
    """What the kernels know of a model, but for the tables of its levels.

    Attributes
    ----------
    most : int
        Levels that there is room for.
    amplitudes : ndarray (nc,), float64
        Jump operator c is amplitudes_c c J + oscillators_c, up to a common factor.
    oscillators : ndarray (nc,), complex128
        Their squares sum to `background`, their products with the amplitudes to zero.
    n_atoms : int
    rate, frequency, cos_theta, sin_theta : float
    background : float
        The rate of clicks by local oscillators alone.
    """

    most: int
    amplitudes: np.ndarray
    oscillators: np.ndarray
    n_atoms: int
    rate: float
    frequency: float
    cos_theta: float
    sin_theta: float
    background: float


class Start(NamedTuple):
    """The pure states in which trajectories begin.

    Attributes
    ----------
    weights : ndarray (P,), float64
        Cumulative probabilities of the pure states; the last is 1.
    axes : ndarray (P, 6), float64
        u and v of the frame of each.
    amplitudes : ndarray (P, levels), complex128
        In the frame.
    assigned : bool
        Trajectory i begins in pure state i; else each draws its own.
    """

    weights: np.ndarray
    axes: np.ndarray
    amplitudes: np.ndarray
    assigned: bool


class Task(NamedTuple):
    """What is asked of a run.

    Attributes
    ----------
    times : ndarray (nt,), float64
        When the states are observed; the trajectories end with the last.
    longest : float
        The longest step.
    tolerance : float
        Norm of the last term of a series.
    missed : float
        Of -ln of the squared norm until a click: so little does not change the state.
    negligible : float
        Weight of the highest levels at which there must be more.
    replay : bool
        The records are given: follow them, draw nothing.
    """

    times: np.ndarray
    longest: float
    tolerance: float
    missed: float
    negligible: float
    replay: bool


class Out(NamedTuple):
    """What is read off the states, and where it is written.

    Attributes
    ----------
    samples : ndarray (n, rows, nt), float64
    jz, jz_square, jz_variance, jx, jy : int
        The rows of <J_z>, <J_z^2>, Var(J_z), Re <J_+> and Im <J_+>.
    counts : int
        The row of the first channel's clicks so far; those of the other channels follow.
    kets : ndarray (n, nk, most), complex128
        The normalised states at the last nk of the times, in their frames; zeros to begin with.
    products : ndarray (n, 4, nt), float64
        The symmetrised means of J_z J_x, J_z J_y, J_x^2 and J_x J_y; (n, 0, nt) if they are not
        wanted.
    axes : ndarray (n, nk, 6), float64
        The frames of the kets.
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
    axes: np.ndarray


class Workspace(NamedTuple):
    """Scratch of the kernels, and the state of the trajectory in progress.

    Attributes
    ----------
    cells : ndarray (CELLS + 9 ROW,), float64
    axes : ndarray (6,), float64
        The frame where the step begins.
    other : ndarray (6,), float64
        The frame within or at the end of it.
    """

    cells: np.ndarray
    axes: np.ndarray
    other: np.ndarray

    @classmethod
    def fresh(cls, n_atoms, raising):
        """Return zeros, and the tables of the levels.

        Parameters
        ----------
        n_atoms : int
        raising : ndarray (most,), float64
            r_n = <n+1|J_+|n>, zero from n = N on.
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
        return cls(cells, np.zeros(6), np.zeros(6))


class Progress(NamedTuple):
    """How far `run` is: arrays of one element, which it changes.

    Attributes
    ----------
    trajectory, clicks, next_time, levels : ndarray (1,), int64
        The trajectory in progress, the clicks so far, the next time of observation, its levels.
    begun : ndarray (1,), bool
    time, action : ndarray (1,), float64
        Its time, and -ln of the squared norm until its next click.
    counts : ndarray (nc,), float64
        Its clicks.
    dropped, worst : ndarray (1,), float64
        The weight that its levels could not hold, and the largest of all.
    """

    trajectory: np.ndarray
    clicks: np.ndarray
    next_time: np.ndarray
    levels: np.ndarray
    begun: np.ndarray
    time: np.ndarray
    action: np.ndarray
    counts: np.ndarray
    dropped: np.ndarray
    worst: np.ndarray

    @classmethod
    def fresh(cls, n_channels):
        """Return the progress before the first trajectory begins."""
        whole, begun, counts = np.zeros((4, 1), dtype=np.int64), np.zeros(1, bool), n_channels
        time, action, dropped, worst = np.zeros((4, 1))
        return cls(*whole, begun, time, action, np.zeros(counts), dropped, worst)


@kernel
def copy_axes(axes, out):
    """Write the axes to `out`."""
    for i in range(6):  # an assignment of slices takes as long as all else of a jump
        out[i] = axes[i]


@kernel
def turn(axes, angle, tables, out):
    """Write the axes after the Hamiltonian has turned them by `angle` = Omega t to `out`."""
    cos, sin = math.cos(angle), math.sin(angle)
    c, s = tables.cos_theta, tables.sin_theta
    ux, uy, uz, vx, vy, vz = axes[0], axes[1], axes[2], axes[3], axes[4], axes[5]
    dx, dy, dz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
    # u' = u cos - c v sin - s nu (1 - cos), v' = v cos + (s d + c u) sin
    along_u, along_d = cos + s * s * (1.0 - cos), -s * c * (1.0 - cos)
    out[0] = along_u * ux - c * sin * vx + along_d * dx
    out[1] = along_u * uy - c * sin * vy + along_d * dy
    out[2] = along_u * uz - c * sin * vz + along_d * dz
    out[3] = cos * vx + sin * (s * dx + c * ux)
    out[4] = cos * vy + sin * (s * dy + c * uy)
    out[5] = cos * vz + sin * (s * dz + c * uz)


@kernel
def jump_parts(axes):
    """Return c_m, c_z and c_p of c J = c_m J_- + c_z J_z + c_p J_+."""
    c_z = complex(axes[2], -axes[5])
    c_m = 0.5 * complex(axes[0] + axes[4], axes[1] - axes[3])
    c_p = 0.5 * complex(axes[0] - axes[4], -axes[1] - axes[3])
    return c_m, c_z, c_p


@kernel
def square(z):
    """Return abs(z)^2."""
    return z.real * z.real + z.imag * z.imag


@kernel
def products_of(axes, tables):
    """Return what M is made of: abs(c_z)^2, ..., the three products and C."""
    c_m, c_z, c_p = jump_parts(axes)
    zz, pp, mm = square(c_z), square(c_p), square(c_m)
    n = tables.n_atoms
    constant = 0.25 * zz * n * n + pp * n
    return zz, pp, mm, c_z.conjugate() * c_p, c_m.conjugate() * c_z, c_m.conjugate() * c_p, constant


@kernel
def write_bands(cells, levels, first, second, a, b):
    """Write the bands of a M_1 + b M_2, less its constant, to the workspace."""
    zz, pp = a * first[0] + b * second[0], a * first[1] + b * second[1]
    mm = a * first[2] + b * second[2]
    up, down = a * first[3] + b * second[3], a * first[4] + b * second[4]
    both = a * first[5] + b * second[5]
    up_re, up_im, down_re, down_im = up.real, up.imag, down.real, down.imag
    both_re, both_im = both.real, both.imag
    at_diagonal, at_once, at_twice = np.uint64(DIAGONAL), np.uint64(ONCE), np.uint64(TWICE)
    for n in range(np.uint64(levels)):
        cells[at_diagonal + n] = zz * cells[ZZ + n] + pp * cells[PP + n] + mm * cells[MM + n]
    for n in range(np.uint64(levels)):
        cells[at_once + n] = up_re * cells[UP + n] + down_re * cells[DOWN + n]
        cells[at_once + IMAGINARY + n] = up_im * cells[UP + n] + down_im * cells[DOWN + n]
    for n in range(np.uint64(levels)):
        cells[at_twice + n] = both_re * cells[BOTH + n]
        cells[at_twice + IMAGINARY + n] = both_im * cells[BOTH + n]
    # Nothing leads to the levels beyond.
    for part in (0, ROW):
        cells[ONCE + part + levels - 1] = 0.0
        cells[TWICE + part + levels - 1] = 0.0
        cells[TWICE + part + levels - 2] = 0.0


def make_multiply(x, y):
    """Return the kernel that multiplies the state at x by the bands, to y."""
    x_below, x_above, x_2_below, x_2_above = map(np.uint64, (x - 1, x + 1, x - 2, x + 2))
    once_below, twice_below = np.uint64(ONCE - 1), np.uint64(TWICE - 2)
    once, twice, diagonal, end = map(np.uint64, (ONCE, TWICE, DIAGONAL, END))
    x, y, row = np.uint64(x), np.uint64(y), IMAGINARY

    @kernel(reassociate=True)
    def multiply(cells, scale, levels):
        """Write `scale` M x to y, add it to `END`, and return its squared norm."""
        total = 0.0
        for n in range(np.uint64(levels)):
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


@kernel(reassociate=True)
def norm(cells, x, levels):
    """Return the squared norm of the state at x."""
    at, total = np.uint64(x), 0.0
    for n in range(np.uint64(levels)):
        total += cells[at + n] ** 2 + cells[at + IMAGINARY + n] ** 2
    return total


@kernel
def copy(cells, x, y, scale, levels):
    """Write `scale` times the state at x to y."""
    source, target = np.uint64(x), np.uint64(y)
    for n in range(np.uint64(levels)):
        cells[target + n] = scale * cells[source + n]
    source, target = source + IMAGINARY, target + IMAGINARY
    for n in range(np.uint64(levels)):
        cells[target + n] = scale * cells[source + n]


multiply, multiply_back = make_multiply(TERM, NEXT), make_multiply(NEXT, TERM)


@kernel
def exponential(cells, scale, levels, tolerance):
    """Multiply `END` by exp(scale times what the bands are), by a Taylor series."""
    copy(cells, END, TERM, 1.0, levels)
    least = tolerance * tolerance
    for k in range(1, TERMS, 2):
        if multiply(cells, scale / k, levels) < least:
            break
        if multiply_back(cells, scale / (k + 1), levels) < least:
            break


@kernel
def step(work, tables, levels, h, tolerance):
    """Write the state after a step of length h from `STATE`, normalised, to `END`.

    The frame there goes to `work.other`. Returns -ln of the squared norm.
    """
    cells, other = work.cells, work.other
    angle, scale = tables.frequency * h, -0.5 * tables.rate * h
    copy(cells, STATE, END, 1.0, levels)
    # Is the step so short that the one of second order will do?
    across = abs(scale) * tables.n_atoms**1.5
    if abs(angle) * across * (abs(angle) + 2.0 * across) < 24.0 * tolerance:
        turn(work.axes, 0.5 * angle, tables, other)
        first = products_of(other, tables)
        constant = first[6]
        write_bands(cells, levels, first, first, 1.0, 0.0)
        exponential(cells, scale, levels, tolerance)
    else:
        turn(work.axes, (0.5 - NODE) * angle, tables, other)
        first = products_of(other, tables)
        turn(work.axes, (0.5 + NODE) * angle, tables, other)
        second = products_of(other, tables)
        constant = 0.5 * (first[6] + second[6])
        a, b = 0.25 + NODE, 0.25 - NODE  # the later node counts less first
        write_bands(cells, levels, first, second, a, b)
        exponential(cells, scale, levels, tolerance)
        write_bands(cells, levels, first, second, b, a)
        exponential(cells, scale, levels, tolerance)
    turn(work.axes, angle, tables, other)
    left = norm(cells, END, levels)
    copy(cells, END, END, 1.0 / math.sqrt(left), levels)
    return h * (tables.rate * constant + tables.background) - math.log(left)


@kernel
def creep(work, tables, levels, after, h, tolerance):
    """Take `END`, which is `after` the state, on by a short time h of any sign, normalised.

    Returns -ln of the squared norm.
    """
    cells, other = work.cells, work.other
    turn(work.axes, tables.frequency * (after + 0.5 * h), tables, other)
    middle = products_of(other, tables)
    write_bands(cells, levels, middle, middle, 1.0, 0.0)
    exponential(cells, -0.5 * tables.rate * h, levels, tolerance)
    turn(work.axes, tables.frequency * (after + h), tables, other)
    left = norm(cells, END, levels)
    copy(cells, END, END, 1.0 / math.sqrt(left), levels)
    return h * (tables.rate * middle[6] + tables.background) - math.log(left)


@kernel(reassociate=True)
def moments(cells, tables, x, levels):
    """Return <J_x>, <J_y>, <n> and what is left of the second moments in the state at x.

    These are <J_x^2 + J_y^2>, <n^2>, and sums over r_n r_n+1 and over n r_n as complex numbers. The
    state is normalised.
    """
    n_mean = n_square = once_re = once_im = with_re = with_im = twice_re = twice_im = 0.0
    one, two, row = np.uint64(1), np.uint64(2), np.uint64(ROW)
    for n in range(np.uint64(levels)):
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
    across = (0.5 + n_mean) * tables.n_atoms - n_square
    return (
        (once_re, -once_im, n_mean),
        (across, n_square),
        (with_re, -with_im),
        (twice_re, twice_im),
    )


@kernel
def covariances(tables, seen):
    """Return the covariances xx, yy, zz, xy, zx, zy in the frame from `moments`."""
    (x, y, n), (across, n_square), (with_x, with_y), (twice_re, twice_im) = seen
    return (
        0.5 * (across + twice_re) - x * x,
        0.5 * (across - twice_re) - y * y,
        n_square - n * n,
        -0.5 * twice_im - x * y,
        with_x + 0.5 * x - n * x,
        with_y + 0.5 * y - n * y,
    )


@kernel
def quadratic(s, a0, a1, a2, b0, b1, b2):
    """Return a S b for the symmetric S of `covariances`."""
    xx, yy, zz, xy, zx, zy = s
    return (
        a0 * (xx * b0 + xy * b1 + zx * b2)
        + a1 * (xy * b0 + yy * b1 + zy * b2)
        + a2 * (zx * b0 + zy * b1 + zz * b2)
    )


@kernel
def click_rate(tables, seen, axes):
    """Return the rate of clicks and its first two derivatives by the time.

    That is gamma <J_+ J_-> and what the oscillators give.

    With T the second moments and j the mean spin <J_+ J_-> is u T u + v T v + d j, the Hamiltonian
    turns the axes by du/dt = -Omega cos v, dv/dt = Omega (sin d + cos u), dd/dt = -Omega sin v; and
    without a click the state loses what clicks more often: the variance of M, of which the first
    level above the lowest has most.
    """
    s = covariances(tables, seen)
    ux, uy, uz, vx, vy, vz = axes[0], axes[1], axes[2], axes[3], axes[4], axes[5]
    dx, dy, dz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
    x, y, n = seen[0]
    z = n - 0.5 * tables.n_atoms
    u, v, d = ux * x + uy * y + uz * z, vx * x + vy * y + vz * z, dx * x + dy * y + dz * z
    uu = quadratic(s, ux, uy, uz, ux, uy, uz) + u * u
    vv = quadratic(s, vx, vy, vz, vx, vy, vz) + v * v
    dd = quadratic(s, dx, dy, dz, dx, dy, dz) + d * d
    dv = quadratic(s, dx, dy, dz, vx, vy, vz) + d * v
    du = quadratic(s, dx, dy, dz, ux, uy, uz) + d * u
    cos, sin, frequency = tables.cos_theta, tables.sin_theta, tables.frequency
    first = frequency * sin * (2.0 * dv - v)
    second = frequency**2 * sin * (2.0 * (sin * (dd - vv) + cos * du) - sin * d - cos * u)
    c_m, c_z, c_p = jump_parts(axes)
    half = 0.5 * tables.n_atoms
    once = c_z.conjugate() * c_p * (1.0 - half) - c_m.conjugate() * c_z * half
    first -= tables.rate * tables.n_atoms * square(once)
    rate = tables.rate * max(uu + vv + d, 0.0) + tables.background
    return rate, tables.rate * first, tables.rate * second


@kernel
def later(rates, h):
    """Return what `click_rate` gives a time h later, about."""
    rate, first, second = rates
    return rate + h * (first + 0.5 * h * second), first + h * second, second


@kernel
def wait(rates, action, longest):
    """Return about how long it takes until the squared norm has fallen by `action`, of any sign.

    `rates` are those of `click_rate`.
    """
    rate, first, second = rates
    if not rate * longest > 0.2 * abs(action):
        return math.copysign(math.inf, action)
    h = action / rate
    if abs(h) > 2.0 * longest:
        h = math.copysign(2.0 * longest, action)
    for _ in range(3):
        slope = rate + h * (first + 0.5 * h * second)
        reached = h * (rate + h * (0.5 * first + h * second / 6.0))
        more = (action - reached) / max(slope, 0.2 * rate)
        h += more
        if abs(more) < 1e-4 * abs(h):
            break
    return h if h * action > 0.0 else action / rate


@kernel
def draw_channel(rng, work, tables, levels):
    """Draw the channel of a click by its rate in `END`."""
    if tables.amplitudes.size == 1:
        return 0
    seen, axes = moments(work.cells, tables, END, levels), work.other
    total = click_rate(tables, seen, axes)[0]
    x, y, n = seen[0]
    z = n - 0.5 * tables.n_atoms
    mean = complex(
        axes[0] * x + axes[1] * y + axes[2] * z, -(axes[3] * x + axes[4] * y + axes[5] * z)
    )
    light = (total - tables.background) / tables.rate if tables.rate > 0.0 else 0.0
    target = rng.random() * total
    reached = 0.0
    drawn = -1
    for channel in range(tables.amplitudes.size):
        amplitude, oscillator = tables.amplitudes[channel], tables.oscillators[channel]
        rate = amplitude**2 * light + square(oscillator)
        rate += 2.0 * amplitude * (oscillator.conjugate() * mean).real
        if rate > 0.0:  # rounding must not end on a channel that cannot click
            drawn = channel
        reached += rate
        if target < reached:
            break
    return drawn


@kernel
def jump(work, tables, channel, levels):
    """Write what a click makes of `END`, in the frame there, normalised to `STATE`.

    The frame goes to the axes.
    """
    cells = work.cells
    copy_axes(work.other, work.axes)
    c_m, c_z, c_p = jump_parts(work.axes)
    amplitude, half = tables.amplitudes[channel], 0.5 * tables.n_atoms
    at, below, above = np.uint64(END), np.uint64(END - 1), np.uint64(END + 1)
    to, row = np.uint64(STATE), IMAGINARY
    for n in range(np.uint64(levels)):
        here, lower, upper = at + n, below + n, above + n
        z, p = amplitude * (cells[LEVEL + n] - half), amplitude * cells[LOWERING + n]
        m = amplitude * cells[RAISING + n]
        cells[to + n] = (
            z * (c_z.real * cells[here] - c_z.imag * cells[here + row])
            + p * (c_p.real * cells[lower] - c_p.imag * cells[lower + row])
            + m * (c_m.real * cells[upper] - c_m.imag * cells[upper + row])
        )
        cells[to + row + n] = (
            z * (c_z.real * cells[here + row] + c_z.imag * cells[here])
            + p * (c_p.real * cells[lower + row] + c_p.imag * cells[lower])
            + m * (c_m.real * cells[upper + row] + c_m.imag * cells[upper])
        )
    re, im = tables.oscillators[channel].real, tables.oscillators[channel].imag
    if re != 0.0 or im != 0.0:
        for n in range(np.uint64(levels)):
            here = at + n
            cells[to + n] += re * cells[here] - im * cells[here + row]
            cells[to + row + n] += re * cells[here + row] + im * cells[here]
    total = norm(cells, STATE, levels)
    copy(cells, STATE, STATE, 1.0 / math.sqrt(total), levels)


@kernel
def accept(work, levels):
    """Make `END` the state from which the next step begins."""
    copy(work.cells, END, STATE, 1.0, levels)
    copy_axes(work.other, work.axes)


def make_rotate(x, y):
    """Return the kernel that multiplies the state at x by a generator of rotations, to y."""
    x_below, x_above, state = map(np.uint64, (x - 1, x + 1, STATE))
    y, row = np.uint64(y), IMAGINARY

    @kernel(reassociate=True)
    def rotate(cells, kappa, levels):
        """Write (kappa J_+ - kappa* J_-) x to y, add it to `STATE`, and return its squared norm."""
        a, b = kappa.real, kappa.imag
        total = 0.0
        for n in range(np.uint64(levels)):
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


@kernel
def follow(work, tables, levels, tolerance):
    """Turn the frame if the mean spin is off its pole; return the `moments` of the state."""
    cells, axes = work.cells, work.axes
    seen = moments(cells, tables, STATE, levels)
    x, y, n_mean = seen[0]
    off = x * x + y * y
    if off <= OFF_POLE * tables.n_atoms:
        return seen
    off = math.sqrt(off)
    angle = math.atan2(off, 0.5 * tables.n_atoms - n_mean)
    angle = min(angle, LONGEST_TURN / math.sqrt(tables.n_atoms))  # levels must hold the state
    # exp(kappa J_+ - kappa* J_-), kappa = -angle/2 <J_->/abs(<J_->), turns by `angle` about (y, -x)
    kappa = complex(-0.5 * angle * x / off, 0.5 * angle * y / off)
    copy(cells, STATE, TERM, 1.0, levels)
    least = tolerance * tolerance
    for k in range(1, TERMS, 2):
        if rotate(cells, kappa / k, levels) < least:
            break
        if rotate_back(cells, kappa / (k + 1), levels) < least:
            break
    total = norm(cells, STATE, levels)
    copy(cells, STATE, STATE, 1.0 / math.sqrt(total), levels)
    cos, sin = math.cos(angle), math.sin(angle)
    about_x, about_y = -2.0 * kappa.imag / angle, -2.0 * kappa.real / angle
    for first in (0, 3):
        wx, wy, wz = axes[first], axes[first + 1], axes[first + 2]
        along = (about_x * wx + about_y * wy) * (1.0 - cos)
        axes[first] = cos * wx + sin * about_y * wz + along * about_x
        axes[first + 1] = cos * wy - sin * about_x * wz + along * about_y
        axes[first + 2] = cos * wz + sin * (about_x * wy - about_y * wx)
    orthonormalise(axes)
    return moments(cells, tables, STATE, levels)


@kernel
def orthonormalise(axes):
    """Take rounding off u and v."""
    length = math.sqrt(axes[0] ** 2 + axes[1] ** 2 + axes[2] ** 2)
    for i in range(3):
        axes[i] /= length
    along = axes[0] * axes[3] + axes[1] * axes[4] + axes[2] * axes[5]
    for i in range(3):
        axes[3 + i] -= along * axes[i]
    length = math.sqrt(axes[3] ** 2 + axes[4] ** 2 + axes[5] ** 2)
    for i in range(3):
        axes[3 + i] /= length


@kernel
def top_weight(cells, levels, n):
    """Return the weight of the highest n of the levels in `STATE`."""
    weight = 0.0
    for at in range(STATE + levels - n, STATE + levels):
        weight += cells[at] ** 2 + cells[at + ROW] ** 2
    return weight


@kernel
def fit_levels(cells, levels, most, negligible):
    """Return how many levels the state needs, and the weight that they cannot hold.

    New ones are zeros, and so is what is left of old ones.
    """
    if levels < most:
        weight = top_weight(cells, levels, 2)
        if weight > negligible:
            more = min(levels + MORE, most)
            clear(cells, levels, more + PAD)
            return more, weight
    if levels >= FEWEST + MORE:
        weight = top_weight(cells, levels, MORE + 2)
        if weight < EMPTY * negligible:
            clear(cells, levels - MORE, levels)
            return levels - MORE, weight
    return levels, 0.0


@kernel
def clear(cells, begin, end):
    """Write zeros to all rows of states, from level `begin` to before `end`."""
    for row in range(STATE, CELLS, ROW):
        for n in range(begin, end):
            cells[row + n] = 0.0


@kernel
def set_state(work, start, which, levels):
    """Begin with pure state `which` of the start."""
    cells = work.cells
    for row in range(STATE, CELLS, ROW):
        cells[row - PAD : row + levels + PAD] = 0.0
    for n in range(start.amplitudes.shape[1]):
        cells[STATE + n] = start.amplitudes[which, n].real
        cells[STATE + ROW + n] = start.amplitudes[which, n].imag
    work.axes[:] = start.axes[which]


@kernel
def write_sample(work, tables, levels, counts, out, i, j):
    """Write what `END` holds, in the frame of `work.other`, and the clicks so far."""
    axes = work.other
    seen = moments(work.cells, tables, END, levels)
    s = covariances(tables, seen)
    x, y, n = seen[0]
    z = n - 0.5 * tables.n_atoms
    ux, uy, uz, vx, vy, vz = axes[0], axes[1], axes[2], axes[3], axes[4], axes[5]
    dx, dy, dz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
    jx, jy = ux * x + uy * y + uz * z, vx * x + vy * y + vz * z
    jz = dx * x + dy * y + dz * z
    variance = max(quadratic(s, dx, dy, dz, dx, dy, dz), 0.0)
    out.samples[i, out.jz, j] = jz
    out.samples[i, out.jz_square, j] = variance + jz * jz
    out.samples[i, out.jz_variance, j] = variance
    out.samples[i, out.jx, j] = jx
    out.samples[i, out.jy, j] = jy
    for channel in range(counts.size):
        out.samples[i, out.counts + channel, j] = counts[channel]
    if out.products.shape[1] > 0:
        out.products[i, 0, j] = quadratic(s, dx, dy, dz, ux, uy, uz) + jz * jx
        out.products[i, 1, j] = quadratic(s, dx, dy, dz, vx, vy, vz) + jz * jy
        out.products[i, 2, j] = quadratic(s, ux, uy, uz, ux, uy, uz) + jx * jx
        out.products[i, 3, j] = quadratic(s, ux, uy, uz, vx, vy, vz) + jx * jy


@kernel
def write_ket(work, levels, out, i, j):
    """Write `END`, and its frame, as number j of the kets of trajectory i."""
    for n in range(levels):
        out.kets[i, j, n] = complex(work.cells[END + n], work.cells[END + ROW + n])
    out.axes[i, j] = work.other


@kernel
def next_click(work, tables, task, levels, seen, action, left):
    """Take a step, to the next click if it comes by then; the state there is in `END`.

    Parameters
    ----------
    seen : tuple
        The `moments` of the state.
    action : float
        -ln of the squared norm until the click.
    left : float
        The time until the end.

    Returns
    -------
    h, clicked, action
        How far it went, whether a click ends it, and the action left if not.
    """
    longest = min(task.longest, left)
    at_start = click_rate(tables, seen, work.axes)
    h = min(wait(at_start, action, longest), longest)
    low, high = 0.0, math.inf  # the click is between
    for _ in range(ROUNDS):
        missing = action - step(work, tables, levels, h, task.tolerance)
        rates = later(at_start, h)
        if abs(missing) > MISSED:
            rates = click_rate(tables, moments(work.cells, tables, END, levels), work.other)
        for _ in range(ROUNDS):
            if missing > 0.0:
                if h == longest:
                    return h, False, missing
                low = h
            else:
                high = h
            new = h + wait(rates, missing, longest)
            if abs(missing) <= task.missed:
                return min(max(new, low), high, longest), True, 0.0
            if new <= low or new >= high:
                new = 0.5 * (low + high) if high < math.inf else longest
            new = min(new, longest)
            more = new - h
            if abs(missing) > MISSED or abs(more) > 0.1 * longest:
                break
            # What is missing is so little that it can be crept along.
            missing -= creep(work, tables, levels, h, more, task.tolerance)
            h = new
            rates = later(rates, more)
        h = new
    return h, True, 0.0


@kernel
def run(rng, start, tables, task, progress, work, records, out):
    """Run n trajectories up to the last of the times, one after the other, and observe them.

    Returns False when the click buffers are full: then enlarge them, keep their contents, and call
    again with everything else unchanged.

    Parameters
    ----------
    rng : Generator
    start : Start, *in*
    tables : Tables, *in*
    task : Task, *in*
    progress : Progress, *in, out*
        `Progress.fresh(nc)` to begin with. In the end `worst` bounds what the levels could not
        hold.
    work : Workspace, *in, out*
    records : *out, or in for a replay* (origin, hidden, offsets, time, channel)
        Of n trajectories, see `trajbatt.trajectories.records.Records`; hidden levels are left
        alone.
    out : Out, *out*
    """
    origin, _, click_offsets, click_time, click_channel = records
    times, replay, negligible = task.times, task.replay, task.negligible
    t_end, first_ket = times[-1], times.size - out.kets.shape[1]
    most = tables.most
    i, n, j = progress.trajectory[0], progress.clicks[0], progress.next_time[0]
    levels, begun = progress.levels[0], progress.begun[0]
    t, action, counts = progress.time[0], progress.action[0], progress.counts
    dropped, worst = progress.dropped[0], progress.worst[0]
    full = False
    while i < origin.size:
        if not begun:
            if not replay:
                origin[i] = i
                if not start.assigned:
                    origin[i] = np.searchsorted(start.weights, rng.random(), side="right")
                click_offsets[i] = n
                action = rng.standard_exponential()
            levels = min(most, max(FEWEST, start.amplitudes.shape[1]))
            set_state(work, start, origin[i], levels)
            begun, t, j, dropped = True, 0.0, 0, 0.0
            counts[:] = 0.0
        while True:
            if not replay and n == click_time.size:
                full = True
                break
            seen = follow(work, tables, levels, task.tolerance)
            if replay:
                until = t_end
                if n < click_offsets[i + 1]:
                    until = min(until, click_time[n])
                h = min(task.longest, until - t)
                clicked = h == until - t and n < click_offsets[i + 1] and click_time[n] <= t_end
                step(work, tables, levels, h, task.tolerance)
                reached = until if h == until - t else t + h
            else:
                h, clicked, left = next_click(work, tables, task, levels, seen, action, t_end - t)
                reached = t_end if h == t_end - t else t + h
                action = left
            at_end = not clicked and reached >= t_end
            observes = j < times.size and (times[j] < reached or at_end)
            if observes:
                copy(work.cells, END, KEPT, 1.0, levels)
            while j < times.size and (times[j] < reached or at_end):
                step(work, tables, levels, times[j] - t, task.tolerance)
                write_sample(work, tables, levels, counts, out, i, j)
                if j >= first_ket:
                    write_ket(work, levels, out, i, j - first_ket)
                j += 1
            if at_end:
                break
            if observes:
                copy(work.cells, KEPT, END, 1.0, levels)
            turn(work.axes, tables.frequency * h, tables, work.other)
            if clicked:
                if not replay:
                    click_time[n] = reached
                    click_channel[n] = draw_channel(rng, work, tables, levels)
                    action = rng.standard_exponential()
                channel = int(click_channel[n])
                jump(work, tables, channel, levels)
                counts[channel] += 1.0
                n += 1
            else:
                accept(work, levels)
            levels, weight = fit_levels(work.cells, levels, most, negligible)
            dropped += weight
            t = reached
        if full:
            break
        worst = max(worst, dropped)
        i += 1
        begun = False
        if not replay:
            click_offsets[i] = n
    progress.trajectory[0], progress.clicks[0], progress.next_time[0] = i, n, j
    progress.levels[0], progress.begun[0] = levels, begun
    progress.time[0], progress.action[0] = t, action
    progress.dropped[0], progress.worst[0] = dropped, worst
    return not full
