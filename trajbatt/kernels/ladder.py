r"""Exact trajectories of a ladder model: sample the clicks, then read the state off them.

Each jump takes level k to one other level, so all branches of the wavefunction climb in step: the
branch that began on level k is now on k + S, with S the sum of the shifts so far. The amplitude of
the branch is, up to phases that enter the observables only,

    a(k; t) = a(k; 0) prod_i w_{c_i}(k + S_i) exp(-1/2 int_0^t R(k + S(u)) du),

and the probability density of the record is sum_k abs(a(k))^2. So the record is drawn by first
drawing one *hidden* branch h ~ abs(a(k; 0))^2 and then running a classical jump process on it
(`sample_clicks`), and the state follows from the record (`observe`). Amplitudes are kept relative
to the hidden branch, which is typical of the record: nothing overflows.

Inside, levels of the *initial* state index the amplitudes; tables are padded by `PADDING` levels
on both sides, so that branches that have stepped off the ladder (with amplitude 0) stay in range.
Places in the tables are unsigned, because the compiler vectorises a loop only if it need not ask
whether an index counts from the end.
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

FLUSH = 32  # clicks between two normalisations: (N/2)^32 must not overflow
PADDING = 48  # > FLUSH + BLOCK + 2, for branches off the ladder until they are trimmed


class Tables(NamedTuple):
    """What the kernels know of a model.

    Attributes
    ----------
    shifts : ndarray (nc,), int64
    mean_waits : ndarray (N+1,), float64
        Mean waiting time for a click on each level; inf on a dark one.
    thresholds : ndarray (N+1, nc), float64
        Probability that the photon of a level comes from one of the channels up to each one.
    elements : ndarray ((nc+1) (N+1 + 2 PADDING),), float64
        <k + s_c|J'_c|k> without the rate, padded with zeros, channel after channel; then ones.
    raising : ndarray (N+1 + 2 PADDING,), float64
        <k+1|J_+|k>, padded with zeros.
    slope, curvature : float
        Of the total rate R(m).
    cos_theta, sin_theta : float
    """

    shifts: np.ndarray
    mean_waits: np.ndarray
    thresholds: np.ndarray
    elements: np.ndarray
    raising: np.ndarray
    slope: float
    curvature: float
    cos_theta: float
    sin_theta: float


class Start(NamedTuple):
    """The pure states in which trajectories begin, those of a `trajbatt.states.mixture.Mixture`.

    Attributes
    ----------
    edges : ndarray (M,), float64
        Cumulative probabilities of the mixture's levels, back to back; the last is 1. None (0,)
        where each trajectory is assigned its state.
    first, offsets, amplitudes : ndarray
        The kets, as in the mixture.
    assigned : bool
        Trajectory i begins in pure state i of an even mixture; else each draws its own.
    """

    edges: np.ndarray
    first: np.ndarray
    offsets: np.ndarray
    amplitudes: np.ndarray
    assigned: bool


class Grid(NamedTuple):
    """The times at which states are read off.

    Attributes
    ----------
    times : ndarray (nt,), float64
    phases : ndarray (1 or n, 2, nt), float64
        cos and sin of Omega t since the begin: one for all trajectories, or of each.
    """

    times: np.ndarray
    phases: np.ndarray


class Progress(NamedTuple):
    """How far `sample_clicks` is: arrays of one element, which it changes.

    Attributes
    ----------
    trajectory : ndarray (1,), int64
        The trajectory in progress.
    level : ndarray (1,), int64
        Its level; -1 before it begins.
    clicks : ndarray (1,), int64
        Clicks so far, those of the trajectories before it included.
    time : ndarray (1,), float64
        Its time.
    left : ndarray (1,), int64
        How many more of the clicks that are counted end it.
    """

    trajectory: np.ndarray
    level: np.ndarray
    clicks: np.ndarray
    time: np.ndarray
    left: np.ndarray

    @classmethod
    def fresh(cls):
        """Return the progress before the first trajectory begins."""
        return cls(
            trajectory=np.zeros(1, dtype=np.int64),
            level=np.full(1, -1, dtype=np.int64),
            clicks=np.zeros(1, dtype=np.int64),
            time=np.zeros(1),
            left=np.zeros(1, dtype=np.int64),
        )


class Workspace(NamedTuple):
    """Scratch of `observe`.

    Attributes
    ----------
    a : ndarray (N+1 + BLOCK,) of the type of the start's amplitudes
        The amplitudes of the branches.
    decay, ratio : ndarray (N+1 + BLOCK,), float64
        For `trajbatt.kernels.branch_window.write_decay`.
    counts : ndarray (nc,), float64
        Photons so far.
    place : ndarray (GROUP,), uint64
        Where in `Tables.elements` the factors of a group of clicks begin.
    """

    a: np.ndarray
    decay: np.ndarray
    ratio: np.ndarray
    counts: np.ndarray
    place: np.ndarray

    @classmethod
    def fresh(cls, n_levels, n_channels, kind):
        """Return arrays for amplitudes of the type `kind`."""
        return cls(
            a=np.empty(n_levels + BLOCK, dtype=kind),
            decay=np.empty(n_levels + BLOCK),
            ratio=np.empty(n_levels + BLOCK),
            counts=np.empty(n_channels),
            place=np.empty(GROUP, dtype=np.uint64),
        )


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
        `Progress.fresh()` to begin with.
    records : *out* (origin, hidden, offsets, time, channel)
        Of n trajectories, see `trajbatt.trajectories.records.Records`.
    """
    shifts = tables.shifts
    _, ends, counted, quota = clock
    origin, hidden, click_offsets, click_time, click_channel = records
    n_channels = shifts.size
    # Plain variables in the loops: they stay in registers.
    i, level, n = progress.trajectory[0], progress.level[0], progress.clicks[0]
    t, left = progress.time[0], progress.left[0]
    full = False
    while i < hidden.size:
        if level < 0:
            origin[i], level = draw_start(start, rng.random(), i)
            hidden[i] = level
            click_offsets[i] = n
            t, left = 0.0, quota
        t_end = ends[i]
        while n_channels > 0:
            full = n == click_time.size
            if full:
                break
            wait = tables.mean_waits[level]
            if wait == math.inf:
                break
            t += rng.standard_exponential() * wait
            if t > t_end:
                break
            # A sum, not a search: which channel clicks is not to be predicted, so do not branch.
            u = rng.random()
            channel = 0
            for c in range(n_channels - 1):
                channel += u >= tables.thresholds[level, c]
            click_time[n] = t
            click_channel[n] = channel
            n += 1
            level += shifts[channel]
            left -= counted[channel]
            if left == 0:
                ends[i] = t
                break
        if full:
            break
        i += 1
        level = -1
        click_offsets[i] = n
    progress.trajectory[0], progress.level[0], progress.clicks[0] = i, level, n
    progress.time[0], progress.left[0] = t, left
    return not full


@kernel(inline=True)
def gather(
    click_time, click_channel, n, stop, t, t_next, m_hidden, at, width, shifts, counts, place
):
    """Take up to `GROUP` clicks until `t_next`, and write where their factors are.

    The group is filled up with clicks that never were, the ones of `Tables.elements`.

    Parameters
    ----------
    click_time, click_channel : *in*
    n, stop : int
        The next click, and the one after the trajectory's last.
    t, t_next, m_hidden : float
        The time now, and m of the hidden branch.
    at, width : int
        Where the window is in the elements of a channel, and how many there are.
    shifts : *in*
        Of `Tables`.
    counts, place : *in, out*, *out*
        Of `Workspace`.

    Returns
    -------
    n, t, climbed, m_integral : int, float, int, float
        The next click, the time of the last one, the sum of the shifts, and the integral of m of
        the hidden branch between the two times.
    """
    place[0] = place[1] = place[2] = place[3] = shifts.size * width
    climbed = 0
    m_integral = 0.0
    slot = 0
    while slot < GROUP and n < stop and click_time[n] <= t_next:
        channel = int(click_channel[n])
        m_integral += (m_hidden + climbed) * (click_time[n] - t)
        t = click_time[n]
        place[slot] = channel * width + at + climbed
        climbed += shifts[channel]
        counts[channel] += 1.0
        n += 1
        slot += 1
    return n, t, climbed, m_integral


@kernel(inline=True)
def follow(i, part, start, tables, grid, clock, negligible, records, work, out):
    """Read the state of trajectory i at its times; return the weight dropped. See `observe`.

    All of them, the `EARLIER` ones, or that at the `END`.

    Clicks are applied in groups of `GROUP`; the exponentials follow after `FLUSH` clicks and with
    the last group before a time of the grid.
    """
    # Taken out of their tuples once: in the loops that would count references each time.
    shifts, elements, raising = tables.shifts, tables.elements, tables.raising
    slope, curvature = tables.slope, tables.curvature
    cos_theta, sin_theta = tables.cos_theta, tables.sin_theta
    a, decay, ratio, counts, place = work.a, work.decay, work.ratio, work.counts, work.place
    samples, kets, products = out.samples, out.kets, out.products
    origins, hidden_levels, click_offsets, click_time, click_channel = records
    times, phases = grid.times, grid.phases[min(i, grid.phases.shape[0] - 1)]
    since, t_end = clock[0][i], clock[1][i]
    width = raising.size
    n_levels = width - 2 * PADDING
    spin = 0.5 * (n_levels - 1)
    first_ket = times.size - kets.shape[1]

    window = write_start(a, start, origins[i], hidden_levels[i])
    n, stop = click_offsets[i], click_offsets[i + 1]
    m_hidden = window.hidden - spin
    climbed = 0
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
            at = window.low + climbed + PADDING
            n, t, steps, passed = gather(
                click_time,
                click_channel,
                n,
                stop,
                t,
                now,
                m_hidden,
                at,
                width,
                shifts,
                counts,
                place,
            )
            climbed += steps
            m_hidden += steps
            m_integral += passed
            pending += GROUP
            arrived = n == stop or click_time[n] > now
            if arrived:
                m_integral += m_hidden * (now - t)
                t = now
            if arrived or pending == FLUSH:
                alpha = slope * (t - begin) + 2.0 * curvature * m_integral
                beta = curvature * (t - begin)
                if is_steep(window, alpha, beta):
                    write_steep_decay(decay, window, alpha, beta)
                else:
                    write_decay(decay, ratio, window, alpha, beta)
                apply_group_and_decay(a, window, elements, place, decay)
                window, lost = trim(a, window, negligible)
                dropped += lost
                begin = t
                m_integral = 0.0
                pending = 0
            else:
                apply_group(a, window, elements, place)
        sums = moments(a, window, raising, window.low + climbed + PADDING)
        cos, sin = phases[0, j], phases[1, j]
        energy, variance, x, y = read_off(sums, m_hidden, spin, cos_theta, sin_theta, cos, sin)
        samples[i, out.jz, j] = energy
        samples[i, out.jz_square, j] = variance + energy * energy
        samples[i, out.jz_variance, j] = variance
        samples[i, out.jx, j] = x
        samples[i, out.jy, j] = y
        for channel in range(counts.size):
            samples[i, out.counts + channel, j] = counts[channel]
        if products.shape[1] > 0:
            write_products(sums, m_hidden, spin, cos, sin, products[i, :, j])
        if j >= first_ket:
            write_ket(a, window, climbed, kets[i, j - first_ket])
    return dropped


@kernel(counting=False)
def observe(start, tables, grid, clock, negligible, records, work, out):
    """Read the conditional state of each trajectory off its clicks, at its times of the grid.

    Those are the times between its begin and its end; and the last, or the end if that is earlier.
    If the state is wanted there alone, it is followed to there once more: so that not a bit of it
    depends on the times before.

    Parameters
    ----------
    start : Start, *in*
        As in `sample_clicks`; its edges and `assigned` have no effect.
    tables : Tables, *in*
    grid : Grid, *in*
    clock : *in* (begins, ends, counted, quota)
    negligible : float
        Blocks of branches of less weight than this, relative to the hidden one, are dropped.
    records : *in* (origin, hidden, offsets, time, channel)
        As in `sample_clicks`.
    work : Workspace, *scratch*
    out : trajbatt.kernels.reading.Out, *out*

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
