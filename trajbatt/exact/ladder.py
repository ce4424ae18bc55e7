"""A ladder model's Liouvillian, which decouples by coherence order (DESIGN 3.3).

In the interaction picture what remains of order q is a real tridiagonal system. Orders are stacked
as in `trajbatt.exact.orders`, with zeros where they meet, so one solve serves them all. Mean photon
counts, the time integrals of the mean click rates, follow at the end of the vector.
"""

import numpy as np

from trajbatt.exact.orders import Orders
from trajbatt.numerics import spin
from trajbatt.numerics.propagators import dense_states, rational_states, uniform_step
from trajbatt.numerics.tridiagonal import tridiagonal_solver

DENSE_WORK = 3 * 128**3  # up to here matrix exponentials beat many tridiagonal solves
DENSE_STIFFEST = 1e4  # rates times step up to which its rounding errors stay near 1e-12


class CoherenceOrders(Orders):
    """d/dt of some coherence orders, order 0 first, and of the mean photon counts.

    Parameters
    ----------
    model : LadderModel
    orders : sequence of int
        Ascending, from 0.
    monitor_all : bool
        Let every element be accurate, not only what energy, variance and dipole need.
    """

    def __init__(self, model, orders, monitor_all=False):
        super().__init__(model.n_atoms, model.theta, orders)
        self.model = model
        self._monitor_all = monitor_all
        levels = model.n_atoms + 1
        self.size = self.stop + len(model.channels)

        up, down, dephasing = model.rate_of(1), model.rate_of(-1), model.rate_of(0)
        k = np.arange(float(levels))
        loss = up * (model.n_atoms - k) * (k + 1) + down * k * (levels - k)
        raising = spin.raising_elements(model.n_atoms)
        self.below = np.zeros(self.stop - 1)
        self.above = np.zeros(self.stop - 1)
        self.diagonal = np.empty(self.stop)
        for q, part, length in zip(self.orders, self.slices, self.lengths, strict=True):
            self.diagonal[part] = -0.5 * (loss[q:] + loss[:length] + dephasing * q**2)
            pairs = raising[: length - 1] * raising[q : q + length - 1]
            inner = slice(part.start, part.stop - 1)
            self.below[inner] = up * pairs
            self.above[inner] = down * pairs
        self.timescale = 0.25 * model.timescale
        self.rounding = 5e-13 * model.n_atoms

    def initial(self, mixture):
        """Return the orders of a `Mixture` and counts of zero, float64 or complex128 (size,)."""
        return np.append(self.of_mixture(mixture), np.zeros(len(self.model.channels)))

    def counts(self, y):
        """Return the mean photon counts in `y` (size, ...), float64 (nc, ...)."""
        return y[self.stop :].real

    def solve(self, y, times, rtol):
        """Return an iterable of the vectors that are y (size,) at t = 0 at each of `times`."""
        if len(self.orders) * (self.n_atoms + 1) ** 3 <= DENSE_WORK:
            blocks = self.dense_blocks()
            step = times[-1] if times.size < 3 else uniform_step(times)
            longest = None if step is None else max(step, times[0])
            if longest is not None and longest * np.abs(blocks).max() < DENSE_STIFFEST:
                states = self.from_dense(dense_states(blocks, self.dense_state(y), times))
                self.normalise(states)
                return states.T
        return rational_states(self, y, times, rtol)

    def factor(self, pole, h):
        """Return the function y -> (pole - hA)^(-1) y."""
        shift = pole.real if pole.imag == 0.0 else pole
        kind = type(shift)
        substitute = tridiagonal_solver(
            (-h * self.below).astype(kind),
            (shift - h * self.diagonal).astype(kind),
            (-h * self.above).astype(kind),
        )
        populations, end = self.slices[0], self.stop

        def solve(y):
            x = y.astype(np.result_type(y, kind))
            substitute(x[:end])
            x[end:] = (x[end:] + h * self._click_flow(x[populations])) / shift
            return x

        return solve

    def _click_flow(self, p):
        if np.isrealobj(p):
            return self.model.click_rates @ p
        # Two real columns: NumPy would make a complex copy of the rates.
        flow = self.model.click_rates @ p.view(float).reshape(-1, 2)
        return flow[:, 0] + 1j * flow[:, 1]

    def normalise(self, y):
        """Scale the orders in y (size, ...), in place, to trace 1, which is exactly conserved.

        The rounding error of a step is nearly one common factor of all orders. Removing it gives
        the variance two to three more digits: at large N it is a small difference of them.
        """
        y[: self.stop] /= y[self.slices[0]].real.sum(axis=0)

    def dense_blocks(self):
        """Return the matrices of all orders (nq, n, n), padded by zeros; counts in the first."""
        n_channels = len(self.model.channels)
        levels = self.model.n_atoms + 1
        blocks = np.zeros((len(self.orders), levels + n_channels, levels + n_channels))
        for block, part in zip(blocks, self.slices, strict=True):
            inner = slice(part.start, part.stop - 1)
            i = np.arange(part.stop - part.start)
            block[i, i] = self.diagonal[part]
            block[i[1:], i[:-1]] = self.below[inner]
            block[i[:-1], i[1:]] = self.above[inner]
        blocks[0, levels:, :levels] = self.model.click_rates
        return blocks

    def dense_state(self, y):
        """Return `y` (size,) laid out for `dense_blocks`, (nq, n)."""
        levels = self.model.n_atoms + 1
        laid = np.zeros((len(self.orders), levels + len(self.model.channels)), dtype=y.dtype)
        for row, part in zip(laid, self.slices, strict=True):
            row[: part.stop - part.start] = y[part]
        return laid

    def from_dense(self, states):
        """Return states (nq, n, nt) of `dense_blocks` as vectors (size, nt)."""
        pieces = [
            rows[: part.stop - part.start] for rows, part in zip(states, self.slices, strict=True)
        ]
        return np.concatenate((*pieces, states[0, self.model.n_atoms + 1 :]))

    def monitor(self, y):
        """Return what `rational_states` must get right, on the scale of N."""
        z_mean, z_variance, plus, plus_z, plus_plus = self.moments(y)
        counts = self.counts(y)
        scaled = np.array([z_mean, z_variance, plus, plus_z, plus_plus - plus**2])
        watched = [scaled / self.model.n_atoms, counts / max(1.0, counts.sum())]
        if self._monitor_all:
            watched.append(y[: self.stop])
        return np.concatenate(watched)
