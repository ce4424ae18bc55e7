r"""Trajectories of the driven Eq. (5), each in a frame of its own, in which a few levels hold it.

The frame is that of `trajbatt.numerics.frame`: u, v and d = u x v are the images of the bare axes,
so J_- is c J with c = u - i v, and the state is near the lowest level n = 0. The Hamiltonian turns
the frame, about the axis nu = -sin(theta) u + cos(theta) d, and is gone, see
`trajbatt.kernels.frame_turns`: without a click

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
from trajbatt.kernels.frame_rows import (
    BLOCK,
    CELLS,
    END,
    KEPT,
    PAD,
    ROW,
    STATE,
    borrowing,
    clear,
    copy,
    exponential,
    fresh_cells,
    moments,
    normalise,
    rotate_state,
    top_weight,
    write_bands,
    write_jump,
)
from trajbatt.kernels.frame_turns import drive_at, turned

FEWEST = 2  # blocks of levels
EMPTY = 1e-3  # of what is negligible: blocks of less weight than this are taken off
NODE = math.sqrt(3.0) / 6.0  # the nodes of a step are at 1/2 -+ this
OFF_POLE = 0.1  # abs(<J_->)^2/N beyond which the frame follows
LONGEST_TURN = 1.0  # over sqrt(N): of the frame, after a click
MISSED = 0.02  # -ln of the squared norm beyond which a step is taken again with another length
PATIENCE, ROUNDS = 50, 100  # of approaching a click: before bisection, and at most


class Tables(NamedTuple):
    """What the kernels know of a model, but for the tables of its levels: numbers only.

    Attributes
    ----------
    most : int
        Blocks of levels that there is room for.
    n_atoms : int
    rate : float
    fastest : float
        Omega; on a ramp at least this, and as fast as theta changes.
    drive : tuple
        See `trajbatt.kernels.frame_turns`.
    background : float
        The rate of clicks by local oscillators alone.
    """

    most: int
    n_atoms: int
    rate: float
    fastest: float
    drive: tuple
    background: float


class Channels(NamedTuple):
    """What clicks.

    Attributes
    ----------
    amplitudes : ndarray (nc,), float64
        Jump operator c is amplitudes_c c J + oscillators_c, up to a common factor.
    oscillators : ndarray (nc,), complex128
        Their squares sum to `Tables.background`, their products with the amplitudes to zero.
    """

    amplitudes: np.ndarray
    oscillators: np.ndarray


class Start(NamedTuple):
    """The pure states in which trajectories begin.

    Attributes
    ----------
    weights : ndarray (P,), float64
        Cumulative probabilities of the pure states; the last is 1.
    axes : ndarray (P, 6), float64
        u and v of the frame of each.
    amplitudes : ndarray (P, levels), complex128
        In the frame, on whole blocks of levels.
    assigned : bool
        Trajectory i begins in pure state i; else each draws its own.
    """

    weights: np.ndarray
    axes: np.ndarray
    amplitudes: np.ndarray
    assigned: bool


class Task(NamedTuple):
    """What is asked of a run: numbers only.

    Attributes
    ----------
    longest : float
        The longest step.
    tolerance : float
        Norm of the last term of a series.
    missed : float
        Of -ln of the squared norm until a click: so little does not change the state.
    negligible : float
        Weight of the highest two levels at which there must be more.
    replay : bool
        The records are given: follow them, draw nothing.
    """

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
    cells : ndarray
        See `trajbatt.kernels.frame_rows`.
    axes : ndarray (6,), float64
        The frame where the step begins.
    other : ndarray (9,), float64
        A frame within or at the end of it, and scratch.
    """

    cells: np.ndarray
    axes: np.ndarray
    other: np.ndarray

    @classmethod
    def fresh(cls, n_atoms, raising):
        """Return zeros, and the tables of the levels; see `fresh_cells`."""
        return cls(fresh_cells(n_atoms, raising), np.zeros(6), np.zeros(9))


class Progress(NamedTuple):
    """How far `run` is: arrays of one element, which it changes.

    Attributes
    ----------
    trajectory, clicks, next_time, blocks, left : ndarray (1,), int64
        The trajectory in progress, the clicks so far, the next time of observation, its blocks of
        levels, and how many more of the clicks that are counted end it.
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
    blocks: np.ndarray
    left: np.ndarray
    begun: np.ndarray
    time: np.ndarray
    action: np.ndarray
    counts: np.ndarray
    dropped: np.ndarray
    worst: np.ndarray

    @classmethod
    def fresh(cls, n_channels):
        """Return the progress before the first trajectory begins."""
        whole, begun, counts = np.zeros((5, 1), dtype=np.int64), np.zeros(1, bool), n_channels
        time, action, dropped, worst = np.zeros((4, 1))
        return cls(*whole, begun, time, action, np.zeros(counts), dropped, worst)


@borrowing
def copy_axes(axes, out):
    """Write the axes to `out`."""
    for i in range(6):  # an assignment of slices takes as long as all else of a jump
        out[i] = axes[i]


@borrowing
def jump_parts(axes):
    """Return c_m, c_z and c_p of c J = c_m J_- + c_z J_z + c_p J_+."""
    c_z = complex(axes[2], -axes[5])
    c_m = 0.5 * complex(axes[0] + axes[4], axes[1] - axes[3])
    c_p = 0.5 * complex(axes[0] - axes[4], -axes[1] - axes[3])
    return c_m, c_z, c_p


@borrowing
def square(z):
    """Return abs(z)^2."""
    return z.real * z.real + z.imag * z.imag


@borrowing
def products_of(axes, n):
    """Return what M of n atoms is made of: abs(c_z)^2, ..., the three products and C."""
    c_m, c_z, c_p = jump_parts(axes)
    zz, pp, mm = square(c_z), square(c_p), square(c_m)
    constant = 0.25 * zz * n * n + pp * n
    return zz, pp, mm, c_z.conjugate() * c_p, c_m.conjugate() * c_z, c_m.conjugate() * c_p, constant


@borrowing
def combined(a, first, b, second):
    """Return what a M_1 + b M_2 is made of, see `products_of`."""
    return (
        a * first[0] + b * second[0],
        a * first[1] + b * second[1],
        a * first[2] + b * second[2],
        a * first[3] + b * second[3],
        a * first[4] + b * second[4],
        a * first[5] + b * second[5],
        a * first[6] + b * second[6],
    )


@borrowing
def step(cells, axes, other, tables, blocks, t, h, tolerance):
    """Write the state after a step of length h from `STATE` at `t`, normalised, to `END`.

    Returns -ln of the squared norm. `other` (9,) is scratch.
    """
    angle, scale = tables.fastest * h, -0.5 * tables.rate * h
    copy(cells, STATE, END, 1.0, blocks)
    # Is the step so short that the one of second order will do?
    across = abs(scale) * tables.n_atoms * math.sqrt(tables.n_atoms)
    if abs(angle) * across * (abs(angle) + 2.0 * across) < 24.0 * tolerance:
        turned(tables.drive, axes, t, 0.5, h, other)
        first = products_of(other, tables.n_atoms)
        constant = first[6]
        write_bands(cells, blocks, first)
    else:
        turned(tables.drive, axes, t, 0.5 - NODE, h, other)
        first = products_of(other, tables.n_atoms)
        turned(tables.drive, axes, t, 0.5 + NODE, h, other)
        second = products_of(other, tables.n_atoms)
        constant = 0.5 * (first[6] + second[6])
        a, b = 0.25 + NODE, 0.25 - NODE  # the later node counts less first
        write_bands(cells, blocks, combined(a, first, b, second))
        exponential(cells, scale, blocks, tolerance)
        write_bands(cells, blocks, combined(b, first, a, second))
    exponential(cells, scale, blocks, tolerance)
    left = normalise(cells, END, blocks)
    return h * (tables.rate * constant + tables.background) - math.log(left)


@borrowing
def creep(cells, axes, other, tables, blocks, t, after, h, tolerance):
    """Take `END`, which is `after` the state at `t`, on by a short time h of any sign, normalised.

    Returns -ln of the squared norm. `other` (9,) is scratch.
    """
    turned(tables.drive, axes, t, 1.0, after + 0.5 * h, other)
    middle = products_of(other, tables.n_atoms)
    write_bands(cells, blocks, middle)
    exponential(cells, -0.5 * tables.rate * h, blocks, tolerance)
    left = normalise(cells, END, blocks)
    return h * (tables.rate * middle[6] + tables.background) - math.log(left)


@borrowing
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


@borrowing
def quadratic(s, a0, a1, a2, b0, b1, b2):
    """Return a S b for the symmetric S of `covariances`."""
    xx, yy, zz, xy, zx, zy = s
    return (
        a0 * (xx * b0 + xy * b1 + zx * b2)
        + a1 * (xy * b0 + yy * b1 + zy * b2)
        + a2 * (zx * b0 + zy * b1 + zz * b2)
    )


@borrowing
def click_rate(tables, seen, axes, t):
    """Return the rate of clicks at the time `t`, and its first two derivatives by the time.

    That is gamma <J_+ J_-> and what the oscillators give; derivatives as if the drive did not move.

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
    frequency, cos, sin = drive_at(tables.drive, t)
    first = frequency * sin * (2.0 * dv - v)
    second = frequency**2 * sin * (2.0 * (sin * (dd - vv) + cos * du) - sin * d - cos * u)
    c_m, c_z, c_p = jump_parts(axes)
    half = 0.5 * tables.n_atoms
    once = c_z.conjugate() * c_p * (1.0 - half) - c_m.conjugate() * c_z * half
    first -= tables.rate * tables.n_atoms * square(once)
    rate = tables.rate * max(uu + vv + d, 0.0) + tables.background
    return rate, tables.rate * first, tables.rate * second


@borrowing
def later(rates, h):
    """Return what `click_rate` gives a time h later, about."""
    rate, first, second = rates
    return rate + h * (first + 0.5 * h * second), first + h * second, second


@borrowing
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


@borrowing
def draw_channel(uniform, cells, axes, tables, amplitudes, oscillators, blocks, t):
    """Return the channel of a click by its rate in `END`, for a uniform number in [0, 1)."""
    seen = moments(cells, tables.n_atoms, END, blocks)
    total = click_rate(tables, seen, axes, t)[0]
    x, y, n = seen[0]
    z = n - 0.5 * tables.n_atoms
    mean = complex(
        axes[0] * x + axes[1] * y + axes[2] * z, -(axes[3] * x + axes[4] * y + axes[5] * z)
    )
    light = (total - tables.background) / tables.rate if tables.rate > 0.0 else 0.0
    target = uniform * total
    reached = 0.0
    drawn = -1
    for channel in range(amplitudes.size):
        amplitude, oscillator = amplitudes[channel], oscillators[channel]
        rate = amplitude**2 * light + square(oscillator)
        rate += 2.0 * amplitude * (oscillator.conjugate() * mean).real
        # Rounding must not end on a channel that cannot click.
        if rate > 0.0 and target >= reached:
            drawn = channel
        reached += rate
    return drawn


@borrowing
def jump(cells, axes, tables, amplitude, oscillator, blocks):
    """Write what a click makes of `END`, in the frame `axes`, normalised to `STATE`."""
    c_m, c_z, c_p = jump_parts(axes)
    parts = amplitude * c_m, amplitude * c_z, amplitude * c_p
    write_jump(cells, parts, oscillator, 0.5 * tables.n_atoms, blocks)


@borrowing
def is_off_pole(seen, n_atoms):
    """Tell from the `moments` whether the frame must follow the mean spin."""
    x, y, _ = seen[0]
    return x * x + y * y > OFF_POLE * n_atoms


@borrowing
def follow(cells, axes, n_atoms, seen, blocks, tolerance):
    """Turn the frame after the mean spin, which is in `seen`, the `moments` of the state."""
    x, y, n_mean = seen[0]
    off = math.sqrt(x * x + y * y)
    angle = math.atan2(off, 0.5 * n_atoms - n_mean)
    angle = min(angle, LONGEST_TURN / math.sqrt(n_atoms))  # levels must hold the state
    # exp(kappa J_+ - kappa* J_-), kappa = -angle/2 <J_->/abs(<J_->), turns by `angle` about (y, -x)
    kappa = complex(-0.5 * angle * x / off, 0.5 * angle * y / off)
    rotate_state(cells, kappa, blocks, tolerance)
    cos, sin = math.cos(angle), math.sin(angle)
    about_x, about_y = -2.0 * kappa.imag / angle, -2.0 * kappa.real / angle
    for first in range(0, 6, 3):
        wx, wy, wz = axes[first], axes[first + 1], axes[first + 2]
        along = (about_x * wx + about_y * wy) * (1.0 - cos)
        axes[first] = cos * wx + sin * about_y * wz + along * about_x
        axes[first + 1] = cos * wy - sin * about_x * wz + along * about_y
        axes[first + 2] = cos * wz + sin * (about_x * wy - about_y * wx)
    orthonormalise(axes)


@borrowing
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


@borrowing
def fit_blocks(cells, blocks, most, negligible):
    """Return how many blocks the state needs, and the weight that they cannot hold.

    The levels of new ones are zeros, and so is what is left of old ones.
    """
    fitting = blocks
    held_back = 0.0
    above = top_weight(cells, blocks, PAD)
    if blocks < most and above > negligible:
        fitting = blocks + 1
        held_back = above
    elif blocks > FEWEST:
        above = top_weight(cells, blocks, BLOCK + PAD)
        if above < EMPTY * negligible:
            fitting = blocks - 1
            held_back = above
    if fitting != blocks:
        clear(cells, min(blocks, fitting), max(blocks, fitting))
    return fitting, held_back


@kernel
def set_state(cells, axes, start, which, blocks):
    """Begin with pure state `which` of the start."""
    for row in range(STATE, CELLS, ROW):
        cells[row - PAD : row + BLOCK * blocks + PAD] = 0.0
    for n in range(start.amplitudes.shape[1]):
        cells[STATE + n] = start.amplitudes[which, n].real
        cells[STATE + ROW + n] = start.amplitudes[which, n].imag
    axes[:] = start.axes[which]


@borrowing
def read_off(tables, seen, axes):
    """Return the mean spin, and the symmetrised products, from `moments` in the frame `axes`.

    These are <J_x>, <J_y>, <J_z> and Var(J_z); and the means of `Out.products`.
    """
    s = covariances(tables, seen)
    x, y, n = seen[0]
    z = n - 0.5 * tables.n_atoms
    ux, uy, uz, vx, vy, vz = axes[0], axes[1], axes[2], axes[3], axes[4], axes[5]
    dx, dy, dz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
    jx, jy = ux * x + uy * y + uz * z, vx * x + vy * y + vz * z
    jz = dx * x + dy * y + dz * z
    variance = max(quadratic(s, dx, dy, dz, dx, dy, dz), 0.0)
    products = (
        quadratic(s, dx, dy, dz, ux, uy, uz) + jz * jx,
        quadratic(s, dx, dy, dz, vx, vy, vz) + jz * jy,
        quadratic(s, ux, uy, uz, ux, uy, uz) + jx * jx,
        quadratic(s, ux, uy, uz, vx, vy, vz) + jx * jy,
    )
    return (jx, jy, jz, variance), products


@borrowing
def write_ket(cells, other, levels, kets, axes, i, j):
    """Write `END`, and its frame `other`, as number j of the kets of trajectory i."""
    for n in range(levels):
        kets[i, j, n] = complex(cells[END + n], cells[END + ROW + n])
    for n in range(6):
        axes[i, j, n] = other[n]


@borrowing
def next_click(cells, axes, other, tables, task, blocks, seen, action, t, left):
    """Take a step, to the next click if it comes by then; the state there is in `END`.

    Parameters
    ----------
    cells : *in, out* ndarray
    axes : *in* ndarray (6,)
    other : *scratch* ndarray (9,)
        All of the `Workspace`.
    tables : Tables
    task : Task
    blocks : int
        Of levels.
    seen : tuple
        The `moments` of the state.
    action : float
        -ln of the squared norm until the click.
    t : float
        The time.
    left : float
        That until the end.

    Returns
    -------
    h, clicked, action
        How far it went, whether a click ends it, and the action left if not.
    """
    longest = min(task.longest, left)
    at_start = rates = click_rate(tables, seen, axes, t)
    h = min(wait(at_start, action, longest), longest)
    low, high = 0.0, math.inf  # the click is between
    missing = action
    before = more = 0.0
    creeps = arrived = False
    clicked = True
    rounds = 0
    while not arrived and rounds < ROUNDS:
        if creeps:  # what is missing is so little
            missing -= creep(cells, axes, other, tables, blocks, t, before, more, task.tolerance)
            rates = later(rates, more)
        else:
            missing = action - step(cells, axes, other, tables, blocks, t, h, task.tolerance)
            rates = later(at_start, h)
            if abs(missing) > MISSED:
                turned(tables.drive, axes, t, 1.0, h, other)
                seen = moments(cells, tables.n_atoms, END, blocks)
                rates = click_rate(tables, seen, other, t + h)
        if missing > 0.0:
            low = h
        else:
            high = h
        clicked = missing <= 0.0 or h != longest
        new = h + wait(rates, missing, longest)
        arrived = not clicked or abs(missing) <= task.missed
        if arrived and clicked:
            h = min(max(new, low), high, longest)
        elif clicked:
            if new <= low or new >= high or rounds >= PATIENCE:
                new = 0.5 * (low + high) if high < math.inf else longest
            new = min(new, longest)
            before, more = h, new - h
            creeps = abs(missing) <= MISSED and abs(more) <= 0.1 * longest
            h = new
        rounds += 1
    return h, clicked, missing


@kernel
def go_on(rng, i, times, clock, tables, channels, task, progress, work, records, out):
    """Take trajectory i to its end, or until the click buffers are full.

    Parameters as of `run`. Returns whether the buffers are full.
    """
    # Taken out of their tuples once: in the loop that would count references each time.
    cells, axes, other = work.cells, work.axes, work.other
    amplitudes, oscillators, counts = channels.amplitudes, channels.oscillators, progress.counts
    samples, kets, products, ket_axes = out.samples, out.kets, out.products, out.axes
    _, _, click_offsets, click_time, click_channel = records
    _, ends, counted, _ = clock
    since, t_end, first_ket = clock[0][i], ends[i], times.size - kets.shape[1]
    left = progress.left[0]
    n, j, blocks = progress.clicks[0], progress.next_time[0], progress.blocks[0]
    t, action, dropped = progress.time[0], progress.action[0], progress.dropped[0]
    stop = click_offsets[i + 1] if task.replay else click_time.size
    at_end = False
    while not at_end and (task.replay or n < stop):
        seen = moments(cells, tables.n_atoms, STATE, blocks)
        if is_off_pole(seen, tables.n_atoms):
            follow(cells, axes, tables.n_atoms, seen, blocks, task.tolerance)
            seen = moments(cells, tables.n_atoms, STATE, blocks)
        until = t_end
        if task.replay:
            if n < stop:
                until = min(until, click_time[n])
            h = min(task.longest, until - t)
            clicked = h == until - t and n < stop and click_time[n] <= t_end
            step(cells, axes, other, tables, blocks, t, h, task.tolerance)
        else:
            h, clicked, action = next_click(
                cells, axes, other, tables, task, blocks, seen, action, t, t_end - t
            )
        reached = until if h == until - t else t + h
        at_end = not clicked and reached >= t_end
        observes = j < times.size and (times[j] < since + reached or at_end)
        if observes:
            copy(cells, END, KEPT, 1.0, blocks)
        while j < times.size and (times[j] < since + reached or at_end):
            if j < times.size - 1 and (times[j] < since or times[j] > since + t_end):
                j += 1
                continue
            now = min(max(times[j] - since, t), t_end)
            step(cells, axes, other, tables, blocks, t, now - t, task.tolerance)
            turned(tables.drive, axes, t, 1.0, now - t, other)
            seen = moments(cells, tables.n_atoms, END, blocks)
            (jx, jy, jz, variance), means = read_off(tables, seen, other)
            samples[i, out.jz, j] = jz
            samples[i, out.jz_square, j] = variance + jz * jz
            samples[i, out.jz_variance, j] = variance
            samples[i, out.jx, j] = jx
            samples[i, out.jy, j] = jy
            for channel in range(counts.size):
                samples[i, out.counts + channel, j] = counts[channel]
            if products.shape[1] > 0:
                for row in range(4):
                    products[i, row, j] = means[row]
            if j >= first_ket:
                write_ket(cells, other, BLOCK * blocks, kets, ket_axes, i, j - first_ket)
            j += 1
        if not at_end:
            if observes:
                copy(cells, KEPT, END, 1.0, blocks)
            turned(tables.drive, axes, t, 1.0, h, other)
            copy_axes(other, axes)
            if clicked:
                if not task.replay:
                    click_time[n] = reached
                    click_channel[n] = 0
                    if amplitudes.size > 1:
                        click_channel[n] = draw_channel(
                            rng.random(),
                            cells,
                            axes,
                            tables,
                            amplitudes,
                            oscillators,
                            blocks,
                            reached,
                        )
                    action = rng.standard_exponential()
                channel = int(click_channel[n])
                jump(cells, axes, tables, amplitudes[channel], oscillators[channel], blocks)
                counts[channel] += 1.0
                n += 1
                if not task.replay:
                    left -= counted[channel]
                    if left == 0:
                        ends[i] = t_end = reached
            else:
                copy(cells, END, STATE, 1.0, blocks)
            blocks, weight = fit_blocks(cells, blocks, tables.most, task.negligible)
            dropped += weight
            t = reached
    progress.clicks[0], progress.next_time[0], progress.blocks[0] = n, j, blocks
    progress.time[0], progress.action[0], progress.dropped[0] = t, action, dropped
    progress.left[0] = left
    return not at_end


@kernel
def run(rng, start, times, clock, tables, channels, task, progress, work, records, out):
    """Run n trajectories up to the end of each, one after the other, and observe them.

    They are observed at the times between their begin and their end; and at the last of the times,
    or at their end if that is earlier.

    Returns False when the click buffers are full: then enlarge them, keep their contents, and call
    again with everything else unchanged.

    Parameters
    ----------
    rng : Generator
    start : Start, *in*
    times : *in* ndarray (nt,), float64
        When the states are observed.
    clock : *in, out* (begins, ends, counted, quota)
        See `trajbatt.trajectories.clock.Clock`; the ends of those that clicks end are written.
    tables : Tables, *in*
    channels : Channels, *in*
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
    origin, click_offsets = records[0], records[2]
    i = progress.trajectory[0]
    full = False
    while i < origin.size and not full:
        if not progress.begun[0]:
            if not task.replay:
                origin[i] = i
                if not start.assigned:
                    origin[i] = np.searchsorted(start.weights, rng.random(), side="right")
                click_offsets[i] = progress.clicks[0]
                progress.action[0] = rng.standard_exponential()
            blocks = max(FEWEST, start.amplitudes.shape[1] // BLOCK)
            set_state(work.cells, work.axes, start, origin[i], blocks)
            progress.begun[0], progress.blocks[0], progress.next_time[0] = True, blocks, 0
            progress.time[0] = progress.dropped[0] = 0.0
            progress.left[0] = clock[3]
            progress.counts[:] = 0.0
        full = go_on(rng, i, times, clock, tables, channels, task, progress, work, records, out)
        if not full:
            progress.worst[0] = max(progress.worst[0], progress.dropped[0])
            progress.begun[0] = False
            i += 1
            if not task.replay:
                click_offsets[i] = progress.clicks[0]
    progress.trajectory[0] = i
    return not full
