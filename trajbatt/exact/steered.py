r"""The twin of protocols with a stage that ends by counts: what all trajectories are on average.

Let rho_n be the density matrix of those that have seen n counted clicks in the stage, and K the one
that ends it. With the jumps J of the counted channels taken out of the Liouvillian,

    d rho_n/dt = (𝓛 - 𝓙) rho_n + 𝓙 rho_{n-1},     n = 0 ... K - 1,

and the state enters the next stage at the rate 𝓙 rho_{K-1}; what is left after the longest time
enters it then. So the rest of the protocol is fed by *packets*, unnormalised density matrices at
the nodes of a Gauss quadrature over the time of the K-th click, whose panels end at the times at
which something is asked. In each later stage one density matrix is carried along, to which packets
are added as they come, and from which they are taken as they go.

The weights are exact for polynomials; what the rotation to another basis mixes turns as fast as the
coherence of highest order, N Omega_P, so there are nodes enough for that.
"""

import math
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.polynomial import legendre

from trajbatt.exact.banded import BandedLiouvillian, click_rates
from trajbatt.exact.solution import Solution
from trajbatt.models.model import check_at_rest
from trajbatt.numerics import bands, spin

MOST_ELEMENTS = 2e7  # complex numbers of rho_n that are carried at once
UNLIKELY = 40.0  # -ln of a probability that is none
FEWEST_NODES, MOST_NODES = 6, 40  # of a panel, about
NODES_PER_RADIAN = 0.5, 1.0, 2.0, 4.0  # more and more, until nothing is missed
NOTHING = 1e-13  # probability of a stage that is as good as empty
LOST = 1e-8  # probability that may be missed, and a hundred times the tolerance


class Packet(NamedTuple):
    """What enters a stage at some time: an unnormalised density matrix (N+1, N+1) in its basis."""

    time: float
    matrix: np.ndarray


def check_twin(model):
    """Raise `ValueError` if stages of a model end by what is seen and it has no exact twin."""
    rules = [stage.rule for stage in model.latest_stages() if stage.rule is not None]
    if any(rule.energy is not None for rule in rules):
        raise ValueError(
            "`model` must end its stages by clicks to have an exact twin, but waits for an energy: "
            "the filter of each trajectory is the check of that"
        )
    if len(rules) > 1:
        raise ValueError(
            f"`model` must have one stage that ends by clicks to have an exact twin, but has "
            f"{len(rules)}"
        )
    check_at_rest(model, "`model` with stages that end by clicks")
    for stage in model.latest_stages():
        if not stage.model.is_symmetric or stage.model.oscillators.any():
            raise ValueError(
                "`model` must have neither noise of single atoms nor oscillators beside a stage "
                f"that ends by clicks to have an exact twin, but {stage.model.name!r} has"
            )


def has_exact_twin(model):
    """Return whether `mesolve` solves a model; not all whose stages end by what is seen."""
    if not model.is_steered:
        return True
    try:
        check_twin(model)
    except ValueError:
        return False
    return True


def solve_steered(stages, n_channels, mixture, times, rtol):
    """Solve the master equation of a protocol with a stage that ends by clicks.

    Parameters
    ----------
    stages : sequence of Stage
        All of them, with their rules.
    n_channels : int
        Of the protocol.
    mixture : Mixture
        The initial state in the basis of the first stage.
    times : ndarray (nt,)
    rtol : float

    Returns
    -------
    Solution
        Without looks, and without counts at the ends of stages.
    """
    tolerance = LOST + 100.0 * rtol
    for density in NODES_PER_RADIAN:
        seen = _pass_through(stages, mixture, Seen(times, n_channels), rtol, density)
        if seen.missed <= tolerance:
            return seen.solution(len(stages), stages[0].model.n_atoms)
    raise ArithmeticError(f"all stages together hold a probability off 1 by {seen.missed:.1e}")


def _pass_through(stages, mixture, seen, rtol, density):
    """Take the initial state through all stages; return what is `Seen`."""
    times, packets = seen.times, [Packet(0.0, mixture.matrix(stages[0].model.n_levels))]
    for i, stage in enumerate(stages):
        packets = [one for one in packets if one.time < times[-1] or one.time == 0.0]
        if not packets:
            break
        is_last = i == len(stages) - 1
        if stage.rule is None:
            leaving = _timed(stage, packets, rtol, seen, is_last)
        else:
            leaving = _counted(stage, packets[0], stages[i + 1 :], rtol, seen, density)
        if not is_last:
            turn = spin.change_of_basis(
                stage.model.n_atoms, stage.model.theta, stages[i + 1].model.theta
            )
            packets = [Packet(one.time, turn.T @ one.matrix @ turn) for one in leaving]
    return seen


class Seen:
    """What is read off the density matrices of all stages, summed up.

    Parameters
    ----------
    times : ndarray (nt,)
    n_channels : int
    """

    def __init__(self, times, n_channels):
        self.times, self.counts = times, np.zeros((n_channels, times.size))
        self._means, self._weight = np.zeros((8, times.size)), np.zeros(times.size)

    def add(self, i, layout, y, phase):
        """Add an unnormalised state y (stop,) at the time number i."""
        weight = float(layout.trace(y).real)
        if weight > 0.0:
            energy, variance, dipole, products = layout.observables(y / weight, phase)
            jz = energy - layout.n_atoms / 2
            first = jz, variance + jz**2, dipole.real, dipole.imag
            self._means[:, i] += weight * np.array([*first, *products])
            self._weight[i] += weight

    @property
    def missed(self):
        """By how much the probability of all stages together is off 1, at the worst time."""
        return np.abs(self._weight - 1.0).max()

    def solution(self, n_stages, n_atoms):
        """Return the `Solution`."""
        jz, square, jx, jy, *products = self._means / self._weight
        return Solution(
            energy=jz + n_atoms / 2,
            energy_variance=np.maximum(square - jz**2, 0.0),
            dipole=jx + 1j * jy,
            counts=self.counts,
            final_counts=np.zeros((n_stages, len(self.counts))),
            products=np.array(products),
            spins=np.ones((1, self.times.size)),
            looks=[],
            method="banded",
        )


class Still:
    """In place of a `BandedFlow` without channels: nothing but phases changes."""

    def begin(self, t, matrices, scalars=()):
        """Set the matrices."""
        self._given = matrices, scalars

    def advance(self, target, end=None):
        """Return them."""
        return self._given


class Picture:
    """The orders of matrices in the interaction picture of a stage, whose clock is the protocol's.

    Parameters
    ----------
    model : Model
        A plain one.
    rtol : float
    n : int
        How many matrices go together.
    **couplings
        As for `BandedLiouvillian.flow`.
    """

    def __init__(self, model, rtol, n=1, **couplings):
        liouvillian = BandedLiouvillian(model)
        self.layout, self._frequency = liouvillian.layout, model.frequency
        self._q = self.layout.elements[1]
        self.flow = liouvillian.flow(n, rtol, **couplings) if model.channel_names else Still()

    def phase(self, time):
        """Return Omega t."""
        return self._frequency * time

    def orders(self, packet):
        """Return the orders (stop,) of a packet."""
        turned = np.exp(1j * self.phase(packet.time) * self._q)
        return self.layout.of_matrix(packet.matrix) * turned

    def matrix(self, y, time):
        """Return the matrix (N+1, N+1) of orders at a time."""
        return self.layout.matrix(y, self.phase(time))


def _timed(stage, packets, rtol, seen, is_last):
    """Take packets through a stage of a duration, the same for each; return what leaves it."""
    model = stage.model
    picture = Picture(model, rtol, sources=range(len(model.channel_names)))
    leaving = []
    for one in packets if not is_last else ():
        end = one.time + stage.duration
        weight = float(np.trace(one.matrix).real)
        if end < seen.times[-1] and weight > 0.0:
            start = picture.orders(one)[None] / weight
            picture.flow.begin(one.time, start, np.zeros(len(model.channel_names)))
            (y,), _ = picture.flow.advance(end)
            leaving.append(Packet(end, weight * picture.matrix(y, end)))
    changes = [(one.time, picture.orders(one)) for one in packets]
    changes += [(one.time, -picture.orders(one)) for one in leaving]
    _carry(picture, changes, list(stage.places), seen)
    return leaving


def _carry(picture, changes, places, seen):
    """Carry one density matrix through a stage, with `changes` of its orders at some times.

    A boundary belongs to the stage that ends there: so changes come after what is read, but for
    those at the very start.
    """
    y = np.zeros(picture.layout.stop, dtype=complex)
    nothing, emitted = np.zeros(len(places)), np.zeros(len(places))
    points = [(time, -1 if time == 0.0 else 1, change) for time, change in changes]
    points += [(time, 0, i) for i, time in enumerate(seen.times)]
    points.sort(key=lambda point: point[:2])
    weight = 0.0
    for time, kind, what in points:
        now, counted = y, emitted
        if weight > NOTHING:
            (rows,), scalars = picture.flow.advance(time)
            now, counted = weight * rows, emitted + weight * scalars
        if kind == 0:
            seen.counts[places, what] += counted
            if weight > NOTHING:
                seen.add(what, picture.layout, now, picture.phase(time))
            continue
        y, emitted = now + what, counted
        weight = float(picture.layout.trace(y).real)
        if weight > NOTHING:
            picture.flow.begin(time, y[None] / weight, nothing)


def _counted(stage, packet, later, rtol, seen, density):
    """Take a packet through a stage that ends by clicks; return what leaves it.

    Parameters
    ----------
    stage : Stage
    packet : Packet
    later : sequence of Stage
        Those that follow.
    rtol : float
    seen : Seen
    density : float
        Nodes per radian.
    """
    model, times = stage.model, seen.times
    counted = stage.rule.counted(model).astype(bool)
    start, end = packet.time, min(packet.time + stage.duration, times[-1])
    if not _may_end(stage, counted, end - start):
        return _timed(stage, [packet], rtol, seen, is_last=False)
    n = stage.rule.clicks
    if n * packet.matrix.size > 2 * MOST_ELEMENTS:
        raise ValueError(
            f"`model` must have fewer clicks or atoms to have an exact twin: {n} density matrices "
            f"of {model.n_atoms} atoms are too many"
        )
    coupling = np.zeros((counted.size, n, n))
    coupling[counted] = np.eye(n, k=-1) - np.eye(n)
    picture = Picture(model, rtol, n, jumps=coupling)
    y = np.zeros((n, picture.layout.stop), dtype=complex)
    y[0] = picture.orders(packet)
    picture.flow.begin(start, y)
    operators = [bands.operator(one) for one in model.jump_bands[counted]]
    leaving, counts = [], np.zeros(counted.size)
    places = list(stage.places)
    delays = np.append(0.0, np.cumsum([one.duration for one in later[:-1]]))
    edges = np.subtract.outer(times, delays).ravel()
    fastest = density * _fastest(stage, later)
    edges = np.unique(np.append(edges[(edges > start) & (edges < end)], end))
    if start == 0.0 and times[0] == 0.0:
        seen.add(0, picture.layout, y.sum(axis=0), 0.0)
    for low, high in _panels([start, *edges] if end > start else [], MOST_NODES / fastest):
        for time, weight in zip(*_nodes(low, high, fastest), strict=True):
            y, _ = picture.flow.advance(time, end)
            rates = click_rates(model, picture.layout, y.sum(axis=0), picture.phase(time))
            counts += weight * rates
            last = weight * picture.matrix(y[-1], time)
            leaving.append(Packet(time, sum(one @ last @ one.T for one in operators)))
        y, _ = picture.flow.advance(high, end)
        for i in np.flatnonzero(times == high):
            seen.add(i, picture.layout, y.sum(axis=0), picture.phase(high))
            seen.counts[places, i] += counts
        if picture.layout.trace(y.sum(axis=0)).real <= rtol:
            end = high  # the steps of what is left are as long as they may be, and noisy
            break
    seen.counts[np.ix_(places, times > end)] += counts[:, None]
    leaving.append(Packet(end, picture.matrix(y.sum(axis=0), end)))
    return leaving


def _fastest(stage, later):
    """Return how fast what enters the later stages changes, in radians per time."""
    mixed = any(one.model.theta != stage.model.theta for one in later)
    highest = stage.model.n_atoms if mixed else 2
    return highest * abs(stage.model.frequency) + stage.model.largest_rate


def _panels(edges, longest):
    """Yield the panels between some edges, cut where they are too long, one after the other."""
    for low, high in pairwise(edges):
        pieces = max(1, math.ceil((high - low) / longest))
        for i in range(pieces):
            is_last = i == pieces - 1
            yield (
                low + i * (high - low) / pieces,
                (high if is_last else low + (i + 1) * (high - low) / pieces),
            )


def _nodes(low, high, fastest):
    """Return the times and the weights of the quadrature between two times."""
    points, weights = legendre.leggauss(FEWEST_NODES + math.ceil(fastest * (high - low)))
    half = 0.5 * (high - low)
    return low + half * (points + 1.0), half * weights


def _may_end(stage, counted, duration):
    """Return whether a stage may end by its clicks in a time, as a Poisson process would at most.

    By the bound of Chernoff for the largest rate in any state.
    """
    sizes = np.abs(stage.model.jump_bands[counted])
    rates = sizes.sum(axis=1).max(axis=1) ** 2  # of the L_c+ L_c, at most
    most, n = float(rates.sum()) * duration, stage.rule.clicks
    return n <= most or (most > 0.0 and n * math.log(n / most) - n + most <= UNLIKELY)
