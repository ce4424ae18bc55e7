"""When something that is smooth but for jumps first passes a level."""

import math

import numpy as np

DEGREE = 12  # of the polynomial through a piece
ROUNDING = 1e-12  # of the scale: what begins at the level is there
ALMOST = 1e-6  # of the scale: what is there by the polynomial may be below by so much


def first_passage(function, times, level, scale, sudden):
    """Return the first time at which a function is at or above a level; inf if it never is.

    Parameters
    ----------
    function : callable
        Of times (n,), ascending; returns float64 (n,).
    times : ndarray (m,), float64
        Ascending; so close that the function is smooth between two of them, with one maximum at
        most.
    level : float
    scale : float
        Of the function: rounding is 1e-15 of it.
    sudden : float
        Between two times that are closer it may jump.
    """
    height = function(times) - level
    if height[0] >= -ROUNDING * scale:
        return float(times[0])
    reached = np.flatnonzero(height >= 0.0)
    stop = int(reached[0]) if reached.size else times.size
    for i in _maxima(times[:stop], height[:stop], sudden):
        found = _in_piece(function, times[i - 1], times[i + 1], level, scale)
        if found is not None:
            return found
    if stop == times.size:
        return math.inf
    if stop == 0 or times[stop] - times[stop - 1] <= sudden:
        return float(times[stop])
    found = _in_piece(function, times[stop - 1], times[stop], level, scale)
    return float(times[stop]) if found is None else found


def _maxima(times, height, sudden):
    """Return the places of maxima whose parabola, or twice that, goes up to zero."""
    i = np.arange(1, times.size - 1)
    before, here, after = height[i - 1], height[i], height[i + 1]
    fall = 2.0 * here - before - after
    with np.errstate(divide="ignore", invalid="ignore"):
        rise = 0.125 * (after - before) ** 2 / fall
    smooth = (np.diff(times) > sudden)[i - 1] & (np.diff(times) > sudden)[i]
    is_top = (here > before) & (here >= after) & smooth & (here + 2.0 * rise + 0.5 * fall >= 0.0)
    return i[is_top]


def _in_piece(function, begin, end, level, scale):
    """Return the first passage between two times with nothing sudden between; None for none."""
    nodes = 0.5 * (begin + end - (end - begin) * np.cos(np.pi * np.arange(DEGREE + 1) / DEGREE))
    nodes[0], nodes[-1] = begin, end
    height = function(nodes) - level
    line = np.polynomial.Chebyshev.fit(nodes, height, DEGREE, domain=[begin, end])
    roots = line.roots()
    roots = np.sort(roots.real[(np.abs(roots.imag) < 1e-9 * (end - begin))])
    rising = line.deriv()(roots) > 0.0
    inside = roots[(roots > begin) & (roots <= end) & rising]
    for root in inside:
        # A little later, so that it is there already; of what touches the level, not a rounding.
        slope = float(line.deriv()(root))
        later = min(root + 1e-14 * scale / slope + 1e-15 * abs(root), end)
        if function(np.array([later]))[0] - level >= -ALMOST * scale:
            return float(later)
    return None
