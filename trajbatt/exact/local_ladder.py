"""Ladders with noise of single atoms: their Liouvillian, by coherence order and block of J.

Orders decouple, as on a ladder; in each, jumps of single atoms couple every block to itself and to
its two neighbours. Only so many blocks are kept as are reached.
"""

from copy import copy
from functools import cached_property

import numpy as np

from trajbatt.exact.block_orders import BlockOrders
from trajbatt.exact.block_windows import windowed_states
from trajbatt.exact.orders import CountedOrders
from trajbatt.numerics import spin_blocks
from trajbatt.numerics.propagators import dense_states, rational_states, uniform_step

DENSE_WORK = 3 * 128**3  # up to here matrix exponentials beat many sweeps
DENSE_STIFFEST = 1e4  # rates times step up to which its rounding errors stay near 1e-12
SHARE = 0.1  # of the accuracy asked for, in each step
FEW = 4000  # elements that are not worth a window
SETTLED = 3e-17  # of the largest element: changes by which a solution has converged
MOST_SWEEPS = 40  # before the sparse factors of the whole matrix are taken


class LocalLiouvillian:
    """d/dt of some coherence orders of some blocks, perhaps under a counting field.

    Parameters
    ----------
    model : LocalLadderModel
    layout : BlockOrders
    field : ndarray (nc,), optional
        What the jumps of each channel are multiplied by; one by default.
    """

    def __init__(self, model, layout, field=None):
        self.model, self.layout = model, layout
        field = np.ones(len(model.channels)) if field is None else np.asarray(field)
        kinds = {False: np.zeros(3, dtype=field.dtype), True: np.zeros(3, dtype=field.dtype)}
        for channel, factor in zip(model.channels, field, strict=True):
            kinds[channel.local][1 + channel.shift] += factor * channel.rate
        self._collective, self._local = kinds[False], kinds[True]
        arrays = np.zeros((9, layout.stop), dtype=field.dtype)
        self.below, self.diagonal, self.above = arrays[:3]
        self.shorter, self.longer = arrays[3:6], arrays[6:]
        for (q, n), part in layout.blocks.items():
            self._fill(q, n, part)

    def cut(self, layout):
        """Return the same of a layout that is a `cut` of this one; what leaves it is lost."""
        part = copy(self)
        part.layout = layout
        vars(part).pop("blocks", None)
        vars(part).pop("jump_rates", None)
        part.below, part.diagonal, part.above = (
            one[layout.places] for one in (self.below, self.diagonal, self.above)
        )
        part.shorter, part.longer = self.shorter[:, layout.places], self.longer[:, layout.places]
        for place in layout.blocks.values():
            if place.stop > place.start:
                part.below[place.stop - 1] = part.above[place.start] = 0.0
        part.jump_rates = self.jump_rates[:, layout.places[layout.populations]]
        return part

    def _fill(self, q, n, part):
        """Write the elements that begin in the block of 2J = n, in order q."""
        n_atoms, u = self.layout.n_atoms, np.arange(n + 1.0 - q)
        v, m = n - u, u - n / 2
        down, flat, up = self.model.collective_rates
        self.diagonal[part] = -0.5 * (
            self._loss(u, v) + self._loss(u + q, v - q) + flat * (m**2 + (m + q) ** 2)
        )
        same = spin_blocks.weight(n_atoms, n, spin_blocks.SAME)
        down, flat, up = self._collective + same * self._local

        def pairs(shift, step):
            first = spin_blocks.elements(u, v, shift, step)
            return first * spin_blocks.elements(u + q, v - q, shift, step)

        self.diagonal[part] += flat * m * (m + q)
        self.below[part], self.above[part] = up * pairs(1, 0), down * pairs(-1, 0)
        # Off the block the elements are zero, but for rounding in none of them.
        self.below[part.stop - 1], self.above[part.start] = 0.0, 0.0
        down, flat, up = spin_blocks.weight(n_atoms, n, spin_blocks.LOWER) * self._local
        shorter = self.layout.blocks.get((q, n - 2))
        if shorter is not None:
            size = n - 1 - q
            for i, (shift, rate) in enumerate(((1, up), (0, flat), (-1, down))):
                gained = rate * pairs(shift, spin_blocks.LOWER)
                self.shorter[i, shorter] = gained[i : i + size]
        if (q, n + 2) in self.layout.blocks:
            down, flat, up = spin_blocks.weight(n_atoms, n, spin_blocks.HIGHER) * self._local
            for i, (shift, rate) in enumerate(((1, up), (0, flat), (-1, down))):
                self.longer[i, part] = rate * pairs(shift, spin_blocks.HIGHER)

    def _loss(self, u, v):
        """Return the rate of all jumps but the collective J'_z."""
        down, _, up = self.model.collective_rates
        local_down, local_flat, local_up = self.model.local_rates
        half, m = self.layout.n_atoms / 2, 0.5 * (u - v)
        collective = up * v * (u + 1.0) + down * u * (v + 1.0)
        return collective + local_up * (half - m) + local_down * (half + m) + local_flat * half / 2

    @cached_property
    def blocks(self):
        """What the kernels know of it."""
        from trajbatt.kernels.block_sweeps import Blocks

        known = self.layout.blocks.items()
        return Blocks(
            starts=np.array([part.start for _, part in known]),
            sizes=np.array([part.stop - part.start for _, part in known]),
            first=np.array([self.layout.first[block] for block, _ in known]),
            is_first=np.array([n == self.layout.n_atoms for (_, n), _ in known]),
            below=self.below,
            diagonal=self.diagonal,
            above=self.above,
            shorter=self.shorter,
            longer=self.longer,
        )

    @cached_property
    def matrix(self):
        """All of it, a csc_array (stop, stop)."""
        from scipy.sparse import csc_array, diags_array

        inside = diags_array(
            [self.below[:-1], self.diagonal, self.above[1:]], offsets=[-1, 0, 1], format="coo"
        )
        rows, columns, values = [inside.row], [inside.col], [inside.data]
        for (q, n), part in self.layout.blocks.items():
            longer = self.layout.blocks.get((q, n + 2))
            if longer is not None:
                i = np.arange(part.stop - part.start)
                for k in range(3):
                    rows += [part.start + i, longer.start + i + 2 - k]
                    columns += [longer.start + i + k, part.start + i]
                    values += [self.shorter[k, part], self.longer[k, part]]
        entries = np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))
        return csc_array(entries, shape=(self.layout.stop,) * 2)

    def jump_matrix(self, shares):
        """Return what jumps do, `shares` (nc,) of those of each channel, a csr_array."""
        found = [
            LocalLiouvillian(self.model, self.layout, field).matrix.tocsr()
            for field in (shares, np.zeros(len(shares)))
        ]
        return found[0] - found[1]

    @cached_property
    def jump_rates(self):
        """The rate of each channel on each level, float64 (nc, levels of order 0)."""
        return np.concatenate([self.model.jump_rates(n) for n in self.layout.spins], axis=1)

    def jump_flow(self, populations):
        """Return the rates (nc,) of the jumps of populations, which may be complex."""
        if np.isrealobj(populations):
            return self.jump_rates @ populations
        # Two real columns: NumPy would make a complex copy of the rates.
        flow = self.jump_rates @ np.ascontiguousarray(populations).view(float).reshape(-1, 2)
        return flow[:, 0] + 1j * flow[:, 1]

    def resolvent(self, pole, h):
        """Return the function b -> (pole - hA)^(-1) b of complex b (stop,)."""
        return Resolvent(self, pole, h)


class Resolvent:
    """b -> (pole - hA)^(-1) b, by sweeps that begin with the last solution."""

    def __init__(self, liouvillian, pole, h):
        from trajbatt.kernels.block_sweeps import factorise

        self._liouvillian, self._h = liouvillian, h
        self._pole = pole if pole.imag else pole.real
        blocks = liouvillian.blocks
        kind = np.result_type(blocks.diagonal, type(self._pole))
        self._factors = np.empty((3, liouvillian.layout.stop), dtype=kind)
        factorise(self._pole, h, blocks, *self._factors)
        self._scaled = blocks._replace(shorter=h * blocks.shorter, longer=h * blocks.longer)
        self._work = np.empty(blocks.sizes.max(), dtype=kind)
        self._last = np.zeros(liouvillian.layout.stop, dtype=kind)
        self._direct = None

    def __call__(self, b):
        """Return the solution (stop,) for b (stop,): complex, unless b and the pole are real."""
        if np.iscomplexobj(b) and not np.iscomplexobj(self._last):
            return self(b.real) + 1j * self(b.imag)
        if self._direct is None:
            x = self._settled(b.astype(self._last.dtype))
            if x is not None:
                return x
            self._direct = self._factorised()
        x = self._direct(b.astype(complex))
        return x if np.iscomplexobj(self._last) else x.real

    def _settled(self, b):
        """Return the solution by sweeps, or None if there would be too many."""
        from trajbatt.kernels.block_sweeps import sweep

        x, before = self._last, 0.0
        for _ in range(MOST_SWEEPS):
            change, largest = sweep(self._scaled, *self._factors, b, x, self._work)
            # The next change will be smaller by as much as this one.
            if before and change * min(change / before, 1.0) <= SETTLED * largest:
                return x.copy()
            before = change
        return None

    def _factorised(self):
        """Return the solver by the sparse factors of all blocks."""
        from scipy.sparse import eye_array
        from scipy.sparse.linalg import splu

        matrix = self._liouvillian.matrix
        unit = eye_array(matrix.shape[0], format="csc", dtype=complex)
        return splu((self._pole * unit - self._h * matrix).tocsc()).solve


class LocalLadderOrders:
    """The coherence orders 0, 1 and 2 of all blocks, and behind them the mean photon counts.

    Parameters
    ----------
    model : BlockModel
    rtol : float
    all_orders : bool
        All orders, each element accurate.
    """

    method = "blocks"

    def __init__(self, model, rtol, all_orders=False):
        self.model, self._rtol, self._monitor_all = model, rtol, all_orders
        orders = range(model.n_levels if all_orders else min(3, model.n_levels))
        self.layout = BlockOrders.of(model, orders)
        self.counted = CountedOrders(self.layout, len(model.channels))
        self.begin = self.counted.begin
        self.timescale = 0.25 * model.timescale
        self.rounding = 5e-13 * model.n_atoms
        self.liouvillian = LocalLiouvillian(model, self.layout)

    def hand_over(self, y, phase, theta):
        """Return the matrices of the blocks in another basis for another stage, (1,) of dict."""
        return self.layout.in_basis(self.counted.orders(y)[None], phase, theta)

    def states(self, y, times):
        """Return an iterable of the vectors that are y at t = 0 at each of `times`."""
        sizes = [part.stop - part.start for part in self.layout.slices]
        if sum(size**3 for size in sizes) <= DENSE_WORK:
            step = times[-1] if times.size < 3 else uniform_step(times)
            longest = None if step is None else max(step, times[0])
            fastest = np.abs(self.liouvillian.diagonal).max(initial=0.0)
            if longest is not None and longest * fastest < DENSE_STIFFEST:
                return self._dense_states(y, times)
        if self.layout.stop <= FEW:
            return rational_states(self, y, times, SHARE * self._rtol, frugal=True)
        return windowed_states(self, y, times, SHARE * self._rtol)

    def cut(self, low, high, n_blocks):
        """Return the same on the levels low <= M <= high of the longest blocks alone."""
        part = copy(self)
        part.layout = self.layout.cut(low, high, n_blocks)
        part.counted = CountedOrders(part.layout, len(self.model.channels))
        part.liouvillian = self.liouvillian.cut(part.layout)
        return part

    def _dense_states(self, y, times):
        """Return the states (nt, n) by matrix exponentials, order by order."""
        matrix, stop = self.liouvillian.matrix.toarray(), self.layout.stop
        found = np.empty((y.size, times.size), dtype=y.dtype)
        n_channels = y.size - stop
        for q, part in enumerate(self.layout.slices):
            places = np.arange(part.start, part.stop)
            block = matrix[part, part]
            if q == 0:
                places = np.append(places, np.arange(stop, y.size))
                block = np.pad(block, ((0, n_channels),) * 2)
                block[part.stop :, : part.stop] = self.liouvillian.jump_rates
            found[places] = dense_states(block[None], y[None, places], times)[0]
        return found.T

    def factor(self, pole, h):
        """Return the function y -> (pole - hA)^(-1) y."""
        solve_orders = self.liouvillian.resolvent(pole, h)
        populations, end = self.layout.populations, self.layout.stop
        shift = pole if pole.imag else pole.real

        def solve(y):
            x = y.astype(np.result_type(y, type(shift)))
            x[:end] = solve_orders(x[:end])
            x[end:] = (x[end:] + h * self.liouvillian.jump_flow(x[populations])) / shift
            return x

        return solve

    def normalise(self, y):
        """Nothing: what is missing from trace 1 has left the blocks that are kept."""

    def monitor(self, y):
        """Return what `rational_states` must get right, on the scale of N."""
        z_mean, z_variance, plus, plus_z, plus_plus = self.layout.moments(y)
        counts, n_atoms = self.counted.counts(y), self.model.n_atoms
        scaled = [z_mean, z_variance, plus, plus_z, plus_plus - plus**2]
        lengths = [self.layout.square(y) / n_atoms]  # what matters of it is of the order of N
        watched = [np.array(scaled) / n_atoms, lengths, counts / max(1.0, counts.sum())]
        if self._monitor_all:
            watched.append(self.counted.orders(y))
        return np.concatenate(watched)
