r"""Exact trajectories with noise of single atoms: a ladder with two indices.

A jump takes |J, M> to one |J', M + s>, in all branches alike, so after any record the conditional
state has one J and is pure in M (times 1 on the ways in which the spins add up to J). With
u = J + M and v = J - M of the hidden branch, the branch at the distance d stands at (u + d, v - d),
and a jump multiplies it by T(u + d, v - d) of `trajbatt.numerics.spin_blocks`: a product of two
square roots, one of a stretch of a table that rises with d and one of a stretch that falls.

The total rate has the curvature and the slope in m of the ladder, whatever J, so the windows of
`trajbatt.kernels.branch_window` serve here as well. Its constant hangs on J, but is common to all.

A record is drawn as on the ladder: first the hidden branch, then a jump process on (u, v).
"""

import math
from typing import NamedTuple

import numpy as np

from trajbatt.kernels.branch_window import (
    BLOCK,
    EARLIER,
    END,
    GROUP,
    WHOLE,
    apply_group,
    apply_group_and_decay,
    draw_start,
    is_steep,
    moments,
    own_times,
    read_off,
    time_since,
    trim,
    write_decay,
    write_ket,
    write_products,
    write_start,
    write_steep_decay,
)
from trajbatt.kernels.compile import kernel

FLUSH = 32  # clicks between two normalisations: N^32 must not overflow
PADDING = 80  # > 2 FLUSH + BLOCK + 2, for branches off the ladder until they are trimmed
SAME, LOWER, HIGHER = 0, 1, 2  # where J goes: to J, J - 1 or J + 1
DOWN, FLAT, UP = 0, 1, 2  # where M goes
RISING, FALLING, LINEAR, ONES = 0, 1, 2, 3  # the stretches of a table of factors


class Tables(NamedTuple):
    """What the kernels know of a model.

    Attributes
    ----------
    n_atoms : int
    steps, is_local : ndarray (nc,), int64, bool
        DOWN, FLAT or UP; whether single atoms jump.
    rates : ndarray (6,), float64
        Summed, of J'_-, J'_z, J'_+ and of s'_-, s'_z, s'_+.
    shares : ndarray (6, nc), float64
        Cumulative shares of the channels in each of these.
    factors : ndarray (4 (N+2 + 2 PADDING),), float64
        sqrt(0), sqrt(1), …; the same backwards; -N/2, -N/2 + 1, …; ones. Each padded.
    slope, curvature : float
        Of the total rate in m.
    cos_theta, sin_theta : float
    """

    n_atoms: int
    steps: np.ndarray
    is_local: np.ndarray
    rates: np.ndarray
    shares: np.ndarray
    factors: np.ndarray
    slope: float
    curvature: float
    cos_theta: float
    sin_theta: float


class Start(NamedTuple):
    """The pure states in which trajectories begin.

    Attributes
    ----------
    edges, first, offsets, amplitudes, assigned
        As in `trajbatt.kernels.ladder.Start`.
    spins : ndarray (P,), int64
        2J of each.
    """

    edges: np.ndarray
    first: np.ndarray
    offsets: np.ndarray
    amplitudes: np.ndarray
    assigned: bool
    spins: np.ndarray


class Grid(NamedTuple):
    """The times at which states are read off, as `trajbatt.kernels.ladder.Grid`."""

    times: np.ndarray
    phases: np.ndarray


class Out(NamedTuple):
    """What is read off the states, as `trajbatt.kernels.ladder.Out`, and J.

    Attributes
    ----------
    samples, jz, jz_square, jz_variance, jx, jy, counts, kets, products
        As there; kets begin with M = -J.
    spins : ndarray (n, nt), int64
        2J.
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
    spins: np.ndarray


class Progress(NamedTuple):
    """How far `sample_clicks` is: arrays of one element, which it changes.

    Attributes
    ----------
    trajectory, up, down, clicks : ndarray (1,), int64
        The trajectory in progress; its u, -1 before it begins, and v; clicks so far.
    left : ndarray (1,), int64
        How many more of the clicks that are counted end it.
    time : ndarray (1,), float64
    """

    trajectory: np.ndarray
    up: np.ndarray
    down: np.ndarray
    clicks: np.ndarray
    left: np.ndarray
    time: np.ndarray

    @classmethod
    def fresh(cls):
        """Return the progress before the first trajectory begins."""
        trajectory, *others = (np.zeros(1, dtype=np.int64) for _ in range(4))
        return cls(trajectory, np.full(1, -1, dtype=np.int64), *others, np.zeros(1))


class Workspace(NamedTuple):
    """Scratch of `observe`.

    Attributes
    ----------
    a, decay, ratio, counts
        As in `trajbatt.kernels.ladder.Workspace`.
    raising : ndarray (N+3 + BLOCK,), float64
        <M+1|J_+|M> of the branches, from two below the window on.
    place : ndarray (GROUP,), uint64
        Where in `Tables.factors` a group of stretches begins.
    """

    a: np.ndarray
    decay: np.ndarray
    ratio: np.ndarray
    raising: np.ndarray
    counts: np.ndarray
    place: np.ndarray

    @classmethod
    def fresh(cls, n_levels, n_channels, kind):
        """Return arrays for amplitudes of the type `kind`."""
        return cls(
            a=np.empty(n_levels + BLOCK, dtype=kind),
            decay=np.empty(n_levels + BLOCK),
            ratio=np.empty(n_levels + BLOCK),
            raising=np.empty(n_levels + BLOCK + 2),
            counts=np.empty(n_channels),
            place=np.empty(GROUP, dtype=np.uint64),
        )


@kernel
def squared_elements(u, v, step):
    """Return T^2 of jumps to J and to J - 1."""
    if step == DOWN:
        return u * (v + 1.0), u * (u - 1.0)
    if step == UP:
        return v * (u + 1.0), v * (v - 1.0)
    return 0.25 * (u - v) * (u - v), u * v


@kernel
def where_to(n_atoms, u, v, step, uniform):
    """Return where J goes in a jump of a single atom, by a uniform number in [0, 1)."""
    n = u + v
    if n == 0:
        return HIGHER
    half, m = 0.5 * n_atoms, 0.5 * (u - v)
    total = 0.5 * half if step == FLAT else (half - m if step == UP else half + m)
    same, lower = squared_elements(float(u), float(v), step)
    same *= (n_atoms + 2.0) / (n * (n + 2.0))
    lower *= (n_atoms + n + 2.0) / (2.0 * n * (n + 1.0))
    drawn = uniform * total - same
    if drawn < 0.0:
        return SAME
    if drawn < lower:
        return LOWER
    if n < n_atoms:
        return HIGHER
    return LOWER if lower > 0.0 else SAME  # there is no longer spin: what is left is rounding


@kernel
def moved(u, v, step, where):
    """Return u and v after a jump."""
    if where == SAME:
        return u + step - 1, v + 1 - step
    if where == LOWER:
        return u - (2 - step), v - step
    return u + step, v + (2 - step)


@kernel
def sample_clicks(rng, start, tables, clock, progress, records):
    """Draw the clicks of n trajectories up to the end of each, one after the other.

    Returns False when the click buffers are full: then enlarge them, keep their contents, and call
    again with everything else unchanged. The draws do not depend on the size of the buffers.

    Parameters
    ----------
    rng : Generator
    start : Start, *in*
    tables : Tables, *in*
    clock : *in, out* (begins, ends, counted, quota)
        See `trajbatt.trajectories.clock.Clock`; the ends of those that clicks end are written.
    progress : Progress, *in, out*
    records : *out* (origin, hidden, offsets, time, channel, spin)
        Of n trajectories, see `trajbatt.trajectories.records.Records`.
    """
    origin, hidden, click_offsets, click_time, click_channel, click_spin = records
    rates, shares, n_atoms = tables.rates, tables.shares, tables.n_atoms
    _, ends, counted, quota = clock
    n_channels = tables.steps.size
    i, u, v, n = progress.trajectory[0], progress.up[0], progress.down[0], progress.clicks[0]
    t, left = progress.time[0], progress.left[0]
    full = False
    while i < hidden.size:
        if u < 0:
            origin[i], u = draw_start(start, rng.random(), i)
            v = start.spins[origin[i]] - u
            hidden[i] = u
            click_offsets[i] = n
            t, left = 0.0, quota
        t_end = ends[i]
        while n_channels > 0:
            full = n == click_time.size
            if full:
                break
            half, m = 0.5 * n_atoms, 0.5 * (u - v)
            kinds = (
                rates[0] * u * (v + 1.0),
                rates[1] * m * m,
                rates[2] * v * (u + 1.0),
                rates[3] * (half + m),
                rates[4] * 0.5 * half,
                rates[5] * (half - m),
            )
            total = kinds[0] + kinds[1] + kinds[2] + kinds[3] + kinds[4] + kinds[5]
            if total <= 0.0:
                break
            t += rng.standard_exponential() / total
            if t > t_end:
                break
            drawn = rng.random() * total
            kind = 0
            for k in range(5):
                if drawn < kinds[k]:
                    break
                drawn -= kinds[k]
                kind += 1
            while kinds[kind] <= 0.0:  # rounding
                kind -= 1
            share = drawn / kinds[kind]
            channel = 0
            while share >= shares[kind, channel] and shares[kind, channel] < 1.0:
                channel += 1
            step = tables.steps[channel]
            where = SAME
            if kind > 2:
                where = where_to(n_atoms, u, v, step, rng.random())
            u, v = moved(u, v, step, where)
            click_time[n] = t
            click_channel[n] = channel
            click_spin[n] = u + v
            n += 1
            left -= counted[channel]
            if left == 0:
                ends[i] = t
                break
        if full:
            break
        i += 1
        u = -1
        click_offsets[i] = n
    progress.trajectory[0], progress.up[0], progress.down[0] = i, u, v
    progress.clicks[0], progress.time[0], progress.left[0] = n, t, left
    return not full


@kernel
def stretches(u, v, step, where):
    """Return which two stretches of `Tables.factors` a jump takes, and where they begin for u, v.

    The elements of `trajbatt.numerics.spin_blocks`, up to signs that all branches have in common.
    """
    if where == SAME:
        if step == UP:
            return RISING, u + 1, FALLING, v
        if step == DOWN:
            return RISING, u, FALLING, v + 1
        return LINEAR, u - v, ONES, 0
    if where == LOWER:
        if step == UP:
            return FALLING, v, FALLING, v - 1
        if step == DOWN:
            return RISING, u, RISING, u - 1
        return RISING, u, FALLING, v
    if step == UP:
        return RISING, u + 1, RISING, u + 2
    if step == DOWN:
        return FALLING, v + 1, FALLING, v + 2
    return RISING, u + 1, FALLING, v + 1


@kernel
def place_of(stretch, value, n_atoms, offset):
    """Return the place of the factor of the branch at the distance `offset` from the hidden one.

    Parameters
    ----------
    stretch, value : int
        Of `stretches`, for the hidden branch; that of LINEAR is 2m.
    n_atoms, offset : int
    """
    width = n_atoms + 2 + 2 * PADDING + 1
    begin = stretch * width + PADDING
    if stretch == RISING:
        return begin + value + offset
    if stretch == FALLING:
        return begin + n_atoms + 2 - value + offset
    if stretch == LINEAR:
        return begin + (value + n_atoms) // 2 + offset
    return begin


@kernel(inline=True)
def gather(
    click_time,
    click_channel,
    click_spin,
    n,
    stop,
    t,
    t_next,
    u,
    v,
    offset,
    n_atoms,
    steps,
    counts,
    place,
):
    """Take up to `GROUP` / 2 clicks until `t_next`, and write where their factors are.

    The group is filled up with ones.

    Parameters
    ----------
    click_time, click_channel, click_spin : *in*
    n, stop : int
        The next click, and the one after the trajectory's last.
    t, t_next : float
    u, v : int
        Of the hidden branch.
    offset : int
        The distance of the window's first branch from it.
    n_atoms, steps : *in*
        Of `Tables`.
    counts, place : *in, out*, *out*
        Of `Workspace`.

    Returns
    -------
    n, t, u, v, m_integral : int, float, int, int, float
        The next click, the time of the last one, the hidden branch after it, and the integral of m
        of the hidden branch between the two times.
    """
    place[0] = place[1] = place[2] = place[3] = place_of(ONES, 0, n_atoms, 0)
    m_integral = 0.0
    slot = 0
    while slot < GROUP and n < stop and click_time[n] <= t_next:
        channel = int(click_channel[n])
        step = steps[channel]
        m_integral += 0.5 * (u - v) * (click_time[n] - t)
        t = click_time[n]
        change = int(click_spin[n]) - u - v
        where = SAME if change == 0 else (LOWER if change < 0 else HIGHER)
        first, at, second, there = stretches(u, v, step, where)
        place[slot] = place_of(first, at, n_atoms, offset)
        place[slot + 1] = place_of(second, there, n_atoms, offset)
        u, v = moved(u, v, step, where)
        counts[channel] += 1.0
        n += 1
        slot += 2
    return n, t, u, v, m_integral


@kernel
def write_raising(window, u, v, raising):
    """Write <M+1|J_+|M> of the branches, from two below the window on; u and v of the hidden."""
    begin = u + window.low - window.hidden - 2
    for i in range(BLOCK * window.blocks + 2):
        raising[i] = math.sqrt(max((begin + i + 1.0) * (u + v - begin - i), 0.0))


@kernel(inline=True)
def follow(i, part, start, tables, grid, clock, negligible, records, work, out):
    """Read the state of trajectory i at its times; return the weight dropped. See `observe`.

    As `trajbatt.kernels.ladder.follow`.
    """
    # Taken out of their tuples once: in the loops that would count references each time.
    steps, factors, n_atoms = tables.steps, tables.factors, tables.n_atoms
    slope, curvature = tables.slope, tables.curvature
    cos_theta, sin_theta = tables.cos_theta, tables.sin_theta
    a, decay, ratio, counts, place = work.a, work.decay, work.ratio, work.counts, work.place
    samples, kets, products, spins = out.samples, out.kets, out.products, out.spins
    raising = work.raising
    origins, hidden_levels, click_offsets, click_time, click_channel, click_spin = records
    times, phases = grid.times, grid.phases[min(i, grid.phases.shape[0] - 1)]
    since, t_end = clock[0][i], clock[1][i]
    first_ket = times.size - kets.shape[1]

    window = write_start(a, start, origins[i], hidden_levels[i])
    n, stop = click_offsets[i], click_offsets[i + 1]
    u = window.hidden
    v = start.spins[origins[i]] - u
    t = dropped = 0.0
    counts[:] = 0.0
    first, last = own_times(times, since, t_end)
    if part == END:
        first = last
    for number in range(first, last if part == EARLIER else last + 1):
        j = number if number < last else times.size - 1
        now = time_since(times[j], since, t_end, click_time, n, stop)
        begin = t
        m_integral = 0.0
        pending = 0
        arrived = False
        while not arrived:
            n, t, u, v, passed = gather(
                click_time,
                click_channel,
                click_spin,
                n,
                stop,
                t,
                now,
                u,
                v,
                window.low - window.hidden,
                n_atoms,
                steps,
                counts,
                place,
            )
            m_integral += passed
            pending += GROUP // 2
            arrived = n == stop or click_time[n] > now
            if arrived:
                m_integral += 0.5 * (u - v) * (now - t)
                t = now
            if arrived or pending == FLUSH:
                alpha = slope * (t - begin) + 2.0 * curvature * m_integral
                beta = curvature * (t - begin)
                if is_steep(window, alpha, beta):
                    write_steep_decay(decay, window, alpha, beta)
                else:
                    write_decay(decay, ratio, window, alpha, beta)
                apply_group_and_decay(a, window, factors, place, decay)
                window, lost = trim(a, window, negligible)
                dropped += lost
                begin = t
                m_integral = 0.0
                pending = 0
            else:
                apply_group(a, window, factors, place)
        write_raising(window, u, v, raising)
        sums = moments(a, window, raising, 2)
        m_hidden, spin = 0.5 * (u - v), 0.5 * (u + v)
        cos, sin = phases[0, j], phases[1, j]
        energy, variance, x, y = read_off(sums, m_hidden, spin, cos_theta, sin_theta, cos, sin)
        samples[i, out.jz, j] = energy
        samples[i, out.jz_square, j] = variance + energy * energy
        samples[i, out.jz_variance, j] = variance
        samples[i, out.jx, j] = x
        samples[i, out.jy, j] = y
        spins[i, j] = u + v
        for channel in range(counts.size):
            samples[i, out.counts + channel, j] = counts[channel]
        if products.shape[1] > 0:
            write_products(sums, m_hidden, spin, cos, sin, products[i, :, j])
        if j >= first_ket:
            write_ket(a, window, u - window.hidden, kets[i, j - first_ket])
    return dropped


@kernel(counting=False)
def observe(start, tables, grid, clock, negligible, records, work, out):
    """Read the conditional state of each trajectory off its clicks, at its times of the grid.

    As `trajbatt.kernels.ladder.observe`.

    Parameters
    ----------
    start : Start, *in*
        As in `sample_clicks`; its edges and `assigned` have no effect.
    tables : Tables, *in*
    grid : Grid, *in*
    clock : *in* (begins, ends, counted, quota)
    negligible : float
        Blocks of branches of less weight than this, relative to the hidden one, are dropped.
    records : *in* (origin, hidden, offsets, time, channel, spin)
        As in `sample_clicks`.
    work : Workspace, *scratch*
    out : Out, *out*

    Returns
    -------
    float
        The largest weight dropped in any one trajectory, an upper bound of its share of the norm.
    """
    worst = 0.0
    is_apart = 0 < out.kets.shape[1] < grid.times.size
    first, last = (EARLIER, END) if is_apart else (WHOLE, WHOLE)
    for i in range(out.samples.shape[0]):
        for part in range(first, last + 1):
            lost = follow(i, part, start, tables, grid, clock, negligible, records, work, out)
            worst = max(worst, lost)
    return worst
