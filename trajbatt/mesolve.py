"""The deterministic twin: the master equation of a model, solved to a given accuracy."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from trajbatt import checks, spin
from trajbatt.coherence import CoherenceOrders
from trajbatt.counting import counts_covariance
from trajbatt.models import LadderModel, check_model
from trajbatt.propagators import dense_states, rational_states, uniform_step
from trajbatt.quadrature import RunningIntegral
from trajbatt.states import Mixture, prepare

DENSE_LEVELS = 128  # up to here one matrix exponential beats many tridiagonal solves
DENSE_STIFFEST = 1e4  # rates times step up to which its rounding errors stay near 1e-12
LARGEST_FULL = 2000  # atoms up to which the whole density matrix is offered


@dataclass(frozen=True, eq=False, repr=False)
class MasterEquationResult:
    """What the master equation gives: the exact twin of an `EnsembleResult`.

    Energies are totals in units of hbar omega_0; times are in the unit of 1/rate.

    Attributes
    ----------
    model : LadderModel
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

    model: LadderModel
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
    def coherent_energy(self):
        """Energy emitted coherently since t = 0, Eq. (19) integrated, float64 (nt,).

        None where Eq. (5) does not rule. The dipole is needed at other times than the requested
        ones, so the equation is solved again when this is first asked for.
        """
        rate = self.model.coherent_rate
        if rate is None:
            return None
        integral = RunningIntegral(self.times, self.model.timescale)
        if integral.nodes.size == 0:
            return np.zeros(self.times.size)
        dipole = mesolve(self.model, integral.nodes, self.initial, rtol=self.rtol).dipole
        return rate * integral(np.abs(dipole) ** 2)

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
            system, states = _all_orders(self.model, mixture, self.times, self.rtol)
            eigenvalues = np.array(
                [np.linalg.eigvalsh(system.density_matrix(y, 0.0)) for y in states]
            )
        # The passive state puts the largest eigenvalue on the lowest level.
        return self.energy - eigenvalues[:, ::-1] @ np.arange(self.model.n_atoms + 1.0)

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
    O(N) memory and time, good to N = 10^6.

    Parameters
    ----------
    model : LadderModel
        `battery.charge()`, `battery.store()` or `battery.discharge()`.
    tlist : array_like (nt,)
        Strictly increasing times >= 0, in the unit of 1/rate; the run starts at t = 0 in any case.
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
    times = checks.times("tlist", tlist)
    rtol = checks.real("rtol", rtol, 1e-15, 0.1)
    mixture = prepare(model, initial)
    states = None
    if keep_states:
        system, vectors = _all_orders(model, mixture, times, rtol)
        vectors = list(vectors)
        states = _bare_states(system, vectors, times)
    else:
        system = CoherenceOrders(model, range(min(3, model.n_atoms + 1)))
        vectors = _solve(system, mixture, times, rtol)
    energy, variance, dipole, counts = _read_off(system, vectors, times)
    covariance = None
    if covariances:
        covariance = counts_covariance(model, mixture, times, counts[:, -1], rtol)
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
        states=states,
    )


def _solve(system, mixture: Mixture, times, rtol):
    """Return an iterable of the vectors of the system at each of `times`."""
    y = system.initial(mixture)
    if system.model.n_atoms < DENSE_LEVELS:
        blocks = system.dense_blocks()
        step = times[-1] if times.size < 3 else uniform_step(times)
        longest = None if step is None else max(step, times[0])
        if longest is not None and longest * np.abs(blocks).max() < DENSE_STIFFEST:
            states = system.from_dense(dense_states(blocks, system.dense_state(y), times))
            system.normalise(states)
            return states.T
    return rational_states(system, y, times, rtol)


def _read_off(system, vectors, times):
    phase = system.model.frequency * times
    if isinstance(vectors, np.ndarray):
        _, counts = system.split(vectors.T)
        return *system.observables(vectors.T, phase), counts
    rows = []
    for y, angle in zip(vectors, phase, strict=True):
        counts = system.split(y)[1].copy()  # a view would keep all of y alive
        rows.append((*system.observables(y, angle), counts))
    energy, variance, dipole, counts = zip(*rows, strict=True)
    return np.array(energy), np.array(variance), np.array(dipole), np.array(counts).T


def _all_orders(model, mixture, times, rtol):
    """Return the system of all coherence orders and an iterable of its vectors at `times`."""
    if model.n_atoms > LARGEST_FULL:
        raise ValueError(
            f"full density matrices are offered up to {LARGEST_FULL} atoms, "
            f"but `n_atoms` is {model.n_atoms}"
        )
    system = CoherenceOrders(model, range(model.n_atoms + 1), monitor_all=True)
    return system, _solve(system, mixture, times, rtol)


def _bare_states(system, vectors, times):
    turn = spin.rotation_matrix(system.model.n_atoms, system.model.theta)
    phase = system.model.frequency * times
    return np.array(
        [
            turn @ system.density_matrix(y, angle) @ turn.T
            for y, angle in zip(vectors, phase, strict=True)
        ]
    )
