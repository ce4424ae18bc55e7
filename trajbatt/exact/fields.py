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

from trajbatt.exact.banded import BandedLiouvillian, click_rates
from trajbatt.exact.block_orders import Elsewhere
from trajbatt.exact.ladder import LadderLiouvillian
from trajbatt.exact.orders import Orders
from trajbatt.numerics.propagators import rational_states
from trajbatt.states.mixture import Mixture

TRACE_ACCURACY = 1e-12
# Of a generating function, as the check of a step has it. The step itself is a hundred times better
# and more, and the sum over many fields better again: probabilities come out to some 1e-13.
GENERATING_ACCURACY = 1e-10
# Of uniformization: clicks, each of which costs a rounding, and products, a hundredth of a second.
MOST_CLIMBS, MOST_PRODUCTS = 1e3, 1e7


class LadderSteps:
    """Some coherence orders of a ladder model under several fields, side by side.

    Parameters
    ----------
    model : LadderModel
    layout : Orders
        Order 0 alone suffices for the photons of this model.
    fields : ndarray (nf, nc), float64 or complex128
    """

    def __init__(self, model, layout, fields):
        self._layout = layout
        self._liouvillian = LadderLiouvillian(model, layout, fields)
        self.is_real = np.isrealobj(fields)
        self.timescale = 0.25 * model.timescale
        self.rounding = TRACE_ACCURACY if self.is_real else GENERATING_ACCURACY
        self._is_dark = not fields.any()
        self._is_free = len(fields) == 1 and np.all(fields == 1.0)
        self._rates_per_largest = model.click_rates.T / (model.largest_rate or 1.0)
        self._shape = len(fields), layout.stop

    def states(self, y, times):
        """Yield y (nf, stop) at each of `times`."""
        if self._is_dark:
            yield from (y * np.exp(self._liouvillian.diagonal * time) for time in times)
            return
        y = y.ravel() if self.is_real else y.ravel().astype(complex)
        for state in rational_states(self, y, times, self.rounding):
            yield state.reshape(self._shape)

    def factor(self, pole, h):
        """Return the function y -> (pole - hA)^(-1) y."""
        substitute = self._liouvillian.resolvent(pole, h)
        kind = float if self.is_real and pole.imag == 0.0 else complex

        def solve(y):
            x = y.astype(np.result_type(y, kind))
            substitute(x)
            return x

        return solve

    def monitor(self, y):
        """Return the traces; under real fields the rates too; where other orders go on, all."""
        populations = y.reshape(self._shape)[:, self._layout.populations]
        traces = populations.sum(axis=1)
        if len(self._layout.orders) > 1:
            return np.concatenate((traces, y))
        if self.is_real:
            return np.concatenate((traces, (populations @ self._rates_per_largest).ravel()))
        return traces

    def normalise(self, y):
        """Scale y to trace 1 where all fields are 1; under others nothing is conserved."""
        if self._is_free:
            y /= y[self._layout.populations].real.sum()


class LadderField:
    """A ladder model under one real field.

    Parameters
    ----------
    model : LadderModel
    field : ndarray (nc,), float64
    only_clicks : bool
        Nothing is wanted but clicks, and no other stage follows.
    """

    def __init__(self, model, field, only_clicks):
        self._model = model
        only = Orders(model.n_atoms, model.theta, [0])
        self.layout = only if only_clicks else Orders.every(model)
        fields = np.array([field], dtype=float)
        self._chain = LadderLiouvillian(model, self.layout, fields).chain()
        self._steps = LadderSteps(model, self.layout, fields)

    def begin(self, given):
        """Return the orders (stop,) of what is handed over."""
        return self.layout.rows(given)[0]

    def states(self, y, times):
        """Yield y (stop,) at each of `times`."""
        climbs = self._model.largest_rate * times[-1]
        if climbs < MOST_CLIMBS and climbs * y.size < MOST_PRODUCTS and np.isrealobj(y):
            yield from self._positive_states(y, times)
            return
        for (state,) in self._steps.states(y[None], times):
            yield state

    def _positive_states(self, y, times):
        """Yield the same by positive terms only: what is rare has all its digits, too."""
        from trajbatt.kernels.uniformization import propagate

        y, scratch, now, log = y.copy(), np.empty((2, y.size)), 0.0, 0.0
        scale = y[self.layout.populations].sum()
        y /= scale
        for time in times:
            log += propagate(self._chain, time - now, y, *scratch)
            now = time
            yield scale * np.exp(log) * y

    def rates(self, y, _):
        """Return the click rates Tr 𝓙_c y, float64 (nc,)."""
        return self._model.click_rates @ y[self.layout.populations].real

    def hand_over(self, y, phase, theta):
        """Return the matrix (1, N+1, N+1) for another stage."""
        return self.layout.in_basis(y[None], phase, theta)


class LadderFields:
    """A ladder model under many complex fields.

    Parameters
    ----------
    model : LadderModel
    fields : ndarray (nf, nc), complex128
    goes_on : bool
        Another stage follows; else the populations a + ib suffice.
    """

    def __init__(self, model, fields, goes_on):
        self._goes_on, self._n_fields = goes_on, len(fields)
        if goes_on:
            # y(z) and y(z*), of which only the lower halves are kept, are a + ib and a - ib.
            fields = np.concatenate((fields, fields.conj()))
            self.layout = Orders.every(model)
        else:
            self.layout = Orders(model.n_atoms, model.theta, [0])
        self._steps = LadderSteps(model, self.layout, fields)

    def begin(self, given):
        """Return y(z) for all fields, complex128 (nf, stop), or with y(z*) behind, (2 nf, stop)."""
        a, b = np.moveaxis(begin_pairs(self.layout, given, self._n_fields), 1, 0)
        return np.concatenate((a + 1j * b, a - 1j * b)) if self._goes_on else a + 1j * b

    def states(self, y, times):
        """Return an iterable of y at each of `times`."""
        return self._steps.states(y, times)

    def generating(self, y):
        """Return the generating function (nf,) of y (nf, stop)."""
        return self.layout.trace(y)

    def hand_over(self, y, phase, theta):
        """Return the pairs of matrices (nf, 2, N+1, N+1) for another stage."""
        upper, lower = y[: self._n_fields], y[self._n_fields :]
        pairs = np.stack(((upper + lower) / 2, (upper - lower) / 2j), axis=1)
        return hand_over_pairs(self.layout, pairs, phase, theta)


class BandedField:
    """The driven Eq. (5) under one real field; parameters as for `LadderField`, but all orders."""

    def __init__(self, model, field, only_clicks):
        self._model, self._liouvillian = model, BandedLiouvillian(model)
        self.layout = self._liouvillian.layout
        self._jumps = np.reshape(field, (-1, 1, 1)) - 1.0

    def begin(self, given):
        """Return the orders (stop,) of what is handed over."""
        return self.layout.rows(given)[0]

    def states(self, y, times):
        """Yield y (stop,) at each of `times`."""
        states = self._liouvillian.integrate(y[None], [], times, TRACE_ACCURACY, jumps=self._jumps)
        for (state,), _ in states:
            yield state

    def rates(self, y, phase):
        """Return the click rates Tr 𝓙_c y at Omega t = `phase`, float64 (nc,)."""
        return click_rates(self._model, self.layout, y, phase)

    def hand_over(self, y, phase, theta):
        """Return the matrix (1, N+1, N+1) for another stage."""
        return self.layout.in_basis(y[None], phase, theta)


class BandedFields:
    """The driven Eq. (5) under many complex fields, one after the other, as pairs."""

    def __init__(self, model, fields, goes_on):
        self._liouvillian = BandedLiouvillian(model)
        self.layout = self._liouvillian.layout
        self._fields = fields - 1.0

    def begin(self, given):
        """Return the pairs (nf, 2, stop) of what is handed over, complex128."""
        return begin_pairs(self.layout, given, len(self._fields))

    def states(self, y, times):
        """Yield the pairs (nf, 2, stop) at each of `times`."""
        ways = [
            self._liouvillian.integrate(
                pair,
                [],
                times,
                TRACE_ACCURACY,
                jumps=[[[z.real, -z.imag], [z.imag, z.real]] for z in field],
            )
            for pair, field in zip(y, self._fields, strict=True)
        ]
        for found in zip(*ways, strict=True):
            yield np.array([pair for pair, _ in found])

    def generating(self, y):
        """Return the generating function (nf,) of pairs (nf, 2, stop)."""
        a, b = self.layout.trace(y).real.T
        return a + 1j * b

    def hand_over(self, y, phase, theta):
        """Return the pairs of matrices (nf, 2, N+1, N+1) for another stage."""
        return hand_over_pairs(self.layout, y, phase, theta)


def begin_pairs(layout, given, n_fields):
    """Return the pairs (nf, 2, stop) of a `Mixture`, or of matrices (nf, 2, N+1, N+1)."""
    pairs = np.zeros((n_fields, 2, layout.stop), dtype=complex)
    if isinstance(given, Mixture | Elsewhere):
        pairs[:, 0] = layout.rows(given)[0]
    else:
        pairs[:] = [layout.rows(pair) for pair in given]
    return pairs


def hand_over_pairs(layout, pairs, phase, theta):
    """Return pairs (nf, 2, stop) of all orders as matrices (nf, 2, N+1, N+1) in another basis."""
    matrices = layout.in_basis(pairs.reshape(-1, layout.stop), phase, theta)
    return matrices.reshape(len(pairs), 2, *matrices.shape[1:])
