r"""The branches of one trajectory: a window of amplitudes about the hidden one.

All climb in step. The total rate is R(m) = const + slope m + curvature m^2; at the distance d from
the hidden branch, which is at m_h(u),

    int R(m_h + d) - R(m_h) du = alpha d + beta d^2,
    alpha = slope T + 2 curvature int m_h du,     beta = curvature T:

two running integrals, and factors exp(-(alpha d + beta d^2)/2) that form a recurrence in d. For the
kernels of ladders, with noise of single atoms or without.
"""

import math

import numpy as np

from trajbatt.kernels.compile import kernel

GROUP = 4  # stretches of factors applied in one pass over the amplitudes
ONE, TWO = np.uint64(1), np.uint64(2)
BLOCK = 64  # steps of the recurrence in d between two exponentials
STEEP = 600.0  # exponents above which the recurrence is not used


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
def apply_group(a, low, high, elements, place):
    """Multiply the amplitudes `a[low:high+1]` by the stretches of `elements` from each place on."""
    first = np.uint64(low)
    place0, place1, place2, place3 = place[0], place[1], place[2], place[3]
    for i in range(np.uint64(high + 1 - low)):
        a[first + i] *= (elements[place0 + i] * elements[place1 + i]) * (
            elements[place2 + i] * elements[place3 + i]
        )


@kernel
def draw_start(start, uniform, i, n):
    """Return the pure state in which trajectory i of n begins, and its hidden level.

    Parameters
    ----------
    start : *in*
        As `trajbatt.kernels.ladder.Start`.
    uniform : float
        A uniform number in [0, 1).
    i, n : int

    Returns
    -------
    int, int
    """
    edges, first, offsets = start.edges, start.first, start.offsets
    if start.assigned:
        drawn = np.searchsorted(edges, (i + uniform) / n, side="right")
        drawn = min(max(drawn, offsets[i]), offsets[i + 1] - 1)
    else:
        drawn = np.searchsorted(edges, uniform, side="right")
    origin = np.searchsorted(offsets, drawn, side="right") - 1
    return origin, first[origin] + drawn - offsets[origin]
