r"""Photon numbers in the long run: the rates of their cumulants, exactly.

In the steady state E[exp(s n)] grows like exp(lambda(s) t), with the largest eigenvalue lambda of
the generator W(s) = W + (e^s - 1) 𝓙 of `trajbatt.exact.stationary`: its derivatives at s = 0 are
the rates at which the cumulants of n grow. With W(s) = sum_j s^j W_j, r(s) = sum_k s^k r_k of trace
1 and lambda = sum_k s^k lambda_k they follow order by order,

    lambda_k = Tr sum_{j=1..k} W_j r_{k-j},     W r_k = sum_{j=1..k} (lambda_j - W_j) r_{k-j}.

(Flindt, Novotny, Braggio and Jauho, Phys. Rev. B 82, 155407 (2010).)
"""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from trajbatt.base import checks
from trajbatt.base.cards import Card
from trajbatt.base.types import FloatArray
from trajbatt.exact.stationary import Bordered, Generator, generator_of
from trajbatt.light.checking import TOTAL
from trajbatt.models.channel import ABSORBED
from trajbatt.models.model import Model, check_plain
from trajbatt.states.steady_state import steady_state

NET = "net"  # photons that are emitted less those that are absorbed
MOST = 12  # cumulants: each order loses digits
DENSE = 500  # rows of a matrix whose eigenvalues LAPACK finds
ABOVE = 1e-3  # of the fastest rate: how far above its bound the resolvent is
POWERS, CANDIDATES = 100, 8  # of the resolvent; eigenvalues of which the largest is taken
WIDEST = 10.0  # of s: jumps are 20 000 times as fast there, or as rare


@dataclass(frozen=True, eq=False, repr=False)
class CountRates(Card):
    """How the counts of a channel grow in the steady state.

    Attributes
    ----------
    model : Model
    channel : str
        The name of a channel, "total", or "net".
    cumulants : ndarray (order,), float64
        The rates of the mean, the variance, the third cumulant, ...
    activity : float
        How often any jump happens, photon or not.
    entropy_production : float
        Of the light, in units of k_B times a rate: inf where a channel emits and never absorbs.
    net : ndarray (2,), float64
        The rates of mean and variance of photons emitted less absorbed.
    """

    model: Model
    channel: str
    cumulants: FloatArray
    activity: float
    entropy_production: float
    net: FloatArray

    @property
    def mean(self) -> float:
        """Counts per unit of time."""
        return float(self.cumulants[0])

    @property
    def fano(self) -> float:
        """Var(n)/<n> in the long run, 1 for Poissonian light; nan without counts."""
        return _ratio(self.cumulants[1], self.mean)

    @property
    def kinetic_ratio(self) -> float:
        """Variance times activity over mean squared: at least 1 if populations alone decide.

        The kinetic uncertainty relation (Di Terlizzi and Baiesi, J. Phys. A 52, 02LT03 (2019)).
        Coherence, as of the driven Eq. (5), may bring it below.
        """
        return _ratio(self.cumulants[1] * self.activity, self.mean**2)

    @property
    def thermodynamic_ratio(self) -> float:
        """Of the net photons, variance times entropy production over twice the mean squared.

        At least 1 if populations alone decide: the thermodynamic uncertainty relation (Barato and
        Seifert, Phys. Rev. Lett. 114, 158101 (2015)). inf without thermal light.
        """
        mean, variance = self.net
        return _ratio(variance * self.entropy_production, 2.0 * mean**2)

    def generating(self, s: ArrayLike) -> FloatArray:
        """Return the scaled cumulant generating function lambda(s), float64, shaped as s.

        ln E[exp(s n)] is lambda(s) t in the long run.

        Raises
        ------
        ValueError, TypeError
            If s is beyond -10 or 10, or no number.
        ArithmeticError
            If it is not found.
        """
        try:
            fields = np.asarray(s, dtype=float)
        except (TypeError, ValueError):
            raise TypeError(f"`s` must hold numbers, but is {checks.shown(s)}") from None
        if not np.all(np.abs(fields) <= WIDEST):
            raise ValueError(
                f"`s` must be from {-WIDEST:g} to {WIDEST:g}, but is {checks.shown(s)}"
            )
        counting = _Counting.of(self.model, self.channel)
        return np.reshape([counting.growth(one) for one in fields.ravel().tolist()], fields.shape)

    def __repr__(self) -> str:
        """Return a card of five lines."""
        return (
            f"CountRates of {self.channel}: {self.model.name}, N = {self.model.n_atoms}\n"
            f"  mean          {self.mean:.6g}\n"
            f"  Fano factor   {self.fano:.6g}\n"
            f"  activity      {self.activity:.6g}\n"
            f"  kinetic       {self.kinetic_ratio:.6g}"
        )


def rates(model: Model, channel: str = TOTAL, order: int = 4) -> CountRates:
    """Return how the cumulants of a number of counts grow in the steady state, exactly.

    Parameters
    ----------
    model : LadderModel, LocalLadderModel or BandedModel
        A ladder, of 10^5 atoms in a third of a second; up to 600 with noise of single atoms; the
        driven Eq. (5), or light mixed with an oscillator of finite strength, of up to 150.
    channel : str
        The name of a channel; "total" for the jumps of all, also of those that absorb light or give
        none; or "net", photons that are emitted less those that are absorbed.
    order : int
        How many cumulants, 2 to 12.

    Returns
    -------
    CountRates

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range or of the wrong kind, if there are no clicks, or no
        unique steady state.
    """
    check_plain(model)
    order = checks.integer("order", order, 1)
    if not 2 <= order <= MOST:
        raise ValueError(f"`order` must be from 2 to {MOST}, but is {order}")
    if not model.has_clicks:
        raise ValueError(f"`model` must have clicks to be counted, but {model.name!r} has currents")
    counting = _Counting.of(model, channel)
    every = np.ones(len(model.channel_names))
    return CountRates(
        model=model,
        channel=channel,
        cumulants=counting.cumulants(order),
        activity=float(counting.weighted(every).cumulants(1)[0]),
        entropy_production=_entropy_production(model, counting),
        net=counting.weighted(model.photons).cumulants(2),
    )


@dataclass(frozen=True, eq=False)
class _Counting:
    """Jumps, each of which counts some number.

    Attributes
    ----------
    generator : Generator
    weights : ndarray (nc,), float64
        What a jump of each channel counts.
    place : int
        The largest population of the steady state.
    """

    generator: Generator
    weights: np.ndarray
    place: int

    @classmethod
    def of(cls, model, channel):
        """Return that of a channel, or of all."""
        names = model.channel_names
        checks.choice("channel", channel, (*names, TOTAL, NET))
        chosen = np.array([float(channel in (one, TOTAL)) for one in names])
        weights = model.photons if channel == NET else chosen
        generator = generator_of(model)
        largest = np.argmax(steady_state(model).populations)
        return cls(generator, weights, int(np.flatnonzero(generator.trace)[largest]))

    def weighted(self, weights):
        """Return the same with other weights."""
        found = _Counting(self.generator, weights, self.place)
        vars(found)["_at_rest"] = self._at_rest
        return found

    @cached_property
    def _at_rest(self):
        """The solver at no field, and the steady state."""
        matrix, _, trace, _ = self.generator
        solve = Bordered(matrix, self.place)
        state = solve(np.zeros(trace.size, dtype=matrix.dtype), 1.0)
        return solve, state / (trace @ state)

    def cumulants(self, order):
        """Return the rates of the first cumulants, float64 (order,)."""
        solve, state = self._at_rest
        trace = self.generator.trace
        states, found = [state], []
        for k in range(1, order + 1):
            gained = sum(
                self._jumped(states[k - j], j) / math.factorial(j) for j in range(1, k + 1)
            )
            found.append((trace @ gained).real)
            right = sum(found[j - 1] * states[k - j] for j in range(1, k + 1)) - gained
            one = solve(right, 0.0)
            states.append(one - (trace @ one) * state)
        return np.array([one * math.factorial(k) for k, one in enumerate(found, 1)])

    def _jumped(self, state, power):
        """Return what all jumps make of a state, each times a power of its weight."""
        pairs = zip(self.weights.tolist(), self.generator.jumps, strict=True)
        return sum((w**power * (jump @ state) for w, jump in pairs if w), np.zeros_like(state))

    def growth(self, s):
        """Return lambda at the field s.

        Raises
        ------
        ArithmeticError
            If it is not found.
        """
        if s == 0.0:
            return 0.0
        matrix, jumps, trace, is_ladder = self.generator
        pairs = zip(self.weights.tolist(), jumps, strict=True)
        gained = sum(math.expm1(w * s) * jump for w, jump in pairs)
        matrix = matrix + gained
        if is_ladder:
            return _of_ladder(matrix)
        if trace.size <= DENSE:
            return float(np.linalg.eigvals(matrix.toarray()).real.max())
        try:
            return self._nearby(matrix, _largest(trace @ gained, trace))
        except RuntimeError as error:
            raise ArithmeticError(f"lambda(s) is not found at s = {s:g} ({error})") from None

    def _nearby(self, matrix, bound):
        """Return the largest eigenvalue of a large matrix: ARPACK's, near where powers lead to.

        Powers of the resolvent above a bound of it come near, because they are positive maps.
        """
        from scipy.sparse import eye_array
        from scipy.sparse.linalg import eigs, splu

        apart = ABOVE * np.abs(matrix.diagonal()).max()
        above = bound + apart
        resolvent = splu((above * eye_array(matrix.shape[0], format="csc") - matrix).tocsc())
        _, state = self._at_rest
        for _ in range(POWERS):
            state = resolvent.solve(state)
            norm = (self.generator.trace @ state).real
            state /= norm
        near = above - 1.0 / norm + apart  # not at it, where the matrix is singular
        found = eigs(matrix, k=CANDIDATES, sigma=near, v0=state, return_eigenvectors=False)
        return float(found.real.max())


def _of_ladder(matrix):
    """Return the largest eigenvalue of a tridiagonal matrix by that of a symmetric one like it."""
    from scipy.linalg import eigh_tridiagonal

    beside = np.sqrt(matrix.diagonal(-1) * matrix.diagonal(1))
    last = matrix.shape[0] - 1
    (found,) = eigh_tridiagonal(
        matrix.diagonal(), beside, eigvals_only=True, select="i", select_range=(last, last)
    )
    return float(found)


def _largest(rates, trace):
    """Return the largest growth rate of the trace, of any state, by the row vector of that."""
    if np.all(trace == 1.0):  # of populations
        return float(rates.max())
    levels = math.isqrt(trace.size)
    return float(np.linalg.eigvalsh(rates.reshape(levels, levels))[-1])


def _entropy_production(model, counting):
    """Return the rate of entropy that the light takes, by the pairs of emission and absorption."""
    names, known = model.channel_names, model.rates
    means = [counting.weighted(one).cumulants(1)[0] for one in np.eye(len(names))]
    total = 0.0
    for name, mean, rate, photons in zip(names, means, known, model.photons, strict=True):
        if photons <= 0.0 or mean <= 0.0:
            continue
        if name + ABSORBED not in names:
            return math.inf
        back = names.index(name + ABSORBED)
        total += (mean - means[back]) * math.log(rate / known[back])
    return float(total)


def _ratio(numerator, denominator):
    if denominator == 0.0 or math.isnan(numerator):
        return math.nan
    return float(numerator / denominator)
