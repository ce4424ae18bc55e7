"""Protocols with stages that end by counts, as dense matrices and nested integrals: slow.

Each stage that ends by counts is one vector of the states with 0 to K - 1 counted clicks, and one
more, which takes what has left and keeps it in the stages that follow.
"""

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from scipy.linalg import expm

POINTS, WEIGHTS = np.polynomial.legendre.leggauss(14)


class Counted(NamedTuple):
    """A `dense.Stage` that ends with the n-th click of some channels, or after a time."""

    stage: object
    names: tuple
    n: int
    longest: float

    def blocks(self):
        """Return the generator of the n states, and what takes the last of them to the end."""
        silent = self.stage.generator(dict.fromkeys(self.names, 0.0))
        jump = self.stage.generator({}) - silent
        whole = np.kron(np.eye(self.n), silent) + np.kron(np.eye(self.n, k=-1), jump)
        return whole, jump


def mean(steps, rho, time):
    """Return the mean bare density matrix at a time after the begin of the first of `steps`.

    Parameters
    ----------
    steps : sequence of Counted or dense.Stage
        The last is a `dense.Stage`.
    rho : ndarray (N+1, N+1)
    time : float
    """
    first, *later = steps
    size = rho.size
    if not isinstance(first, Counted):
        spent = min(time, first.duration) if later else time
        after = (expm(first.generator({}) * spent) @ rho.ravel()).reshape(rho.shape)
        return after if spent == time else mean(later, after, time - spent)
    whole, jump = first.blocks()
    begin = np.zeros(len(whole), dtype=complex)
    begin[:size] = rho.ravel()
    spent = min(time, first.longest)
    blocks = (expm(whole * spent) @ begin).reshape(first.n, *rho.shape)
    found = blocks.sum(axis=0)
    if spent < time:
        found = mean(later, found, time - spent)
    ends = np.cumsum([getattr(one, "longest", 0.0) or one.duration for one in later[:-1]])
    kinks = sorted({0.0, spent, *(x for x in time - ends if 0.0 < x < spent)})
    for low, high in pairwise(kinks):
        for x, w in zip(POINTS, WEIGHTS, strict=True):
            at = low + 0.5 * (high - low) * (x + 1.0)
            last = (expm(whole * at) @ begin)[-size:]
            left = (jump @ last).reshape(rho.shape)
            found = found + 0.5 * (high - low) * w * mean(later, left, time - at)
    return found
