r"""Density matrices under counting fields: the jumps of channel c count z_c times.

    dy/dt = 𝓛 y + sum_c (z_c - 1) 𝓙_c y,     𝓙_c y = L_c y L_c+.

The trace of y is E[prod_c z_c^{n_c}] over the photons n_c since the beginning. A field of 1 leaves
a channel alone; with 0 it has not emitted: the trace is the probability of that; 1 - eta is a
detector of efficiency eta that has not clicked. Complex fields give the generating function of the
photon numbers.

Under a complex field y is not Hermitian, but y(z) = a + ib with a and b Hermitian: such a *pair*
is what passes between the stages of a protocol.
"""

import numpy as np

from trajbatt.exact.banded import DrivenOrders
from trajbatt.exact.orders import Orders
from trajbatt.models.ladder import LadderModel
from trajbatt.numerics.propagators import rational_states
from trajbatt.numerics.tridiagonal import tridiagonal_solver

ACCURACY = 1e-12  # of traces
# Of a generating function, as the check of a step has it. The step itself is a hundred times better
# and more, and the sum over many fields better again: probabilities come out to some 1e-13.
ROUGHLY = 1e-10


class LadderFields(Orders):
    """Some coherence orders of a ladder model under several fields, side by side.

    Parameters
    ----------
    model : LadderModel
    orders : sequence of int
        Ascending, from 0, which alone suffices for the photons of this model.
    fields : ndarray (nf, nc), float64 or complex128
    """

    def __init__(self, model, orders, fields):
        super().__init__(model.n_atoms, model.theta, orders)
        self.model = model
        self.is_real = np.isrealobj(fields)
        self.timescale = 0.25 * model.timescale
        self.rounding = ACCURACY if self.is_real else ROUGHLY
        self._is_dark = not fields.any()
        self._is_free = len(fields) == 1 and np.all(fields == 1.0)
        total = model.click_rates.sum(axis=0)
        self._rates_per_largest = model.click_rates.T / (total.max() or 1.0)
        strengths = np.array([channel.rate for channel in model.channels])[:, None]
        self._diagonal = np.concatenate(
            [
                np.tile(-0.5 * (total[q:] + total[:levels]), (len(fields), 1))
                for q, levels in zip(self.orders, self.lengths, strict=True)
            ],
            axis=1,
        ).astype(fields.dtype)
        self._below, self._above = np.zeros((2, *self._diagonal.shape), dtype=fields.dtype)
        self.y_shape = self._diagonal.shape
        for q, part, levels in zip(self.orders, self.slices, self.lengths, strict=True):
            pairs = strengths * model.jump_elements[:, q:] * model.jump_elements[:, :levels]
            for row, step in ((self._below, 1), (self._diagonal, 0), (self._above, -1)):
                # The rate of a jump off the ladder is zero: it separates orders and fields.
                row[:, part] += fields[:, model.shifts == step] @ pairs[model.shifts == step]

    def states(self, y, times):
        """Yield y (nf, stop) at each of `times`."""
        if self._is_dark:
            yield from (y * np.exp(self._diagonal * time) for time in times)
            return
        y = y.ravel() if self.is_real else y.ravel().astype(complex)
        for state in rational_states(self, y, times, self.rounding):
            yield state.reshape(self.y_shape)

    def rates(self, y, _):
        """Return the click rates Tr 𝓙_c y under a real field, float64 (nc,)."""
        return self.model.click_rates @ y[0, self.slices[0]].real

    def factor(self, pole, h):
        """Return the function y -> (pole - hA)^(-1) y."""
        shift = pole.real if pole.imag == 0.0 else pole
        kind = np.result_type(self._diagonal, type(shift))
        substitute = tridiagonal_solver(
            (-h * self._below.ravel()[:-1]).astype(kind),
            (shift - h * self._diagonal.ravel()).astype(kind),
            (-h * self._above.ravel()[1:]).astype(kind),
        )

        def solve(y):
            x = y.astype(np.result_type(y, kind))
            substitute(x)
            return x

        return solve

    def monitor(self, y):
        """Return the traces; under real fields the rates too; where other orders go on, all."""
        populations = y.reshape(self.y_shape)[:, self.slices[0]]
        traces = populations.sum(axis=1)
        if len(self.orders) > 1:
            return np.concatenate((traces, y))
        if self.is_real:
            return np.concatenate((traces, (populations @ self._rates_per_largest).ravel()))
        return traces

    def normalise(self, y):
        """Scale y to trace 1 where all fields are 1; under others nothing is conserved."""
        if self._is_free:
            y /= y[self.slices[0]].real.sum()


class DrivenFields(DrivenOrders):
    """All coherence orders under the driven Eq. (5) and a real field.

    Parameters
    ----------
    model : BandedModel
    field : float
    """

    def __init__(self, model, field):
        super().__init__(model)
        self._jumps = [[field - 1.0]]

    def states(self, y, times):
        """Yield y (1, stop) at each of `times`."""
        for state, _ in self.integrate(y, [], times, ACCURACY, jumps=self._jumps):
            yield state

    def rates(self, y, phase):
        """Return the click rate Tr 𝓙 y at Omega t = `phase`, float64 (1,)."""
        return np.array([self.click_rate(y[0], phase)])


def under_field(model, field, only_clicks):
    """Return a model's system under one real field (nc,).

    With `only_clicks` nothing is wanted of it but clicks, and no other stage follows.
    """
    if isinstance(model, LadderModel):
        orders = [0] if only_clicks else range(model.n_atoms + 1)
        return LadderFields(model, orders, np.array([field], dtype=float))
    return DrivenFields(model, float(field[0]))


def turned(model, pairs, fields, duration):
    """Return pairs (nf, 2, stop) of all coherence orders after `duration` under complex fields.

    Parameters
    ----------
    model : LadderModel or BandedModel
    pairs : ndarray (nf, 2, stop), complex128
    fields : ndarray (nf, nc), complex128
    duration : float
    """
    if isinstance(model, LadderModel):
        # y(z) and y(z*), of which only the lower halves are kept, are a + ib and a - ib.
        both = np.concatenate((fields, fields.conj()))
        system = LadderFields(model, range(model.n_atoms + 1), both)
        y = np.concatenate((pairs[:, 0] + 1j * pairs[:, 1], pairs[:, 0] - 1j * pairs[:, 1]))
        (y,) = system.states(y, np.array([duration]))
        upper, lower = y[: len(fields)], y[len(fields) :]
        return np.stack(((upper + lower) / 2, (upper - lower) / 2j), axis=1)
    system = DrivenOrders(model)
    found = []
    for pair, field in zip(pairs, fields[:, 0] - 1.0, strict=True):
        jumps = [[field.real, -field.imag], [field.imag, field.real]]
        ((pair, _),) = system.integrate(pair, [], [duration], ACCURACY, jumps=jumps)
        found.append(pair)
    return np.array(found)
