r"""exp(tA) y for a tridiagonal A that gains off its diagonal what it loses on it, or less.

With c at least as large as every loss, A = c (P - 1), where P has no negative elements, and

    exp(tA) y = exp(-ct) sum_n (ct)^n/n! P^n y:

nothing cancels, so every element comes out to nearly full relative precision (uniformization,
Jensen 1953).
"""

import math

import numpy as np

from trajbatt.kernels.compile import kernel

LONGEST = 8.0  # c times a step
NEGLIGIBLE = 1e-18  # weight of the first term that is left out


@kernel
def multiply(below, diagonal, above, y, out):
    """Write P y to `out`."""
    one, last = np.uint64(1), np.uint64(y.size - 1)
    out[0] = diagonal[0] * y[0]
    for i in range(one, last + one):
        out[i] = diagonal[i] * y[i] + below[i - one] * y[i - one]
    for i in range(last):
        out[i] += above[i] * y[i + one]


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
def propagate(below, diagonal, above, rate, duration, levels, y, term, spare):
    """Replace y by exp(duration A) y, scaled to trace 1; return the logarithm of the trace.

    Parameters
    ----------
    below, diagonal, above : *in* (n-1,), (n,), (n-1,) float64
        P = 1 + A/rate.
    rate : float
        c, at least the largest loss -A_ii.
    duration : float
    levels : int
        The sum of the first so many elements of y is its trace.
    y : *in, out* (n,)
        float64 or complex128.
    term, spare : *scratch* (n,) of the type of y
    """
    log = 0.0
    parts = math.ceil(rate * duration / LONGEST)
    for _ in range(parts):
        z = rate * duration / parts
        weight = math.exp(-z)
        term[:] = y
        y *= weight
        n = 0
        while n < z or weight > NEGLIGIBLE:
            n += 1
            multiply(below, diagonal, above, term, spare)
            term, spare = spare, term
            weight *= z / n
            for i in range(np.uint64(y.size)):
                y[i] += weight * term[i]
        log += normalise(y, levels)
    return log


@kernel
def follow(
    below,
    diagonal,
    above,
    rate,
    jumps,
    shifts,
    dark,
    levels,
    times,
    channels,
    t,
    t_end,
    y,
    term,
    spare,
):
    """Take y from `t` through some clicks to `t_end`.

    Parameters
    ----------
    below, diagonal, above, rate
        As for `propagate`.
    jumps : *in* (nc, n) float64
        A click of channel c multiplies y by this and moves it by `shifts[c]` places.
    shifts : *in* (nc,) int64
    dark : *in* (nc,) float64
        Or it is a dark count, at this rate, and leaves y as it is.
    levels : int
        As for `propagate`.
    times, channels : *in* (n_clicks,)
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
    log = 0.0
    for n in range(times.size + 1):
        is_click = n < times.size
        until = times[n] if is_click else t_end
        log += propagate(below, diagonal, above, rate, until - t, levels, y, term, spare)
        t = until
        if is_click:
            channel = channels[n]
            shift = shifts[channel]
            # An element that would leave its coherence order has a factor of zero.
            for i in range(y.size):
                term[i] = jumps[channel, i] * y[i]
            for i in range(y.size):
                source = i - shift
                y[i] *= dark[channel]
                if 0 <= source < y.size:
                    y[i] += term[source]
            log += normalise(y, levels)
            if log == -math.inf:
                return log, n
    return log, times.size
