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
        self._turned = {}  # the operators in the basis of each angle, of each J

    def __bool__(self):
        """Whether anything is wanted."""
        return self._keeps_states or bool(self._expectations)

    def __call__(self, layout, orders, phase):
        """Return the bare state or None, and the means, at Omega t = `phase`.

        In blocks of J the bare state is (n_blocks, N+1, N+1).
        """
        needs_bare = any(one.function is not None for one in self._expectations)
        bare = None
        if self._keeps_states or needs_bare:
            bare = layout.bare_state(orders, phase)
        means = [0.0 if one.function is None else one.of_state(bare) for one in self._expectations]
        if any(one.function is None for one in self._expectations):
            for n, block in layout.blocks_of(orders, phase):
                for i, operator in self._operators(layout.theta, n).items():
                    means[i] += float(np.einsum("ij,ji->", operator, block).real)
        return bare if self._keeps_states else None, means

    def _operators(self, theta, n):
        """Return the operators on spins of 2J = n in the basis of an angle, by their index."""
        if (theta, n) not in self._turned:
            known = [
                (i, one.block(self._n_atoms, n))
                for i, one in enumerate(self._expectations)
                if one.function is None
            ]
            turn = spin.change_of_basis(n, 0.0, theta) if theta and n else None
            self._turned[theta, n] = {
                i: _dense(operator) if turn is None else turn.T @ (operator @ turn)
                for i, operator in known
            }
        return self._turned[theta, n]


def _dense(operator):
    return operator.toarray() if hasattr(operator, "toarray") else operator
