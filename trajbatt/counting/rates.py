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
SETTLED = 1e-13  # of the fastest rate: what the last Newton step changed
PATIENCE, SHORTEST = 12, 1e-6  # Newton steps for a field; the smallest step to the next field
FAR = 0.5  # of s: a step that Newton begins with
WIDEST = 30.0  # of s: jumps are 10^13 times as fast there
POSITIVE = 1e-6  # of the largest population: how much below zero another one may be


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

        ln E[exp(s n)] is lambda(s) t in the long run. It is followed from s = 0 on by Newton's
        method.

        Raises
        ------
        ValueError, TypeError
            If s is beyond -30 or 30, or no number.
        ArithmeticError
            If it cannot be followed as far.
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
        found = {0.0: 0.0}
        for side in (1.0, -1.0):
            wanted = np.unique(fields[fields * side > 0.0])
            found |= counting.followed(wanted if side > 0 else wanted[::-1])
        return np.array([found[one] for one in fields.ravel().tolist()]).reshape(fields.shape)

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
        matrix, _, trace = self.generator
        solve = Bordered(matrix, self.place)
        state, _ = solve(np.zeros(trace.size, dtype=matrix.dtype), 1.0)
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
            one = solve(right, 0.0)[0]
            states.append(one - (trace @ one) * state)
        return np.array([one * math.factorial(k) for k, one in enumerate(found, 1)])

    def _jumped(self, state, power):
        """Return what all jumps make of a state, each times a power of its weight."""
        pairs = zip(self.weights.tolist(), self.generator.jumps, strict=True)
        return sum((w**power * (jump @ state) for w, jump in pairs if w), np.zeros_like(state))

    def followed(self, fields):
        """Return lambda at fields that go away from zero, a dict of float to float."""
        _, state = self._at_rest
        found, now, value = {}, 0.0, 0.0
        for wanted in fields.tolist():
            while now != wanted:
                step = np.clip(wanted - now, -FAR, FAR)
                while (one := self._solution(now + step, state, value)) is None:
                    step /= 2.0
                    if abs(step) < SHORTEST:
                        raise ArithmeticError(f"lambda(s) cannot be followed beyond s = {now:g}")
                now = wanted if abs(wanted - now - step) < SHORTEST else now + step
                value, state = one
            found[wanted] = value
        return found

    def _solution(self, s, state, value):
        """Return lambda and the state at the field s by Newton's method; None if it fails."""
        from scipy.sparse import eye_array

        matrix, jumps, trace = self.generator
        for w, jump in zip(self.weights.tolist(), jumps, strict=True):
            matrix = matrix + math.expm1(w * s) * jump
        scale = np.abs(matrix.diagonal()).max()
        one = eye_array(trace.size, format="csc")
        place = int(np.argmax(state.real * trace))
        for _ in range(PATIENCE):
            try:
                solve = Bordered(matrix - value * one, place)
            except RuntimeError:  # singular to rounding
                return None
            # (W - lambda) x = mu e, and mu falls to zero; its slope is that of the derivative.
            state, mu = solve(np.zeros_like(state), 1.0)
            _, slope = solve(state, 0.0)
            change = -(mu / slope).real
            value += change
            if abs(change) < SETTLED * scale:
                return (value, state) if _is_positive(state, trace) else None
        return None


def _is_positive(state, trace):
    """Whether a state may be that of the largest eigenvalue: no population has another sign."""
    populations = state[trace > 0.0].real
    return bool(populations.min() > -POSITIVE * populations.max())


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
