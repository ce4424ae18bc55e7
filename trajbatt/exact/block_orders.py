"""A density matrix by coherence order and block of J: its layout, and what is read off it.

In each block the order q is the diagonal <M+q|X_J|M>, M = -J..J-q, of the trace X_J over the ways
in which the spins add up to J, see `trajbatt.numerics.spin_blocks`. In a vector, blocks of
descending J follow each other in every order. As in `trajbatt.exact.orders`, phases of H are left
out.
"""

import math
from copy import copy
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from trajbatt.exact.orders import Orders
from trajbatt.numerics import spin, spin_blocks
from trajbatt.states.mixture import Mixture


class Elsewhere(NamedTuple):
    """Orders in another layout, in the same basis and at the phase zero.

    Attributes
    ----------
    layout : BlockOrders
    y : ndarray (stop,)
    """

    layout: Any
    y: np.ndarray


class BlockOrders(Orders):
    """The layout of some coherence orders of the longest blocks.

    Parameters
    ----------
    n_atoms : int
    theta : float
        The angle of the basis.
    orders : sequence of int
        Ascending, from 0.
    n_blocks : int
        How many blocks, from J = N/2 down.

    Attributes
    ----------
    spins : ndarray (n_blocks,), int64
        2J of each block.
    blocks : dict of (int, int) to slice
        Where order q of the block of 2J is.
    """

    def __init__(self, n_atoms, theta, orders, n_blocks):
        self.n_atoms, self.theta, self.orders = n_atoms, theta, tuple(orders)
        self.spins = spin_blocks.lengths(n_atoms)[:n_blocks]
        self.blocks, self.slices, self.stop = {}, [], 0
        for q in self.orders:
            begin = self.stop
            for n in self.spins[self.spins >= q].tolist():
                self.blocks[q, n] = slice(self.stop, self.stop + n + 1 - q)
                self.stop += n + 1 - q
            self.slices.append(slice(begin, self.stop))
        self.first = dict.fromkeys(self.blocks, 0)
        self._turns = {}
        self._tabulate()

    @classmethod
    def of(cls, model, orders):
        """Return the layout of some orders of a `BlockModel`."""
        return cls(model.n_atoms, model.theta, orders, model.n_blocks)

    def cut(self, low, high, n_blocks):
        """Return the layout of the levels low <= M <= high alone, of the longest blocks.

        With `places`, where its elements are in this one, int64 (stop,).
        """
        part = copy(self)
        for cached in ("lowest_m", "depth"):
            vars(part).pop(cached, None)
        part.spins = self.spins[:n_blocks]
        part.blocks, part.slices, part.stop, part.first, places = {}, [], 0, {}, []
        for q in self.orders:
            begin = part.stop
            for n in part.spins[part.spins >= q].tolist():
                whole = self.blocks[q, n]
                first = min(max(0, math.ceil(low + n / 2)), whole.stop - whole.start)
                end = max(first, min(whole.stop - whole.start, math.floor(high + n / 2) + 1))
                part.blocks[q, n] = slice(part.stop, part.stop + end - first)
                part.first[q, n] = first
                places.append(np.arange(whole.start + first, whole.start + end))
                part.stop += end - first
            part.slices.append(slice(begin, part.stop))
        part.places = np.concatenate(places)
        part._tabulate()
        part.edges = part._edges(self)
        return part

    def _edges(self, whole):
        """Return which elements are at an edge beyond which `whole` goes on, bool (stop,)."""
        edges = np.zeros(self.stop, dtype=bool)
        for (q, n), part in self.blocks.items():
            known = whole.blocks[q, n]
            first, end = self.first[q, n], self.first[q, n] + part.stop - part.start
            if first > 0:
                edges[part.start : min(part.start + 2, part.stop)] = True
            if end < known.stop - known.start:
                edges[max(part.stop - 2, part.start) : part.stop] = True
            if n == self.spins[-1] and self.spins.size < whole.spins.size:
                edges[part] = True
        return edges

    @cached_property
    def lowest_m(self):
        """M of the lower state of every element, float64 (stop,)."""
        return np.concatenate([0.5 * np.subtract(*self.levels(q)) for q in self.orders])

    @cached_property
    def depth(self):
        """N/2 - J of every element, int64 (stop,)."""
        rows = [(self.n_atoms - np.add(*self.levels(q))) / 2 for q in self.orders]
        return np.concatenate(rows).astype(np.int64)

    def _tabulate(self):
        """Keep what the moments are made of."""
        self.populations = self.slices[0]
        u, v = self.levels(0)
        self._m = 0.5 * (u - v)
        self._casimir = spin.casimir(u + v)
        u, v = self.levels(1)
        self._raising, self._between = np.sqrt(v * (u + 1.0)), 0.5 * (u - v + 1.0)
        u, v = self.levels(2)
        self._raising_twice = np.sqrt(v * (u + 1.0) * (v - 1.0) * (u + 2.0))

    def levels(self, q):
        """Return u = J + M and v = J - M of the lower states of order q, float64."""
        us, ns = [np.zeros(0)], [np.zeros(0)]
        for (order, n), part in self.blocks.items():
            if order == q:
                us.append(self.first[q, n] + np.arange(float(part.stop - part.start)))
                ns.append(np.full(us[-1].size, float(n)))
        u = np.concatenate(us)
        return u, np.concatenate(ns) - u

    def square(self, y):
        """Return <J^2> of y (size, ...)."""
        return np.tensordot(self._casimir, y[self.populations].real, axes=(0, 0))

    def spin_distribution(self, y):
        """Return the probability of each J, descending, float64 (n_blocks, ...)."""
        p = y[self.populations].real
        starts = [self.blocks[0, n].start for n in self.spins.tolist()]
        return np.add.reduceat(p, starts, axis=0)

    def of_mixture(self, mixture):
        """Return the orders of a `Mixture`, float64 or complex128 (stop,)."""
        y = np.zeros(self.stop, dtype=mixture.amplitudes.dtype)
        spins = mixture.spins
        if spins is None:
            spins = np.full(mixture.weights.size, self.n_atoms)
        for (weight, first, ket), n in zip(mixture.kets(), spins.tolist(), strict=True):
            for q in self.orders:
                if q < ket.size:
                    start = self.blocks[q, n].start + first
                    pairs = ket[q:] * ket[: ket.size - q].conj()
                    y[start : start + pairs.size] += weight * pairs
        return y

    def rows(self, given):
        """Return the orders (n, stop) of a `Mixture`, of orders, or of n dicts of matrices."""
        if isinstance(given, Mixture):
            return self.of_mixture(given)[None]
        if isinstance(given, Elsewhere):
            return self._taken(given)[None]
        rows = np.zeros((len(given), self.stop), dtype=complex)
        for (q, n), part in self.blocks.items():
            for row, one in zip(rows, given, strict=True):
                if n in one:
                    row[part] = np.diagonal(one[n], -q)
        return rows

    def _taken(self, given):
        """Return the orders that this layout has in common with another one."""
        y = np.zeros(self.stop, dtype=given.y.dtype)
        for (q, n), part in self.blocks.items():
            if (q, n) in given.layout.blocks:
                y[part] = given.y[given.layout.blocks[q, n]]
        return y

    def matrices(self, y, phase):
        """Return the Hermitian matrix (2J+1, 2J+1) of each block at Omega t = `phase`, a dict."""
        found = {n: np.zeros((n + 1, n + 1), dtype=complex) for n in self.spins.tolist()}
        for (q, n), part in self.blocks.items():
            i = np.arange(n + 1 - q)
            found[n][i + q, i] = y[part] * np.exp(-1j * q * phase)
            found[n][i, i + q] = found[n][i + q, i].conj()
        return found

    def blocks_of(self, y, phase):
        """Return 2J, descending, and the Hermitian matrix of each block at Omega t = `phase`."""
        return list(self.matrices(y, phase).items())

    def in_basis(self, rows, phase, theta):
        """Return the matrices of the blocks of `rows` (n, stop) in another basis, n dicts."""
        found = np.empty(len(rows), dtype=object)
        for i, y in enumerate(rows):
            found[i] = self.matrices(y, phase)
            for n, matrix in found[i].items():
                if n and theta != self.theta:
                    turn = self._turn(n, theta)
                    found[i][n] = turn.T @ matrix @ turn
        return found

    def bare_state(self, y, phase):
        """Return the bare matrices of the blocks, complex128 (n_blocks, N+1, N+1).

        Their index is the number of excited atoms, with zeros where a block has no level.
        """
        (blocks,) = self.in_basis(y[None], phase, 0.0)
        found = np.zeros((len(blocks), self.n_atoms + 1, self.n_atoms + 1), dtype=complex)
        for whole, (n, matrix) in zip(found, blocks.items(), strict=True):
            at = spin_blocks.excited(self.n_atoms, n)
            whole[at, at] = matrix
        return found

    def bare_populations(self, y, phase):
        """Return the probabilities of the numbers of excited atoms, float64 (N+1,)."""
        (blocks,) = self.in_basis(y[None], phase, 0.0)
        found = np.zeros(self.n_atoms + 1)
        for n, matrix in blocks.items():
            found[spin_blocks.excited(self.n_atoms, n)] += matrix.diagonal().real
        return np.maximum(found, 0.0)

    def _turn(self, n, theta):
        """Return the matrix that takes the block of 2J = n to another basis."""
        if (n, theta) not in self._turns:
            self._turns[n, theta] = spin.change_of_basis(n, self.theta, theta)
        return self._turns[n, theta]
