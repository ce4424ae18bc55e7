"""The filter: what the light of a battery says about its state."""

from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from trajbatt.base import checks
from trajbatt.base.arrays import padded, read_only
from trajbatt.base.cards import Card
from trajbatt.base.types import ComplexArray, FloatArray, IntArray, MaybeNone, PerChannel
from trajbatt.inference.current_record import CurrentRecord
from trajbatt.inference.following import Record, follow, prior
from trajbatt.light.currents import HomodyneRecord
from trajbatt.light.detectors import Detectors, described
from trajbatt.light.input import check_watched, of_one_trajectory
from trajbatt.models.model import Model, check_model, stays_symmetric
from trajbatt.models.protocol import within
from trajbatt.numerics.spin_blocks import log_multiplicity
from trajbatt.states import block_work, work
from trajbatt.states.initial import Initial, held

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, eq=False, repr=False)
class FilterResult(Card):
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
    detectors : Detectors
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
        times dt for each click. Of homodyne currents it is that against white noise.
    current : HomodyneRecord or None
        What was seen, if the model has `beta = inf`: then there are no clicks, and `rates` are the
        mean currents that were to be expected.
    click_spin : ndarray (n_clicks,), int64, or None
        2J after each click, if `known_spin` was set.
    """

    model: Model
    times: FloatArray
    click_time: FloatArray
    click_channel: IntArray
    efficiency: FloatArray
    dark_rate: FloatArray
    detectors: Detectors
    initial: Initial | None
    energy: FloatArray
    energy_variance: FloatArray
    dipole: ComplexArray
    rates: FloatArray
    log_likelihood: FloatArray
    current: HomodyneRecord | MaybeNone = None
    click_spin: IntArray | MaybeNone = None

    @property
    def channels(self) -> tuple[str, ...]:
        """The names of the channels."""
        return self.model.channel_names

    @property
    def purity(self) -> FloatArray:
        """Tr rho^2, float64 (nt,); see `ergotropy`."""
        return self._spectral[0]

    @property
    def ergotropy(self) -> FloatArray:
        """Energy that unitaries on the symmetric subspace can extract, float64 (nt,).

        With noise of single atoms it is that of unitaries in each block of J, see
        `trajbatt.states.block_work`. This and the purity need the whole density matrix, O(N^2),
        unless it is pure, and the ergotropy its eigenvalues, O(N^3). So they are computed when one
        is first asked for.
        """
        return self._spectral[1]

    @property
    def ergotropy_global(self) -> FloatArray:
        """Energy that all unitaries on the 2^N states can extract, float64 (nt,).

        E - (1 - p_max) in the symmetric subspace, with p_max the largest eigenvalue.
        """
        return self._spectral[2]

    @property
    def ergotropy_rotation(self) -> FloatArray:
        """Energy that one classical pulse can extract, <J_z> + abs(<J>), float64 (nt,)."""
        return work.rotation_work(self.energy, self.dipole, self.model.n_atoms)

    @cached_property
    def states(self) -> ComplexArray:
        """The states, in the bare basis and the pump frame, index = number of excited atoms.

        Where nothing is missed, no click is dark, and the battery began in a pure state, kets
        (nt, N+1), complex128, of norm 1 and up to a phase; else density matrices (nt, N+1, N+1).
        With noise of single atoms (nt, nJ, N+1, N+1), of each J, from N/2 down.
        Computed when they are first asked for: O(N^2) memory and O(N^3) time for each.
        """
        record, mixture = self._observed
        matrices = [
            moment.layout.bare_state(moment.y, moment.phase)
            for moment in follow(record, mixture, all_orders=True)
        ]
        if self._is_pure:
            return read_only(np.array([_ket(one) for one in matrices]))
        return read_only(np.array(padded(matrices) if self._in_blocks else matrices))

    @property
    def energy_distribution(self) -> FloatArray:
        """Probabilities of the numbers of excited atoms, float64 (nt, N+1); needs `states`."""
        if self._is_pure:
            return np.abs(self.states) ** 2
        diagonals = np.diagonal(self.states, axis1=-2, axis2=-1).real
        return diagonals.reshape(len(diagonals), -1, diagonals.shape[-1]).sum(axis=1)

    @cached_property
    def _observed(self):
        """The `Record`, and the initial `Mixture`."""
        if self.current is not None:
            record = CurrentRecord(self.model, self.times, self.current)
            return record, prior(self.model, self.initial)
        response = self.detectors.response_of(self.model)
        clicks = self.click_time, self.click_channel
        record = Record(self.model, self.times, *clicks, response, self.click_spin)
        return record, prior(self.model, self.initial)

    @property
    def _is_pure(self):
        record, mixture = self._observed
        return mixture.weights.size == 1 and record.sees_all and not self._in_blocks

    @property
    def _in_blocks(self):
        return not stays_symmetric(self.model)

    @cached_property
    def _spectral(self):
        if self._is_pure:
            return np.ones(self.times.size), self.energy.copy(), self.energy.copy()
        record, mixture = self._observed
        found = []
        for energy, moment in zip(
            self.energy, follow(record, mixture, all_orders=True), strict=True
        ):
            blocks = moment.layout.occupied(moment.y, moment.phase)
            spins = [n for n, _ in blocks]
            values = np.concatenate([np.linalg.eigvalsh(block) for _, block in blocks])
            found.append(_purity_and_work(energy, values, spins, self.model.n_atoms))
        return np.array(found).T

    def plot(self) -> "Figure":
        """Return a picture, a matplotlib `Figure`: energy with and without the record, clicks."""
        from trajbatt.exact.mesolve import mesolve
        from trajbatt.plots.photons import filter_figure

        unseen = mesolve(self.model, self.times, self.initial)
        return filter_figure(self, unseen, self.model.label)

    def __repr__(self) -> str:
        """Return a card of five lines."""
        counts = np.bincount(self.click_channel, minlength=len(self.channels))
        pairs = zip(self.channels, counts, strict=True)
        listed = ", ".join(f"{name} {n}" for name, n in pairs) or "none"
        if self.current is not None:
            listed = f"{', '.join(self.channels)} in {self.current.edges.size - 1} bins"
        error = np.sqrt(self.energy_variance[-1])
        return (
            f"FilterResult: {self.model.name}, N = {self.model.n_atoms}\n"
            f"  {'clicks' if self.current is None else 'currents':<14}  {listed}\n"
            f"  times           {self.times.size}, up to {self.times[-1]:.6g}\n"
            f"  final energy    {self.energy[-1]:.6g} ± {error:.2g}\n"
            f"  log-likelihood  {self.log_likelihood[-1]:.6g}"
        )


def _spin_of(clicks, click_time):
    """Return 2J after each click, int64 (n_clicks,)."""
    spin = getattr(clicks, "spin", None)
    if spin is None or len(spin) != click_time.size:
        raise ValueError("`clicks` must tell their `spin` for `known_spin`, but do not")
    return np.asarray(spin, dtype=np.int64)


def _purity_and_work(energy, eigenvalues, spins, n_atoms):
    """Return Tr rho^2 and the ergotropies in the blocks and global, by the blocks' eigenvalues."""
    if spins == [n_atoms]:
        subspace = work.subspace_work(energy, eigenvalues)
        return (eigenvalues**2).sum(), subspace, work.global_work(energy, eigenvalues[-1])
    logs = np.repeat([log_multiplicity(n_atoms, n) for n in spins], np.add(spins, 1))
    purity = (eigenvalues**2 * np.exp(-logs)).sum()
    known = np.array([energy]), eigenvalues[None], spins, n_atoms
    return purity, block_work.block_work(*known)[0], block_work.global_work(*known)[0]


def _ket(matrix):
    """Return the ket of a pure state's density matrix: its largest column, normalised."""
    largest = np.argmax(matrix.diagonal().real)
    return matrix[:, largest] / np.linalg.norm(matrix[:, largest])


def filter(
    model: Model,
    clicks: object,
    tlist: ArrayLike,
    efficiency: PerChannel = 1.0,
    initial: Initial | None = None,
    dark_rate: PerChannel = 0.0,
    detectors: Detectors | None = None,
    *,
    known_spin: bool = False,
) -> FilterResult:
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
        `tb.exchange.read_csv` returns, a NumPy record array. Of a model with `beta = inf`, see
        `Homodyne`, a `HomodyneRecord`, or a trajectory of it; bins should be as short as the steps
        of the trajectories, 0.05 over the fastest rate of the means.
    tlist : array_like (nt,)
        Strictly increasing times >= 0 at which the state is wanted; no click is after the last.
        If the clicks say how long they were watched, by their `duration`, it ends by then. Edges of
        the bins of a current.
    efficiency : float, array_like (nc,) or dict
        The probability that a photon is seen, in [0, 1]: one for all channels, or one for each. At
        1, the default, all jumps of a simulated record are seen; one below 1 is that of what emits
        light, and jumps that absorb or give none are not seen: see `Detectors.response_of`.
    initial : optional
        As in `mesolve`.
    dark_rate : float, array_like (nc,) or dict
        The rate of clicks without a photon: one for all channels, or one for each.
    detectors : Detectors, optional
        In place of these two; may have cross-talk, too.
    known_spin : bool
        With noise of single atoms: take J after each click from `clicks.spin`, as simulated records
        have it. No light tells J, so by default it is not known.

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
    initial = held(initial)
    times = within(model, checks.times("tlist", tlist))
    detectors = described(detectors, efficiency, dark_rate)
    response = detectors.response_of(model)
    if not model.has_clicks:
        return _of_current(model, HomodyneRecord.of(clicks), times, detectors, initial)
    check_watched(clicks, times[-1])
    click_time, click_channel = of_one_trajectory(clicks, model.channel_names, times[-1])
    seen = response[0].any(axis=0) | (response[1] > 0.0) | ~model.is_hidden
    click_time, click_channel = (one[seen[click_channel]] for one in (click_time, click_channel))
    is_hidden = not stays_symmetric(model)
    wants_spin = checks.boolean("known_spin", known_spin) and is_hidden
    spin = _spin_of(clicks, click_time) if wants_spin else None
    record = Record(model, times, click_time, click_channel, response, spin)
    read_only(click_time, click_channel, spin)
    seen = {"click_time": click_time, "click_channel": click_channel, "click_spin": spin}
    return _filtered(record, initial, detectors, **seen)


def _of_current(model, current, times, detectors, initial):
    """Return the `FilterResult` of homodyne currents."""
    if detectors != Detectors():
        raise ValueError(
            "`detectors` must be perfect with `beta = inf`: the efficiency is that of the Homodyne"
        )
    return _filtered(
        CurrentRecord(model, times, current),
        initial,
        detectors,
        click_time=np.empty(0),
        click_channel=np.empty(0, dtype=np.int64),
        current=current,
    )


def _filtered(record, initial, detectors, **fields):
    """Return the `FilterResult` of a record; `fields` are what was seen."""
    model, times = record.model, record.times
    dark_rate = detectors.of_each("dark_rate", model.channel_names)
    energy, variance, log_likelihood = np.empty((3, times.size))
    dipole = np.empty(times.size, dtype=complex)
    rates = np.zeros((len(model.channel_names), times.size))
    start = 0
    every = follow(record, prior(model, initial))
    for (stage, _), moments in groupby(every, lambda moment: (moment.stage, id(moment.layout))):
        layouts, ways, ys, phases, logs = zip(*(moment[1:] for moment in moments), strict=True)
        y, phase = np.array(ys).T, np.array(phases)
        part = slice(start, start := start + len(ys))
        energy[part], variance[part], dipole[part], _ = layouts[0].observables(y, phase)
        rates[list(stage.places), part] = ways[0](y, phase)
        log_likelihood[part] = logs
    read_only(times, dark_rate)
    read_only(energy, variance, dipole, rates, log_likelihood)
    return FilterResult(
        model=model,
        times=times,
        efficiency=detectors.of_each("efficiency", model.channel_names),
        dark_rate=dark_rate,
        detectors=detectors,
        initial=initial,
        energy=energy,
        energy_variance=variance,
        dipole=dipole,
        rates=rates,
        log_likelihood=log_likelihood,
        **fields,
    )
