"""Blocks of J on the levels that are occupied only, a window that moves and grows by itself.

A state of many atoms occupies few of all levels |J, M>: some standard deviations of M, and those J
that jumps of single atoms have reached. It is followed on a window around them, from which nothing
comes back. After every step its edges and its trace are looked at: if anything has got there, or
beyond, the step is taken again on a wider window.
"""

import numpy as np

from trajbatt.numerics.propagators import rational_states

EMPTY = 1e-16  # elements that no longer matter
EDGE = 1e-15  # elements at the edge of a window by which it was wide enough
LOST = 1e-12  # of the trace, by which a window was wide enough
LEAST = 8  # levels of margin
PACE = 0.25  # of the time so far, or of the model's timescale: steps after which a window is judged
TOO_LARGE = 2.0  # times more elements than are needed, for which it pays to begin anew


def windowed_states(whole, y, times, rtol):
    """Yield what `y` becomes at each of `times`.

    Parameters
    ----------
    whole : LocalLadderOrders
        Of all levels of the blocks that there may be.
    y : ndarray (stop + nc,)
    times : ndarray (nt,)
    rtol : float

    Yields
    ------
    ndarray (stop + nc,)
        With zeros outside the window.
    """
    stop, layout = whole.layout.stop, whole.layout
    times, is_wanted = _with_steps(times, PACE * whole.model.timescale)
    t, i, margin, following = 0.0, 0, 1.0, None
    while i < times.size:
        if following is None:
            window = _around(layout, y, margin)
            part = whole.cut(*window)
            if t > 0.0:
                part.timescale = times[i] - t  # a better guess than that at the beginning
            begun = np.append(y[part.layout.places], y[stop:])
            following = rational_states(part, begun, times[i:] - t, rtol, frugal=True)
        found = next(following)
        elements = found[: part.layout.stop]
        lost = layout.trace(y[:stop]).real - part.layout.trace(elements).real
        if np.abs(elements[part.layout.edges]).max(initial=0.0) > EDGE or lost > LOST:
            margin, following = 2.0 * margin, None
            continue
        y = np.zeros(y.size, dtype=found.dtype)
        y[part.layout.places], y[stop:] = found[: part.layout.stop], found[part.layout.stop :]
        if is_wanted[i]:
            yield y
        t, i, margin = times[i], i + 1, 1.0
        if _size(window) > TOO_LARGE * _size(_around(layout, y, margin)):
            following = None


def _with_steps(times, least):
    """Return times with others between them, where they are far apart, and which were given."""
    found, is_wanted, t = [], [], 0.0
    for time in times.tolist():
        while time - t > (step := max(least, PACE * t)):
            t += step
            found.append(t)
            is_wanted.append(False)
        t = time
        found.append(t)
        is_wanted.append(True)
    return np.array(found), is_wanted


def _around(layout, y, margin):
    """Return the lowest and the highest M and the number of blocks of a window around y."""
    occupied = np.abs(y[: layout.stop]) > EMPTY
    m, depth = layout.lowest_m[occupied], layout.depth[occupied]
    low, high, n_blocks = m.min(), m.max(), depth.max() + 1
    room = LEAST + margin * 0.25 * (high - low)
    deeper = int(np.ceil(margin * (4.0 + 0.25 * n_blocks)))
    most = layout.n_atoms / 2
    return (
        max(low - room, -most),
        min(high + room, most),
        min(n_blocks + deeper, layout.spins.size),
    )


def _size(window):
    low, high, n_blocks = window
    return (high - low + 1.0) * n_blocks
