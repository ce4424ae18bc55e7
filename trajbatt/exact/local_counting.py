"""Photon counts with noise of single atoms: fields and covariances, in blocks of J.

As `trajbatt.exact.fields` and `trajbatt.exact.counts` have them for ladders; populations suffice
where no other stage follows.
"""

import numpy as np

from trajbatt.exact.block_orders import BlockOrders
from trajbatt.exact.counts import LadderCounts, Tagged
from trajbatt.exact.fields import (
    GENERATING_ACCURACY,
    TRACE_ACCURACY,
    LadderField,
    LadderFields,
)
from trajbatt.exact.local_ladder import LocalLiouvillian
from trajbatt.numerics.propagators import rational_states


class LocalSteps:
    """Some coherence orders of a `BlockModel` under one field.

    Parameters
    ----------
    model : BlockModel
    layout : BlockOrders
    field : ndarray (nc,), float64 or complex128
    """

    def __init__(self, model, layout, field):
        self._layout = layout
        self._liouvillian = LocalLiouvillian(model, layout, field)
        self.is_real = np.isrealobj(field)
        self.timescale = 0.25 * model.timescale
        self.rounding = TRACE_ACCURACY if self.is_real else GENERATING_ACCURACY
        self._is_dark = not field.any()
        self._largest = model.largest_rate or 1.0

    def states(self, y, times):
        """Yield y (stop,) at each of `times`."""
        if self._is_dark:
            yield from (y * np.exp(self._liouvillian.diagonal * time) for time in times)
            return
        yield from rational_states(
            self, y if self.is_real else y.astype(complex), times, self.rounding
        )

    def factor(self, pole, h):
        """Return the function y -> (pole - hA)^(-1) y."""
        return self._liouvillian.resolvent(pole, h)

    def rates(self, y):
        """Return the rates of the jumps, float64 (nc,)."""
        return self._liouvillian.jump_rates @ y[self._layout.populations].real

    def monitor(self, y):
        """Return the trace; under a real field the rates too; where other orders go on, all."""
        trace = np.array([self._layout.trace(y)])
        if len(self._layout.orders) > 1:
            return np.append(trace, y)
        return np.append(trace, self.rates(y) / self._largest) if self.is_real else trace

    def normalise(self, y):
        """Nothing: what is missing from trace 1 has left the blocks that are kept."""


class LocalField(LadderField):
    """A `BlockModel` under one real field; parameters as for `LadderField`."""

    def __init__(self, model, field, only_clicks):
        orders = [0] if only_clicks else range(model.n_levels)
        self.layout = BlockOrders.of(model, orders)
        self._of_field = LocalSteps(model, self.layout, np.asarray(field, dtype=float))

    def states(self, y, times):
        """Yield y (stop,) at each of `times`."""
        return self._of_field.states(y, times)

    def rates(self, y, _):
        """Return the rates Tr 𝓙_c y, float64 (nc,)."""
        return self._of_field.rates(y)


class LocalFields(LadderFields):
    """A `BlockModel` under many complex fields; parameters as for `LadderFields`."""

    def __init__(self, model, fields, goes_on):
        self._goes_on, self._n_fields = goes_on, len(fields)
        if goes_on:
            fields = np.concatenate((fields, fields.conj()))
        self.layout = BlockOrders.of(model, range(model.n_levels) if goes_on else [0])
        self._of_each = [LocalSteps(model, self.layout, field) for field in fields]

    def states(self, y, times):
        """Yield y (n, stop) at each of `times`."""
        ways = [steps.states(row, times) for steps, row in zip(self._of_each, y, strict=True)]
        for found in zip(*ways, strict=True):
            yield np.array(found)


class LocalCounts(LadderCounts):
    """The count moments of a `BlockModel`; parameters as for `LadderCounts`."""

    def __init__(self, model, rtol, places, drift, goes_on):
        self.model, self._rtol = model, rtol
        self._places, self._drift = list(places), drift
        self.layout = BlockOrders.of(model, range(model.n_levels) if goes_on else [0])
        self.tagged = Tagged(self.layout, drift.size)
        self.begin, self.hand_over = self.tagged.begin, self.tagged.hand_over
        self._liouvillian = LocalLiouvillian(model, self.layout)
        self._jumps = [self._liouvillian.jump_matrix(one) for one in np.eye(len(model.channels))]
        rates = self._liouvillian.jump_rates
        self._rates = np.zeros((drift.size, rates.shape[1]))
        self._rates[self._places] = rates
        self.timescale = 0.25 * model.timescale
        self.rounding = 5e-13 * model.n_atoms

    def states(self, y, times):
        """Return an iterable of the vectors at each of `times`."""
        return rational_states(
            self, y.real if len(self.layout.orders) == 1 else y, times, self._rtol
        )

    def factor(self, pole, h):
        """Return the function y -> (pole - hA)^(-1) y, by forward substitution of the blocks."""
        chain = self._liouvillian.resolvent(pole, h)
        shift = pole.real if pole.imag == 0.0 else pole
        populations = self.layout.populations

        def solve(y):
            rows, second = self.tagged.split(y)
            rho = chain(rows[0])
            sources = -self._drift[:, None] * rho
            for jump, place in zip(self._jumps, self._places, strict=True):
                sources[place] += jump @ rho
            tagged = [chain(v + h * source) for v, source in zip(rows[1:], sources, strict=True)]
            gain = self._gain(rho[populations], np.array(tagged)[:, populations])
            return np.concatenate((rho, *tagged, (second + h * gain.ravel()) / shift))

        return solve

    def normalise(self, y):
        """Nothing: what is missing from trace 1 has left the blocks that are kept."""
