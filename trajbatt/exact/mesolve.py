"""The deterministic twin: the master equation of a model, solved to a given accuracy."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from trajbatt.base import checks, datasets
from trajbatt.exact.banded import DrivenOrders
from trajbatt.exact.counts import count_moments
from trajbatt.exact.ladder import CoherenceOrders
from trajbatt.models.banded import BandedModel
from trajbatt.models.coherent_emission import CoherentEmission
from trajbatt.models.ladder import LadderModel
from trajbatt.models.protocol import Protocol, check_model, stages_of, within
from trajbatt.states.initial import prepare


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
    """

    model: LadderModel | BandedModel | Protocol
    initial: object
    times: np.ndarray
    rtol: float
    energy: np.ndarray
    energy_variance: np.ndarray
    dipole: np.ndarray
    counts: np.ndarray
    counts_covariance: np.ndarray | None
    states: np.ndarray | None

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

    @cached_property
    def ergotropy(self):
        """Energy that unitaries on the symmetric subspace can extract, float64 (nt,).

        It needs the eigenvalues of the whole density matrix at every time, so it is computed when
        it is first asked for: O(N^2) memory, O(N^3) time for each of `times`.
        """
        if self.states is not None:
            eigenvalues = np.linalg.eigvalsh(self.states)
        else:
            mixture = prepare(self.model, self.initial)
            found = _solve(self.model, mixture, self.times, self.rtol, _eigenvalues)
            eigenvalues = np.array(found[-1])
        # The passive state puts the largest eigenvalue on the lowest level.
        return self.energy - eigenvalues[:, ::-1] @ np.arange(self.model.n_atoms + 1.0)

    def to_xarray(self):
        """Return everything as an `xarray.Dataset`, with units; see `EnsembleResult.to_xarray`."""
        return datasets.exact_dataset(self)

    def save(self, path):
        """Write the same as a NetCDF-4 file, which xarray and h5py open."""
        datasets.write(self.to_xarray(), path)

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


def mesolve(model, tlist, initial=None, covariances=False, keep_states=False, rtol=1e-10):
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
    mixture = prepare(model, initial)
    energy, variance, dipole, counts, final_counts, states = _solve(
        model, mixture, times, rtol, _bare_state if keep_states else None
    )
    covariance = None
    if covariances:
        stages = stages_of(model, times[-1])
        n_channels = len(model.channel_names)
        _, covariance = count_moments(stages, n_channels, mixture, times, final_counts, rtol)
    return MasterEquationResult(
        model=model,
        initial=initial,
        times=times,
        rtol=rtol,
        energy=energy,
        energy_variance=variance,
        dipole=dipole,
        counts=counts,
        counts_covariance=covariance,
        states=np.array(states) if keep_states else None,
    )


def _solve(model, mixture, times, rtol, look=None):
    """Take the density matrix through the stages of a model or protocol.

    Parameters
    ----------
    look : callable, optional
        Called as look(orders, y, phase) with all coherence orders, for each of `times`.

    Returns
    -------
    energy, energy_variance, dipole : ndarray (nt,)
    counts : ndarray (nc, nt), float64
    final_counts : ndarray (n_stages, nc), float64
        By the end of each stage.
    seen : list
        What `look` returned.
    """
    energy, variance = np.empty((2, times.size))
    dipole = np.empty(times.size, dtype=complex)
    counts = np.empty((len(model.channel_names), times.size))
    stages = stages_of(model, times[-1])
    final_counts = np.zeros((len(stages), counts.shape[0]))
    so_far, matrix, seen = np.zeros(counts.shape[0]), None, []
    for stage, final, following in zip(stages, final_counts, [*stages[1:], None], strict=True):
        wanted, local = stage.select(times, to_end=following is not None)
        system = _system(stage.model, look is not None or following is not None)
        if matrix is None:
            y = system.initial(mixture)
        else:
            y = np.append(system.of_matrix(matrix), np.zeros(len(stage.tags)))
        vectors = system.solve(y, local, rtol)
        phase = stage.model.frequency * local
        if look is None and following is None and isinstance(vectors, np.ndarray):
            rows = *system.observables(vectors.T, phase), system.counts(vectors.T)
        else:
            rows, y = [], None
            for i, (y, angle) in enumerate(zip(vectors, phase, strict=True)):
                # A copy, because a view would keep all of y alive.
                rows.append((*system.observables(y, angle), system.counts(y).copy()))
                if look and i < wanted.stop - wanted.start:
                    seen.append(look(system, y, angle))
            if following:
                rho = y[None, : system.stop]
                matrix = system.in_basis(rho, phase[-1], following.model.theta)[0]
            rows = [np.array(row).T for row in zip(*rows, strict=True)]
        kept = slice(0, wanted.stop - wanted.start)
        for total, row in zip((energy, variance, dipole), rows, strict=False):
            total[wanted] = row[kept]
        tags = list(stage.tags)
        counts[:, wanted] = so_far[:, None]
        counts[tags, wanted] += rows[3][:, kept]
        so_far[tags] += rows[3][:, -1]
        final[:] = so_far
    return energy, variance, dipole, counts, final_counts, seen


def _system(model, all_orders):
    if isinstance(model, BandedModel):
        return DrivenOrders(model)
    if all_orders:
        return CoherenceOrders(model, range(model.n_atoms + 1), monitor_all=True)
    return CoherenceOrders(model, range(min(3, model.n_atoms + 1)))


def _bare_state(system, y, phase):
    return system.in_basis(y[None, : system.stop], phase, 0.0)[0]


def _eigenvalues(system, y, phase):
    return np.linalg.eigvalsh(system.matrix(y, phase))
