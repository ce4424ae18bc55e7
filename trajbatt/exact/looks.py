"""What is read off whole density matrices on the way: states, and means of any operator."""

import numpy as np

from trajbatt.numerics import spin


class Looks:
    """Called with each density matrix; keeps what is wanted of it.

    Parameters
    ----------
    n_atoms : int
    expectations : sequence of Expectation
        Those whose mean needs the whole matrix.
    keep_states : bool
    """

    def __init__(self, n_atoms, expectations, keep_states):
        self._n_atoms, self._expectations = n_atoms, expectations
        self._keeps_states = keep_states
        self._turned = {}  # the operators in the basis of each angle

    def __bool__(self):
        """Whether anything is wanted."""
        return self._keeps_states or bool(self._expectations)

    def __call__(self, layout, orders, phase):
        """Return the bare state or None, and the means, at Omega t = `phase`."""
        needs_bare = any(one.operator is None for one in self._expectations)
        bare = None
        if self._keeps_states or needs_bare:
            bare = layout.in_basis(orders[None], phase, 0.0)[0]
        operators = self._operators(layout.theta)
        state = layout.matrix(orders, phase) if operators else None
        means = [
            one.of_state(bare)
            if one.operator is None
            else float(np.einsum("ij,ji->", operators[one.name], state).real)
            for one in self._expectations
        ]
        return bare if self._keeps_states else None, means

    def _operators(self, theta):
        """Return the operators in the basis of an angle, a dict by name."""
        if theta not in self._turned:
            known = {one.name: one.operator for one in self._expectations if one.function is None}
            turn = spin.change_of_basis(self._n_atoms, 0.0, theta) if known and theta else None
            self._turned[theta] = {
                name: _dense(operator) if turn is None else turn.T @ (operator @ turn)
                for name, operator in known.items()
            }
        return self._turned[theta]


def _dense(operator):
    return operator.toarray() if hasattr(operator, "toarray") else operator
