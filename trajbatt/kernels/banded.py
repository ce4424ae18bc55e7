r"""Trajectories of any model whose jumps mix neighbours: Taylor series between the clicks.

In the interaction picture of H = Omega J'_z, begun anew at the start t0 of each step, a
wavefunction without a click obeys

    d psi/dt = -M(t) psi/2,     M(t) = sum_c L_c+ L_c = sum_q exp(i q Omega (t - t0)) M_q,

where M_q raises by q = -2..2 levels. With t = t0 + h x, the coefficients of psi = sum_n phi_n x^n
follow from each other,

    (n + 1) phi_{n+1} = -(h/2) sum_q M_q sum_j (i q Omega h)^j/j! phi_{n-j},

the decay rate at t0 being subtracted from M_0. The order of a step, and its length if the highest
order does not suffice, are chosen when its coefficients are known, so no step is taken in vain. The
series is its own dense output: a click comes where -ln of the squared norm reaches a standard
exponential, solved to rounding, and the requested times do not shorten a step. No level is cut off
within a step: phi_n reaches 2n levels beyond the window of the state.

States are rows of cells, see `trajbatt.kernels.reading`: so every loop is one over plain real
numbers, which the compiler vectorises (it gives up where too many arrays might overlap).
"""

import math
from typing import NamedTuple

import numpy as np

from trajbatt.kernels.compile import kernel
from trajbatt.kernels.reading import MARGIN, norm, write_ket, write_sample

ORDER = 14  # the highest order of a step
AHEAD = 1.1  # steps end this much later than a click is expected
ROOT_STEPS = 200


class Tables(NamedTuple):
    """What the kernels know of a model: tables of cells, the real and imaginary ones alike.

    Attributes
    ----------
    jumps : ndarray (nc, 3, cells), float64
        <k + s|L_c|k> for s = -1, 0, 1.
    decay : ndarray (3, cells), float64
        <k + q|M_q|k> for q = 0, 1, 2.
    raising : ndarray (cells,), float64
        <k + 1|J_+|k>.
    oscillators : ndarray (nc,), float64
        Imaginary parts of what local oscillators add to L_c; the real ones are in `jumps`.
    frequency, cos_theta, sin_theta : float
    picture : float
        The Omega of another picture, in which all this is at rest: what is read off turns back.
    """

    jumps: np.ndarray
    decay: np.ndarray
    raising: np.ndarray
    oscillators: np.ndarray
    frequency: float
    cos_theta: float
    sin_theta: float
    picture: float


class Workspace(NamedTuple):
    """Scratch of the kernels.

    Attributes
    ----------
    series : ndarray (ORDER+1, cells), float64
        The coefficients phi_n; the first is the state at the start of the step.
    turned : ndarray (ORDER+1, cells), float64
        i phi_n.
    even, odd : ndarray (2, cells), float64
        Sums of even and odd terms of the convolutions, for q = 1, 2.
    state, other, phases : ndarray (cells,), float64
        States within the step; exp(-i k Omega t).
    survival : ndarray (ORDER+1,), float64
        The coefficients of the squared norm.
    """

    series: np.ndarray
    turned: np.ndarray
    even: np.ndarray
    odd: np.ndarray
    state: np.ndarray
    other: np.ndarray
    phases: np.ndarray
    survival: np.ndarray

    @classmethod
    def fresh(cls, width):
        """Return zeros for tables of `width` cells."""
        return cls(
            series=np.zeros((ORDER + 1, width)),
            turned=np.zeros((ORDER + 1, width)),
            even=np.zeros((2, width)),
            odd=np.zeros((2, width)),
            state=np.zeros(width),
            other=np.zeros(width),
            phases=np.zeros(width),
            survival=np.zeros(ORDER + 1),
        )


class Start(NamedTuple):
    """The pure states in which trajectories begin, those of a `trajbatt.states.mixture.Mixture`.

    Attributes
    ----------
    weights : ndarray (P,), float64
        Cumulative probabilities of the pure states; the last is 1.
    first, offsets, amplitudes : ndarray
        The kets, as in the mixture; the amplitudes complex128.
    assigned : bool
        Trajectory i begins in pure state i; else each draws its own.
    """

    weights: np.ndarray
    first: np.ndarray
    offsets: np.ndarray
    amplitudes: np.ndarray
    assigned: bool


class Task(NamedTuple):
    """What is asked of a run.

    Attributes
    ----------
    times : ndarray (nt,), float64
        When the states are observed.
    tolerance : float
        Norm of the last term of a series.
    negligible : float
        Weight of a level at the ends that is dropped.
    replay : bool
        The records are given: follow them, draw nothing.
    """

    times: np.ndarray
    tolerance: float
    negligible: float
    replay: bool


class Progress(NamedTuple):
    """How far `run` is: arrays, of one element but for the last, which it changes.

    The state of the trajectory in progress is in the `Workspace`.

    Attributes
    ----------
    trajectory : ndarray (1,), int64
        The trajectory in progress.
    begun : ndarray (1,), bool
        Whether it has begun.
    clicks : ndarray (1,), int64
        Clicks so far, those of the trajectories before it included.
    low, high : ndarray (1,), int64
        Its window.
    next_time : ndarray (1,), int64
        The next of the times at which it is observed.
    time : ndarray (1,), float64
        Its time.
    action : ndarray (1,), float64
        -ln of the squared norm until its next click.
    dropped, worst : ndarray (1,), float64
        The weight dropped in it, and the largest dropped in any one so far.
    counts : ndarray (nc,), float64
        Its photons.
    left : ndarray (1,), int64
        How many more of the clicks that are counted end it.
    """

    trajectory: np.ndarray
    begun: np.ndarray
    clicks: np.ndarray
    low: np.ndarray
    high: np.ndarray
    next_time: np.ndarray
    time: np.ndarray
    action: np.ndarray
    dropped: np.ndarray
    worst: np.ndarray
    counts: np.ndarray
    left: np.ndarray

    @classmethod
    def fresh(cls, n_channels):
        """Return the progress before the first trajectory begins."""
        return cls(
            trajectory=np.zeros(1, dtype=np.int64),
            begun=np.zeros(1, dtype=np.bool_),
            clicks=np.zeros(1, dtype=np.int64),
            low=np.zeros(1, dtype=np.int64),
            high=np.zeros(1, dtype=np.int64),
            next_time=np.zeros(1, dtype=np.int64),
            time=np.zeros(1),
            action=np.zeros(1),
            dropped=np.zeros(1),
            worst=np.zeros(1),
            counts=np.zeros(n_channels),
            left=np.zeros(1, dtype=np.int64),
        )


@kernel
def add_rows(total, factors, start, stop, rows, which):
    """Add rows[which], times one factor for each of the two rows of `total`, to them."""
    at, end = np.uint64(start), np.uint64(stop)
    first, second = factors
    for i in range(at, end):
        total[0, i] += first * rows[which, i]
        total[1, i] += second * rows[which, i]


@kernel(reassociate=True)
def inner(a, i, b, j, start, stop):
    """Return the real part of the scalar product of the rows a[i] and b[j]."""
    total = 0.0
    for cell in range(np.uint64(start), np.uint64(stop)):
        total += a[i, cell] * b[j, cell]
    return total


@kernel
def span(low, high, n, top):
    """Return the first cell of phi_n and the one after its last."""
    return 2 * (max(0, low - 2 * n) + MARGIN), 2 * (min(top, high + 2 * n) + MARGIN + 1)


@kernel
def convolve(work, n, low, high, top, turn):
    """Write the even and the odd terms of sum_j (i q turn)^j/j! phi_{n-j}, q = 1 and 2."""
    series, turned, even, odd = work.series, work.turned, work.even, work.odd
    start, stop = span(low, high, n, top)
    for i in range(np.uint64(start - 2 * MARGIN), np.uint64(stop + 2 * MARGIN)):
        even[0, i] = series[n, i]
        even[1, i] = series[n, i]
    for i in range(np.uint64(start - 2 * MARGIN), np.uint64(stop + 2 * MARGIN)):
        odd[0, i] = 0.0
        odd[1, i] = 0.0
    first = 1.0
    second = 1.0
    for j in range(1, n + 1):
        first *= turn / j
        second *= 2.0 * turn / j
        sign = -1.0 if j % 4 >= 2 else 1.0
        factors = sign * first, sign * second
        start, stop = span(low, high, n - j, top)
        if j % 2:
            add_rows(odd, factors, start, stop, turned, n - j)
        else:
            add_rows(even, factors, start, stop, series, n - j)


@kernel
def next_coefficient(work, tables, n, low, high, top, h, mean_rate):
    """Write phi_{n+1}, from the convolutions of the coefficients up to phi_n."""
    series, turned, even, odd = work.series, work.turned, work.even, work.odd
    decay = tables.decay
    begin, end = span(low, high, n + 1, top)
    start, stop = np.uint64(begin), np.uint64(end)
    one, two = np.uint64(2), np.uint64(4)
    new = np.uint64(n + 1)
    scale = -0.5 * h / (n + 1.0)
    for i in range(start, stop):
        series[new, i] = scale * (
            (decay[0, i] - mean_rate) * series[n, i]
            + decay[1, i - one] * (even[0, i - one] + odd[0, i - one])
            + decay[1, i] * (even[0, i + one] - odd[0, i + one])
        )
    for i in range(start, stop):
        series[new, i] += scale * (
            decay[2, i - two] * (even[1, i - two] + odd[1, i - two])
            + decay[2, i] * (even[1, i + two] - odd[1, i + two])
        )
    for i in range(np.uint64(2 * MARGIN)):
        series[new, start - np.uint64(2 * MARGIN) + i] = 0.0
        series[new, stop + i] = 0.0
    for i in range(start, stop, one):
        turned[new, i] = -series[new, i + np.uint64(1)]
        turned[new, i + np.uint64(1)] = series[new, i]


@kernel
def expand(work, tables, low, high, top, longest, action, tolerance):
    """Write the series of the next step, from the normalised state in its first row.

    Parameters
    ----------
    work : Workspace, *in, out*
    tables : Tables, *in*
    low, high, top : int
        The window of the state; the highest level, N.
    longest, action : float
        The step ends there, or, if that is sooner, a little after the click is expected: after the
        time in which -ln of the squared norm reaches `action` at the present rate.
    tolerance : float
        The last coefficient's norm.

    Returns
    -------
    order, h, reach, mean_rate
        Of the series in x = (t - t0)/h, good for 0 <= x <= reach <= 1; the rate of clicks at t0.
    """
    series, survival = work.series, work.survival
    start, stop = span(low, high, 0, top)
    survival[0] = inner(series, 0, series, 0, start, stop)
    convolve(work, 0, low, high, top, 0.0)
    next_coefficient(work, tables, 0, low, high, top, 1.0, 0.0)
    mean_rate = -2.0 * inner(series, 0, series, 1, start, stop) / survival[0]
    h = longest
    if AHEAD * action < longest * mean_rate:
        h = AHEAD * action / mean_rate
    begin, end = span(low, high, 1, top)
    for i in range(np.uint64(begin), np.uint64(end)):
        series[1, i] = h * (series[1, i] + 0.5 * mean_rate * series[0, i])
        work.turned[1, i] = h * (work.turned[1, i] + 0.5 * mean_rate * work.turned[0, i])
    survival[1] = 2.0 * inner(series, 0, series, 1, start, stop)
    size = math.sqrt(inner(series, 1, series, 1, begin, end))
    order = 1
    while order < ORDER:
        convolve(work, order, low, high, top, tables.frequency * h)
        next_coefficient(work, tables, order, low, high, top, h, mean_rate)
        order += 1
        survival[order] = 0.0
        for n in range((order + 1) // 2):
            begin, end = span(low, high, n, top)
            survival[order] += 2.0 * inner(series, n, series, order - n, begin, end)
        if order % 2 == 0:
            begin, end = span(low, high, order // 2, top)
            survival[order] += inner(series, order // 2, series, order // 2, begin, end)
        begin, end = span(low, high, order, top)
        last = size
        size = math.sqrt(inner(series, order, series, order, begin, end))
        # The ratio guards against a coefficient that is small by accident.
        if size <= tolerance and size <= 0.5 * last:
            return order, h, 1.0, mean_rate
    reach = (tolerance / max(size, last)) ** (1.0 / ORDER) if max(size, last) > tolerance else 1.0
    return order, h, reach, mean_rate


@kernel
def decayed(survival, order, x):
    """Return sum_{n > 0} s_n x^n/s_0 and its derivative by x."""
    quotient = 0.0
    slope = 0.0
    for n in range(order, 0, -1):
        slope = slope * x + quotient
        quotient = quotient * x + survival[n] / survival[0]
    return quotient * x, quotient + slope * x


@kernel
def click_place(survival, order, reach, rate, action):
    """Return the x in [0, reach] at which -ln of the squared norm is `action`.

    If there is none, return -1, and what is left of the action. `rate` x is the part of it that was
    taken out of the series. Newton's method, with bisection where it would leave the bracket.
    """
    value, _ = decayed(survival, order, reach)
    total = rate * reach - math.log1p(value)
    if total < action:
        return -1.0, action - total
    low, high = 0.0, reach
    x = min(action / rate, reach) if rate > 0.0 else 0.5 * reach
    for _ in range(ROOT_STEPS):
        value, slope = decayed(survival, order, x)
        missing = action - rate * x + math.log1p(value)
        if missing > 0.0:
            low = x
        else:
            high = x
        rising = rate - slope / (1.0 + value)
        new = x + missing / rising if rising > 0.0 else -1.0
        if new < low or new > high:
            new = 0.5 * (low + high)
        if abs(new - x) <= 1e-15 * x:
            break
        x = new
    return x, 0.0


@kernel
def evaluate(work, order, low, high, top, x, angle):
    """Write the state at x to `work.state`, in the Schroedinger picture: `angle` is Omega h x.

    The phases exp(-i k angle) of the levels are built by doubling.
    """
    series, state, other, phases = work.series, work.state, work.other, work.phases
    begin, end = span(low, high, order, top)
    start, stop = np.uint64(begin), np.uint64(end)
    for i in range(np.uint64(2 * MARGIN)):
        state[start - np.uint64(2 * MARGIN) + i] = 0.0
        state[stop + i] = 0.0
    for i in range(start, stop):
        other[i] = 0.0
    power = 1.0
    for n in range(order + 1):
        first, last = span(low, high, n, top)
        for i in range(np.uint64(first), np.uint64(last)):
            other[i] += power * series[n, i]
        power *= x
    one = np.uint64(1)
    levels = (end - begin) // 2
    phases[start] = 1.0
    phases[start + one] = 0.0
    done = 1
    while done < levels:
        cos = math.cos(angle * done)
        sin = -math.sin(angle * done)
        shift = np.uint64(2 * done)
        for i in range(start, start + np.uint64(2 * min(done, levels - done)), 2):
            phases[i + shift] = cos * phases[i] - sin * phases[i + one]
            phases[i + shift + one] = cos * phases[i + one] + sin * phases[i]
        done *= 2
    for i in range(start, stop, 2):
        state[i] = other[i] * phases[i] - other[i + one] * phases[i + one]
        state[i + one] = other[i] * phases[i + one] + other[i + one] * phases[i]


@kernel
def jump(work, tables, channel, begin, end):
    """Write L_c of `work.state`, which has the cells `begin` to `end`, to `work.other`."""
    state, other, jumps = work.state, work.other, tables.jumps
    two = np.uint64(2)
    c = np.uint64(channel)
    for i in range(np.uint64(begin - 2), np.uint64(end + 2)):
        other[i] = (
            jumps[c, 0, i + two] * state[i + two]
            + jumps[c, 1, i] * state[i]
            + jumps[c, 2, i - two] * state[i - two]
        )
    beside, one = tables.oscillators[c], np.uint64(1)
    if beside != 0.0:
        for i in range(np.uint64(begin), np.uint64(end), 2):
            other[i] -= beside * state[i + one]
            other[i + one] += beside * state[i]


@kernel
def begin_step(work, row, begin, end, negligible):
    """Make `row`, on the cells `begin` to `end`, the normalised state of the next step.

    Returns
    -------
    low, high, dropped
        Its window, and the weight of the ends that were negligible.
    """
    series, turned = work.series, work.turned
    total = norm(row, begin, end)
    dropped = 0.0
    while end - begin > 2:
        weight = row[begin] ** 2 + row[begin + 1] ** 2
        if weight >= negligible * total:
            break
        dropped += weight
        begin += 2
    while end - begin > 2:
        weight = row[end - 2] ** 2 + row[end - 1] ** 2
        if weight >= negligible * total:
            break
        dropped += weight
        end -= 2
    scale = 1.0 / math.sqrt(total - dropped)
    start, stop, one = np.uint64(begin), np.uint64(end), np.uint64(1)
    for i in range(np.uint64(2 * MARGIN)):
        series[0, start - np.uint64(2 * MARGIN) + i] = 0.0
        series[0, stop + i] = 0.0
    for i in range(start, stop):
        series[0, i] = scale * row[i]
    for i in range(start, stop, 2):
        turned[0, i] = -series[0, i + one]
        turned[0, i + one] = series[0, i]
    return begin // 2 - MARGIN, end // 2 - 1 - MARGIN, dropped / total


@kernel
def set_ket(work, start, which, negligible):
    """Begin with pure state `which` of the start; return what `begin_step` does."""
    first, offsets, amplitudes = start.first, start.offsets, start.amplitudes
    begin = 2 * (first[which] + MARGIN)
    end = begin
    for amplitude in range(offsets[which], offsets[which + 1]):
        work.state[end] = amplitudes[amplitude].real
        work.state[end + 1] = amplitudes[amplitude].imag
        end += 2
    return begin_step(work, work.state, begin, end, negligible)


@kernel
def draw_channel(rng, work, tables, begin, end):
    """Draw the channel of a click by its rate in `work.state`."""
    n_channels = tables.jumps.shape[0]
    if n_channels == 1:
        return 0
    total = 0.0
    for channel in range(n_channels):
        jump(work, tables, channel, begin, end)
        total += norm(work.other, begin - 2, end + 2)
    target = rng.random() * total
    reached = 0.0
    drawn = -1
    for channel in range(n_channels):
        jump(work, tables, channel, begin, end)
        rate = norm(work.other, begin - 2, end + 2)
        if rate > 0.0:  # rounding must not end on a channel that cannot click
            drawn = channel
        reached += rate
        if target < reached:
            break
    return drawn


@kernel
def follow_record(work, tables, clock, window, wanted, clicks, limits, kets, logs):
    """Follow the state through clicks to the last of the times `wanted`, and read it off at all.

    Parameters
    ----------
    work : Workspace, *in, out*
        The first row of its series is the state.
    tables : Tables, *in*
    clock : *in, out* (2,) float64
        The time, and the logarithm of the squared norm so far, with the rates of the clicks.
    window : *in, out* (2,) int64
        Of the state.
    wanted : *in* (nt,) float64
        None before the clock.
    clicks : *in* (times, channels)
        float64 and int64 (n,), until the last time that is wanted.
    limits : tuple of float
        The tolerance and what is negligible, as in `Task`; and the rate below which a click is
        impossible.
    kets : *out* (nt, N+1) complex128
        The normalised states; zeros to begin with. A click at a wanted time is in them.
    logs : *out* (nt,) float64
        The logarithm at those times.

    Returns
    -------
    int
        How many clicks were possible: the first of them all that was not is the last that is
        followed.
    """
    tolerance, negligible, least = limits
    times, channels = clicks
    top = tables.raising.size // 2 - 2 * MARGIN - 1
    low, high, t, log = window[0], window[1], clock[0], clock[1]
    j = 0
    for n in range(times.size + 1):
        is_click = n < times.size
        target = times[n] if is_click else wanted[-1]
        while t < target:
            order, h, reach, rate = expand(
                work, tables, low, high, top, target - t, math.inf, tolerance
            )
            begin, end = span(low, high, order, top)
            there = target if reach == 1.0 and h == target - t else t + h * reach
            while j < wanted.size and wanted[j] < there:
                x = (wanted[j] - t) / h
                lost, _ = decayed(work.survival, order, x)
                logs[j] = log + math.log1p(lost) - rate * h * x
                evaluate(work, order, low, high, top, x, tables.frequency * h * x)
                write_ket(work, begin, end, kets[j])
                j += 1
            lost, _ = decayed(work.survival, order, reach)
            log += math.log1p(lost) - rate * h * reach
            evaluate(work, order, low, high, top, reach, tables.frequency * h * reach)
            low, high, _ = begin_step(work, work.state, begin, end, negligible)
            t = there
        begin, end = span(low, high, 0, top)
        copy_state(work, begin, end)
        if is_click:
            while j < wanted.size and wanted[j] < t:
                logs[j] = log
                write_ket(work, begin, end, kets[j])
                j += 1
            jump(work, tables, channels[n], begin, end)
            rate = norm(work.other, begin - 2, end + 2)
            if not rate > least:
                return n  # nothing is left to go on with
            log += math.log(rate)
            low, high, _ = begin_step(work, work.other, begin - 2, end + 2, negligible)
        else:
            for rest in range(j, wanted.size):
                logs[rest] = log
                write_ket(work, begin, end, kets[rest])
    window[0], window[1], clock[0], clock[1] = low, high, t, log
    return times.size


@kernel
def copy_state(work, begin, end):
    """Write the state at the start of a step, and zeros around it, to `work.state`."""
    for cell in range(begin - 2 * MARGIN, end + 2 * MARGIN):
        work.state[cell] = work.series[0, cell]


@kernel
def run(rng, start, tables, task, clock, progress, work, records, out):
    """Run n trajectories up to the end of each, one after the other, and observe them.

    They are observed at the times between their begin and their end; and at the last of the times,
    or at their end if that is earlier.

    Returns False when the click buffers are full: then enlarge them, keep their contents, and call
    again with everything else unchanged.

    Parameters
    ----------
    rng : Generator
    start : Start, *in*
    tables : Tables, *in*
    task : Task, *in*
    clock : *in, out* (begins, ends, counted, quota)
        See `trajbatt.trajectories.clock.Clock`; the ends of those that clicks end are written.
    progress : Progress, *in, out*
        `Progress.fresh(nc)` to begin with. In the end `worst` bounds what was dropped from the norm
        of any one trajectory.
    work : Workspace, *in, out*
    records : *out, or in for a replay* (origin, hidden, offsets, time, channel)
        Of n trajectories, see `trajbatt.trajectories.records.Records`; hidden levels are left
        alone.
    out : trajbatt.kernels.reading.Out, *out*
    """
    origin, _, click_offsets, click_time, click_channel = records
    top = tables.raising.size // 2 - 2 * MARGIN - 1
    times, tolerance, negligible, replay = task
    begins, ends, counted, quota = clock
    first_ket = times.size - out.kets.shape[1]
    i, begun, n = progress.trajectory[0], progress.begun[0], progress.clicks[0]
    low, high, j = progress.low[0], progress.high[0], progress.next_time[0]
    t, action = progress.time[0], progress.action[0]
    dropped, worst = progress.dropped[0], progress.worst[0]
    counts, left_to_count = progress.counts, progress.left[0]
    full = False
    while i < origin.size:
        if not begun:
            if not replay:
                origin[i] = i
                if not start.assigned:
                    origin[i] = np.searchsorted(start.weights, rng.random(), side="right")
                click_offsets[i] = n
                action = rng.standard_exponential()
            low, high, dropped = set_ket(work, start, origin[i], negligible)
            counts[:] = 0.0
            left_to_count = quota
            begun, t, j = True, 0.0, 0
        t_end = ends[i]
        while True:
            longest = t_end - t
            if replay:
                action = math.inf
                if n < click_offsets[i + 1]:
                    longest = min(longest, click_time[n] - t)
            else:
                full = n == click_time.size
                if full:
                    break
            order, h, reach, rate = expand(work, tables, low, high, top, longest, action, tolerance)
            begin, end = span(low, high, order, top)
            x = reach
            if replay:
                clicked = reach == 1.0 and n < click_offsets[i + 1] and click_time[n] <= t_end
            else:
                place, left = click_place(work.survival, order, reach, rate * h, action)
                clicked = place >= 0.0
                if clicked:
                    x = place
                else:
                    action = left
            at_end = not clicked and reach == 1.0 and h == longest
            reached = t_end if at_end else t + h * x
            while j < times.size and (times[j] < begins[i] + reached or at_end):
                is_last = j == times.size - 1
                if not is_last and (times[j] < begins[i] or times[j] > begins[i] + t_end):
                    j += 1
                    continue
                now = min(max(times[j] - begins[i], t), t_end)
                part = (now - t) / h if h > 0.0 else 0.0
                angle = tables.frequency * h * part + tables.picture * now
                evaluate(work, order, low, high, top, part, angle)
                write_sample(work, tables, begin, end, counts, out, i, j)
                if j >= first_ket:
                    write_ket(work, begin, end, out.kets[i, j - first_ket])
                j += 1
            evaluate(work, order, low, high, top, x, tables.frequency * h * x)
            if at_end:
                break
            if clicked:
                if not replay:
                    click_time[n] = reached
                    click_channel[n] = draw_channel(rng, work, tables, begin, end)
                    action = rng.standard_exponential()
                channel = int(click_channel[n])
                reached = click_time[n]
                jump(work, tables, channel, begin, end)
                counts[channel] += 1.0
                n += 1
                if not replay:
                    left_to_count -= counted[channel]
                    if left_to_count == 0:
                        ends[i] = t_end = reached
                low, high, lost = begin_step(work, work.other, begin - 2, end + 2, negligible)
            else:
                low, high, lost = begin_step(work, work.state, begin, end, negligible)
            dropped += lost
            t = reached
        if full:
            break
        worst = max(worst, dropped)
        i += 1
        begun = False
        if not replay:
            click_offsets[i] = n
    progress.trajectory[0], progress.begun[0], progress.clicks[0] = i, begun, n
    progress.low[0], progress.high[0], progress.next_time[0] = low, high, j
    progress.time[0], progress.action[0] = t, action
    progress.dropped[0], progress.worst[0] = dropped, worst
    progress.left[0] = left_to_count
    return not full
