r"""The state of a battery as its light is seen, from click to click, within one stage.

Let W_ab be the probability that a photon of channel a is seen by the detector of b, and d_b the
dark rate there. Between clicks the state goes on under the counting fields 1 - sum_b W_ab, and
decays at the rate sum_b d_b, because there was no dark count; a click of detector b applies
sum_a W_ab 𝓙_a + d_b. The trace is the probability density of the record. Six observers do this,
each with what its model offers:

- `LadderObserver`, if no photon of a ladder model is missed: all branches by one factor each;
- `InefficientObserver`, if some are, or some clicks are dark counts: tridiagonal systems;
- `WavefunctionObserver`, for the driven Eq. (5), if no photon is missed and the start is pure;
- `BandedObserver`, if not: the whole density matrix; of many atoms `FrameObserver`, in a frame;
- `BlockObserver`, with noise of single atoms: all blocks of J.

All begin with a mixture of kets, tell coherence orders in the interaction picture that begins with
the stage, and end with a mixture, of kets again where possible: a matrix knows no small numbers,
but a record that is untypical of the model may be about them. A new kind of model joins the
inference in `OBSERVERS`.
"""

import math
from functools import partial

import numpy as np

from trajbatt.exact.block_model import BlockModel
from trajbatt.exact.ladder import LadderLiouvillian
from trajbatt.exact.orders import Orders
from trajbatt.inference.banded_observer import BandedObserver
from trajbatt.inference.block_observer import BlockObserver
from trajbatt.inference.frame_observer import FrameObserver
from trajbatt.inference.impossible import ImpossibleClickError
from trajbatt.inference.wavefunction_observer import WavefunctionObserver
from trajbatt.models.banded import BandedModel
from trajbatt.models.ladder import LadderModel
from trajbatt.models.mixed_light import HomodyneModel
from trajbatt.models.model import of_kind
from trajbatt.models.ramp_model import RampModel
from trajbatt.states.mixture import Mixture

MANY = 100  # driven atoms from which on a frame is faster than the whole density matrix


class LadderObserver:
    """Sees every photon of a ladder model.

    Parameters
    ----------
    model : LadderModel
    layout : Orders
        The coherence orders to follow.
    detectors : ndarray (nc,), int64
        Of each channel.
    """

    def __init__(self, model, layout, detectors):
        from trajbatt.kernels.branches import Ladder

        self.model, self.layout = model, layout
        self._channel_of = {int(detector): c for c, detector in enumerate(detectors)}
        with np.errstate(divide="ignore"):
            self._log_rates = np.log(model.rates)
        self._ladder = Ladder(model.jump_elements, model.shifts, model.rate_polynomial)
        self._mixture = None

    def begin(self, mixture):
        """Start from a `Mixture` at t = 0."""
        from trajbatt.kernels.branches import Branches

        if mixture is not self._mixture:  # it is the same for many records
            self._prepare(mixture)
        self._scale = 2.0 * self._highest
        self._branches = Branches(
            logs=self._logs.copy(),
            signs=np.ones(self._logs.size),
            product=np.ones(self._logs.size),
            reference=self._best.copy(),
            climbed=np.array([0]),
        )
        self._t = 0.0

    def _prepare(self, mixture):
        """Keep what of a `Mixture` the branches begin with."""
        layout = self.layout
        self._mixture, y = mixture, layout.of_mixture(mixture)
        self._roots = roots = np.sqrt(y[layout.populations].real)
        with np.errstate(divide="ignore"):
            logs = np.log(roots)
        best = int(np.argmax(logs))
        # Products of amplitudes of modulus 1: what a mixture is less coherent than a ket.
        self._coherence = y
        for q, part in zip(layout.orders, layout.slices, strict=True):
            for root in (roots[q:], roots[: roots.size - q]):  # a product might underflow
                np.divide(y[part], root, out=y[part], where=root > 0)
        self._highest, self._logs, self._best = logs[best], logs - logs[best], np.array([best])

    def advance(self, t, times, detectors):
        """Go on to the time `t`, through clicks at `times` (n,) of `detectors` (n,), int.

        Raises
        ------
        ImpossibleClickError
        """
        from trajbatt.kernels.branches import follow

        channels = np.array([self._channel_of[one] for one in detectors.tolist()], dtype=np.int64)
        alive, climbed = self._branches.logs > -np.inf, int(self._branches.climbed[0])
        change = follow(self._ladder, (times, channels), self._t, t, self._branches)
        rates = self._log_rates[channels]
        if change == -math.inf or not np.all(rates > -math.inf):
            raise ImpossibleClickError(self._impossible(alive, climbed, channels))
        self._scale += 2.0 * change + rates.sum()
        self._t = t

    @property
    def log_trace(self):
        """The logarithm of the trace, which is the probability density of the record."""
        return self._scale + math.log(np.exp(2.0 * self._branches.logs).sum())

    @property
    def _factors(self):
        return self._branches.signs * np.exp(self._branches.logs)

    def state(self):
        """Return the orders (stop,), of trace 1."""
        layout, factors, climbed = self.layout, self._factors, int(self._branches.climbed[0])
        y = np.zeros_like(self._coherence)
        for q, part, levels in zip(layout.orders, layout.slices, layout.lengths, strict=True):
            low, high = max(0, -climbed), min(levels, levels - climbed)
            if low < high:
                found = self._coherence[part] * factors[q:] * factors[:levels]
                y[part][low + climbed : high + climbed] = found[low:high]
        return y / y[layout.populations].real.sum()

    def mixture(self, phase):
        """Return the state as a `Mixture`, at Omega t = `phase`."""
        n_levels = self.model.n_levels
        rows = self._mixture.rows(n_levels)
        np.divide(rows, self._roots, out=rows, where=self._roots > 0)
        rows = np.roll(rows * self._factors, int(self._branches.climbed[0]), axis=1)
        if phase:
            rows = rows * np.exp(-1j * phase * np.arange(n_levels))
        norms = np.linalg.norm(rows, axis=1)
        alive = norms > 0.0
        weights = self._mixture.weights[alive] * norms[alive] ** 2
        return Mixture.of_kets(weights, rows[alive] / norms[alive, None], negligible=0.0)

    def rates(self, y, _):
        """Return the click rates of the state y (stop, ...), float64 (nc, ...)."""
        return self.model.click_rates @ y[self.layout.populations].real

    def _impossible(self, alive, climbed, channels):
        """Return how many of the clicks leave one of the branches `alive` (N+1,) so."""
        alive = np.flatnonzero(alive)
        for n, channel in enumerate(channels):
            alive = alive[self.model.click_rates[channel, alive + climbed] > 0]
            climbed += self.model.shifts[channel]
            if alive.size == 0:
                return n
        raise AssertionError("the record is possible")


class InefficientObserver:
    """Misses some photons of a ladder model, or takes dark counts for photons.

    Parameters
    ----------
    model : LadderModel
    layout : Orders
        The coherence orders to follow.
    shares : ndarray (nc, nd), float64
        W_ab.
    dark_rate : ndarray (nd,), float64
    """

    def __init__(self, model, layout, shares, dark_rate):
        from trajbatt.kernels.uniformization import Detection

        self.model, self.layout = model, layout
        self._darkness = dark_rate.sum()
        liouvillian = LadderLiouvillian(model, layout, 1.0 - shares.sum(axis=1)[None])
        self._chain = liouvillian.chain()
        jumps = liouvillian.jumps if model.channels else np.zeros((0, layout.stop))
        self._detection = Detection(jumps, model.shifts, np.ascontiguousarray(shares), dark_rate)

    def begin(self, mixture):
        """Start from a `Mixture` at t = 0."""
        self._y = y = self.layout.of_mixture(mixture)
        self._spare = np.empty((2, y.size), dtype=y.dtype)
        self._t = 0.0
        self.log_trace = 0.0

    def advance(self, t, times, detectors):
        """Go on to the time `t`, through clicks at `times` (n,) of `detectors` (n,), int.

        Raises
        ------
        ImpossibleClickError
        """
        from trajbatt.kernels.uniformization import follow

        clicks = times, detectors
        log, n = follow(self._chain, self._detection, clicks, self._t, t, self._y, *self._spare)
        if log == -math.inf:
            raise ImpossibleClickError(n)
        self.log_trace += log - self._darkness * (t - self._t)
        self._t = t

    def state(self):
        """Return the orders (stop,), of trace 1."""
        return self._y.copy()

    def mixture(self, phase):
        """Return the state as a `Mixture`, at Omega t = `phase`; needs all orders."""
        return Mixture.of_matrix(self.layout.matrix(self._y, phase), negligible=0.0)

    def rates(self, y, _):
        """Return the click rates of the state y (stop, ...), float64 (nc, ...)."""
        return self.model.click_rates @ y[self.layout.populations].real


class PureOrNot:
    """An observer of wavefunctions if the state begins as one, of density matrices if not.

    Parameters
    ----------
    pure, mixed : callable
        What makes them.
    """

    def __init__(self, pure, mixed):
        self._pure, self._mixed = pure, mixed

    def begin(self, mixture):
        """Start from a `Mixture` at t = 0."""
        self._chosen = self._pure() if mixture.weights.size == 1 else self._mixed()
        self._chosen.begin(mixture)

    def __getattr__(self, name):
        """Return everything else of the one that was chosen."""
        if name.startswith("__") or name == "_chosen":
            raise AttributeError(name)
        return getattr(self._chosen, name)


def _of_ladder(model, response, all_orders, goes_on):
    shares, dark_rate = response
    places = np.argmax(shares, axis=1) if shares.size else np.zeros(0, dtype=np.int64)
    tells_all = _tells_all(shares, dark_rate, places)
    needs_all = all_orders or (goes_on and not tells_all)
    wanted = model.n_levels if needs_all else min(3, model.n_levels)
    layout = Orders(model.n_atoms, model.theta, range(wanted))
    if tells_all:
        return LadderObserver(model, layout, places)
    return InefficientObserver(model, layout, shares, dark_rate)


def _of_banded(model, response, all_orders, goes_on):
    shares, dark_rate = response
    places = np.argmax(shares, axis=1)
    in_frame = model.n_atoms >= MANY and not model.oscillators.any()
    mixed = partial(FrameObserver if in_frame else BandedObserver, model, *response)
    if _tells_all(shares, dark_rate, places):
        pure = partial(WavefunctionObserver, model, places, dark_rate.size, all_orders)
        return PureOrNot(pure, mixed)
    return mixed()


def _tells_all(shares, dark_rate, places):
    """Whether each click tells which jump it was, and no jump is missed."""
    sees_all = np.all(shares.max(axis=1, initial=0.0) == 1.0) and not dark_rate.any()
    return sees_all and np.unique(places).size == places.size


def _of_blocks(model, response, all_orders, goes_on):
    return BlockObserver(model, response, all_orders or goes_on)


def _of_ramp(model, response, all_orders, goes_on):
    return FrameObserver(model, *response)


OBSERVERS = {
    LadderModel: _of_ladder,
    BandedModel: _of_banded,
    RampModel: _of_ramp,
    HomodyneModel: _of_banded,
    BlockModel: _of_blocks,
}


def observer(model, response, all_orders, goes_on):
    """Return the observer of a model's light.

    Parameters
    ----------
    model : Model
        A plain one.
    response : (shares, dark_rate)
        Of its channels, (nc, nd), and of the detectors, (nd,): see above.
    all_orders : bool
        All coherence orders are wanted, not only what energy, variance and dipole need.
    goes_on : bool
        The state is wanted as a mixture in the end.
    """
    return of_kind(OBSERVERS, model)(model, response, all_orders, goes_on)
