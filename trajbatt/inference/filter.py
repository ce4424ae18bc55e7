"""The filter: what the light of a battery says about its state."""

import math
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from operator import attrgetter

import numpy as np

from trajbatt.base import checks
from trajbatt.inference.following import Seen, _follow, prior
from trajbatt.light.detectors import for_channels
from trajbatt.light.input import check_watched, of_one_trajectory
from trajbatt.models.banded import BandedModel
from trajbatt.models.ladder import LadderModel
from trajbatt.models.protocol import Protocol, check_model, within


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
