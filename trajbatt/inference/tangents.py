"""A state and its derivatives by n parameters, through what is seen of one stage.

If a state obeys y' = A y between clicks, its derivative s by a parameter x obeys s' = A s +
(dA/dx) y, and so on at clicks. All is linear in y and s, so both may be scaled by one factor, and
the derivative of the logarithm of a record's density is Tr s/Tr y in the end.

Each kind is made of `stage_at`, the stage's model as a function of the parameters' changes (n,),
and takes rows (1 + n, stop) of its `layout`: y, and the derivatives, in the interaction picture
that begins with the stage. If it `is_of_basis`, its numbers are those of the stage's basis, whose
angle changes by `turns` (n,) and whose frequency by `frequencies` (n,) with each parameter; else
they are those of a bare state in a basis that stays. `knows` (n,) tells of which parameters it has
them.
"""

import math

import numpy as np

from trajbatt.exact.banded import BandedLiouvillian
from trajbatt.exact.block_model import BlockModel
from trajbatt.exact.block_orders import BlockOrders
from trajbatt.exact.fields import TRACE_ACCURACY
from trajbatt.exact.ladder import LadderLiouvillian
from trajbatt.exact.local_ladder import LocalLiouvillian
from trajbatt.exact.orders import Orders
from trajbatt.inference.impossible import PATIENCE
from trajbatt.models.banded import BandedModel
from trajbatt.models.ladder import LadderModel
from trajbatt.models.local_ladder import LocalLadderModel
from trajbatt.models.model import of_kind
from trajbatt.numerics.differences import EIGHTH, slope

MANY = 100  # driven atoms, whose whole density matrix is large
STEP = 0.01  # of the scales, for what is linear in the rates, which are smooth


def slopes_of(function, n):
    """Return the derivatives of a function of n numbers, at zero, a list of n."""
    return [slope(lambda x, e=e: function(x * e), STEP, EIGHTH) for e in np.eye(n)]


def _numbers(model):
    return np.array([model.theta, model.frequency])


class LadderTangents:
    """A ladder model, perhaps with missed photons.

    Parameters
    ----------
    stage_at : callable
    n : int
    response : (shares, dark_rate)
    goes_on : bool
        Another stage follows, so that all orders are wanted.
    duration : float
        Of the stage, at most.
    """

    is_of_basis = True

    def __init__(self, stage_at, n, response, goes_on, duration):
        from trajbatt.kernels.uniformization import Detection

        model = stage_at(np.zeros(n))
        self.layout = Orders.every(model) if goes_on else Orders(model.n_atoms, model.theta, [0])
        self._levels, dark = model.n_levels, response[1]
        shares = np.ascontiguousarray(response[0])
        self.turns, self.frequencies = np.array(slopes_of(lambda x: _numbers(stage_at(x)), n)).T
        self.knows = np.ones(n, dtype=bool)
        missed = 1.0 - shares.sum(axis=1)[None]

        def parts(x):
            """Return the bands (3, stop), and behind them the jumps (nc, stop)."""
            liouvillian = LadderLiouvillian(stage_at(x), self.layout, missed)
            bands = liouvillian.below, liouvillian.diagonal, liouvillian.above
            jumps = liouvillian.jumps if model.channels else np.zeros((0, self.layout.stop))
            return np.concatenate((*bands, jumps))

        here, changes = parts(np.zeros(n)), slopes_of(parts, n)
        self._rate = model.largest_rate
        self._tables = [self._table(here, change) for change in changes]
        self._detection = Detection(here[3:].copy(), model.shifts, shares, dark)
        nothing = np.zeros_like(dark)
        self._changes = [
            Detection(change[3:].copy(), model.shifts, shares, nothing) for change in changes
        ]

    def _table(self, here, change):
        """Return the kernel's tables of one parameter, (6, stop + 2)."""
        scale = self._rate or 1.0
        tables = np.zeros((6, self.layout.stop + 2))
        for rows, (below, diagonal, above, *_) in ((tables[:3], here), (tables[3:], change)):
            rows[0, 2:-1], rows[1, 1:-1] = below[:-1] / scale, diagonal / scale
            rows[2, 1:-2] = above[1:] / scale
        tables[1, 1:-1] += 1.0
        return tables

    def through(self, rows, duration, times, detectors):
        """Return the rows after a time with clicks at `times` of `detectors` (n_clicks,)."""
        from trajbatt.kernels.missed_photons import go_on

        if not np.any(rows.imag):
            rows = rows.real
        found, both = rows.copy(), np.zeros((2, rows.shape[1] + 2), dtype=rows.dtype)
        for i, (tables, change) in enumerate(zip(self._tables, self._changes, strict=True)):
            both[:, 1:-1] = rows[0], rows[1 + i]
            clicks = times, detectors
            go_on(tables, self._rate, self._detection, change, clicks, duration, self._levels, both)
            found[0], found[1 + i] = both[:, 1:-1]
        return found


class DrivenTangents:
    """The driven Eq. (5), whose bare operators do not turn; parameters as for `LadderTangents`."""

    is_of_basis = False

    def __init__(self, stage_at, n, response, goes_on, duration):
        model = stage_at(np.zeros(n))
        self._shares, self._dark = response
        liouvillian = BandedLiouvillian(model)
        self.layout = liouvillian.layout
        numbers = np.array(slopes_of(lambda x: _numbers(stage_at(x)), n))
        self.turns = self.frequencies = np.zeros(n)
        rates = np.array(slopes_of(lambda x: stage_at(x).rates, n))
        relative = rates / np.where(model.rates > 0.0, model.rates, 1.0)
        # Of other changes of the rates the kernel knows no derivative.
        self.knows = np.ptp(relative, axis=1) <= 1e-9 * (1.0 + np.abs(relative).max(axis=1))
        self._per_rate = relative[:, 0]
        tangents = np.zeros((1 + n, 3))
        tangents[1:] = np.column_stack((self._per_rate, numbers[:, 1], numbers[:, 0]))
        # How large derivatives become, about: steps are as good for them as for the state.
        clicks = 1.0 + model.typical_clicks(duration)
        most = clicks, model.n_atoms * duration, model.n_atoms * duration * model.frequency
        self._scale = 1.0 + np.abs(tangents) @ np.array(most)[:, None]
        tangents /= self._scale
        jumps = -self._shares.sum(axis=1)[:, None, None] * np.eye(1 + n)
        self._flow = liouvillian.flow(1 + n, TRACE_ACCURACY, jumps=jumps, tangents=tangents)
        seen = self._shares.sum(axis=1).max(initial=0.0) * model.largest_rate
        self.patience = PATIENCE / seen if seen > 0.0 else math.inf

    def through(self, rows, duration, times, detectors):
        """Return the rows after a time with clicks at `times` of `detectors` (n_clicks,)."""
        # In the interaction picture; how its phases change is in the derivatives all along.
        return (
            _from_click_to_click(self, rows / self._scale, duration, times, detectors) * self._scale
        )

    def quiet(self, y, now, until):
        """Return the rows after a time without a click."""
        self._flow.begin(now, y)
        return self._flow.advance(until)[0]

    def clicked(self, y, now, detector):
        """Return what a click of a detector makes of the rows."""
        self._flow.begin(now, y)
        found = self._dark[detector] * y
        for channel in np.flatnonzero(self._shares[:, detector]):
            jumped = np.array([self._flow.jumped(channel, i) for i in range(len(y))])
            jumped[1:] += self._per_rate[:, None] / self._scale[1:] * jumped[0]
            found = found + self._shares[channel, detector] * jumped
        return found


class BlockTangents:
    """A ladder with noise of single atoms, in blocks of J; parameters as for `LadderTangents`."""

    is_of_basis = True

    def __init__(self, stage_at, n, response, goes_on, duration):
        model = stage_at(np.zeros(n))
        self._shares, self._dark = response
        self.layout = BlockOrders.of(model, range(model.n_levels) if goes_on else [0])
        self.turns, self.frequencies = np.array(slopes_of(lambda x: _numbers(stage_at(x)), n)).T
        self.knows = np.ones(n, dtype=bool)
        missed = 1.0 - self._shares.sum(axis=1)

        def matrix(x):
            return LocalLiouvillian(stage_at(x), self.layout, missed).matrix.tocsr()

        self._stage_at, self._n, self._clicks = stage_at, n, {}
        self._matrix = self._joined(matrix)
        self.patience = PATIENCE / model.largest_rate if model.largest_rate > 0 else math.inf

    def _joined(self, matrix):
        """Return what a matrix that is a function of the changes does to all rows."""
        from scipy.sparse import block_array

        here, n = matrix(np.zeros(self._n)), self._n
        grid = [[None] * (1 + n) for _ in range(1 + n)]
        for i, change in enumerate([here, *slopes_of(matrix, n)]):
            grid[i][0], grid[i][i] = change, here
        return block_array(grid, format="csr")

    def _click(self, detector):
        if detector not in self._clicks:

            def jump(x):
                model = self._stage_at(x)
                shares = self._shares[:, detector]
                return LocalLiouvillian(model, self.layout).jump_matrix(shares)

            self._clicks[detector] = self._joined(jump)
        return self._clicks[detector]

    def through(self, rows, duration, times, detectors):
        """Return the rows after a time with clicks at `times` of `detectors` (n_clicks,)."""
        return _from_click_to_click(self, rows, duration, times, detectors)

    def quiet(self, y, now, until):
        """Return the rows after a time without a click."""
        from scipy.sparse.linalg import expm_multiply

        return expm_multiply((until - now) * self._matrix, y.ravel()).reshape(y.shape)

    def clicked(self, y, now, detector):
        """Return what a click of a detector makes of the rows."""
        return (self._click(detector) @ y.ravel()).reshape(y.shape) + self._dark[detector] * y


def _from_click_to_click(system, y, duration, times, detectors):
    """Return the rows after a time with clicks, scaled before the trace is lost.

    By what a system calls `quiet` and `clicked`, in pieces of its `patience` at most.
    """
    now = 0.0
    for time, detector in zip([*times, duration], [*detectors, -1], strict=True):
        while now < time:
            until = min(time, now + system.patience)
            y, now = system.quiet(y, now, until), until
            y = y / system.layout.trace(y[0]).real
        if detector >= 0:
            y = system.clicked(y, now, detector)
            y = y / system.layout.trace(y[0]).real
    return y


TANGENTS = {
    LadderModel: LadderTangents,
    BlockModel: BlockTangents,
    BandedModel: DrivenTangents,
}


def has_tangents(model):
    """Tell whether a stage of a plain model has them; of many driven atoms it would be slow."""
    kinds = (LocalLadderModel, *TANGENTS)  # the first of them will be in blocks
    is_known = any(kind in kinds for kind in type(model).__mro__)
    return is_known and (model.has_lines or model.n_atoms < MANY)


def tangents_of(model, *others):
    """Return the tangents of a stage, whose model at zero this is; see `LadderTangents`."""
    return of_kind(TANGENTS, model)(*others)
