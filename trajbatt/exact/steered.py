r"""The twin of protocols with stages that end by counts: what all trajectories are on average.

Let rho_n be the density matrix of those that have seen n counted clicks in the stage, and K the one
that ends it. With the jumps J of the counted channels taken out of the Liouvillian,

    d rho_n/dt = (𝓛 - 𝓙) rho_n + 𝓙 rho_{n-1} + delta_n0 f(t) - 𝓜_n f(t - T),     n = 0 ... K - 1,

where f is what enters the stage per time, and 𝓜 takes it through the longest time T, after which
it has to leave. The next stage is entered at the rate 𝓙 rho_{K-1} + sum_n 𝓜_n f(t - T). Such
densities of times are known on panels, see `trajbatt.exact.arrivals`, which end at the times at
which something is asked or anything is not smooth. In each stage of a duration one density matrix
is carried along, to which what enters is added, and from which what leaves is taken.

The weights are exact for polynomials; what the rotation to another basis mixes turns as fast as the
coherence of highest order, N Omega_P, so there are nodes enough for that.
"""

import math
from itertools import pairwise

import numpy as np

from trajbatt.exact.arrivals import Arrivals, Packet, Panel
from trajbatt.exact.banded import click_rates
from trajbatt.exact.carried import Picture, Seen, carry
from trajbatt.exact.delays import SAME, Delay
from trajbatt.models.model import check_at_rest
from trajbatt.numerics import bands, spin
from trajbatt.numerics.quadrature import gauss

MOST_ELEMENTS = 2e7  # complex numbers of rho_n that are carried at once
UNLIKELY = 40.0  # -ln of a probability that is none
FEWEST_NODES, MOST_NODES = 6, 40  # of a panel, about
BETWEEN = 4  # nodes between those of a panel, at which what enters is added, about
VERY_SHORT, SHORT = 0.03, 0.2  # radians of a panel, for which 3 and 4 nodes do
NODES_PER_RADIAN = 0.5, 1.0, 2.0, 4.0  # more and more, until nothing is missed
FEW = 20  # atoms, of which several such stages are solved while one waits
LOST = 1e-8  # probability that may be missed, and a hundred times the tolerance


def check_twin(model):
    """Raise `ValueError` if stages of a model end by what is seen and it has no exact twin."""
    rules = [stage.rule for stage in model.latest_stages() if stage.rule is not None]
    if any(rule.energy is not None for rule in rules):
        raise ValueError(
            "`model` must end its stages by clicks to have an exact twin, but waits for an energy: "
            "the filter of each trajectory is the check of that"
        )
    check_at_rest(model, "`model` with stages that end by clicks")
    for stage in model.latest_stages():
        if not stage.model.is_symmetric or stage.model.oscillators.any():
            raise ValueError(
                "`model` must have neither noise of single atoms nor oscillators beside a stage "
                f"that ends by clicks to have an exact twin, but {stage.model.name!r} has"
            )


def has_exact_twin(model):
    """Return whether `mesolve` solves a model in less than minutes.

    Not all whose stages end by what is seen, nor many atoms in several such stages.
    """
    if not model.is_steered:
        return True
    several = sum(stage.rule is not None for stage in model.latest_stages()) > 1
    if several and model.n_atoms > FEW:
        return False
    try:
        check_twin(model)
    except ValueError:
        return False
    return True


def solve_steered(stages, n_channels, mixture, times, rtol):
    """Solve the master equation of a protocol with stages that end by clicks.

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
    tolerance, times = LOST + 100.0 * rtol, _at_boundaries(stages, times)
    for density in NODES_PER_RADIAN:
        seen = _pass_through(stages, mixture, Seen(times, n_channels), rtol, density)
        if seen.missed <= tolerance:
            return seen.solution(len(stages), stages[0].model.n_atoms)
    raise ArithmeticError(f"all stages together hold a probability off 1 by {seen.missed:.1e}")


def _at_boundaries(stages, times):
    """Return the times; those that are a boundary but for rounding are it, so all agree on them."""
    times = times.copy()
    for boundary in (0.0, *(stage.end for stage in stages)):
        times[np.abs(times - boundary) <= SAME * times[-1]] = boundary
    return times


def _pass_through(stages, mixture, seen, rtol, density):
    """Take the initial state through all stages; return what is `Seen`."""
    end = seen.times[-1]
    arrivals = Arrivals([Packet(0.0, mixture.matrix(stages[0].model.n_levels))], [])
    fastest = 0.0
    for i, stage in enumerate(stages):
        arrivals = arrivals.before(end)
        if not arrivals.packets and not arrivals.panels:
            break
        later = stages[i + 1 :]
        fastest = max(fastest, _fastest(stage, later))
        if stage.rule is None or not _may_end(stage, end):
            leaving = _timed(stage, arrivals, rtol, seen, is_last=not later)
        else:
            leaving = Counted(stage, later, rtol, seen, density * fastest).take(arrivals)
        if later:
            before, after = stage.model.theta, later[0].model.theta
            arrivals = leaving.turned(spin.change_of_basis(stage.model.n_atoms, before, after))
    return seen


def _timed(stage, arrivals, rtol, seen, is_last):
    """Take what enters through a stage of a duration; return what leaves it."""
    model, leaving = stage.model, Arrivals([], [])
    picture = Picture(model, rtol, sources=range(len(model.channel_names)))
    if not is_last:
        leaving = Delay(model, rtol, stage.duration).of(arrivals, seen.times[-1]).summed()
    changes = [(one.time, picture.orders(one.matrix, one.time)) for one in arrivals.every()]
    changes += [(one.time, -picture.orders(one.matrix, one.time)) for one in leaving.every()]
    carry(picture, changes, list(stage.places), seen)
    return leaving


class Counted:
    """A stage that ends by clicks.

    Parameters
    ----------
    stage : Stage
    later : sequence of Stage
        Those that follow.
    rtol : float
    seen : Seen
    fastest : float
        Nodes of panels per time.
    """

    def __init__(self, stage, later, rtol, seen, fastest):
        self._stage, self._later, self._rtol, self._seen = stage, later, rtol, seen
        self._fastest, self._end = fastest, seen.times[-1]
        model = self._model = stage.model
        counted = stage.rule.counted(model).astype(bool)
        n = self._n = stage.rule.clicks
        if n * model.n_levels**2 > 2 * MOST_ELEMENTS:
            raise ValueError(
                f"`model` must have fewer clicks or atoms to have an exact twin: {n} density "
                f"matrices of {model.n_atoms} atoms are too many"
            )
        coupling = np.zeros((counted.size, n, n))
        coupling[counted] = np.eye(n, k=-1) - np.eye(n)
        self._picture = Picture(model, rtol, n, jumps=coupling)
        self._delay = Delay(model, rtol, stage.duration, n, jumps=coupling)
        jumps = [bands.operator(one) for one in model.jump_bands[counted]]
        self._jumps = [(one, one.T) for one in jumps]

    def take(self, arrivals):
        """Take what enters through the stage; return what leaves it."""
        is_one = len(arrivals.packets) == 1 and not arrivals.panels
        overdue = Arrivals([], [])
        if not is_one:  # else all that is left is overdue at once
            overdue = self._delay.of(arrivals, self._end)
        changes = [(one.time, self._of_first(one.matrix, one.time)) for one in arrivals.packets]
        changes += [
            (one.time, -self._picture.orders(one.matrix, one.time)) for one in overdue.packets
        ]
        last = arrivals.packets[0].time + self._stage.duration if is_one else math.inf
        photons = self._march(arrivals, overdue, changes, last)
        packets, panels = overdue.summed()
        if last < self._end:
            packets.append(Packet(last, self._picture.matrix(self._y.sum(axis=0), last)))
        return Arrivals(packets, photons + panels)

    def _of_first(self, matrix, time):
        """Return the orders (K, stop) of what enters."""
        y = np.zeros((self._n, self._picture.layout.stop), dtype=complex)
        y[0] = self._picture.orders(matrix, time)
        return y

    def _edges(self, arrivals, overdue, last):
        """Return the times at which panels end, ascending; the first is where the stage begins."""
        delays = np.append(0.0, np.cumsum([one.duration for one in self._later[:-1]]))
        times, near = self._seen.times, SAME * self._end
        others = [*np.subtract.outer(times, delays[1:]).ravel(), *arrivals.edges(), last]
        others = np.unique(others + overdue.edges())
        others = others[np.append(True, np.diff(others) > near)]
        far = np.abs(np.subtract.outer(others, times)).min(axis=1) > near
        edges = np.union1d(times, others[far])
        begin = min(arrivals.edges())
        inside = (edges > begin + near) & (edges <= min(last, self._end))
        return [begin, *edges[inside].tolist()]

    def _march(self, arrivals, overdue, changes, last):
        """Carry the rho_n along; return what clicks take to the next stage, a list of `Panel`."""
        times, places, near = self._seen.times, list(self._stage.places), SAME * self._end
        edges, photons = self._edges(arrivals, overdue, last), []
        self._y = np.zeros((self._n, self._picture.layout.stop), dtype=complex)
        counts, so_far = np.zeros(len(places)), []
        self._now = math.nan  # nobody is here
        changes.sort(key=lambda change: change[0])
        stops = [time for time, _ in changes] + [
            one.low for one in arrivals.panels + overdue.panels
        ]
        stops = np.sort([*stops, edges[-1]])
        for low, high in self._panels(edges):
            while changes and changes[0][0] <= low + near:
                self._change(low, changes.pop(0)[1])
            if low == 0.0:
                for i in np.flatnonzero(times == 0.0):
                    self._see(i)
            sources = [
                (one, take)
                for one, take in (
                    *((panel, self._of_first) for panel in arrivals.panels),
                    *((panel, self._of_overdue) for panel in overdue.panels),
                )
                if one.low - near <= low and high <= one.high + near
            ]
            if sources or self._weight() > self._rtol:
                free = stops[np.searchsorted(stops, high)] if high < stops[-1] else high
                photons.append(self._take_panel(low, high, sources, free, counts))
            else:  # the steps of what is left would be as long as they may be, and noisy
                self._y, self._now = np.zeros_like(self._y), math.nan
            so_far.append((high, counts.copy()))
            for i in np.flatnonzero(times == high):
                self._see(i)
        self._seen.count(places, so_far)
        return photons

    def _panels(self, edges):
        """Yield the panels between some edges, cut where they are too long."""
        for low, high in pairwise(edges):
            cuts = np.linspace(low, high, 1 + math.ceil((high - low) * self._fastest / MOST_NODES))
            yield from pairwise([low, *cuts[1:-1].tolist(), high])

    def _of_overdue(self, matrices, time):
        """Return the orders (K, stop) of what leaves, less than zero."""
        return -self._picture.orders(matrices, time)

    def _take_panel(self, low, high, sources, free, counts):
        """Go on through a panel, and add what clicks in it to `counts` (nc,); return the `Panel`.

        Parameters
        ----------
        low, high : float
        sources : list of (Panel, callable)
            What enters and leaves meanwhile, and what makes orders of it.
        free : float
            Until then nothing else does.
        counts : *in, out* ndarray (nc,)
        """
        model, layout = self._model, self._picture.layout
        times, weights = gauss(low, high, _enough(self._fastest * (high - low), FEWEST_NODES))
        found = np.empty((times.size, model.n_levels, model.n_levels), dtype=complex)
        for j, (before, time) in enumerate(pairwise([low, *times, high])):
            if sources:
                self._add(before, time, sources)
            self._advance(time, time if sources else free)
            if j < times.size:
                phase = self._picture.phase(time)
                counts += weights[j] * click_rates(model, layout, self._y.sum(axis=0), phase)
                last = self._picture.matrix(self._y[-1], time)
                found[j] = sum(one @ last @ transposed for one, transposed in self._jumps)
        return Panel(low, high, found)

    def _add(self, low, high, sources):
        """Go on between two nodes, and add what enters and leaves."""
        times, weights = gauss(low, high, _enough(self._fastest * (high - low), BETWEEN))
        entering = [(take, panel.at(times)) for panel, take in sources]
        for i, (time, weight) in enumerate(zip(times, weights, strict=True)):
            self._advance(time, time)
            change = sum(take(matrices[i], time) for take, matrices in entering)
            self._change(time, weight * change)

    def _change(self, time, change):
        """Add a change (K, stop) at a time."""
        self._y = self._y + change
        self._picture.flow.begin(time, self._y)
        self._now = time

    def _advance(self, time, free):
        """Go on to a time; steps may be longer, until `free`."""
        if time > self._now:
            self._y, _ = self._picture.flow.advance(time, max(time, free))
            self._now = time

    def _weight(self):
        return float(self._picture.layout.trace(self._y.sum(axis=0)).real)

    def _see(self, i):
        """Show the state at the time number i."""
        phase = self._picture.phase(self._seen.times[i])
        self._seen.add(i, self._picture.layout, self._y.sum(axis=0), phase)


def _enough(radians, most):
    """Return how many nodes a quadrature needs of something that turns so far, about."""
    if radians < VERY_SHORT:
        return 3
    return 4 if radians < SHORT else most + math.ceil(radians)


def _fastest(stage, later):
    """Return how fast what enters the later stages changes, in radians per time."""
    mixed = any(one.model.theta != stage.model.theta for one in later)
    highest = stage.model.n_atoms if mixed else 2
    return highest * abs(stage.model.frequency) + stage.model.largest_rate


def _may_end(stage, end):
    """Return whether a stage may end by its clicks before `end`, as a Poisson process at most.

    By the bound of Chernoff for the largest rate in any state.
    """
    counted = stage.rule.counted(stage.model).astype(bool)
    sizes = np.abs(stage.model.jump_bands[counted])
    rates = sizes.sum(axis=1).max(axis=1) ** 2  # of the L_c+ L_c, at most
    most, n = float(rates.sum()) * min(stage.duration, end), stage.rule.clicks
    return n <= most or (most > 0.0 and n * math.log(n / most) - n + most <= UNLIKELY)
