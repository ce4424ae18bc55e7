r"""Homodyne currents, exactly: their mean, and their correlation at two times.

With B = amplitude exp(-i phase) L, the mean of a current at t is Tr X rho(t), X y = B y + y B+, and
by the quantum regression theorem the correlation of two of them, at t and a later t + tau, is

    E[I_a(t) I_b(t + tau)] = Tr X_b exp(𝓛 tau) X_a rho(t),

beside the white noise delta_ab delta(tau). It holds for (N_+ - N_-)/beta with any oscillator.
"""

import numpy as np
from numpy.typing import ArrayLike

from trajbatt.base import checks
from trajbatt.base.types import FloatArray
from trajbatt.exact.banded import BandedLiouvillian
from trajbatt.exact.diffusive import mean_currents
from trajbatt.exact.fields import TRACE_ACCURACY
from trajbatt.models.mixed_light import HomodyneModel
from trajbatt.numerics import bands
from trajbatt.states.initial import Initial, prepare


def homodyne_current(
    model: HomodyneModel, tlist: ArrayLike, initial: Initial | None = None
) -> FloatArray:
    """Return the mean homodyne currents at some times, float64 (nd, nt).

    Their averages over the bins between times are `mesolve(model, tlist).current`.

    Parameters
    ----------
    model : HomodyneModel
        Of one stage, see `Homodyne.of`.
    tlist : array_like (nt,)
        Strictly increasing times >= 0.
    initial : optional
        As in `mesolve`.

    Returns
    -------
    ndarray (nd, nt), float64
        In the order of `model.currents`.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range or of the wrong kind.
    """
    course = _Course(model, initial)
    times = checks.times("tlist", tlist)
    return np.array([course.read(y, t) for y, t in course.states(course.begin, 0.0, times)]).T


def current_correlation(
    model: HomodyneModel, delays: ArrayLike, time: float = 0.0, initial: Initial | None = None
) -> FloatArray:
    """Return the correlation of homodyne currents at a time and later, float64 (nd, nd, n_delays).

    Parameters
    ----------
    model : HomodyneModel
        Of one stage, see `Homodyne.of`.
    delays : array_like (n_delays,)
        Strictly increasing, >= 0; at 0 without the white noise.
    time : float
        When the first current is seen.
    initial : optional
        As in `mesolve`.

    Returns
    -------
    ndarray (nd, nd, n_delays), float64
        Element (a, b) is E[I_a(time) I_b(time + delay)].

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range or of the wrong kind.
    """
    course = _Course(model, initial)
    delays = checks.times("delays", delays)
    time = checks.real("time", time, 0)
    ((y, _),) = course.states(course.begin, 0.0, np.array([time]))
    found = [
        [course.read(later, t) for later, t in course.states(seen, time, time + delays)]
        for seen in course.seen(y, time)
    ]
    return np.moveaxis(np.array(found), 1, 2)


class _Course:
    """The state of a model on its way, in the interaction picture."""

    def __init__(self, model, initial):
        if not isinstance(model, HomodyneModel):
            raise TypeError(
                "`model` must be of one stage with local oscillators, as Homodyne(...).of(...) "
                f"makes it, but is {checks.shown(model)}"
            )
        self.model = model
        self._solver = BandedLiouvillian(model.twin)
        self._layout = self._solver.layout
        self.begin = self._layout.of_mixture(prepare(model, initial, negligible=0.0))

    def states(self, y, start, times):
        """Yield the orders at each of `times`, and that, of those that are y at `start`."""
        way = self._solver.flow(1, TRACE_ACCURACY)
        way.begin(start, y[None])
        for time in times:
            ((y,), _) = way.advance(time, times[-1]) if time > start else ((y,), None)
            yield y, time

    def read(self, y, time):
        """Return the currents (nd,)."""
        return mean_currents(self.model, self._layout, y, self.model.frequency * time)

    def seen(self, y, time):
        """Return X of the state, for each of the currents."""
        phase = self.model.frequency * time * self.model.jumps_turn
        matrix, levels = self._layout.matrix(y, 0.0), np.arange(self.model.n_levels)
        turn = np.exp(1j * phase * levels)
        found = []
        for signal in self.model.signal_bands:
            once = (turn[:, None] * bands.operator(signal).toarray() * turn.conj()) @ matrix
            found.append(self._layout.of_matrix(once + once.conj().T))
        return found
