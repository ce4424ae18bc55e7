r"""exp(tA) y for a tridiagonal A that gains off its diagonal what it loses on it, or less.

With c at least as large as every loss, A = c (P - 1), where P has no negative elements, and

    exp(tA) y = exp(-ct) sum_n (ct)^n/n! P^n y:

nothing cancels, so every element comes out to nearly full relative precision (uniformization,
Jensen 1953).
"""

import math
from typing import NamedTuple

import numpy as np

from trajbatt.kernels.compile import kernel

LONGEST = 8.0  # c times a step, so that the trace of what loses everywhere does not vanish
LONGEST_PIECE = 64.0  # the same where only absolute errors matter: fewer terms
LEFT_OUT = 1e-18  # weight of the first term that is left out


class Chain(NamedTuple):
    """P = 1 + A/c, and c.

    Attributes
    ----------
    below, diagonal, above : ndarray (n-1,), (n,), (n-1,), float64
    rate : float
        c, at least the largest loss -A_ii.
    levels : int
        The sum of the first so many elements of y is its trace.
    """

    below: np.ndarray
    diagonal: np.ndarray
    above: np.ndarray
    rate: float
    levels: int


class Detection(NamedTuple):
    """What a click of a detector makes of y.

    Attributes
    ----------
    jumps : ndarray (nc, n), float64
        A photon of channel a multiplies y by this and moves it by `shifts[a]` places.
    shifts : ndarray (nc,), int64
    shares : ndarray (nc, nd), float64
        The probability that it is seen by each detector.
    dark : ndarray (nd,), float64
        Or it is a dark count, at this rate, and leaves y as it is.
    """

    jumps: np.ndarray
    shifts: np.ndarray
    shares: np.ndarray
    dark: np.ndarray


@kernel
def climb(below, diagonal, above, weight, term, out, y):
    """Write P `term` to `out`, and add `weight` times it to y."""
    one, last = np.uint64(1), np.uint64(y.size - 1)
    out[0] = diagonal[0] * term[0]
    if last > 0:
        out[0] += above[0] * term[1]
        out[last] = diagonal[last] * term[last] + below[last - one] * term[last - one]
        y[last] += weight * out[last]
    y[0] += weight * out[0]
    for i in range(one, last):
        risen = diagonal[i] * term[i] + below[i - one] * term[i - one] + above[i] * term[i + one]
        out[i] = risen
        y[i] += weight * risen


@kernel
def series(below, diagonal, above, z, y, term, spare, dwell):
    """Replace y by exp(z (P - 1)) y; `term` and `spare` are scratch.

    How long the first elements have dwelt is added to `dwell`, in units of 1/c; it may be empty.
    """
    weight = math.exp(-z)
    later = -math.expm1(-z)  # the probability of more than n terms
    for i in range(np.uint64(y.size)):
        term[i] = y[i]
        y[i] *= weight
    n = 0
    while n < z or weight > LEFT_OUT:
        for k in range(dwell.size):
            dwell[k] += later * term[k].real
        n += 1
        weight *= z / n
        later = max(later - weight, 0.0)
        climb(below, diagonal, above, weight, term, spare, y)
        term, spare = spare, term


@kernel
def propagate_pieces(chain, ends, duration, y, term, spare):
    """Replace y by exp(duration A) y, where A falls into pieces that know nothing of each other.

    Each is small enough for the fastest memory, and stays there until it is done.

    Parameters
    ----------
    chain : Chain, *in*
    ends : *in* (pieces,) int64
        Where each piece ends in y.
    duration : float
    y : *in, out* (n,)
        float64 or complex128.
    term, spare : *scratch* (n,) of the type of y
    """
    parts = math.ceil(chain.rate * duration / LONGEST_PIECE)
    nothing = np.empty(0)
    begin = 0
    for end in ends:
        for _ in range(parts):
            series(
                chain.below[begin : end - 1],
                chain.diagonal[begin:end],
                chain.above[begin : end - 1],
                chain.rate * duration / parts,
                y[begin:end],
                term[begin:end],
                spare[begin:end],
                nothing,
            )
        begin = end


@kernel
def normalise(y, levels):
    """Scale y to trace 1, and return the logarithm of the trace; -inf if there is none."""
    trace = 0.0
    for k in range(levels):
        trace += y[k].real
    if not trace > 0.0:
        return -math.inf
    y *= 1.0 / trace
    return math.log(trace)


@kernel
def propagate(chain, duration, y, term, spare):
    """Replace y by exp(duration A) y, scaled to trace 1; return the logarithm of the trace.

    Parameters
    ----------
    chain : Chain, *in*
    duration : float
    y : *in, out* (n,)
        float64 or complex128.
    term, spare : *scratch* (n,) of the type of y
    """
    log = 0.0
    # Taken out of the loops by hand: the compiler does not, which costs a tenth.
    below, diagonal, above, nothing = chain.below, chain.diagonal, chain.above, np.empty(0)
    parts = math.ceil(chain.rate * duration / LONGEST)
    for _ in range(parts):
        series(below, diagonal, above, chain.rate * duration / parts, y, term, spare, nothing)
        log += normalise(y, chain.levels)
    return log


@kernel
def visit(chain, times, y, term, spare, states, dwell):
    """Write exp(tA) y, scaled to trace 1, at some times, and how long it dwells where.

    Parameters
    ----------
    chain : Chain, *in*
        Of an A that conserves the trace.
    times : *in* (nt,) float64
        Ascending, from 0 on.
    y : *in, out* (1 or 2, n) float64
        The real part, of trace 1, and perhaps the imaginary one, which goes its own way.
    term, spare : *scratch* (n,) float64
    states : *out* (nt, 1 or 2, n) float64
    dwell : *out* (nt, levels) float64
        The integrals over time of the elements that make the trace.
    """
    below, diagonal, above, nothing = chain.below, chain.diagonal, chain.above, np.empty(0)
    so_far, unit = np.zeros(chain.levels), chain.rate if chain.rate > 0.0 else 1.0
    t = 0.0
    for j in range(times.size):
        z = chain.rate * (times[j] - t)
        parts = math.ceil(z / LONGEST)
        for _ in range(parts):
            series(below, diagonal, above, z / parts, y[0], term, spare, so_far)
            if len(y) > 1:
                series(below, diagonal, above, z / parts, y[1], term, spare, nothing)
            trace = 0.0
            for k in range(chain.levels):
                trace += y[0, k]
            y /= trace
        for k in range(chain.levels):
            if parts == 0:
                so_far[k] += unit * (times[j] - t) * y[0, k]
            dwell[j, k] = so_far[k] / unit
        t = times[j]
        states[j] = y


@kernel
def click(detection, detector, y, before):
    """Apply a click of a detector to y (n,); `before` is scratch of its type."""
    before[:] = y
    y *= detection.dark[detector]
    for a in range(detection.shifts.size):
        share = detection.shares[a, detector]
        if share == 0.0:
            continue
        shift = detection.shifts[a]
        jump = detection.jumps[a]
        # An element that would leave its coherence order has a factor of zero.
        source, target = np.uint64(max(0, -shift)), np.uint64(max(0, shift))
        for i in range(np.uint64(y.size - abs(shift))):
            y[target + i] += share * jump[source + i] * before[source + i]


@kernel
def follow(chain, detection, clicks, t, t_end, y, term, spare):
    """Take y from `t` through some clicks to `t_end`.

    Parameters
    ----------
    chain : Chain, *in*
    detection : Detection, *in*
    clicks : *in* (times, detectors), (n_clicks,) each
    t, t_end : float
    y : *in, out* (n,)
        Of trace 1.
    term, spare : *scratch* (n,) of the type of y

    Returns
    -------
    log : float
        The logarithm of the factor by which the trace has changed; -inf if it is zero.
    n_clicks : int
        How many clicks there were, the impossible one not counted.
    """
    times, detectors = clicks
    log = 0.0
    for n in range(times.size + 1):
        is_click = n < times.size
        until = times[n] if is_click else t_end
        log += propagate(chain, until - t, y, term, spare)
        t = until
        if is_click:
            click(detection, detectors[n], y, term)
            log += normalise(y, chain.levels)
            if log == -math.inf:
                return log, n
    return log, times.size
