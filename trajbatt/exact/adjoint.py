r"""Stages of Eq. (7) forwards and backwards: what a final number owes to each of them.

Forwards a stage takes the bare density matrix, rho -> S rho, and adds photons n. Backwards it takes
a bare observable, O -> S+ O, with a source that counts photons, so that for any rho before it

    Tr(O S rho) + w n(rho) = Tr((S+ O + counts) rho).

So the slope of a final number with respect to a parameter of one stage is that of this stage alone,
between the state before it and the observable behind it. Both ways coherence orders decouple, and
what remains of each is a real tridiagonal system, as in `trajbatt.exact.ladder`, or its transpose.
With the rates Gamma_c it is A, and the derivative s of a state y obeys

    ds/dt = A s + sum_c dGamma_c (dA/dGamma_c) y,

while Omega turns phases only, and theta the basis at both ends of the stage.
"""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from trajbatt.exact.ladder import LadderLiouvillian, LadderOrders
from trajbatt.exact.orders import Orders
from trajbatt.numerics import spin
from trajbatt.numerics.propagators import rational_states


def forwards(model, state, duration, rtol):
    """Return the bare state after a stage, complex128 (N+1, N+1), and its mean photons (nc,).

    Parameters
    ----------
    model : LadderModel
    state : ndarray (N+1, N+1)
        The bare density matrix before.
    duration : float
    rtol : float
    """
    system = LadderOrders(model, rtol, all_orders=True)
    turn = _to_dressed(model)
    y = system.begin([turn.T @ state @ turn])
    (y,) = system.states(y, np.array([duration]))
    phase = model.frequency * duration
    return system.layout.bare_state(system.counted.orders(y), phase), system.counted.counts(y)


def backwards(model, observable, photons, duration, rtol):
    """Return the bare observable before a stage, complex128 (N+1, N+1).

    Parameters
    ----------
    model : LadderModel
    observable : ndarray (N+1, N+1)
        Hermitian, behind it.
    photons : ndarray (nc,)
        What each photon of the stage adds.
    duration : float
    rtol : float
    """
    system = Transposed(model, photons, rtol)
    turn, layout = _to_dressed(model), system.layout
    y = np.append(layout.rows([turn.T @ observable @ turn])[0], 1.0)
    (y,) = system.states(y, np.array([duration]))
    # An observable turns the other way.
    matrix = layout.matrix(y[:-1], -model.frequency * duration)
    return turn @ matrix @ turn.T


class Change(NamedTuple):
    """The derivatives of a stage's numbers by n parameters.

    Attributes
    ----------
    theta, frequency : ndarray (n,), float64
    rates : ndarray (n, nc), float64
    """

    theta: np.ndarray
    frequency: np.ndarray
    rates: np.ndarray


def stage_slopes(model, change, state, observables, photons, duration, rtol):
    """Return the derivatives of a final number by n parameters of a stage, float64 (n,).

    Parameters
    ----------
    model : LadderModel
    change : Change
    state : ndarray (N+1, N+1)
        The bare density matrix before.
    observables : (ndarray, ndarray)
        Hermitian and bare (N+1, N+1), before the stage, as `backwards` gives it, and behind.
    photons : ndarray (nc,)
        What each photon of the stage adds.
    duration, rtol : float
    """
    turn = _to_dressed(model)
    dressed, before, behind = (turn.T @ one @ turn for one in (state, *observables))
    moving = np.flatnonzero(change.rates.any(axis=1))
    system = Tangents(model, change.rates[moving], rtol)
    (y,) = rational_states(system, system.begin(dressed), np.array([duration]), rtol)
    rows, counts = system.split(y)
    phase, layout = model.frequency * duration, system.layout
    after = layout.matrix(rows[0], phase)
    found = np.zeros(change.theta.size)
    for i, row, emitted in zip(moving, rows[1:], counts[1:].real, strict=True):
        found[i] = _mean(behind, layout.matrix(row, phase)) + photons @ emitted
    levels = spin.magnetic_numbers(model.n_atoms)
    turned = -1j * duration * (levels[:, None] - levels) * after
    raising = np.diag(spin.raising_elements(model.n_atoms)[:-1], -1)
    falls = 0.5 * (raising.T - raising)  # d/d theta of what enters the basis
    entering, leaving = (
        _mean(one, falls @ rho - rho @ falls) for one, rho in ((before, dressed), (behind, after))
    )
    return found + change.frequency * _mean(behind, turned) + change.theta * (entering - leaving)


def _mean(observable, matrix):
    return np.einsum("ij,ji->", observable, matrix).real


def _to_dressed(model):
    return spin.change_of_basis(model.n_atoms, 0.0, model.theta)


class Transposed:
    """All orders of an observable, and behind them a 1 that feeds the counting of photons.

    Parameters
    ----------
    model : LadderModel
    photons : ndarray (nc,)
    rtol : float
    """

    def __init__(self, model, photons, rtol):
        self.layout, self._rtol = Orders.every(model), rtol
        self._whole = LadderLiouvillian(model, self.layout)
        below, above = self._whole.below, self._whole.above
        self._whole.below, self._whole.above = np.roll(above, -1), np.roll(below, 1)
        self._source = np.zeros(self.layout.stop)
        self._source[self.layout.populations] = photons @ model.click_rates
        self.timescale = 0.25 * model.timescale
        self.rounding = 5e-13 * model.n_atoms
        self._scale = model.n_atoms

    def states(self, y, times):
        """Return an iterable of the vectors that are y at the end, so much earlier."""
        return rational_states(self, y, times, self._rtol)

    def factor(self, pole, h):
        """Return the function y -> (pole - hA)^(-1) y."""
        substitute = self._whole.resolvent(pole, h)
        shift = pole.real if pole.imag == 0.0 else pole

        def solve(y):
            x = y.astype(np.result_type(y, type(shift)))
            x[-1] /= shift
            x[:-1] += h * self._source * x[-1]
            substitute(x[:-1])
            return x

        return solve

    def monitor(self, y):
        """Return what must be accurate, on the scale of N."""
        return y / self._scale

    def normalise(self, y):
        """Keep the 1."""
        y[-1] = 1.0


class Tangents:
    """A state and its derivatives by n parameters of the rates; behind them the photons of each.

    Parameters
    ----------
    model : LadderModel
    changes : ndarray (n, nc)
        Of the rates.
    rtol : float
    """

    def __init__(self, model, changes, rtol):
        self.layout = Orders.every(model)
        self._whole = LadderLiouvillian(model, self.layout)
        self._rows, self._n_channels = 1 + len(changes), len(model.channels)
        self._split = self._rows * self.layout.stop
        squares = model.jump_elements**2
        self._emitted = [rates[:, None] * squares for rates in (model.rates, *changes)]
        self._bands = np.zeros((len(changes), 3, self.layout.stop))
        for c, part in enumerate(changes.T):
            channels = [replace(one, rate=float(i == c)) for i, one in enumerate(model.channels)]
            one = LadderLiouvillian(replace(model, channels=channels), self.layout)
            bands = np.concatenate((one.below, one.diagonal, one.above))
            self._bands += part[:, None, None] * bands
        self.timescale = 0.25 * model.timescale
        self.rounding = 5e-13 * model.n_atoms
        self._scale = model.n_atoms

    def begin(self, state):
        """Return the vector of a density matrix (N+1, N+1) in the basis of the model."""
        y = np.zeros(self._split + self._rows * self._n_channels, dtype=complex)
        y[: self.layout.stop] = self.layout.rows([state])[0]
        return y

    def split(self, y):
        """Return the orders (1 + n, stop) and the photons (1 + n, nc)."""
        return (
            y[: self._split].reshape(self._rows, -1),
            y[self._split :].reshape(self._rows, self._n_channels),
        )

    def factor(self, pole, h):
        """Return the function y -> (pole - hA)^(-1) y, by forward substitution."""
        substitute = self._whole.resolvent(pole, h)
        populations = self.layout.populations

        def solve(y):
            x = y.copy()
            rows, counts = self.split(x)
            substitute(rows[0])
            for row, (below, diagonal, above) in zip(rows[1:], self._bands, strict=True):
                row += h * diagonal * rows[0]
                row[1:] += h * below[:-1] * rows[0, :-1]
                row[:-1] += h * above[1:] * rows[0, 1:]
                substitute(row)
            own, *changed = self._emitted
            counts += h * rows[:, populations] @ own.T
            for count, emitted in zip(counts[1:], changed, strict=True):
                count += h * emitted @ rows[0, populations]
            counts /= pole
            return x

        return solve

    def monitor(self, y):
        """Return what must be accurate, on the scale of N."""
        return y / self._scale

    def normalise(self, y):
        """Leave it as it is."""
