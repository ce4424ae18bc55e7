r"""The state of a battery whose light is homodyned in the diffusive limit.

A bin of time in which the currents gave dY_i takes the state to K rho K+, with

    K = exp(sum_i B_i dY_i - (1/2) sum_i (L_i+ L_i + B_i^2) dt - (1/2) sum_c C_c+ C_c dt),

where the C_c are what nobody sees: half of their jumps comes before K, half after, as half of the
phases of H does. The trace is the probability density of the record against that of white noise.
Bins that are longer than the steps of trajectories are taken as several with the same current.
"""

import math

import numpy as np

from trajbatt.exact.diffusive import mean_currents
from trajbatt.exact.orders import Orders
from trajbatt.inference.impossible import ImpossibleClickError
from trajbatt.numerics import bands
from trajbatt.states.mixture import Mixture
from trajbatt.trajectories.diffusive import STEP

TERMS = 60  # of a series at most


class CurrentObserver:
    """Sees the homodyne currents of a `DiffusiveModel`.

    Parameters
    ----------
    model : DiffusiveModel
    """

    def __init__(self, model):
        self.model, self.layout = model, Orders.every(model)
        operators = [bands.operator(one).toarray() for one in model.noise_bands]
        n_currents = len(model.channel_names)
        self._signals, self._unseen = operators[:n_currents], operators[n_currents:]
        self._damping = np.zeros((model.n_levels,) * 2, dtype=complex)
        for one in operators:
            self._damping -= 0.5 * one.conj().T @ one
        for one in self._signals:
            self._damping -= 0.5 * one @ one
        self._frequency = model.frequency if model.jumps_turn else 0.0
        self._longest = STEP * model.timescale
        self._levels = np.arange(model.n_levels)

    def begin(self, mixture):
        """Start from a `Mixture` at t = 0."""
        self._matrix = mixture.matrix(self.model.n_levels).astype(complex)
        self._t, self.log_trace = 0.0, 0.0

    def advance(self, lengths, currents):
        """Go on through bins of some `lengths` (n,), with `currents` (n, nd)."""
        for length, current in zip(lengths, currents, strict=True):
            pieces = max(1, math.ceil(length / self._longest))
            dt = length / pieces
            measured = self._measured(dt, current * dt)
            half_turn = np.exp(-0.5j * self._frequency * dt * self._levels)
            half_turn = np.outer(half_turn, half_turn.conj())
            for _ in range(pieces):
                before = self._jumped(half_turn * self._matrix, dt)
                after = self._jumped(measured @ before @ measured.conj().T, dt) * half_turn
                trace = np.trace(after).real
                if not trace > 0.0:
                    raise ImpossibleClickError(0)
                self.log_trace += math.log(trace)
                self._matrix = after / trace
            self._t += length

    def _measured(self, dt, signal):
        """Return K of a step."""
        exponent = dt * self._damping
        for value, operator in zip(signal, self._signals, strict=True):
            exponent = exponent + value * operator
        total = term = np.eye(len(exponent), dtype=complex)
        for n in range(1, TERMS):
            term = term @ exponent / n
            total = total + term
            if np.abs(term).max() < 1e-17:
                break
        return total

    def _jumped(self, matrix, dt):
        """Return a state after half a step of the jumps that nobody sees."""
        if not self._unseen:
            return matrix
        once = sum(one @ matrix @ one.conj().T for one in self._unseen)
        twice = sum(one @ once @ one.conj().T for one in self._unseen)
        return matrix + 0.5 * dt * once + 0.125 * dt * dt * twice

    @property
    def _picture(self):
        """Where the phases of H stand in the matrix."""
        return self._frequency * self._t

    def state(self):
        """Return the orders (stop,), of trace 1."""
        orders = np.repeat(self.layout.orders, self.layout.lengths)
        return self.layout.of_matrix(self._matrix) * np.exp(1j * self._picture * orders)

    def mixture(self, phase):
        """Return the state as a `Mixture`, at Omega t = `phase`."""
        turn = np.exp(-1j * (phase - self._picture) * self._levels)
        matrix = turn[:, None] * self._matrix * turn.conj()
        return Mixture.of_matrix(matrix, negligible=0.0)

    def rates(self, y, phase):
        """Return the mean currents <B + B+> of the state y (stop, ...), (nd, ...)."""
        return mean_currents(self.model, self.layout, y, phase)
