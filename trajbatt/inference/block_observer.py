r"""The state of a battery with noise of single atoms, as its light is seen.

No light tells J, so all blocks are followed, each coherence order apart, see
`trajbatt.exact.block_orders`. Where every jump is seen nothing is gained between clicks, and each
element decays by itself; jumps that are not seen add gains. J falls by one at most in a jump of a
single atom, so clicks and what is missed bound the number of blocks.

Where J is known all the same, as of a simulated record, a click projects on the block that it led
to.
"""

import math

import numpy as np

from trajbatt.exact.block_orders import BlockOrders
from trajbatt.exact.local_ladder import LocalLiouvillian
from trajbatt.inference.impossible import IMPOSSIBLE, PATIENCE, ImpossibleClickError


class BlockObserver:
    """Sees the photons of a `BlockModel`, or misses some, or takes dark counts for photons.

    Parameters
    ----------
    model : BlockModel
    response : (shares, dark_rate)
        W_ab (nc, nd), and d_b (nd,).
    all_orders : bool
        All coherence orders, not only what energy, variance and dipole need.
    """

    def __init__(self, model, response, all_orders):
        self.model, (shares, self._dark_rate) = model, response
        orders = range(model.n_levels if all_orders else min(3, model.n_levels))
        self.layout = BlockOrders.of(model, orders)
        missed = 1.0 - shares.sum(axis=1)
        self._quiet = LocalLiouvillian(model, self.layout, missed)
        self._is_dark = not np.any(missed[model.rates > 0.0])
        self._shares, self._jumps = shares, {}
        self._least = IMPOSSIBLE * model.largest_rate
        self._patience = PATIENCE / model.largest_rate if model.largest_rate > 0 else math.inf

    def begin(self, given):
        """Start from a `Mixture`, or from the blocks that were handed over, at t = 0."""
        self._y, self._t = self.layout.rows(given)[0], 0.0
        self.log_trace = 0.0

    def advance(self, t, times, detectors, spins=None):
        """Go on to the time `t`, through clicks at `times` (n,) of `detectors` (n,), int.

        Parameters
        ----------
        t : float
        times, detectors : ndarray (n,)
        spins : ndarray (n,), int, optional
            2J after each click, where it is known.

        Raises
        ------
        ImpossibleClickError
        """
        for n, (time, detector) in enumerate(zip(times, detectors.tolist(), strict=True)):
            self._settle(time)
            clicked = self._jump(detector) @ self._y
            if self._dark_rate[detector]:
                clicked = clicked + self._dark_rate[detector] * self._y
            if spins is not None:
                clicked = self._only(clicked, int(spins[n]))
            rate = self.layout.trace(clicked).real
            if not rate > self._least * self._shares[:, detector].max(initial=0.0):
                raise ImpossibleClickError(n)
            self.log_trace += math.log(rate)
            self._y = clicked / rate
        self._settle(t)

    def state(self):
        """Return the orders (stop,), of trace 1."""
        return self._y.copy()

    def hand_over(self, phase, theta):
        """Return the blocks in another basis for another stage; needs all orders."""
        return self.layout.in_basis(self._y[None], phase, theta)

    def rates(self, y, _):
        """Return the rates of the jumps in the state y (stop, ...), float64 (nc, ...)."""
        return self._quiet.jump_rates @ y[self.layout.populations].real

    def _jump(self, detector):
        """Return what a click of a detector does, a csr_array, without its dark counts."""
        if detector not in self._jumps:
            self._jumps[detector] = self._quiet.jump_matrix(self._shares[:, detector])
        return self._jumps[detector]

    def _only(self, y, n):
        """Return y in the block of 2J = n alone."""
        kept = np.zeros_like(y)
        for (_, length), part in self.layout.blocks.items():
            if length == n:
                kept[part] = y[part]
        return kept

    def _settle(self, t):
        """Go on without a click to the time `t`, and normalise: before the trace is lost."""
        while self._t < t:
            until = t if self._is_dark else min(t, self._t + self._patience)
            y, log = self._without_clicks(until - self._t)
            trace = self.layout.trace(y).real
            self.log_trace += log + math.log(trace) - self._dark_rate.sum() * (until - self._t)
            self._y, self._t = y / trace, until

    def _without_clicks(self, duration):
        """Return the state after a time, up to a factor, and its logarithm."""
        if not self._is_dark:
            from scipy.sparse.linalg import expm_multiply

            return expm_multiply(duration * self._quiet.matrix, self._y), 0.0
        decay = self._quiet.diagonal * duration
        alive = self._y[self.layout.populations].real > 0.0
        slowest = decay[self.layout.populations][alive].max()
        with np.errstate(under="ignore"):
            return self._y * np.exp(np.minimum(decay - slowest, 700.0)), slowest
