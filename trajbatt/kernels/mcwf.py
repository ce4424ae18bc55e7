r"""The textbook Monte Carlo wavefunction for ladder models: the independent check.

The state psi lives in the basis where H and R are diagonal, so between clicks the norm falls as
S(tau) = sum_k p_k exp(-R_k tau) with p = abs(psi)^2. The waiting time solves S(tau) = exp(-E)
with E standard exponential (that is, S = u with u uniform), the channel is drawn by its rate in
psi, the jump operator is applied and psi renormalised (Dalibard, Castin and Molmer 1992). No
hidden branch, no window, no recurrence: nothing here is shared with `kernels/ladder.py`.
"""

import math
from typing import NamedTuple

import numpy as np

from trajbatt.kernels.compile import kernel

MAX_NEWTON = 200


class Tables(NamedTuple):
    """What the kernels know of a model.

    Attributes
    ----------
    shifts : ndarray (nc,), int64
    jump_elements : ndarray (nc, N+1), float64
        <k + s_c|J'_c|k> without the rate.
    click_rates : ndarray (nc, N+1), float64
    total_rates : ndarray (N+1,), float64
    frequency : float
    cos_theta, sin_theta : float
    """

    shifts: np.ndarray
    jump_elements: np.ndarray
    click_rates: np.ndarray
    total_rates: np.ndarray
    frequency: float
    cos_theta: float
    sin_theta: float


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


class Progress(NamedTuple):
    """How far `sample_clicks` is: arrays, which it changes.

    Attributes
    ----------
    trajectory : ndarray (1,), int64
        The trajectory in progress.
    begun : ndarray (1,), bool
        Whether it has begun.
    clicks : ndarray (1,), int64
        Clicks so far, those of the trajectories before it included.
    time : ndarray (1,), float64
        Its time.
    psi : ndarray (N+1,), complex128
        Its state.
    left : ndarray (1,), int64
        How many more of the clicks that are counted end it.
    """

    trajectory: np.ndarray
    begun: np.ndarray
    clicks: np.ndarray
    time: np.ndarray
    psi: np.ndarray
    left: np.ndarray

    @classmethod
    def fresh(cls, n_levels):
        """Return the progress before the first trajectory begins."""
        return cls(
            trajectory=np.zeros(1, dtype=np.int64),
            begun=np.zeros(1, dtype=np.bool_),
            clicks=np.zeros(1, dtype=np.int64),
            time=np.zeros(1),
            psi=np.zeros(n_levels, dtype=np.complex128),
            left=np.zeros(1, dtype=np.int64),
        )


@kernel
def log_survival(p, rates, base, tau):
    """Return ln sum_k p_k exp(-(R_k - base) tau) and minus its derivative, for sum_k p_k = 1.

    S is summed as it stands when it is small, and as 1 - S by expm1 when it is close to 1, so the
    logarithm keeps its relative precision at both ends.
    """
    left = 0.0
    lost = 0.0
    flow = 0.0
    for k in range(p.size):
        if p[k] > 0.0:
            rate = rates[k] - base
            survival = p[k] * math.exp(-rate * tau)
            left += survival
            lost -= p[k] * math.expm1(-rate * tau)
            flow += rate * survival
    return (math.log1p(-lost) if lost < 0.5 else math.log(left)), flow / left


@kernel
def waiting_time(p, rates, action, longest):
    """Return tau with -ln S(tau) = `action`, or inf if there is none up to `longest`.

    Newton's method on the convex, decreasing ln S(tau) + action, from tau = 0: it approaches the
    root from the left and never oversteps it, and ends when rounding stops its progress. The
    smallest rate is taken out of the sum, so S does not underflow at long times.
    """
    base = np.inf
    for k in range(p.size):
        if p[k] > 0.0 and rates[k] < base:
            base = rates[k]
    tau = 0.0
    for _ in range(MAX_NEWTON):
        value, flow = log_survival(p, rates, base, tau)
        missing = action - base * tau + value
        slope = base + flow
        if slope <= 0.0:  # a dark state: nothing can click any more
            return np.inf
        step = missing / slope
        if step <= 4e-16 * tau:
            return tau
        tau += step
        if tau > longest:
            return np.inf
    return tau


@kernel
def probabilities(psi, p):
    """Write abs(psi)^2, normalised, to `p` (N+1,)."""
    norm = 0.0
    for k in range(p.size):
        p[k] = psi[k].real ** 2 + psi[k].imag ** 2
        norm += p[k]
    for k in range(p.size):
        p[k] /= norm


@kernel
def decay(psi, rates, frequency, tau):
    """Evolve `psi` without a click for the time `tau` (Schroedinger picture), and normalise it."""
    spin = 0.5 * (psi.size - 1)
    base = np.inf
    for k in range(psi.size):
        if psi[k] != 0.0 and rates[k] < base:
            base = rates[k]
    norm = 0.0
    for k in range(psi.size):
        if psi[k] != 0.0:
            angle = frequency * (k - spin) * tau
            psi[k] *= math.exp(-0.5 * (rates[k] - base) * tau) * complex(
                math.cos(angle), -math.sin(angle)
            )
            norm += psi[k].real ** 2 + psi[k].imag ** 2
    scale = 1.0 / math.sqrt(norm)
    for k in range(psi.size):
        psi[k] *= scale


@kernel
def jump(psi, jump_elements, shift):
    """Apply J'_c, which takes level k to k + shift, to `psi`; it is left unnormalised."""
    top = psi.size - 1
    if shift == 1:
        for k in range(top, 0, -1):
            psi[k] = jump_elements[k - 1] * psi[k - 1]
        psi[0] = 0.0
    elif shift == -1:
        for k in range(top):
            psi[k] = jump_elements[k + 1] * psi[k + 1]
        psi[top] = 0.0
    else:
        for k in range(top + 1):
            psi[k] *= jump_elements[k]


@kernel
def set_ket(psi, start, which):
    """Write pure state `which` of those in which trajectories begin to `psi`."""
    first, offsets, amplitudes = start.first, start.offsets, start.amplitudes
    psi[:] = 0.0
    ket = offsets[which]
    for k in range(offsets[which + 1] - ket):
        psi[first[which] + k] = amplitudes[ket + k]


@kernel
def sample_clicks(rng, start, tables, clock, progress, p, records):
    """Draw the clicks of n trajectories up to the end of each, one after the other.

    Returns False when the click buffers are full: then enlarge them, keep their contents, and call
    again with everything else unchanged.

    Parameters
    ----------
    rng : Generator
    start : Start, *in*
    tables : Tables, *in*
    clock : *in, out* (begins, ends, counted, quota)
        See `trajbatt.trajectories.clock.Clock`; the ends of those that clicks end are written.
    progress : Progress, *in, out*
        `Progress.fresh(N + 1)` to begin with.
    p : *scratch* (N+1,) float64
    records : *out* (origin, hidden, offsets, time, channel)
        Of n trajectories, see `trajbatt.trajectories.records.Records`; hidden levels are left
        alone.
    """
    shifts, frequency = tables.shifts, tables.frequency
    click_rates, total_rates = tables.click_rates, tables.total_rates
    _, ends, counted, quota = clock
    origin, _, click_offsets, click_time, click_channel = records
    i, begun, n = progress.trajectory[0], progress.begun[0], progress.clicks[0]
    t, psi, left = progress.time[0], progress.psi, progress.left[0]
    full = False
    while i < origin.size:
        if not begun:
            origin[i] = i
            if not start.assigned:
                origin[i] = np.searchsorted(start.weights, rng.random(), side="right")
            set_ket(psi, start, origin[i])
            click_offsets[i] = n
            t, left = 0.0, quota
            begun = True
        t_end = ends[i]
        while True:
            full = n == click_time.size
            if full:
                break
            probabilities(psi, p)
            tau = waiting_time(p, total_rates, rng.standard_exponential(), t_end - t)
            if t + tau > t_end:
                break
            t += tau
            decay(psi, total_rates, frequency, tau)
            probabilities(psi, p)
            target = rng.random() * np.dot(total_rates, p)
            channel = -1
            reached = 0.0
            for c in range(shifts.size):
                rate = np.dot(click_rates[c], p)
                if rate > 0.0:  # rounding must not end on a channel that cannot click
                    channel = c
                reached += rate
                if target < reached:
                    break
            jump(psi, tables.jump_elements[channel], shifts[channel])
            click_time[n] = t
            click_channel[n] = channel
            n += 1
            left -= counted[channel]
            if left == 0:
                ends[i] = t
                break
        if full:
            break
        i += 1
        begun = False
        click_offsets[i] = n
    progress.trajectory[0], progress.begun[0], progress.clicks[0] = i, begun, n
    progress.time[0], progress.left[0] = t, left
    return not full


@kernel
def write_products(psi, row):
    """Write the symmetrised products of `Out` in a state to `row`, *out* (5,)."""
    top = psi.size - 1
    spin = 0.5 * top
    square = 0.0
    with_z = plus_plus = 0.0j
    for k in range(top + 1):
        square += (k - spin) ** 2 * (psi[k].real ** 2 + psi[k].imag ** 2)
        if k < top:
            raised = math.sqrt((top - k) * (k + 1.0)) * psi[k]
            with_z += (k - spin + 0.5) * psi[k + 1].conjugate() * raised
            if k + 1 < top:
                raised *= math.sqrt((top - k - 1.0) * (k + 2.0))
                plus_plus += psi[k + 2].conjugate() * raised
    row[0] = square
    row[1] = with_z.real
    row[2] = with_z.imag
    row[3] = 0.5 * (spin * (spin + 1.0) - square + plus_plus.real)
    row[4] = 0.5 * plus_plus.imag


@kernel
def observe(start, tables, times, clock, records, work, out):
    """Evolve the wavefunction of each trajectory through its clicks and write what it holds.

    Energy and variance are <psi|J_z psi> and the squared norm of J_z psi, with the bare
    J_z = cos(theta) J'_z + sin(theta) J'_x tridiagonal.

    Parameters
    ----------
    start : Start, *in*
        As in `sample_clicks`; its weights and `assigned` have no effect.
    tables : Tables, *in*
    times : *in* (nt,) float64
    clock : *in* (begins, ends, counted, quota)
        Each trajectory is read between its begin and its end; and at the last of the times, or at
        its end if that is earlier.
    records : *in* (origin, hidden, offsets, time, channel)
        As in `sample_clicks`.
    work : *scratch* (2, N+1) complex128
    out : trajbatt.kernels.reading.Out, *out*
    """
    shifts, total_rates, frequency = tables.shifts, tables.total_rates, tables.frequency
    cos_theta, sin_theta = tables.cos_theta, tables.sin_theta
    origin, _, click_offsets, click_time, click_channel = records
    samples, psi, phi = out.samples, work[0], work[1]
    first_ket = times.size - out.kets.shape[1]
    top = phi.size - 1
    spin = 0.5 * top
    counts = np.empty(shifts.size)
    for i in range(origin.size):
        set_ket(psi, start, origin[i])
        counts[:] = 0.0
        n = click_offsets[i]
        t = 0.0
        since, t_end = clock[0][i], clock[1][i]
        for j in range(times.size):
            if j < times.size - 1 and (times[j] < since or times[j] > since + t_end):
                continue
            now = min(times[j] - since, t_end)
            while n < click_offsets[i + 1] and (
                click_time[n] <= now or since + click_time[n] <= times[j] <= since + t_end
            ):
                channel = int(click_channel[n])
                decay(psi, total_rates, frequency, click_time[n] - t)
                jump(psi, tables.jump_elements[channel], shifts[channel])
                t = click_time[n]
                counts[channel] += 1.0
                n += 1
            now = max(now, t)
            decay(psi, total_rates, frequency, now - t)
            t = now
            phi[:] = 0.0
            plus = 0.0j
            z = 0.0
            for k in range(top + 1):
                z += (k - spin) * (psi[k].real ** 2 + psi[k].imag ** 2)
                phi[k] += cos_theta * (k - spin) * psi[k]
                if k < top:
                    raising = math.sqrt((top - k) * (k + 1.0))
                    plus += psi[k + 1].conjugate() * raising * psi[k]
                    phi[k + 1] += 0.5 * sin_theta * raising * psi[k]
                    phi[k] += 0.5 * sin_theta * raising * psi[k + 1]
            mean = cos_theta * z + sin_theta * plus.real
            square = 0.0
            variance = 0.0
            for k in range(top + 1):
                square += phi[k].real ** 2 + phi[k].imag ** 2
                rest = phi[k] - mean * psi[k]
                variance += rest.real**2 + rest.imag**2
            samples[i, out.jz, j] = mean
            samples[i, out.jz_square, j] = square
            samples[i, out.jz_variance, j] = variance
            samples[i, out.jx, j] = cos_theta * plus.real - sin_theta * z
            samples[i, out.jy, j] = plus.imag
            for channel in range(shifts.size):
                samples[i, out.counts + channel, j] = counts[channel]
            if out.products.shape[1] > 0:
                write_products(psi, out.products[i, :, j])
            if j >= first_ket:
                out.kets[i, j - first_ket] = psi
