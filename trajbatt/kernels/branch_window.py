r"""The branches of one trajectory: a window of amplitudes about the hidden one.

All climb in step. The total rate is R(m) = const + slope m + curvature m^2; at the distance d from
the hidden branch, which is at m_h(u),

    int R(m_h + d) - R(m_h) du = alpha d + beta d^2,
    alpha = slope T + 2 curvature int m_h du,     beta = curvature T:

two running integrals, and factors exp(-(alpha d + beta d^2)/2) that form a recurrence in d. For the
kernels of ladders, with noise of single atoms or without.

A window is whole blocks of `BLOCK` levels, so that loops over it are vectors only, without a rest,
and hardly ever change their length; amplitudes beyond the ends of the ladder are exactly zero. What
is called at every time must not count references to its arrays, which would take longer than the
work: it has them as arguments, not in tuples, and no `break` or `return` out of its loops.
"""

import math
from typing import NamedTuple

import numpy as np

from trajbatt.kernels.compile import kernel

BLOCK = 8  # levels
GROUP = 4  # stretches of factors applied in one pass over the amplitudes
ONE, TWO, EIGHT = np.uint64(1), np.uint64(2), np.uint64(BLOCK)
RENEW = 8  # blocks of the recurrence in d between two exponentials
WHOLE, EARLIER, END = 0, 1, 2  # which times are gone through
STEEP = 600.0  # exponents above which the recurrence is not used


class Window(NamedTuple):
    """The branches that are kept, by their initial levels.

    Attributes
    ----------
    low : int
        The first one.
    hidden : int
    blocks : int
        How many blocks of branches.
    """

    low: int
    hidden: int
    blocks: int


@kernel
def is_steep(window, alpha, beta):
    """Tell whether factors of `write_decay`, or their ratios, could overflow.

    So they could after a long dark time, on branches that are dead.
    """
    reach = float(BLOCK * (window.blocks + 1))
    return (abs(alpha) + abs(beta) * reach) * reach > STEEP


@kernel
def write_steep_decay(decay, window, alpha, beta):
    """Write the factors of `write_decay` each for itself, and none that is infinite."""
    first = window.low - window.hidden
    for i in range(BLOCK * window.blocks):
        d = float(first + i)
        decay[i] = math.exp(min(-0.5 * (alpha + beta * d) * d, STEEP))


@kernel
def write_decay(decay, ratio, window, alpha, beta):
    """Write the no-click decay exp(-(alpha d + beta d^2)/2), up to a common factor.

    The factors of a block are those of the block before times ratios, which are a recurrence
    themselves: so eight levels go at once. All begins anew with exponentials every `RENEW` blocks.

    Parameters
    ----------
    decay, ratio : *out*, *scratch* ndarray (N+1 + BLOCK,), float64
    window : Window
    alpha, beta : float
        Not steep.
    """
    first = window.low - window.hidden
    curve = math.exp(-beta)
    curve_4 = curve * curve
    curve_4 *= curve_4
    curve_8 = curve_4 * curve_4
    curve_64 = curve_8 * curve_8
    curve_64 *= curve_64
    curve_64 *= curve_64
    for done in range(0, window.blocks, RENEW):
        begin = BLOCK * done
        d = float(first + begin)
        factor = 1.0
        if done > 0:
            factor = math.exp(-0.5 * (alpha + beta * (d + first)) * begin)
        step = math.exp(-0.5 * (alpha + beta * (2.0 * d + 1.0)))
        # Eight steps, each of them `curve` times the one before: curve^(0 + 1 + ... + 7).
        leap = step * step
        leap *= leap
        leap *= leap * (curve_4 * curve_8) * (curve_8 * curve_8)
        for i in range(np.uint64(begin), np.uint64(begin + BLOCK)):
            decay[i] = factor
            ratio[i] = leap
            factor *= step
            step *= curve
            leap *= curve_8
        end = BLOCK * min(done + RENEW, window.blocks)
        for i in range(np.uint64(begin + BLOCK), np.uint64(end)):
            decay[i] = decay[i - EIGHT] * ratio[i - EIGHT]
            ratio[i] = ratio[i - EIGHT] * curve_64


@kernel
def apply_group(a, window, elements, place):
    """Multiply the amplitudes by the stretches of `elements` from each place on."""
    first = np.uint64(window.low)
    place0, place1, place2, place3 = place[0], place[1], place[2], place[3]
    for i in range(np.uint64(BLOCK * window.blocks)):
        a[first + i] *= (elements[place0 + i] * elements[place1 + i]) * (
            elements[place2 + i] * elements[place3 + i]
        )


@kernel
def apply_group_and_decay(a, window, elements, place, decay):
    """Do what `apply_group` does, apply the decay as well, and scale the hidden amplitude to 1."""
    first = np.uint64(window.low)
    place0, place1, place2, place3 = place[0], place[1], place[2], place[3]
    h = np.uint64(window.hidden - window.low)
    norm = 1.0 / (
        (a[first + h].real * decay[h])
        * (elements[place0 + h] * elements[place1 + h])
        * (elements[place2 + h] * elements[place3 + h])
    )
    for i in range(np.uint64(BLOCK * window.blocks)):
        a[first + i] *= (norm * decay[i]) * (
            (elements[place0 + i] * elements[place1 + i])
            * (elements[place2 + i] * elements[place3 + i])
        )


@kernel(reassociate=True)
def weight(a, begin):
    """Return the weight of the block of amplitudes from `begin` on."""
    first = np.uint64(begin)
    total = 0.0
    for i in range(EIGHT):
        total += a[first + i].real ** 2 + a[first + i].imag ** 2
    return total


@kernel
def trim(a, window, negligible):
    """Return the window, and the weight dropped, when negligible blocks at its ends go."""
    low, hidden, blocks = window
    dropped = 0.0
    lost = weight(a, low)
    while low + BLOCK <= hidden and lost <= negligible:
        dropped += lost
        low += BLOCK
        blocks -= 1
        lost = weight(a, low)
    top = low + BLOCK * (blocks - 1)
    lost = weight(a, top)
    while top > hidden and lost <= negligible:
        dropped += lost
        top -= BLOCK
        blocks -= 1
        lost = weight(a, top)
    return Window(low, hidden, blocks), dropped


@kernel
def write_start(a, start, which, hidden):
    """Write the amplitudes of a pure state, relative to the hidden one; return their window.

    Parameters
    ----------
    a : *out* ndarray
    start : *in*
        As `trajbatt.kernels.ladder.Start`.
    which, hidden : int
        The pure state and the hidden branch.

    Returns
    -------
    Window
    """
    low, begin, end = start.first[which], start.offsets[which], start.offsets[which + 1]
    size = end - begin
    blocks = (size + BLOCK - 1) // BLOCK
    scale = 1.0 / start.amplitudes[begin + hidden - low]
    for k in range(size):
        a[low + k] = start.amplitudes[begin + k] * scale
    a[low + size : low + BLOCK * blocks] = 0.0
    return Window(low, hidden, blocks)


@kernel(reassociate=True)
def moments(a, window, raising, at):
    """Return the sums that fix energy, variance and dipole; `raising[at]` belongs to a[low].

    With p = abs(a)^2, d the distance from the hidden branch, b = conj(a_{k+1}) a_k <k+1|J_+|k>:
    the sums of p, p d, p d^2, b, b d, and of conj(a_{k+2}) a_k <k+2|J_+^2|k>.
    """
    p0 = 0.0
    p1 = 0.0
    p2 = 0.0
    # The two amplitudes below are kept, not read again: reading them across the vectors that
    # have just been written would wait for the memory.
    b0 = b1 = c0 = below = next_below = 0.0 * a[window.low]
    first = np.uint64(window.low)
    table = np.uint64(at)
    distance = float(window.low - window.hidden)
    for i in range(np.uint64(BLOCK * window.blocks)):
        amplitude = a[first + i]
        d = distance + i
        p = amplitude.real * amplitude.real + amplitude.imag * amplitude.imag
        p0 += p
        p1 += p * d
        p2 += p * d * d
        lowered = amplitude.conjugate() * raising[table + i - ONE]
        b = lowered * below
        b0 += b
        b1 += b * (d - 1.0)
        c0 += lowered * raising[table + i - TWO] * next_below
        next_below = below
        below = amplitude
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
def write_ket(a, window, climbed, row):
    """Write the amplitudes of the branches that are on the ladder to their levels in `row`, *out*.

    Level k of the initial state is now k + `climbed`.
    """
    begin = max(window.low, -climbed)
    end = min(window.low + BLOCK * window.blocks, row.size - climbed)
    for k in range(begin, end):
        row[k + climbed] = a[k]


@kernel
def own_times(times, since, t_end):
    """Return the first of `times` that a trajectory is observed at, and the one after the last.

    Besides it is observed at the last of all, or at its end, which is `t_end` after its begin.
    """
    first, stop = 0, times.size - 1
    while first < stop and times[first] < since:
        first += 1
    while stop > first and times[stop - 1] > since + t_end:
        stop -= 1
    return first, stop


@kernel
def time_since(time, since, t_end, click_time, n, stop):
    """Return how long after the begin a time is, and not before a click that it is not before.

    The sum of the begin and the time of a click may be rounded up to `time`.
    """
    now = min(time - since, t_end)
    while since > 0.0 and n < stop and since + click_time[n] <= time:
        now = max(now, click_time[n])
        n += 1
    return now


@kernel
def draw_start(start, uniform, i):
    """Return the pure state in which trajectory i begins, and its hidden level.

    Parameters
    ----------
    start : *in*
        As `trajbatt.kernels.ladder.Start`.
    uniform : float
        A uniform number in [0, 1).
    i : int

    Returns
    -------
    int, int
    """
    first, offsets, amplitudes = start.first, start.offsets, start.amplitudes
    if start.assigned:
        drawn, left = offsets[i], uniform
        while drawn < offsets[i + 1] - 1:
            left -= amplitudes[drawn].real ** 2 + amplitudes[drawn].imag ** 2
            if left < 0.0:
                break
            drawn += 1
        return i, first[i] + drawn - offsets[i]
    drawn = np.searchsorted(start.edges, uniform, side="right")
    origin = np.searchsorted(offsets, drawn, side="right") - 1
    return origin, first[origin] + drawn - offsets[origin]
