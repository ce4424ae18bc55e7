r"""Stages of Eq. (7) forwards and backwards: what a final number owes to each of them.

Forwards a stage takes the bare density matrix, rho -> S rho, and adds photons n. Backwards it takes
a bare observable, O -> S+ O, with a source that counts photons, so that for any rho before it

    Tr(O S rho) + w n(rho) = Tr((S+ O + counts) rho).

So the slope of a final number with respect to a parameter of one stage is that of this stage alone,
between the state before it and the observable behind it. Both ways coherence orders decouple, and
what remains of each is a real tridiagonal system, as in `trajbatt.exact.ladder`, or its transpose.
"""

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
