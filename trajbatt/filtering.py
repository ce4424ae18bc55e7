"""The filter: what the light of a battery says about its state."""

import math
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby, pairwise
from operator import attrgetter
from typing import NamedTuple

import numpy as np

from trajbatt import checks, spin
from trajbatt.click_checks import check_watched, of_one_trajectory
from trajbatt.detection import ImpossibleClickError, observer
from trajbatt.detectors import for_channels
from trajbatt.models import BandedModel, LadderModel
from trajbatt.orders import Orders
from trajbatt.protocol import Protocol, Stage, check_model, stages_of, within
from trajbatt.states import Mixture, prepare


@dataclass(frozen=True, eq=False, repr=False)
class FilterResult:
    """The state of a battery, conditional on the clicks of its light so far.

    Energies are totals in units of hbar omega_0; times are in the unit of 1/rate. A click at a
    requested time counts as seen.

    Attributes
    ----------
    model : LadderModel, BandedModel or Protocol
    times : ndarray (nt,), float64
    click_time : ndarray (n_clicks,), float64
    click_channel : ndarray (n_clicks,), int64
        Index into `channels`.
    efficiency, dark_rate : ndarray (nc,), float64
        Of the detectors.
    initial : object
        The initial state as it was given.
    energy : ndarray (nt,), float64
        <E> = <J_z> + N/2.
    energy_variance : ndarray (nt,), float64
        Delta E^2: the square of what is not known of the energy.
    dipole : ndarray (nt,), complex128
        Bare <J_+>.
    rates : ndarray (nc, nt), float64
        Mean rates of all photons, seen or not, in each channel.
    log_likelihood : ndarray (nt,), float64
        The logarithm of the probability density of the record so far, in the unit of rates: the
        probability of these clicks, each within dt of its time, and of no others is its exponential
        times dt for each click.
    """

    model: LadderModel | BandedModel | Protocol
    times: np.ndarray
    click_time: np.ndarray
    click_channel: np.ndarray
    efficiency: np.ndarray
    dark_rate: np.ndarray
    initial: object
    energy: np.ndarray
    energy_variance: np.ndarray
    dipole: np.ndarray
    rates: np.ndarray
    log_likelihood: np.ndarray

    @property
    def channels(self):
        """The names of the channels."""
        return self.model.channel_names

    @property
    def purity(self):
        """Tr rho^2, float64 (nt,); see `ergotropy`."""
        return self._spectral[0]

    @property
    def ergotropy(self):
        """Energy that unitaries on the symmetric subspace can extract, float64 (nt,).

        This and the purity need the whole density matrix, O(N^2), unless it is pure, and the
        ergotropy its eigenvalues, O(N^3). So they are computed when one is first asked for.
        """
        return self._spectral[1]

    @cached_property
    def _spectral(self):
        mixture = prior(self.model, self.initial)
        sees_all = np.all(self.efficiency == 1.0) and not self.dark_rate.any()
        if mixture.weights.size == 1 and sees_all:
            return np.ones(self.times.size), self.energy.copy()
        purity, passive = np.empty((2, self.times.size))
        for i, moment in enumerate(_follow(self, mixture, all_orders=True)):
            eigenvalues = np.linalg.eigvalsh(moment.system.matrix(moment.y, moment.phase))
            purity[i] = (eigenvalues**2).sum()
            # The passive state puts the largest eigenvalue on the lowest level.
            passive[i] = eigenvalues[::-1] @ np.arange(eigenvalues.size)
        return purity, self.energy - passive

    def __repr__(self):
        """Return a card of five lines."""
        counts = np.bincount(self.click_channel, minlength=len(self.channels))
        listed = zip(self.channels, counts, strict=True)
        error = np.sqrt(self.energy_variance[-1])
        return (
            f"FilterResult: {self.model.name}, N = {self.model.n_atoms}\n"
            f"  clicks         {', '.join(f'{name} {n}' for name, n in listed) or 'none'}\n"
            f"  times          {self.times.size}, up to {self.times[-1]:.6g}\n"
            f"  final energy   {self.energy[-1]:.6g} ± {error:.2g}\n"
            f"  log-likelihood {self.log_likelihood[-1]:.6g}"
        )


@dataclass(frozen=True, eq=False)
class Seen:
    """What is known of one battery: its model, its clicks and the detectors.

    The attributes are those of `FilterResult`.
    """

    model: LadderModel | BandedModel | Protocol
    times: np.ndarray
    click_time: np.ndarray
    click_channel: np.ndarray
    efficiency: np.ndarray
    dark_rate: np.ndarray
    initial: object


def filter(model, clicks, tlist, efficiency=1.0, initial=None, dark_rate=0.0):
    """Read the state of one battery off the clicks of its light.

    If no photon of a ladder model is missed, the state follows from the clicks branch by branch,
    O(N) for each; else density matrices are integrated: of a ladder model by coherence order, O(N)
    for energy, variance, dipole, rates and likelihood; of Eq. (5) whole, O(N^2).

    Parameters
    ----------
    model : LadderModel, BandedModel or Protocol
        What the battery does, e.g. `battery.charge()`.
    clicks : object
        Anything with the arrays `time` (n,), ascending, in the unit of 1/rate, and `channel` (n,),
        names or indices of the model's channels: `runs.replay(17).clicks`, what
        `tb.exchange.read_csv` returns, a NumPy record array.
    tlist : array_like (nt,)
        Strictly increasing times >= 0 at which the state is wanted; no click is after the last.
        If the clicks say how long they were watched, by their `duration`, it ends by then.
    efficiency : float or array_like (nc,)
        The probability that a photon is seen, in [0, 1]: one for all channels, or one for each.
    initial : optional
        As in `mesolve`.
    dark_rate : float or array_like (nc,)
        The rate of clicks without a photon: one for all channels, or one for each.

    Returns
    -------
    FilterResult

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range or of the wrong kind; if clicks are out of order, outside
        the times, of an unknown channel, or impossible. The message names the click.
    """
    check_model(model)
    times = within(model, checks.times("tlist", tlist))
    check_watched(clicks, times[-1])
    click_time, click_channel = of_one_trajectory(clicks, model.channel_names, times[-1])
    seen = Seen(
        model,
        times,
        click_time,
        click_channel,
        for_channels("efficiency", efficiency, model.channel_names, 1.0),
        for_channels("dark_rate", dark_rate, model.channel_names, math.inf),
        initial,
    )
    energy, variance, log_likelihood = np.empty((3, times.size))
    dipole = np.empty(times.size, dtype=complex)
    rates = np.zeros((len(model.channel_names), times.size))
    start = 0
    for stage, moments in groupby(_follow(seen, prior(model, initial)), attrgetter("stage")):
        systems, ys, phases, logs = zip(*(moment[1:] for moment in moments), strict=True)
        system, y, phase = systems[0], np.array(ys).T, np.array(phases)
        part = slice(start, start := start + len(ys))
        energy[part], variance[part], dipole[part] = system.observables(y, phase)
        rates[list(stage.tags), part] = system.rates(y, phase)
        log_likelihood[part] = logs
    return FilterResult(
        **vars(seen),
        energy=energy,
        energy_variance=variance,
        dipole=dipole,
        rates=rates,
        log_likelihood=log_likelihood,
    )


def log_likelihood(seen, mixture):
    """Return the logarithm of the probability density of a whole record.

    Parameters
    ----------
    seen : Seen
    mixture : Mixture
        The initial state in the basis of the first stage.
    """
    *_, last = _follow(seen, mixture)
    return last.log_likelihood


class Moment(NamedTuple):
    """The state at one of the times.

    Attributes
    ----------
    stage : Stage
    system : Orders
    y : ndarray (n,)
        Its orders, of trace 1.
    phase : float
        Omega t of the stage.
    log_likelihood : float
    """

    stage: Stage
    system: Orders
    y: np.ndarray
    phase: float
    log_likelihood: float


def _follow(seen, mixture, all_orders=False):
    """Follow the state through the clicks; yield the `Moment` at each of the times.

    Without `all_orders` it has the orders 0, 1 and 2 only.
    """
    n_atoms = seen.model.n_atoms
    stages = stages_of(seen.model, seen.times[-1])
    log_before, done = 0.0, 0
    for stage, following in zip(stages, [*stages[1:], None], strict=True):
        model, tags = stage.model, list(stage.tags)
        wanted, local = stage.select(seen.times, to_end=following is not None)
        detectors = seen.efficiency[tags], seen.dark_rate[tags]
        system = observer(model, *detectors, all_orders, goes_on=following is not None)
        system.begin(mixture)
        kept = system.stop if all_orders else system.slices[:3][-1].stop
        here = slice(done, _last(seen, stage, following))
        click_time = np.maximum(seen.click_time[here] - stage.start, 0.0)
        click_channel = _local(seen, here, tags, model)
        edges = np.append(0, np.searchsorted(click_time, local, side="right"))
        for i, (time, (first, last)) in enumerate(zip(local, pairwise(edges), strict=True)):
            try:
                system.advance(time, click_time[first:last], click_channel[first:last])
            except ImpossibleClickError as impossible:
                raise _impossible(seen, done + first + impossible.args[0]) from None
            if i < wanted.stop - wanted.start:
                log = log_before + system.log_trace
                yield Moment(stage, system, system.state()[:kept], model.frequency * time, log)
        log_before += system.log_trace
        done = here.stop
        if following:
            mixture = system.mixture(model.frequency * local[-1])
            if following.model.theta != model.theta:
                turn = spin.change_of_basis(n_atoms, model.theta, following.model.theta)
                rows = mixture.rows(n_atoms + 1) @ turn
                mixture = Mixture.of_kets(mixture.weights, rows, negligible=0.0)


def _last(seen, stage, following):
    """Return the place after the last click of a stage.

    A click at the end belongs to the stage that ends, unless it can be of the next one only.
    """
    stop = int(np.searchsorted(seen.click_time, stage.end, side="right"))
    if following is None:
        return stop
    theirs = set(following.tags) - set(stage.tags)
    at_end = zip(seen.click_time[:stop][::-1], seen.click_channel[:stop][::-1], strict=True)
    for time, channel in at_end:
        if time < stage.end or channel not in theirs:
            break
        stop -= 1
    return stop


def prior(model, initial):
    """Return the initial state as a `Mixture` of which nothing is dropped.

    A measured record need not be typical of the model.
    """
    return prepare(model, initial, negligible=0.0)


def _local(seen, here, tags, model):
    """Return the channels of the clicks `here` as those of a stage."""
    places = np.full(len(seen.model.channel_names), -1)
    places[tags] = range(len(tags))
    local = places[seen.click_channel[here]]
    if np.any(local < 0):
        raise _impossible(seen, here.start + int(np.argmax(local < 0)), f" during {model.name!r}")
    return local


def _impossible(seen, i, when=""):
    name = seen.model.channel_names[seen.click_channel[i]]
    return ValueError(
        f"`clicks` must be possible under the model, but click {i} ({name} at "
        f"t = {seen.click_time[i]:g}) has probability zero{when}"
    )
