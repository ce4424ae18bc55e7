"""Ladder models: their Liouvillian, which decouples by coherence order.

In the interaction picture what remains of order q is a real tridiagonal system. Orders are stacked
as in `trajbatt.exact.orders`, with zeros where they meet, so one solve serves them all. All systems
of ladder models, with counting fields or without, hold one such Liouvillian.
"""

from copy import copy
from functools import cached_property

import numpy as np

from trajbatt.base.arrays import real_parts
from trajbatt.exact.orders import CountedOrders, Orders
from trajbatt.exact.relaxation import states_until_any_time
from trajbatt.exact.windows import windowed_states
from trajbatt.numerics import spin
from trajbatt.numerics.propagators import dense_states, uniform_step
from trajbatt.numerics.tridiagonal import tridiagonal_solver

DENSE_WORK = 3 * 128**3  # up to here matrix exponentials beat many tridiagonal solves
MOST_CLIMBS = 30.0  # of uniformization: clicks in a stage
DENSE_STIFFEST = 1e4  # rates times step up to which its rounding errors stay near 1e-12


class LadderLiouvillian:
    """d/dt of some coherence orders, perhaps under counting fields, several side by side.

    Under the field z_c the jumps of channel c count z_c times; see `trajbatt.exact.fields`.

    Parameters
    ----------
    model : LadderModel
    layout : Orders
    fields : ndarray (nf, nc), float64 or complex128, optional
        One of ones by default: none.

    Attributes
    ----------
    below, diagonal, above : ndarray (nf, stop)
        Of the matrix: element i of `below` couples row i + 1 to column i, of `above` row i - 1 to
        column i. Zeros separate orders and fields.
    """

    def __init__(self, model, layout, fields=None):
        self.model, self.layout = model, layout
        fields = np.ones((1, len(model.channels))) if fields is None else fields
        shape = len(fields), layout.stop
        self.below, self.diagonal, self.above = np.zeros((3, *shape), dtype=fields.dtype)
        loss = sum(model.click_rates[model.shifts != 0], np.zeros(model.n_levels))
        m = spin.magnetic_numbers(model.n_atoms)
        counted = {s: fields @ np.where(model.shifts == s, model.rates, 0.0) for s in (-1, 0, 1)}
        dephasing = model.rate_of(0)
        uncounted = counted[0] - dephasing
        up, down = counted[1][:, None], counted[-1][:, None]
        has_field = uncounted.any()
        k, q = layout.elements
        # Without a field J'_z only dephases: no difference of large squares of m is left.
        self.diagonal[:] = -0.5 * (loss[k + q] + loss[k] + dephasing * q.astype(float) ** 2)
        if has_field:
            self.diagonal += np.outer(uncounted, m[k + q] * m[k])
        # The rate of a jump off the ladder is zero.
        self.below[:] = up * layout.raised
        self.above[:, 1:] = down * layout.raised[:-1]

    @cached_property
    def jumps(self):
        """A jump multiplies the orders by this and moves them by the channel's shift, (nc, stop).

        It takes rho_{k+q,k} to rho_{k+q+s,k+s}.
        """
        layout, elements = self.layout, self.model.jump_elements
        every = zip(layout.orders, layout.lengths, strict=True)
        pairs = [elements[:, q:] * elements[:, :levels] for q, levels in every]
        return self.model.rates[:, None] * np.concatenate(pairs, axis=1)

    def chain(self, rate=None):
        """Return the `trajbatt.kernels.uniformization.Chain` of the first field.

        `rate` is at least the largest loss, by default that of the model. It goes on by positive
        terms only, so that small elements come out with all digits.
        """
        from trajbatt.kernels.uniformization import Chain

        rate = self.model.largest_rate if rate is None else rate
        scale = rate or 1.0
        return Chain(
            below=self.below[0, :-1] / scale,
            diagonal=1.0 + self.diagonal[0] / scale,
            above=self.above[0, 1:] / scale,
            rate=rate,
            levels=self.model.n_levels,
        )

    def block(self, part):
        """Return the matrix (n, n) of one order, which has the places `part`, without a field."""
        block = np.diag(self.diagonal[0, part])
        i = np.arange(len(block))
        block[i[1:], i[:-1]] = self.below[0, part][:-1]
        block[i[:-1], i[1:]] = self.above[0, part][1:]
        return block

    def cut(self, places, ends):
        """Return d/dt of the elements `places` (n,) alone, in pieces up to each of `ends`."""
        part = copy(self)
        part.below, part.diagonal, part.above = (
            one[:, places] for one in (self.below, self.diagonal, self.above)
        )
        part.below[:, ends - 1] = 0.0
        part.above[:, ends[:-1]] = 0.0
        return part

    def resolvent(self, pole, h):
        """Return the function that replaces y (nf stop,) by (pole - hA)^(-1) y, in place.

        It takes complex y only, unless pole and fields are real.
        """
        shift = pole.real if pole.imag == 0.0 else pole
        kind = np.result_type(self.diagonal, type(shift))
        return tridiagonal_solver(
            (-h * self.below.ravel()[:-1]).astype(kind),
            (shift - h * self.diagonal.ravel()).astype(kind),
            (-h * self.above.ravel()[1:]).astype(kind),
        )

    def click_flow(self, populations):
        """Return the click rates (nc,) of populations (N+1,), which may be complex."""
        rates = self.model.click_rates
        if np.isrealobj(populations):
            return rates @ populations
        # Two real columns: NumPy would make a complex copy of the rates.
        flow = rates @ np.ascontiguousarray(populations).view(float).reshape(-1, 2)
        return flow[:, 0] + 1j * flow[:, 1]


class LadderOrders:
    """Some coherence orders, order 0 first, and behind them the mean photon counts.

    Parameters
    ----------
    model : LadderModel
    rtol : float
    all_orders : bool
        All orders, each element accurate; else 0, 1 and 2, which fix energy, variance and dipole.
    n_orders : int, optional
        Only so many of all, three at least.
    """

    method = "ladder"

    def __init__(self, model, rtol, all_orders=False, n_orders=None):
        self.model, self._rtol, self._monitor_all = model, rtol, all_orders
        n_orders = n_orders or model.n_levels
        wanted = min(n_orders if all_orders else 3, model.n_levels)
        self.layout = Orders(model.n_atoms, model.theta, range(wanted))
        self.counted = CountedOrders(self.layout, len(model.channels))
        self.begin, self.hand_over = self.counted.begin, self.counted.hand_over
        self.timescale = 0.25 * model.timescale
        self.rounding = 5e-13 * model.n_atoms

    @cached_property
    def liouvillian(self):
        """The `LadderLiouvillian` of these orders."""
        return LadderLiouvillian(self.model, self.layout)

    def states(self, y, times):
        """Return an iterable of the vectors that are y at t = 0 at each of `times`."""
        if len(self.layout.orders) * self.model.n_levels**3 <= DENSE_WORK:
            blocks = self.dense_blocks()
            step = times[-1] if times.size < 3 else uniform_step(times)
            longest = None if step is None else max(step, times[0])
            if longest is not None and longest * np.abs(blocks).max() < DENSE_STIFFEST:
                states = self.from_dense(dense_states(blocks, self.dense_state(y), times))
                self.normalise(states)
                return states.T
        if self._monitor_all and self.model.largest_rate * times[-1] < MOST_CLIMBS:
            return self._short_states(y, times)
        if not self._monitor_all or len(self.layout.orders) <= 3:
            return states_until_any_time(self, y, times, self._rtol)
        low = LadderOrders(self.model, self._rtol, True, n_orders=3)
        return windowed_states(self, low, y, times, self._rtol)

    def _short_states(self, y, times):
        """Return the same (nt, stop + nc) of a stage with few clicks, by uniformization."""
        from trajbatt.kernels.uniformization import visit

        stop, levels = self.layout.stop, self.model.n_levels
        now, scratch = np.array(real_parts(y[:stop])), np.empty((2, stop))
        now /= now[0, self.layout.populations].sum()
        orders, dwell = np.empty((times.size, *now.shape)), np.empty((times.size, levels))
        visit(self.liouvillian.chain(), times, now, *scratch, orders, dwell)
        states = np.empty((times.size, y.size), dtype=y.dtype)
        for part, found in enumerate(real_parts(states[:, :stop])):
            found[:] = orders[:, part]
        states[:, stop:] = y[stop:] + dwell @ self.model.click_rates.T
        return states

    def factor(self, pole, h):
        """Return the function y -> (pole - hA)^(-1) y."""
        substitute = self.liouvillian.resolvent(pole, h)
        shift = pole.real if pole.imag == 0.0 else pole
        populations, end = self.layout.populations, self.layout.stop

        def solve(y):
            x = y.astype(np.result_type(y, type(shift)))
            substitute(x[:end])
            x[end:] = (x[end:] + h * self.liouvillian.click_flow(x[populations])) / shift
            return x

        return solve

    def extrapolated(self, y, duration):
        """Return y after `duration` in the steady state."""
        later, stop = y.copy(), self.layout.stop
        later[stop:] += duration * self.liouvillian.click_flow(y[self.layout.populations])
        return later

    def normalise(self, y):
        """Scale the orders in y (stop + nc, ...), in place, to trace 1, which is exactly conserved.

        The rounding error of a step is nearly one common factor of all orders. Removing it gives
        the variance two to three more digits: at large N it is a small difference of them.
        """
        y[: self.layout.stop] /= y[self.layout.populations].real.sum(axis=0)

    def monitor(self, y):
        """Return what `rational_states` must get right, on the scale of N."""
        z_mean, z_variance, plus, plus_z, plus_plus = self.layout.moments(y)
        counts = self.counted.counts(y)
        scaled = np.array([z_mean, z_variance, plus, plus_z, plus_plus - plus**2])
        watched = [scaled / self.model.n_atoms, counts / max(1.0, counts.sum())]
        if self._monitor_all:
            watched.append(self.counted.orders(y))
        return np.concatenate(watched)

    def dense_blocks(self):
        """Return the matrices of all orders (nq, n, n), padded by zeros; counts in the first."""
        n_channels, levels = len(self.model.channels), self.model.n_levels
        size = levels + n_channels
        blocks = np.zeros((len(self.layout.orders), size, size))
        for block, part, length in zip(
            blocks, self.layout.slices, self.layout.lengths, strict=True
        ):
            block[:length, :length] = self.liouvillian.block(part)
        blocks[0, levels:, :levels] = self.model.click_rates
        return blocks

    def dense_state(self, y):
        """Return `y` (stop + nc,) laid out for `dense_blocks`, (nq, n)."""
        levels, layout = self.model.n_levels, self.layout
        laid = np.zeros((len(layout.orders), levels + len(self.model.channels)), dtype=y.dtype)
        for row, part in zip(laid, layout.slices, strict=True):
            row[: part.stop - part.start] = y[part]
        return laid

    def from_dense(self, states):
        """Return states (nq, n, nt) of `dense_blocks` as vectors (stop + nc, nt)."""
        pieces = [
            rows[: part.stop - part.start]
            for rows, part in zip(states, self.layout.slices, strict=True)
        ]
        return np.concatenate((*pieces, states[0, self.model.n_levels :]))
