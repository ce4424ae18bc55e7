"""Likelihoods of records of a ladder whose photons are missed, and how they change.

Only populations matter, a tridiagonal system between clicks. What changes with a parameter goes
with them: if y' = A y then s' = A s + (dA/dx) y is the derivative of y, and so on at clicks.
"""

import math

import numpy as np

from trajbatt.kernels.compile import kernel
from trajbatt.kernels.uniformization import LEFT_OUT, LONGEST, click, follow


@kernel
def likelihoods(chain, detection, records, populations, logs):
    """Write the logarithms of the probability densities of n records to `logs`.

    Parameters
    ----------
    chain : trajbatt.kernels.uniformization.Chain, *in*
    detection : trajbatt.kernels.uniformization.Detection, *in*
    records : *in* (offsets, times, detectors, durations)
        Clicks back to back, those of record i up to offsets[i + 1]; (n,) durations.
    populations : *in* (levels,) float64
        At t = 0.
    logs : *out* (n,) float64
        -inf where a record is impossible.
    """
    offsets, times, detectors, durations = records
    y, term, spare = np.empty((3, populations.size))
    for i in range(logs.size):
        clicks = times[offsets[i] : offsets[i + 1]], detectors[offsets[i] : offsets[i + 1]]
        y[:] = populations
        logs[i], _ = follow(chain, detection, clicks, 0.0, durations[i], y, term, spare)


@kernel
def climb(tables, weight, term, out, both):
    """Write P `term` and its derivative to `out`, and add `weight` times them to `both`.

    Parameters
    ----------
    tables : *in* (6, levels + 2) float64
        What is below, on and above the diagonal of P, and of its derivative: what comes to level k,
        in the place k + 1.
    weight : float
    term, out, both : *in*, *out*, *in, out* (2, levels + 2) float64
        With a zero at both ends.
    """
    one = np.uint64(1)
    for i in range(one, np.uint64(term.shape[1] - 1)):
        left, right = i - one, i + one
        below, on, above = term[0, left], term[0, i], term[0, right]
        risen = tables[0, i] * below + tables[1, i] * on + tables[2, i] * above
        grown = tables[3, i] * below + tables[4, i] * on + tables[5, i] * above
        grown += tables[0, i] * term[1, left] + tables[1, i] * term[1, i]
        grown += tables[2, i] * term[1, right]
        out[0, i] = risen
        out[1, i] = grown
        both[0, i] += weight * risen
        both[1, i] += weight * grown


@kernel
def series(tables, z, both, term, spare):
    """Replace y by exp(z (P - 1)) y, and its derivative likewise.

    Parameters
    ----------
    tables : *in*
        As of `climb`.
    z : float
    both : *in, out* (2, levels + 2) float64
    term, spare : *scratch* of that shape, zero at the ends
    """
    weight = math.exp(-z)
    term[:] = both
    both *= weight
    n = 0
    while n < z or weight > LEFT_OUT:
        n += 1
        weight *= z / n
        climb(tables, weight, term, spare, both)
        term, spare = spare, term


@kernel
def go_on(tables, rate, detection, change_of_clicks, clicks, duration, levels, both):
    """Take y and its derivative through clicks, and scale them by the same factor.

    Parameters
    ----------
    tables, rate, detection, change_of_clicks : *in*
        As of `slopes`.
    clicks : *in* (times, detectors), (n_clicks,) each
    duration : float
    levels : int
        The sum of the first so many elements of y is its trace.
    both : *in, out* (2, n + 2)
        float64 or complex128, with a zero at both ends.
    """
    times, detectors = clicks
    term, spare = np.zeros_like(both), np.zeros_like(both)
    y, slope = both[0, 1:-1], both[1, 1:-1]
    changed, before = np.empty_like(y), np.empty_like(y)
    t = 0.0
    for n in range(times.size + 1):
        is_click = n < times.size
        until = times[n] if is_click else duration
        parts = math.ceil(rate * (until - t) / LONGEST)
        for _ in range(parts):
            series(tables, rate * (until - t) / parts, both, term, spare)
            both *= 1.0 / y[:levels].real.sum()
        t = until
        if is_click:
            changed[:] = y
            click(change_of_clicks, detectors[n], changed, before)
            click(detection, detectors[n], slope, before)
            click(detection, detectors[n], y, before)
            slope += changed
            both *= 1.0 / y[:levels].real.sum()


@kernel
def slopes(tables, rate, detection, change_of_clicks, records, populations, start, found):
    """Write the derivatives of the logarithms of `likelihoods` to `found`, for possible records.

    Parameters
    ----------
    tables : *in*
        As of `climb`.
    rate : float
        The largest loss, in whose units they are.
    detection, change_of_clicks : trajbatt.kernels.uniformization.Detection, *in*
        The second with the derivatives of the jumps, and without dark counts.
    records, populations : *in*
        As of `likelihoods`.
    start : *in* (levels,) float64
        The derivative of the populations.
    found : *out* (n,) float64
    """
    offsets, times, detectors, durations = records
    levels = populations.size
    both = np.zeros((2, levels + 2))
    for i in range(found.size):
        both[0, 1:-1] = populations
        both[1, 1:-1] = start
        clicks = times[offsets[i] : offsets[i + 1]], detectors[offsets[i] : offsets[i + 1]]
        go_on(tables, rate, detection, change_of_clicks, clicks, durations[i], levels, both)
        found[i] = both[1].sum() / both[0].sum()
