"""The deterministic twin: the master equation of a model, solved to a given accuracy."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from trajbatt.base import checks, datasets
from trajbatt.base.arrays import read_only
from trajbatt.exact.count_moments import count_moments
from trajbatt.exact.dataset import exact_dataset
from trajbatt.exact.distribution import BarePopulations
from trajbatt.exact.looks import Looks
from trajbatt.exact.master_equation import solve
from trajbatt.exact.weak_drive import start
from trajbatt.models.channel import photon_energies
from trajbatt.models.coherent_emission import CoherentEmission
from trajbatt.models.model import Model, check_model
from trajbatt.models.protocol import within
from trajbatt.states import expectations as expected
from trajbatt.states import work
from trajbatt.states.initial import held
from trajbatt.states.quoted import average_power, per_quantum


@dataclass(frozen=True, eq=False, repr=False)
class MasterEquationResult:
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
        was set.
    expect : dict of str to ndarray (nt,), float64
        The means of the `e_ops`.
    """

    model: Model
    initial: object
    times: np.ndarray
    rtol: float
    energy: np.ndarray
    energy_variance: np.ndarray
    dipole: np.ndarray
    counts: np.ndarray
    counts_covariance: np.ndarray | None
    states: np.ndarray | None
    expect: dict[str, np.ndarray] = field(default_factory=dict)

    def __post_init__(self):
        self._freeze()

    def __setstate__(self, state):
        """Take the fields of a pickle, whose arrays are read-only as they were."""
        vars(self).update(state)
        self._freeze()

    def _freeze(self):
        read_only(*self.expect.values())
        read_only(self.times, self.energy, self.energy_variance, self.dipole, self.counts)
        read_only(self.counts_covariance, self.states)

    @property
    def channels(self):
        """The names of the channels."""
        return self.model.channel_names

    @cached_property
    def _coherent(self):
        """The coherent energy and the energy before, or None."""
        emission = CoherentEmission.of(self.model, self.times)
        if emission is None:
            return None
        if emission.nodes.size == 0:
            return np.zeros(self.times.size), np.inf
        times = np.concatenate(([emission.start], emission.nodes))
        exact = mesolve(self.model, times, self.initial, rtol=self.rtol)
        return emission.energy(np.abs(exact.dipole[1:]) ** 2), exact.energy[0]

    @property
    def knows_coherent_energy(self):
        """Whether `coherent_energy` is there: it takes another solution, if nobody has asked."""
        return "_coherent" in vars(self)

    @property
    def coherent_energy(self):
        """Energy emitted coherently since t = 0, Eq. (19) integrated, float64 (nt,).

        In a protocol, since the start of its first discharge. None where Eq. (5) does not rule, and
        for a protocol without a discharge. The
        dipole is needed at other times than the requested ones, so the equation is solved again
        when this is first asked for.
        """
        return None if self._coherent is None else self._coherent[0]

    @property
    def coherent_fraction(self):
        """`coherent_energy` as a fraction of the energy before, float64 (nt,), or None."""
        if self._coherent is None:
            return None
        with np.errstate(divide="ignore", invalid="ignore"):  # a battery may be empty
            return np.divide(*self._coherent)

    @property
    def ergotropy(self):
        """Energy that unitaries on the symmetric subspace can extract, float64 (nt,).

        This, `ergotropy_global` and `capacity` need the eigenvalues of the whole density matrix at
        every time, so they are computed when one is first asked for: O(N^2) memory, O(N^3) time for
        each of `times`.
        """
        return work.subspace_work(self.energy, self._eigenvalues)

    @property
    def ergotropy_global(self):
        """Energy that all unitaries on the 2^N states can extract, E - (1 - p_max), (nt,)."""
        return work.global_work(self.energy, self._eigenvalues[:, -1])

    @property
    def ergotropy_rotation(self):
        """Energy that one classical pulse can extract, <J_z> + abs(<J>), float64 (nt,)."""
        return work.rotation_work(self.energy, self.dipole, self.model.n_atoms)

    @property
    def capacity(self):
        """The largest less the least energy that symmetric unitaries lead to, float64 (nt,)."""
        return work.capacity(self._eigenvalues)

    @cached_property
    def _eigenvalues(self):
        """Of the density matrices, ascending, float64 (nt, N+1)."""
        if self.states is not None:
            return np.linalg.eigvalsh(self.states)
        return self._looked(_eigenvalues)

    @cached_property
    def energy_distribution(self):
        """Probabilities of the numbers of excited atoms, float64 (nt, N+1).

        The equation is solved again, with all coherences, when it is first asked for.
        """
        return read_only(self._looked(BarePopulations(self.model.n_atoms)))

    def _looked(self, look):
        """Return what is read off the whole density matrix at every time, (nt, ...)."""
        stages, mixture = start(self.model, self.initial, self.times[-1])
        found = solve(stages, len(self.channels), mixture, self.times, self.rtol, look)
        return np.array(found.looks)

    @property
    def relative_fluctuation(self):
        """Delta E/E, float64 (nt,); nan for an empty battery."""
        return per_quantum(np.sqrt(self.energy_variance), self.energy, self.model.n_atoms)

    @property
    def waste(self):
        """Photons so far for each quantum that is stored now, float64 (nt,); nan if none is."""
        return per_quantum(self.counts.sum(axis=0), self.energy, self.model.n_atoms)

    @property
    def average_power(self):
        """E/t, float64 (nt,), in hbar omega_0 times the unit of rates; nan at t = 0."""
        return average_power(self.energy, self.times)

    def waste_energy(self, omega_0):
        """Return the energy of the photons so far for each stored quantum, float64 (nt,).

        As `EnsembleResult.waste_energy`.
        """
        emitted = photon_energies(self.model, omega_0) @ self.counts
        return per_quantum(emitted, self.energy, self.model.n_atoms)

    def to_xarray(self):
        """Return everything as an `xarray.Dataset`, with units; see `EnsembleResult.to_xarray`."""
        return exact_dataset(self)

    def save(self, path, overwrite=False):
        """Write the same as a NetCDF-4 file; the arguments are those of `EnsembleResult.save`."""
        datasets.check_target(path, overwrite)
        datasets.write(self.to_xarray(), path, overwrite=overwrite)

    def __repr__(self):
        """Return a card of five lines."""
        final = zip(self.channels, self.counts[:, -1], strict=True)
        photons = ", ".join(f"{name} {mean:.6g}" for name, mean in final)
        return (
            f"MasterEquationResult: {self.model.name}, N = {self.model.n_atoms}\n"
            f"  accuracy      {self.rtol:.1g}\n"
            f"  times         {self.times.size}, up to {self.times[-1]:.6g}\n"
            f"  final energy  {self.energy[-1]:.9g}\n"
            f"  photons       {photons or 'none'}"
        )


def mesolve(
    model, tlist, initial=None, covariances=False, keep_states=False, rtol=1e-10, *, e_ops=None
):
    """Solve the master equation of a model: the exact twin of `mcsolve`.

    For a ladder model the coherence orders 0, 1 and 2 suffice for everything but the full states:
    O(N) memory and time, good to N = 10^6. The driven Eq. (5) and all stages of a protocol but the
    last need the whole density matrix, O(N^2).

    Parameters
    ----------
    model : LadderModel, BandedModel or Protocol
        `battery.charge()`, `battery.store()`, `battery.discharge()`, or a `Protocol` of them.
    tlist : array_like (nt,)
        Strictly increasing times >= 0, in the unit of 1/rate; the run starts at t = 0 in any case.
        They must not go on after the end of a protocol.
    initial : optional
        As in `mcsolve`.
    covariances : bool
        Compute the covariances of the photon counts as well.
    keep_states : bool
        Keep the bare density matrix at every time: O(nt N^2) memory.
    rtol : float
        Accuracy of energy, variance and dipole on the scale of N, and of the counts relative to
        their sum; rounding limits that of the variance to about 5e-13 N.
    e_ops : dict of str to object, optional
        What else the mean is wanted of: Hermitian operators in the bare basis, index = number of
        excited atoms, as arrays or sparse matrices (N+1, N+1); `trajbatt.observables`; QuTiP's
        `Qobj` in the basis of `qutip.jmat`; or functions of the bare density matrix. Sums of
        products of up to two of J_x, J_y and J_z cost nothing; any other needs the whole density
        matrix.

    Returns
    -------
    MasterEquationResult

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range or of the wrong kind; the message names it.
    """
    check_model(model)
    times = within(model, checks.times("tlist", tlist))
    rtol = checks.real("rtol", rtol, 1e-15, 0.1)
    covariances = checks.boolean("covariances", covariances)
    keep_states = checks.boolean("keep_states", keep_states)
    initial = held(initial)
    stages, mixture = start(model, initial, times[-1])
    expectations = expected.checked(e_ops, model.n_atoms)
    looks = Looks(
        model.n_atoms, [one for one in expectations if one.combination is None], keep_states
    )
    found = solve(stages, len(model.channel_names), mixture, times, rtol, looks or None)
    covariance = None
    if covariances:
        _, covariance = count_moments(stages, mixture, times, found.final_counts, rtol)
    return MasterEquationResult(
        model=model,
        initial=initial,
        times=times,
        rtol=rtol,
        energy=found.energy,
        energy_variance=found.energy_variance,
        dipole=found.dipole,
        counts=found.counts,
        counts_covariance=covariance,
        states=np.array([state for state, _ in found.looks]) if keep_states else None,
        expect=_means(expectations, found, model.n_atoms),
    )


def _means(expectations, found, n_atoms):
    """Return the means, a dict of str to float64 (nt,)."""
    jz = found.energy - n_atoms / 2
    looked = iter(np.array([means for _, means in found.looks]).T)
    return {
        one.name: next(looked)
        if one.combination is None
        else one.of_means(jz, found.energy_variance + jz**2, found.dipole, found.products)
        for one in expectations
    }


def _eigenvalues(layout, orders, phase):
    return np.linalg.eigvalsh(layout.matrix(orders, phase))
