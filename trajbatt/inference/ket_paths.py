r"""A stage of which every jump is known, there and back: what a record says of its parameters.

Between clicks a ket goes on by K = -iH - M/2, M = sum_c L_c+ L_c; a click applies L_c. With the ket
psi(t) from the start and the bra lambda(t) from the end of the record, where lambda = psi, the
probability density is <lambda|psi> at any time, and its derivative by a parameter x is

    d ln p/dx = int 2 Re <dK/dx> dt + sum_i 2 Re <lambda|dL/dx|psi>/<lambda|L|psi>,
    <A> = <lambda|A|psi>/<lambda|psi>,

weak values, as of the past quantum state of Gammelmark, Julsgaard and Moelmer, Phys. Rev. Lett.
111, 160401 (2013). So one way there and one back give the derivatives by all parameters.
"""

import math
from itertools import pairwise

import numpy as np

from trajbatt.models.banded import BandedModel
from trajbatt.models.ladder import LadderModel
from trajbatt.models.model import of_kind
from trajbatt.numerics import spin
from trajbatt.numerics.quadrature import gauss
from trajbatt.trajectories.banded import tables_of

ACCURACY, NEGLIGIBLE = 1e-13, 1e-30
FEWEST_NODES, MOST_NODES = 8, 40  # of an interval without a click, about


class LadderPath:
    """A stage of a ladder: the branch of each level by itself, see `trajbatt.inference.complete`.

    Parameters
    ----------
    model : LadderModel
    duration : float
    times, channels : ndarray (n_clicks,), float64 and int64
    """

    def __init__(self, model, duration, times, channels):
        self._model, n = model, model.n_levels
        self._numbers = np.bincount(channels, minlength=len(model.channel_names))
        climbed = np.concatenate(([0], np.cumsum(model.shifts[channels]))).astype(np.int64)
        spent = np.diff(times, prepend=0.0, append=duration)
        self._climbed = int(climbed[-1])
        # Levels off the ladder have no elements.
        places = n + np.clip(climbed, -n, n)[:, None] + np.arange(n)
        elements = np.pad(model.jump_elements, [(0, 0), (n, n)])
        factors = elements[channels[:, None], places[:-1]]
        self._dwelt = np.einsum("i,cik->ck", spent, elements[:, places] ** 2)
        self._turned = spin.magnetic_numbers(model.n_atoms) * duration + spent @ climbed
        with np.errstate(divide="ignore"):
            logs = np.log(np.abs(factors)).sum(axis=0) - 0.5 * model.rates @ self._dwelt
        alive = np.isfinite(logs) & (np.arange(n) + self._climbed >= 0)
        alive &= np.arange(n) + self._climbed < n
        phases = np.exp(-1j * model.frequency * self._turned)
        self._logs = np.where(alive, logs, -np.inf)
        self._signs = np.where(alive, np.sign(factors).prod(axis=0), 0.0) * phases

    def forth(self, ket):
        """Return the ket (N+1,) at the end."""
        self._begin = ket
        self._end = np.roll(self._scaled(ket, self._signs), self._climbed)
        return self._end

    def back(self, bra):
        """Return the bra (N+1,) at the begin, as a ket."""
        self._late, moved = bra, np.roll(bra, -self._climbed)
        self._early = self._scaled(moved, self._signs.conj())
        return self._early

    def _scaled(self, ket, factors):
        """Return a ket times the factors of the branches, normalised."""
        with np.errstate(divide="ignore"):
            logs = self._logs + np.log(np.abs(ket))
        found = np.exp(logs - logs.max()) * np.exp(1j * np.angle(ket)) * factors
        return found / np.linalg.norm(found)

    def score(self, change):
        """Return the derivatives of ln p that the stage has a part in, float64 (n,)."""
        given = self._early.conj() * self._begin
        given = given / given.sum()
        clicked = _per_rate(self._numbers, self._model.rates)
        found = change.rates @ (clicked - (self._dwelt @ given).real)
        found += 2.0 * change.frequency * (given @ self._turned).imag
        # The basis turns with theta, and states at both ends do not.
        entered = self._of_basis(self._early, self._begin)
        return found + change.theta * (entered - self._of_basis(self._late, self._end))

    def _of_basis(self, bra, ket):
        """Return 2 Re of the weak value of d/d theta of what enters the basis, (J_- - J_+)/2."""
        raising = spin.raising_elements(self._model.n_atoms)[:-1]
        falls = bra[:-1].conj() @ (raising * ket[1:]) - bra[1:].conj() @ (raising * ket[:-1])
        return (falls / (bra.conj() @ ket)).real


class DrivenPath:
    """A stage of the driven Eq. (5); parameters as for `LadderPath`."""

    def __init__(self, model, duration, times, channels):
        self._model, self._clicks, self._duration = model, (times, channels), duration
        self._numbers = np.bincount(channels, minlength=len(model.channel_names))
        fastest = 2.0 * model.frequency + math.sqrt(model.largest_rate * model.rates.sum())
        nodes = []
        for low, high in pairwise([0.0, *times.tolist(), duration]):
            pieces = math.ceil((high - low) * fastest / MOST_NODES)
            for a, b in pairwise(np.linspace(low, high, pieces + 1).tolist()):
                nodes.append(gauss(a, b, FEWEST_NODES + math.ceil((b - a) * fastest)))
        self._nodes = np.concatenate([one for one, _ in nodes] or [np.empty(0)])
        self._weights = np.concatenate([one for _, one in nodes] or [np.empty(0)])

    def forth(self, ket):
        """Return the ket (N+1,) at the end."""
        self._kets = self._followed(tables_of(self._model), ket, self._nodes, *self._clicks)
        return self._kets[-1]

    def back(self, bra):
        """Return the bra (N+1,) at the begin, as a ket."""
        times, channels = self._clicks
        found = self._followed(
            _backwards(tables_of(self._model), self._model),
            bra,
            self._duration - self._nodes[::-1],
            self._duration - times[::-1],
            channels[::-1],
        )
        self._bras = found[-2::-1]
        return found[-1]

    def _followed(self, tables, ket, nodes, times, channels):
        """Return the kets (nt + 1, N+1) at the nodes and at the end of the way."""
        from trajbatt.kernels.banded import Workspace, begin_step, follow_record
        from trajbatt.kernels.reading import MARGIN

        work = Workspace.fresh(tables.raising.size)
        cells, end = np.pad(ket.astype(complex), MARGIN).view(float), 2 * (ket.size + MARGIN)
        low, high, _ = begin_step(work, cells, 2 * MARGIN, end, 0.0)
        window, clock = np.array([low, high]), np.zeros(2)
        wanted = np.append(nodes, self._duration)
        kets, logs = np.zeros((wanted.size, ket.size), dtype=complex), np.empty(wanted.size)
        clicks = np.ascontiguousarray(times), np.ascontiguousarray(channels)
        limits = ACCURACY, NEGLIGIBLE, 0.0
        follow_record(work, tables, clock, window, wanted, clicks, limits, kets, logs)
        return kets

    def score(self, change):
        """Return the derivatives of ln p that the stage has a part in, float64 (n,)."""
        model, kets, bras = self._model, self._kets[:-1], self._bras.conj()
        weights = self._weights / (bras * kets).sum(axis=1)
        along = weights @ ((bras * kets) @ spin.magnetic_numbers(model.n_atoms))
        raising = spin.raising_elements(model.n_atoms)[:-1]
        pairs = bras[:, 1:] * kets[:, :-1] + bras[:, :-1] * kets[:, 1:]
        across = weights @ (0.5 * pairs @ raising)
        dwelt = []
        for mix in model.jump_mix:
            jumped, bent = (_jumped(model.n_atoms, mix, one) for one in (kets, self._bras))
            dwelt.append((weights @ (bent.conj() * jumped).sum(axis=1)).real)
        found = change.rates @ (_per_rate(self._numbers, model.rates) - np.array(dwelt))
        found += 2.0 * change.frequency * along.imag
        return found - 2.0 * model.frequency * change.theta * across.imag


PATHS = {LadderModel: LadderPath, BandedModel: DrivenPath}


def has_path(model):
    """Tell whether a stage of a plain model has one."""
    return any(kind in PATHS for kind in type(model).__mro__) and model.is_symmetric


def path_of(model, *others):
    """Return the path of a stage; see `LadderPath`."""
    return of_kind(PATHS, model)(model, *others)


def _per_rate(numbers, rates):
    """Return clicks over rates, (nc,); what has no rate has no clicks."""
    return np.divide(numbers, rates, out=np.zeros(rates.size), where=numbers > 0)


def _backwards(tables, model):
    """Return the kernel's tables of the adjoint: L+ in place of L, and H the other way round."""
    from trajbatt.kernels.reading import MARGIN

    bands = model.jump_bands.real
    adjoint = np.zeros_like(bands)
    adjoint[:, 0, 1:], adjoint[:, 1], adjoint[:, 2, :-1] = (
        bands[:, 2, :-1],
        bands[:, 1],
        bands[:, 0, 1:],
    )
    cells = np.repeat(np.pad(adjoint, [(0, 0), (0, 0), (MARGIN, MARGIN)]), 2, axis=-1)
    return tables._replace(jumps=cells, frequency=-tables.frequency)


def _jumped(n_atoms, mix, kets):
    """Return what a jump operator without its rate makes of kets (nt, N+1)."""
    raising = spin.raising_elements(n_atoms)[:-1]
    found = mix[1] * spin.magnetic_numbers(n_atoms) * kets
    found[:, :-1] += mix[0] * raising * kets[:, 1:]
    found[:, 1:] += mix[2] * raising * kets[:, :-1]
    return found
