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

PADDING = 4  # >= GROUP
FLUSH = 32  # clicks between two normalisations: (N/2)^32 must not overflow


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
        Cumulative probabilities of the mixture's levels, back to back; the last is 1.
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
    phases : ndarray (2, nt), float64
        cos and sin of Omega t.
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
    """

    trajectory: np.ndarray
    level: np.ndarray
    clicks: np.ndarray
    time: np.ndarray

    @classmethod
    def fresh(cls):
        """Return the progress before the first trajectory begins."""
        return cls(
            trajectory=np.zeros(1, dtype=np.int64),
            level=np.full(1, -1, dtype=np.int64),
            clicks=np.zeros(1, dtype=np.int64),
            time=np.zeros(1),
        )


class Branches(NamedTuple):
    """The branches of one trajectory at one time; their amplitudes are in the `Workspace`.

    Attributes
    ----------
    low, hidden, high : int
        The window of the branches that are kept, and the hidden one.
    climbed : int
        The sum of the shifts so far.
    n, stop : int
        The next click in the records, and the one after the trajectory's last.
    t : float
    dropped : float
        The weight dropped so far.
    """

    low: int
    hidden: int
    high: int
    climbed: int
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
    counts : ndarray (nc,), float64
        Photons so far.
    place : ndarray (GROUP,), uint64
        Where in `Tables.elements` the factors of a group of clicks begin.
    """

    a: np.ndarray
    counts: np.ndarray
    place: np.ndarray

    @classmethod
    def fresh(cls, n_levels, n_channels, kind):
        """Return arrays for amplitudes of the type `kind`."""
        return cls(
            a=np.empty(n_levels + 2, dtype=kind),
            counts=np.empty(n_channels),
            place=np.empty(GROUP, dtype=np.uint64),
        )


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
        `Progress.fresh()` to begin with.
    records : *out* (origin, hidden, offsets, time, channel)
        Of n trajectories, see `trajbatt.trajectories.records.Records`.
    """
    shifts = tables.shifts
    origin, hidden, click_offsets, click_time, click_channel = records
    n_channels = shifts.size
    # Plain variables in the loops: they stay in registers.
    i, level, n = progress.trajectory[0], progress.level[0], progress.clicks[0]
    t = progress.time[0]
    full = False
    while i < hidden.size:
        if level < 0:
            origin[i], level = draw_start(start, rng.random(), i, hidden.size)
            hidden[i] = level
            click_offsets[i] = n
            t = 0.0
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
        if full:
            break
        i += 1
        level = -1
        click_offsets[i] = n
    progress.trajectory[0], progress.level[0], progress.clicks[0] = i, level, n
    progress.time[0] = t
    return not full


@kernel
def advance(branches, t_next, tables, negligible, records, work):
    """Take the branches to the time `t_next`, through the clicks until then.

    Clicks are applied in groups of `GROUP`, the last one filled up with clicks that never were
    (the ones of `tables.elements`); the exponentials follow after `FLUSH` clicks and at `t_next`.

    Parameters
    ----------
    branches : Branches
    t_next : float
    tables : Tables, *in*
    negligible : float
        As in `observe`.
    records : *in* (origin, hidden, offsets, time, channel)
    work : Workspace, *in, out*

    Returns
    -------
    Branches
        The branches at `t_next`.
    """
    shifts, elements = tables.shifts, tables.elements
    slope, curvature = tables.slope, tables.curvature
    a, counts, place = work.a, work.counts, work.place
    low, hidden, high, climbed, n, stop, t, dropped = branches
    _, _, _, click_time, click_channel = records
    never = shifts.size
    width = tables.raising.size
    n_atoms = width - 2 * PADDING - 1
    elapsed = 0.0
    m_integral = 0.0
    pending = 0
    while n < stop and click_time[n] <= t_next:
        for slot in range(GROUP):
            place[slot] = never * width + low + PADDING
            if n < stop and click_time[n] <= t_next:
                channel = int(click_channel[n])
                elapsed += click_time[n] - t
                m_integral += (hidden + climbed - 0.5 * n_atoms) * (click_time[n] - t)
                t = click_time[n]
                place[slot] = channel * width + low + PADDING + climbed
                climbed += shifts[channel]
                counts[channel] += 1.0
                n += 1
        apply_group(a, low, high, elements, place)
        low = max(low, -climbed)
        high = min(high, n_atoms - climbed)
        pending += GROUP
        if pending >= FLUSH:
            alpha = slope * elapsed + 2.0 * curvature * m_integral
            damp(a, low, hidden, high, alpha, curvature * elapsed)
            low, high, lost = trim(a, low, hidden, high, negligible)
            dropped += lost
            elapsed = 0.0
            m_integral = 0.0
            pending = 0
    elapsed += t_next - t
    m_integral += (hidden + climbed - 0.5 * n_atoms) * (t_next - t)
    alpha = slope * elapsed + 2.0 * curvature * m_integral
    damp(a, low, hidden, high, alpha, curvature * elapsed)
    low, high, lost = trim(a, low, hidden, high, negligible)
    return Branches(low, hidden, high, climbed, n, stop, t_next, dropped + lost)


@kernel
def begin_branches(start, records, i, work):
    """Return the `Branches` of trajectory i at time 0, and write their amplitudes to `work`."""
    first, offsets, amplitudes = start.first, start.offsets, start.amplitudes
    origins, hidden_levels, click_offsets, _, _ = records
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
    return Branches(low, hidden, high, 0, click_offsets[i], click_offsets[i + 1], 0.0, 0.0)


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
    records : *in* (origin, hidden, offsets, time, channel)
        As in `sample_clicks`.
    work : Workspace, *scratch*
    out : trajbatt.kernels.reading.Out, *out*

    Returns
    -------
    float
        The largest weight dropped in any one trajectory, an upper bound of its share of the norm.
    """
    spin = 0.5 * (tables.raising.size - 2 * PADDING - 1)
    cos_theta, sin_theta, raising = tables.cos_theta, tables.sin_theta, tables.raising
    times, phases = grid.times, grid.phases
    # Taken out of their tuples once: in the loops that would count references each time.
    a, counts, samples = work.a, work.counts, out.samples
    worst = 0.0
    first_ket = times.size - out.kets.shape[1]
    for i in range(samples.shape[0]):
        branches = begin_branches(start, records, i, work)
        for j in range(times.size):
            branches = advance(branches, times[j], tables, negligible, records, work)
            at = branches.low + branches.climbed + PADDING
            sums = moments(a, branches.low, branches.hidden, branches.high, raising, at)
            m_hidden = branches.hidden + branches.climbed - spin
            mean, variance, jx, jy = read_off(
                sums, m_hidden, spin, cos_theta, sin_theta, phases[0, j], phases[1, j]
            )
            samples[i, out.jz, j] = mean
            samples[i, out.jz_square, j] = variance + mean * mean
            samples[i, out.jz_variance, j] = variance
            samples[i, out.jx, j] = jx
            samples[i, out.jy, j] = jy
            if out.products.shape[1] > 0:
                row = out.products[i, :, j]
                write_products(sums, m_hidden, spin, phases[0, j], phases[1, j], row)
            for channel in range(counts.size):
                samples[i, out.counts + channel, j] = counts[channel]
            if j >= first_ket:
                for k in range(branches.low, branches.high + 1):
                    out.kets[i, j - first_ket, k + branches.climbed] = a[k]
        worst = max(worst, branches.dropped)
    return worst
