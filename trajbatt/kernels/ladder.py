r"""Exact trajectories of a ladder model: sample the clicks, then read the state off them.

Each jump takes level k to one other level, so all branches of the wavefunction climb in step: the
branch that began on level k is now on k + S, with S the sum of the shifts so far. The amplitude of
the branch is, up to phases that enter the observables only,

    a(k; t) = a(k; 0) prod_i w_{c_i}(k + S_i) exp(-1/2 int_0^t R(k + S(u)) du),

and the probability density of the record is sum_k abs(a(k))^2. So the record is drawn by first
drawing one *hidden* branch h ~ abs(a(k; 0))^2 and then running a classical jump process on it
(`sample_clicks`), and the state follows from the record (`observe`). Amplitudes are kept relative
to the hidden branch, which is typical of the record: nothing overflows.

R(m) = const + slope m + curvature m^2. At the distance d from the hidden branch at m_h(u),

    int R(m_h + d) - R(m_h) du = alpha d + beta d^2,
    alpha = slope T + 2 curvature int m_h du,     beta = curvature T:

two running integrals, and factors exp(-(alpha d + beta d^2)/2) that form a recurrence in d.

Inside, levels of the *initial* state index the amplitudes; tables are padded by `PADDING` levels
on both sides, so that branches that have stepped off the ladder (with amplitude 0) stay in range.
Places in the tables are unsigned, because the compiler vectorises a loop only if it need not ask
whether an index counts from the end.
"""

import math
from typing import NamedTuple

import numpy as np

from trajbatt.kernels.compile import kernel

PADDING = 4  # >= GROUP
GROUP = 4  # clicks applied in one pass over the amplitudes
FLUSH = 32  # clicks between two normalisations: (N/2)^32 must not overflow
ONE, TWO = np.uint64(1), np.uint64(2)
BLOCK = 64  # steps of the recurrence in d between two exponentials
STEEP = 600.0  # exponents above which the recurrence is not used


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
        The states at the last nk of the times, unnormalised and without phases; zeros to begin
        with.
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
    edges, first, offsets = start.edges, start.first, start.offsets
    origin, hidden, click_offsets, click_time, click_channel = records
    n_channels = shifts.size
    # Plain variables in the loops: they stay in registers.
    i, level, n = progress.trajectory[0], progress.level[0], progress.clicks[0]
    t = progress.time[0]
    full = False
    while i < hidden.size:
        if level < 0:
            if start.assigned:
                drawn = np.searchsorted(edges, (i + rng.random()) / hidden.size, side="right")
                drawn = min(max(drawn, offsets[i]), offsets[i + 1] - 1)
            else:
                drawn = np.searchsorted(edges, rng.random(), side="right")
            origin[i] = np.searchsorted(offsets, drawn, side="right") - 1
            level = first[origin[i]] + drawn - offsets[origin[i]]
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
def apply_group(a, low, high, elements, place):
    """Multiply the amplitudes `a[low:high+1]` by the stretches of `elements` from each place on."""
    first = np.uint64(low)
    place0, place1, place2, place3 = place[0], place[1], place[2], place[3]
    for i in range(np.uint64(high + 1 - low)):
        a[first + i] *= (elements[place0 + i] * elements[place1 + i]) * (
            elements[place2 + i] * elements[place3 + i]
        )


@kernel
def damp(a, low, hidden, high, alpha, beta):
    """Apply the no-click decay exp(-(alpha d + beta d^2)/2), and scale the hidden amplitude to 1.

    The factors follow from a recurrence in d, begun anew with exponentials every `BLOCK` steps;
    both sides go at once, since each recurrence alone would wait for its own products. After a
    long dark time, when its factors could overflow on branches that are dead, each is computed.
    """
    norm = 1.0 / a[hidden].real
    above = high - hidden
    below = hidden - low
    a[hidden] = 1.0
    if abs(alpha) + abs(beta) * BLOCK > STEEP:
        for k in range(low, high + 1):
            if k != hidden:
                d = float(k - hidden)
                a[k] *= norm * math.exp(min(-0.5 * (alpha + beta * d) * d, STEEP))
        return
    curve = math.exp(-beta)
    for done in range(0, max(above, below), BLOCK):
        centre = beta * (2.0 * done + 1.0)
        up_ratio = math.exp(-0.5 * (centre + alpha))
        down_ratio = math.exp(-0.5 * (centre - alpha))
        up = norm
        down = norm
        if done > 0:
            up *= math.exp(-0.5 * (beta * done + alpha) * done)
            down *= math.exp(-0.5 * (beta * done - alpha) * done)
        for d in range(done + 1, done + BLOCK + 1):
            if d > above and d > below:
                break
            up *= up_ratio
            down *= down_ratio
            up_ratio *= curve
            down_ratio *= curve
            if d <= above:
                a[hidden + d] *= up
            if d <= below:
                a[hidden - d] *= down


@kernel(reassociate=True)
def moments(a, low, hidden, high, raising, at):
    """Return the sums that fix energy, variance and dipole; `raising[at]` belongs to a[low].

    With p = abs(a)^2, d the distance from the hidden branch, b = conj(a_{k+1}) a_k <k+1|J_+|k>:
    the sums of p, p d, p d^2, b, b d, and of conj(a_{k+2}) a_k <k+2|J_+^2|k>.
    """
    p0 = 0.0
    p1 = 0.0
    p2 = 0.0
    b0 = 0.0 * a[low]
    b1 = 0.0 * a[low]
    c0 = 0.0 * a[low]
    window = np.uint64(low)
    table = np.uint64(at)
    distance = float(low - hidden)
    for step in range(high + 1 - low):
        i = window + np.uint64(step)
        raised = table + np.uint64(step)
        amplitude = a[i]
        d = distance + step
        p = amplitude.real * amplitude.real + amplitude.imag * amplitude.imag
        p0 += p
        p1 += p * d
        p2 += p * d * d
        scaled = amplitude * raising[raised]
        b = a[i + ONE].conjugate() * scaled
        b0 += b
        b1 += b * d
        c0 += a[i + TWO].conjugate() * scaled * raising[raised + ONE]
    return p0, p1, p2, b0, b1, c0


@kernel
def read_off(sums, m_hidden, spin, cos_theta, sin_theta, phase_cos, phase_sin):
    """Return <J_z>, Var(J_z) and the parts of the bare dipole <J_+> from the sums of `moments`.

    Here J_z = cos(theta) J'_z + sin(theta) J'_x, with <J'_+> = b exp(i Omega t); `phase_cos` and
    `phase_sin` belong to Omega t and `spin` is N/2.
    """
    p0, p1, p2, b0, b1, c0 = sums
    shift = p1 / p0
    z_mean = m_hidden + shift
    z_variance = p2 / p0 - shift * shift
    x_mean = (b0.real * phase_cos - b0.imag * phase_sin) / p0
    y_mean = (b0.real * phase_sin + b0.imag * phase_cos) / p0
    b1_real = (b1.real * phase_cos - b1.imag * phase_sin) / p0
    cos_2 = phase_cos * phase_cos - phase_sin * phase_sin
    sin_2 = 2.0 * phase_sin * phase_cos
    c0_real = (c0.real * cos_2 - c0.imag * sin_2) / p0
    z_square = z_variance + z_mean * z_mean
    x_variance = 0.5 * (spin * (spin + 1.0) - z_square + c0_real) - x_mean * x_mean
    # <{J'_z, J'_x}>/2 - <J'_z><J'_x>: the m of J'_+ is the mean of its two levels.
    covariance = x_mean * (0.5 - shift) + b1_real
    energy = cos_theta * z_mean + sin_theta * x_mean
    variance = (
        cos_theta * cos_theta * z_variance
        + sin_theta * sin_theta * x_variance
        + 2.0 * sin_theta * cos_theta * covariance
    )
    return energy, max(variance, 0.0), cos_theta * x_mean - sin_theta * z_mean, y_mean


@kernel
def write_products(sums, m_hidden, spin, phase_cos, phase_sin, row):
    """Write the symmetrised products of `Out.products` to `row`, *out* (5,); see `read_off`."""
    p0, p1, p2, b0, b1, c0 = sums
    turn = complex(phase_cos, phase_sin)
    row[0] = (p2 + 2.0 * m_hidden * p1) / p0 + m_hidden * m_hidden
    with_z = (b1 + (m_hidden + 0.5) * b0) * turn / p0
    plus_plus = c0 * turn * turn / p0
    row[1] = with_z.real
    row[2] = with_z.imag
    row[3] = 0.5 * (spin * (spin + 1.0) - row[0] + plus_plus.real)
    row[4] = 0.5 * plus_plus.imag


@kernel
def trim(a, low, hidden, high, negligible):
    """Return low, high and the weight dropped when the negligible ends of the window go."""
    dropped = 0.0
    while low < hidden:
        weight = a[low].real ** 2 + a[low].imag ** 2
        if weight >= negligible:
            break
        dropped += weight
        low += 1
    while high > hidden:
        weight = a[high].real ** 2 + a[high].imag ** 2
        if weight >= negligible:
            break
        dropped += weight
        a[high] = 0.0  # `moments` looks two levels beyond the window
        high -= 1
    return low, high, dropped


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
    out : Out, *out*

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
