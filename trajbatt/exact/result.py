"""What the master equation gives: the exact twin of an ensemble's result."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from trajbatt.base import datasets
from trajbatt.base.arrays import padded, read_only
from trajbatt.base.cards import Card
from trajbatt.base.citation import RUNGE_KUTTA
from trajbatt.base.types import ComplexArray, FloatArray, MaybeNone, PathLike
from trajbatt.exact.dataset import exact_dataset
from trajbatt.exact.master_equation import solve
from trajbatt.exact.start import start
from trajbatt.models.channel import photon_energies
from trajbatt.models.coherent_emission import CoherentEmission
from trajbatt.models.model import Model, stays_symmetric
from trajbatt.models.swing import swing_of
from trajbatt.states import block_work, spin_noise, work
from trajbatt.states.initial import Initial
from trajbatt.states.quoted import average_power, per_quantum
from trajbatt.states.spin_lengths import SpinLengths
from trajbatt.states.spin_quantities import SpinQuantities

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from xarray import Dataset


@dataclass(frozen=True, eq=False, repr=False)
class MasterEquationResult(Card, SpinLengths, SpinQuantities):
    """What the master equation gives: the exact twin of an `EnsembleResult`.

    Energies are totals in units of hbar omega_0; times are in the unit of 1/rate.

    Attributes
    ----------
    model : LadderModel, BandedModel or Protocol
    initial : object
        The initial state as it was given.
    times : ndarray (nt,), float64
    rtol : float
        The accuracy asked for.
    energy : ndarray (nt,), float64
        <E> = <J_z> + N/2.
    energy_variance : ndarray (nt,), float64
        Delta E^2.
    dipole : ndarray (nt,), complex128
        Bare <J_+>.
    counts : ndarray (nc, nt), float64
        Mean photons since t = 0.
    counts_covariance : ndarray (nc, nc, nt), float64, or None
        If `covariances` was set.
    states : ndarray (nt, N+1, N+1), complex128, or None
        Bare density matrices in the pump frame, index = number of excited atoms, if `keep_states`
        was set. With noise of single atoms (nt, nJ, N+1, N+1), one for each J of
        `spin_distribution`, which is its trace.
    products : ndarray (4, nt), float64
        The means of `trajbatt.states.products.PRODUCTS`.
    spin_distribution : ndarray (nt, nJ), float64
        The probability of each length J of the collective spin, from N/2 down by ones, as far as
        noise of single atoms was followed; one column of ones without.
    expect : dict of str to ndarray (nt,), float64
        The means of the `e_ops`.
    method : str
        How it was solved: "ladder"; "tensors", of many ladders one after the other; "blocks" of J,
        with noise of single atoms; "frame", "tensors" or "banded", of the driven Eq. (5); or
        several, joined by "and", of a protocol.
    wanted_method : str or None
        The one that was asked for.
    """

    model: Model
    initial: Initial | None
    times: FloatArray
    rtol: float
    energy: FloatArray
    energy_variance: FloatArray
    dipole: ComplexArray
    counts: FloatArray
    counts_covariance: FloatArray | MaybeNone
    states: ComplexArray | MaybeNone
    products: FloatArray
    spin_distribution: FloatArray
    expect: dict[str, FloatArray] = field(default_factory=dict)
    method: str = ""
    wanted_method: str | None = None

    def __post_init__(self) -> None:
        self._freeze()

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take the fields of a pickle, whose arrays are read-only as they were."""
        vars(self).update(state)
        self._freeze()

    def _freeze(self) -> None:
        read_only(*self.expect.values())
        read_only(self.times, self.energy, self.energy_variance, self.dipole, self.counts)
        read_only(self.counts_covariance, self.states, self.products, self.spin_distribution)
        known = vars(self)
        read_only(known.get("energy_distribution"), known.get("qfi"))

    @property
    def cites(self) -> tuple[str, ...]:
        """What to cite for its method, see `trajbatt.citation`."""
        stages = self.model.latest_stages()
        return () if all(s.model.clicks_from_populations for s in stages) else (RUNGE_KUTTA,)

    @property
    def channels(self) -> tuple[str, ...]:
        """The names of the channels."""
        return self.model.channel_names

    @property
    def dropped(self) -> float:
        """The probability of the shorter spins, and of levels, that were not followed."""
        return float(max((1.0 - self.spin_distribution.sum(axis=1)).max(), 0.0))

    @cached_property
    def _coherent(self):
        """The coherent energy and the energy before, or None."""
        emission = CoherentEmission.of(self.model, self.times)
        if emission is None:
            return None
        if emission.nodes.size == 0:
            return np.zeros(self.times.size), np.inf
        times = np.concatenate(([emission.start], emission.nodes))
        exact = self._solved(times)
        return emission.energy(np.abs(exact.dipole[1:]) ** 2), exact.energy[0]

    @property
    def knows_coherent_energy(self) -> bool:
        """Whether `coherent_energy` is there: it takes another solution, if nobody has asked."""
        return "_coherent" in vars(self)

    @property
    def coherent_energy(self) -> FloatArray | MaybeNone:
        """Energy emitted coherently since t = 0, Eq. (19) integrated, float64 (nt,).

        In a protocol, since the start of its first discharge. None where Eq. (5) does not rule, and
        for a protocol without a discharge. The
        dipole is needed at other times than the requested ones, so the equation is solved again
        when this is first asked for.
        """
        return None if self._coherent is None else self._coherent[0]

    @property
    def coherent_fraction(self) -> FloatArray | MaybeNone:
        """`coherent_energy` as a fraction of the energy before, float64 (nt,), or None."""
        if self._coherent is None:
            return None
        with np.errstate(divide="ignore", invalid="ignore"):  # a battery may be empty
            return np.divide(*self._coherent)

    @property
    def ergotropy(self) -> FloatArray:
        """Energy that unitaries on the symmetric subspace can extract, float64 (nt,).

        With noise of single atoms it is that of unitaries in each block of J, see
        `trajbatt.states.block_work`.

        This, `ergotropy_global` and `capacity` need the eigenvalues of the whole density matrix at
        every time, so they are computed when one is first asked for: O(N^2) memory, O(N^3) time for
        each of `times`.
        """
        if self._spins:
            return block_work.block_work(self.energy, self._eigenvalues, *self._spins)
        return work.subspace_work(self.energy, self._eigenvalues)

    @property
    def ergotropy_global(self) -> FloatArray:
        """Energy that all unitaries on the 2^N states can extract, float64 (nt,).

        E - (1 - p_max) in the symmetric subspace, with p_max the largest eigenvalue.
        """
        if self._spins:
            return block_work.global_work(self.energy, self._eigenvalues, *self._spins)
        return work.global_work(self.energy, self._eigenvalues[:, -1])

    @property
    def capacity(self) -> FloatArray:
        """The largest less the least energy that the unitaries of `ergotropy` lead to, (nt,)."""
        if self._spins:
            return block_work.block_capacity(self._eigenvalues, self._spins[0])
        return work.capacity(self._eigenvalues, self.model.n_atoms)

    @property
    def _spins(self):
        """2J of the blocks that are followed, and N; None in the symmetric subspace."""
        if stays_symmetric(self.model, self.times[-1]):
            return None
        n_atoms = self.model.n_atoms
        return range(n_atoms, -1, -2)[: self.spin_distribution.shape[1]], n_atoms

    @cached_property
    def _eigenvalues(self):
        """Of the density matrices, or of their blocks, ascending, float64 (nt, n).

        Of those that are not there, because too few levels are followed, nothing is left.
        """
        if self.states is not None and not self._spins:
            return np.linalg.eigvalsh(self.states)
        found = self._looked(_eigenvalues)
        if self._spins:  # the shortest are left out
            return np.array(padded(found))
        return np.array([row[::-1] for row in padded([row[::-1] for row in found])])

    @cached_property
    def energy_distribution(self) -> FloatArray:
        """Probabilities of the numbers of excited atoms, float64 (nt, N+1).

        The equation is solved again, with all coherences, when it is first asked for.
        """
        found = self._looked(lambda layout, y, phase: layout.bare_populations(y, phase))
        return read_only(np.array(found))

    def _looked(self, look):
        """Return what is read off the whole density matrix at every time, a list of nt."""
        return self._solved(self.times, look).looks

    def energy_at(self, times: FloatArray, rtol: float) -> FloatArray:
        """Return <E> at other times, float64 (nt,), to another accuracy."""
        return self._solved(times, rtol=rtol).energy

    def _solved(self, times, look=None, rtol=None):
        """Return the `Solution` at other times."""
        stages, mixture = start(self.model, self.initial, times[-1], method=self.wanted_method)
        return solve(stages, len(self.channels), mixture, times, rtol or self.rtol, look)

    @property
    def relative_fluctuation(self) -> FloatArray:
        """Delta E/E, float64 (nt,); nan for an empty battery."""
        return per_quantum(np.sqrt(self.energy_variance), self.energy, self.model.n_atoms)

    @property
    def waste(self) -> FloatArray:
        """Photons so far for each quantum that is stored now, float64 (nt,); nan if none is."""
        return per_quantum(self.model.photons @ self.counts, self.energy, self.model.n_atoms)

    @property
    def energy_in_period(self) -> FloatArray:
        """The least, the mean and the largest <E> in the period of Omega_P now, float64 (3, nt).

        As `EnsembleResult.energy_in_period`.
        """
        swing = swing_of(self.model, self.times, self.energy, self.dipole)
        return np.array([swing.low, swing.middle, swing.high])

    @property
    def waste_in_period(self) -> FloatArray:
        """Photons so far for each quantum of `energy_in_period`, float64 (3, nt).

        In that order: the first, of the least energy, is the most waste.
        """
        emitted = self.model.photons @ self.counts
        return np.array(
            [per_quantum(emitted, one, self.model.n_atoms) for one in self.energy_in_period]
        )

    @property
    def efficiency(self) -> FloatArray:
        """Stored quanta of all quanta that were stored or emitted, float64 (nt,); nan if none."""
        stored, emitted = self.energy, self.model.photons @ self.counts
        return per_quantum(stored, stored + emitted, self.model.n_atoms)

    @cached_property
    def energy_at_start(self) -> float:
        """<E> at t = 0."""
        return self.energy[0] if self.times[0] == 0.0 else self._solved(np.zeros(1)).energy[0]

    @cached_property
    def qfi(self) -> FloatArray:
        """Quantum Fisher information of a rotation about the best axis, float64 (nt,).

        It needs the whole density matrix at every time, O(N^3).
        """
        if self.states is not None and not self._spins:
            blocks = [[(self.model.n_atoms, state)] for state in self.states]
            return read_only(np.array([spin_noise.qfi(one) for one in blocks]))
        found = self._looked(lambda layout, y, phase: spin_noise.qfi(layout.occupied(y, phase)))
        return read_only(np.array(found))

    @property
    def average_power(self) -> FloatArray:
        """E/t, float64 (nt,), in hbar omega_0 times the unit of rates; nan at t = 0."""
        return average_power(self.energy, self.times)

    def waste_energy(self, omega_0: float) -> FloatArray:
        """Return the energy of the photons so far for each stored quantum, float64 (nt,).

        As `EnsembleResult.waste_energy`.
        """
        emitted = photon_energies(self.model, omega_0) @ self.counts
        return per_quantum(emitted, self.energy, self.model.n_atoms)

    def plot(self) -> "Figure":
        """Return a picture, a matplotlib `Figure`: energy and photons."""
        from trajbatt.exact.envelope import envelope
        from trajbatt.plots.runs import exact_figure

        return exact_figure(self, envelope(self))

    def to_xarray(self) -> "Dataset":
        """Return everything as an `xarray.Dataset`, with units; see `EnsembleResult.to_xarray`."""
        return exact_dataset(self)

    def save(self, path: PathLike, overwrite: bool = False) -> None:
        """Write the same as a NetCDF-4 file; the arguments are those of `EnsembleResult.save`."""
        datasets.check_target(path, overwrite)
        datasets.write(self.to_xarray(), path, overwrite=overwrite)

    def __repr__(self) -> str:
        """Return a card of five lines."""
        final = zip(self.channels, self.counts[:, -1], strict=True)
        photons = ", ".join(f"{name} {mean:.6g}" for name, mean in final)
        return (
            f"MasterEquationResult: {self.model.name}, N = {self.model.n_atoms}\n"
            f"  accuracy      {self.rtol:.1g}\n"
            f"  times         {self.times.size}, up to {self.times[-1]:.6g}\n"
            f"  final energy  {self.energy[-1]:.9g}\n"
            f"  {self.model.counted_as:<12}  {photons or 'none'}"
        )


def _eigenvalues(layout, orders, phase):
    blocks = layout.occupied(orders, phase)
    return np.concatenate([np.linalg.eigvalsh(one) for _, one in blocks])
