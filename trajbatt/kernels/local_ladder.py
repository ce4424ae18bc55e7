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
    GROUP,
    apply_group,
    damp,
    draw_start,
    moments,
    read_off,
    trim,
    write_products,
)
from trajbatt.kernels.compile import kernel

PADDING = 8  # levels beyond both ends of the tables, into which dead branches may stray
FLUSH = 32  # clicks between two normalisations: N^32 must not overflow
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
    """The times at which states are read off, and cos and sin of Omega t, (nt,) and (2, nt)."""

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
    time : ndarray (1,), float64
    """

    trajectory: np.ndarray
    up: np.ndarray
    down: np.ndarray
    clicks: np.ndarray
    time: np.ndarray

    @classmethod
    def fresh(cls):
        """Return the progress before the first trajectory begins."""
        zeros = [np.zeros(1, dtype=np.int64) for _ in range(3)]
        return cls(zeros[0], np.full(1, -1, dtype=np.int64), zeros[1], zeros[2], np.zeros(1))


class Branches(NamedTuple):
    """The branches of one trajectory at one time; their amplitudes are in the `Workspace`.

    Attributes
    ----------
    low, hidden, high : int
        The window of the branches that are kept, and the hidden one, by their first level.
    u, v : int
        J + M and J - M of the hidden one.
    n, stop : int
        The next click in the records, and the one after the trajectory's last.
    t, dropped : float
        The time, and the weight dropped so far.
    """

    low: int
    hidden: int
    high: int
    u: int
    v: int
    n: int
    stop: int
    t: float
    dropped: float


class Workspace(NamedTuple):
    """Scratch of `observe`.

    Attributes
    ----------
    a : ndarray (N+3,) of the type of the start's amplitudes
        The amplitudes of the branches; zero on the two levels above the window.
    raising : ndarray (N+5,), float64
        <M+1|J_+|M> of the branches.
    counts : ndarray (nc,), float64
    place : ndarray (GROUP,), uint64
        Where in `Tables.factors` a group of stretches begins.
    """

    a: np.ndarray
    raising: np.ndarray
    counts: np.ndarray
    place: np.ndarray

    @classmethod
    def fresh(cls, n_levels, n_channels, kind):
        """Return arrays for amplitudes of the type `kind`."""
        return cls(
            a=np.empty(n_levels + 2, dtype=kind),
            raising=np.zeros(n_levels + 4),
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
def sample_clicks(rng, start, tables, t_end, progress, records):
    """Draw the clicks of n trajectories up to `t_end`, one after the other.

    Returns False when the click buffers are full: then enlarge them, keep their contents, and call
    again with everything else unchanged. The draws do not depend on the size of the buffers.

    Parameters
    ----------
    rng : Generator
    start : Start, *in*
    tables : Tables, *in*
    t_end : float
    progress : Progress, *in, out*
    records : *out* (origin, hidden, offsets, time, channel, spin)
        Of n trajectories, see `trajbatt.trajectories.records.Records`.
    """
    origin, hidden, click_offsets, click_time, click_channel, click_spin = records
    rates, shares, n_atoms = tables.rates, tables.shares, tables.n_atoms
    n_channels = tables.steps.size
    i, u, v, n = progress.trajectory[0], progress.up[0], progress.down[0], progress.clicks[0]
    t = progress.time[0]
    full = False
    while i < hidden.size:
        if u < 0:
            origin[i], u = draw_start(start, rng.random(), i, hidden.size)
            v = start.spins[origin[i]] - u
            hidden[i] = u
            click_offsets[i] = n
            t = 0.0
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
        if full:
            break
        i += 1
        u = -1
        click_offsets[i] = n
    progress.trajectory[0], progress.up[0], progress.down[0] = i, u, v
    progress.clicks[0], progress.time[0] = n, t
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


@kernel
def advance(branches, t_next, tables, negligible, records, work):
    """Take the branches to the time `t_next`, through the clicks until then.

    Parameters
    ----------
    branches : Branches
    t_next : float
    tables : Tables, *in*
    negligible : float
        As in `observe`.
    records : *in* (origin, hidden, offsets, time, channel, spin)
    work : Workspace, *in, out*

    Returns
    -------
    Branches
        The branches at `t_next`.
    """
    slope, curvature, n_atoms = tables.slope, tables.curvature, tables.n_atoms
    a, counts, place = work.a, work.counts, work.place
    low, hidden, high, u, v, n, stop, t, dropped = branches
    _, _, _, click_time, click_channel, click_spin = records
    elapsed, m_integral = 0.0, 0.0
    pending = 0
    while n < stop and click_time[n] <= t_next:
        offset = low - hidden
        for slot in range(0, GROUP, 2):
            place[slot] = place[slot + 1] = place_of(ONES, 0, n_atoms, 0)
            if n < stop and click_time[n] <= t_next:
                channel = int(click_channel[n])
                step = tables.steps[channel]
                elapsed += click_time[n] - t
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
        apply_group(a, low, high, tables.factors, place)
        low = max(low, hidden - u)
        if high > hidden + v:
            a[hidden + v + 1 : high + 1] = 0.0
            high = hidden + v
        pending += GROUP // 2
        if pending >= FLUSH:
            alpha = slope * elapsed + 2.0 * curvature * m_integral
            damp(a, low, hidden, high, alpha, curvature * elapsed)
            low, high, lost = trim(a, low, hidden, high, negligible)
            dropped += lost
            elapsed, m_integral = 0.0, 0.0
            pending = 0
    elapsed += t_next - t
    m_integral += 0.5 * (u - v) * (t_next - t)
    alpha = slope * elapsed + 2.0 * curvature * m_integral
    damp(a, low, hidden, high, alpha, curvature * elapsed)
    low, high, lost = trim(a, low, hidden, high, negligible)
    return Branches(low, hidden, high, u, v, n, stop, t_next, dropped + lost)


@kernel
def begin_branches(start, records, i, work):
    """Return the `Branches` of trajectory i at time 0, and write their amplitudes to `work`."""
    first, offsets, amplitudes = start.first, start.offsets, start.amplitudes
    origins, hidden_levels, click_offsets, _, _, _ = records
    a, hidden, which = work.a, hidden_levels[i], origins[i]
    ket = offsets[which]
    low = first[which]
    high = low + offsets[which + 1] - ket - 1
    scale = 1.0 / amplitudes[ket + hidden - low]
    for k in range(low, high + 1):
        a[k] = amplitudes[ket + k - low] * scale
    a[high + 1] = 0.0
    a[high + 2] = 0.0
    work.counts[:] = 0.0
    v = start.spins[which] - hidden
    stop = click_offsets[i + 1]
    return Branches(low, hidden, high, hidden, v, click_offsets[i], stop, 0.0, 0.0)


@kernel
def write_raising(branches, raising):
    """Write <M+1|J_+|M> of the branches in the window and one above, from its first place on."""
    u = branches.u + branches.low - branches.hidden
    n = branches.u + branches.v
    for i in range(branches.high + 2 - branches.low):
        raising[i] = math.sqrt(max((u + i + 1.0) * (n - u - i), 0.0))


@kernel
def observe(start, tables, grid, negligible, records, work, out):
    """Read the conditional state of each trajectory off its clicks, at all times of the grid.

    Parameters
    ----------
    start : Start, *in*
        As in `sample_clicks`; its edges and `assigned` have no effect.
    tables : Tables, *in*
    grid : Grid, *in*
    negligible : float
        Branches of less weight than this, relative to the hidden one, are dropped.
    records : *in* (origin, hidden, offsets, time, channel, spin)
        As in `sample_clicks`.
    work : Workspace, *scratch*
    out : Out, *out*

    Returns
    -------
    float
        The largest weight dropped in any one trajectory, an upper bound of its share of the norm.
    """
    cos_theta, sin_theta = tables.cos_theta, tables.sin_theta
    times, phases = grid.times, grid.phases
    a, counts, samples, raising = work.a, work.counts, out.samples, work.raising
    worst = 0.0
    first_ket = times.size - out.kets.shape[1]
    for i in range(samples.shape[0]):
        branches = begin_branches(start, records, i, work)
        for j in range(times.size):
            branches = advance(branches, times[j], tables, negligible, records, work)
            write_raising(branches, raising)
            sums = moments(a, branches.low, branches.hidden, branches.high, raising, 0)
            m_hidden, spin = 0.5 * (branches.u - branches.v), 0.5 * (branches.u + branches.v)
            mean, variance, jx, jy = read_off(
                sums, m_hidden, spin, cos_theta, sin_theta, phases[0, j], phases[1, j]
            )
            samples[i, out.jz, j] = mean
            samples[i, out.jz_square, j] = variance + mean * mean
            samples[i, out.jz_variance, j] = variance
            samples[i, out.jx, j] = jx
            samples[i, out.jy, j] = jy
            out.spins[i, j] = branches.u + branches.v
            if out.products.shape[1] > 0:
                row = out.products[i, :, j]
                write_products(sums, m_hidden, spin, phases[0, j], phases[1, j], row)
            for channel in range(counts.size):
                samples[i, out.counts + channel, j] = counts[channel]
            if j >= first_ket:
                shift = branches.u - branches.hidden
                for k in range(branches.low, branches.high + 1):
                    out.kets[i, j - first_ket, k + shift] = a[k]
        worst = max(worst, branches.dropped)
    return worst
