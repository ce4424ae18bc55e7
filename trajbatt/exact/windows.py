"""All coherence orders of a ladder at large N: only where the density matrix is not empty.

Populations bound coherences, |rho_jk|^2 <= rho_jj rho_kk, and they are cheap to know beforehand: so
the orders 0, 1 and 2 are taken through all times on all levels, and every other order then on its
own window of levels, for as long as it has not died out. At N = 1000 a charging battery has a
fifth of all elements in the windows when it starts and a thousandth when it is charged.
"""

from itertools import pairwise

import numpy as np

from trajbatt.exact.relaxation import states_until_any_time

EMPTY = 1e-13  # elements that no longer matter
FEWER = 1.25  # times fewer elements, for which it pays to begin anew
MOST_CLIMBS = 300.0  # clicks between two times up to which uniformization beats rational steps


def windowed_states(whole, low, y, times, rtol):
    """Yield what `y` becomes at each of `times`.

    Parameters
    ----------
    whole, low : LadderOrders
        Of all orders, and of the first three.
    y : ndarray (stop + nc,)
        Of `whole`, at t = 0.
    times : ndarray (nt,)
    rtol : float

    Yields
    ------
    ndarray (stop + nc,)
        With zeros outside the windows.
    """
    few, stop = low.layout.stop, whole.layout.stop
    begun = np.append(y[:few], y[stop:])
    lows = np.array(list(low.states(begun, times)))
    populations = np.vstack((begun, lows))[:, low.layout.populations].real
    reached = [_reached(before, after) for before, after in pairwise(populations)]
    orders = _count_living(whole.layout, y)

    def laid_out(low_orders):
        y = np.zeros(stop + low_orders.size - few, dtype=begun.dtype)
        y[:few], y[stop:] = low_orders[:few], low_orders[few:]
        return y

    i = 0
    while i < times.size and orders > 3:
        windows, end = _one_stretch(reached[i:], orders)
        coherences = Coherences(whole, windows)
        start = times[i - 1] if i else 0.0
        if i:
            coherences.timescale = times[i] - start  # a better guess than that at the beginning
        following = coherences.states(y[coherences.places], times[i : i + end] - start, rtol)
        for found in following:
            y = laid_out(lows[i])
            y[coherences.places] = found
            yield y
            i += 1
            living = _count_living(whole.layout, y[:stop], orders)
            if FEWER * living < orders:
                break
        orders = living
    for low_orders in lows[i:]:
        yield laid_out(low_orders)


class Coherences:
    """The orders from 3 on, each on a window of its levels, one after the other.

    Parameters
    ----------
    whole : LadderOrders
    windows : ndarray (nq, 2), int
        Of the orders 0, 1, …, each from its first level to the one behind its last.
    """

    def __init__(self, whole, windows):
        pieces = [
            np.arange(part.start + first, part.start + end)
            for part, (first, end) in zip(whole.layout.slices[3:], windows[3:], strict=False)
        ]
        self.places = np.concatenate([*pieces, np.zeros(0, dtype=int)])
        self.model, self.rounding = whole.model, whole.rounding
        self.timescale = whole.timescale
        self._ends = np.cumsum([piece.size for piece in pieces], dtype=int)
        self._liouvillian = whole.liouvillian.cut(self.places, self._ends)

    def states(self, y, times, rtol):
        """Yield what y becomes at each of `times`."""
        rate = -self._liouvillian.diagonal.min(initial=0.0)
        if rate * np.diff(times, prepend=0.0).max() > MOST_CLIMBS:
            yield from states_until_any_time(self, y, times, rtol)
            return
        from trajbatt.kernels.uniformization import propagate_pieces

        chain, now = self._liouvillian.chain(rate), 0.0
        scratch = np.empty((2, y.size), dtype=y.dtype)
        for time in times:
            y = y.copy()
            propagate_pieces(chain, self._ends, time - now, y, *scratch)
            now = time
            yield y

    def factor(self, pole, h):
        """Return the function y -> (pole - hA)^(-1) y."""
        substitute = self._liouvillian.resolvent(pole, h)

        def solve(y):
            x = y.astype(np.result_type(y, pole if pole.imag else float))
            substitute(x)
            return x

        return solve

    def monitor(self, y):
        """Return what `rational_states` must get right: everything."""
        return y

    def normalise(self, y):
        """Nothing is conserved."""

    def extrapolated(self, y, duration):
        """Return y after `duration` in the steady state, which has no coherences."""
        return y


def _count_living(layout, y, most=None):
    """Return how many orders of y, of the first `most`, have not died out."""
    for q in reversed(range(3, most or len(layout.orders))):
        if np.abs(y[layout.slices[q]]).max() > EMPTY:
            return q + 1
    return 3


def _reached(before, after):
    """Return a bound (N+1,) on the populations between two times.

    What has flown from level to level in between is the change of the sum of all populations
    below, or above: the smaller sum has the digits.
    """
    change = np.abs(after) - np.abs(before)
    below, above = np.abs(np.cumsum(change)), np.abs(np.cumsum(change[::-1])[::-1])
    flow = np.minimum(below[:-1], above[1:])
    bound = np.maximum(np.abs(before), np.abs(after))
    bound[:-1] = np.maximum(bound[:-1], flow)
    bound[1:] = np.maximum(bound[1:], flow)
    return bound


def _one_stretch(reached, orders):
    """Return windows (nq, 2) for the first orders, and for how many time steps they are kept."""
    windows = first = _windows(reached[0], orders)
    for end, bound in enumerate(reached[1:], start=1):
        wanted = _windows(bound, orders)
        wider = np.column_stack(
            (np.minimum(windows[:, 0], wanted[:, 0]), np.maximum(windows[:, 1], wanted[:, 1]))
        )
        if np.ptp(wider, axis=1).sum() > FEWER * np.ptp(first, axis=1).sum():
            return windows, end
        windows = wider
    return windows, len(reached)


def _windows(bound, orders):
    """Return, for each order q, the levels k (nq, 2) where rho_{k+q,k} may not be empty."""
    levels = np.flatnonzero(bound * bound.max() > EMPTY**2)
    first, end = levels[0], levels[-1] + 1
    p = bound[first:end]
    # How many orders each level k has: up to the furthest j with p_j p_k above the bound.
    largest_above = np.maximum.accumulate(p[::-1])  # ascending
    with np.errstate(divide="ignore"):
        nearer = np.searchsorted(largest_above, EMPTY**2 / p, side="right")
    reach = p.size - nearer - np.arange(p.size)
    q = np.arange(orders)
    begins = np.searchsorted(np.maximum.accumulate(reach), q, side="right")
    behind = np.searchsorted(np.maximum.accumulate(reach[::-1]), q, side="right")
    windows = np.column_stack((first + begins, end - behind))
    windows[begins == p.size] = 0
    return windows
