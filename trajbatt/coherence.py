"""A ladder model's Liouvillian, which decouples by coherence order (DESIGN 3.3).

Order q is the diagonal rho_{k+q,k}, k = 0..N-q, of the density matrix in the model's basis. Under
H = Omega J'_z it carries the factor exp(-i q Omega t), left out here and put in where observables
are read off; what remains is a real tridiagonal system. Orders are stacked one after the other,
with zeros where they meet, so one solve serves them all. Mean photon counts, the time integrals of
the mean click rates, follow at the end of the vector.
"""

import numpy as np

from trajbatt import spin
from trajbatt.tridiagonal import tridiagonal_solver


class CoherenceOrders:
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
        self.model = model
        self.orders = tuple(orders)
        self._monitor_all = monitor_all
        levels = model.n_atoms + 1
        lengths = [levels - q for q in self.orders]
        ends = np.cumsum(lengths)
        self.slices = [slice(end - length, end) for end, length in zip(ends, lengths, strict=True)]
        self._raising = spin.raising_elements(model.n_atoms)
        self._m = spin.magnetic_numbers(model.n_atoms)
        self.size = int(ends[-1]) + len(model.channels)

        up, down, dephasing = model.rate_of(1), model.rate_of(-1), model.rate_of(0)
        k = np.arange(float(levels))
        loss = up * (model.n_atoms - k) * (k + 1) + down * k * (levels - k)
        self.below = np.zeros(ends[-1] - 1)
        self.above = np.zeros(ends[-1] - 1)
        self.diagonal = np.empty(ends[-1])
        for q, part, length in zip(self.orders, self.slices, lengths, strict=True):
            self.diagonal[part] = -0.5 * (loss[q:] + loss[:length] + dephasing * q**2)
            pairs = self._raising[: length - 1] * self._raising[q : q + length - 1]
            inner = slice(part.start, part.stop - 1)
            self.below[inner] = up * pairs
            self.above[inner] = down * pairs
        self.timescale = 0.25 * model.timescale
        self.rounding = 5e-13 * model.n_atoms

    def initial(self, mixture):
        """Return the orders of a `Mixture` and counts of zero, float64 or complex128 (size,)."""
        y = np.zeros(self.size, dtype=mixture.amplitudes.dtype)
        for weight, first, ket in mixture.kets():
            for q, part in zip(self.orders, self.slices, strict=True):
                if q < ket.size:
                    start = part.start + first
                    pairs = ket[q:] * ket[: ket.size - q].conj()
                    y[start : start + pairs.size] += weight * pairs
        return y

    def split(self, y):
        """Return the orders and the counts in `y` (size, ...), as views along its first axis."""
        parts = [y[part] for part in self.slices]
        return parts, y[self.slices[-1].stop :].real

    def factor(self, pole, h):
        """Return the function y -> (pole - hA)^(-1) y."""
        shift = pole.real if pole.imag == 0.0 else pole
        kind = type(shift)
        substitute = tridiagonal_solver(
            (-h * self.below).astype(kind),
            (shift - h * self.diagonal).astype(kind),
            (-h * self.above).astype(kind),
        )
        populations, end = self.slices[0], self.slices[-1].stop

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
        y[: self.slices[-1].stop] /= y[self.slices[0]].real.sum(axis=0)

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

    def moments(self, y):
        """Return the sums that fix energy, variance and dipole, for y (size, ...).

        Returns
        -------
        z_mean, z_variance : float64 (...)
            <J'_z> and its variance.
        plus, plus_z, plus_plus : (...), of the type of y
            <J'_+>, the symmetrised covariance of J'_z and J'_+, and <J'_+^2>, without phases.
        """
        p, rho_1, rho_2 = self._first_orders(y)
        m = _column(self._m, p)
        z_mean = (m * p.real).sum(axis=0)
        z_variance = ((m - z_mean) ** 2 * p.real).sum(axis=0)
        b = _column(self._raising[:-1], rho_1) * rho_1.conj()
        plus_z = ((m[:-1] + 0.5 - z_mean) * b).sum(axis=0)
        pairs = self._raising[:-2] * self._raising[1:-1]
        plus_plus = (_column(pairs, rho_2) * rho_2.conj()).sum(axis=0)
        return z_mean, z_variance, b.sum(axis=0), plus_z, plus_plus

    def observables(self, y, phase):
        """Return energy, its variance and the bare dipole of y (size, ...) at Omega t = `phase`."""
        theta, j = self.model.theta, self.model.n_atoms / 2
        cos, sin = np.cos(theta), np.sin(theta)
        z_mean, z_variance, plus, plus_z, plus_plus = self.moments(y)
        turn = np.exp(1j * phase)
        plus, plus_z, plus_plus = plus * turn, plus_z * turn, plus_plus * turn**2
        x_square = 0.5 * (j * (j + 1) - z_variance - z_mean**2 + plus_plus.real)
        energy = j + cos * z_mean + sin * plus.real
        variance = (
            cos**2 * z_variance + sin**2 * (x_square - plus.real**2) + 2 * sin * cos * plus_z.real
        )
        return energy, np.maximum(variance, 0.0), cos * plus.real - sin * z_mean + 1j * plus.imag

    def density_matrix(self, y, phase):
        """Return rho in the model's basis (N+1, N+1) at Omega t = `phase`; needs all orders."""
        parts, _ = self.split(y)
        rho = np.zeros((self.model.n_atoms + 1,) * 2, dtype=complex)
        for q, values in zip(self.orders, parts, strict=True):
            k = np.arange(values.size)
            rho[k + q, k] = values * np.exp(-1j * q * phase)
            rho[k, k + q] = rho[k + q, k].conj()
        return rho

    def monitor(self, y):
        """Return what `rational_states` must get right, on the scale of N."""
        z_mean, z_variance, plus, plus_z, plus_plus = self.moments(y)
        _, counts = self.split(y)
        scaled = np.array([z_mean, z_variance, plus, plus_z, plus_plus - plus**2])
        watched = [scaled / self.model.n_atoms, counts / max(1.0, counts.sum())]
        if self._monitor_all:
            watched.append(y[: self.slices[-1].stop])
        return np.concatenate(watched)

    def _first_orders(self, y):
        parts, _ = self.split(y)
        # A single atom has no order 2.
        return [*parts, np.zeros((0, *y.shape[1:]), dtype=y.dtype)][:3]


def _column(values, like):
    """Return `values` (n,) shaped to multiply `like` (n, ...)."""
    return values.reshape(-1, *(1,) * (like.ndim - 1))
