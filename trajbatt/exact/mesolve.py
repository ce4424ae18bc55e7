"""The deterministic twin: the master equation of a model, solved to a given accuracy."""

from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from trajbatt.base import checks
from trajbatt.base.arrays import padded
from trajbatt.base.memory import check_fits
from trajbatt.exact.count_moments import count_moments
from trajbatt.exact.driven import check_method
from trajbatt.exact.looks import Looks
from trajbatt.exact.master_equation import solve
from trajbatt.exact.result import MasterEquationResult
from trajbatt.exact.start import start
from trajbatt.exact.steered import check_twin, solve_steered
from trajbatt.models.model import Model, check_model, stays_symmetric
from trajbatt.models.protocol import within
from trajbatt.numerics import spin, spin_blocks
from trajbatt.states import expectations as expected
from trajbatt.states.initial import Initial, held, prepare


def mesolve(
    model: Model,
    tlist: ArrayLike,
    initial: Initial | None = None,
    covariances: bool = False,
    keep_states: bool = False,
    rtol: float = 1e-10,
    *,
    e_ops: dict[str, Any] | None = None,
    method: Literal["frame", "tensors", "banded"] | None = None,
) -> MasterEquationResult:
    """Solve the master equation of a model: the exact twin of `mcsolve`.

    For a ladder model the coherence orders 0, 1 and 2 suffice for everything but the full states:
    O(N) memory and time, good to N = 10^6. So is the driven Eq. (5) while the state stays near its
    mean spin, by a frame that turns with it; else it needs the whole density matrix, O(N^2). So do
    all stages of a protocol but the last; four ladders or more, such as a ramp, go by spherical
    tensors up to a rank of a few sqrt(N) if they begin with a coherent state, and above 2000 atoms
    fewer, too, to about 8000.

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
        Keep the bare density matrix at every time: O(nt N^2) memory; with noise of single atoms
        that of every J.
    rtol : float
        Accuracy of energy, variance and dipole on the scale of N, and of the counts relative to
        their sum, or to one photon; rounding limits that of the variance to about 5e-13 N, by
        tensors of many atoms to 5e-14 N^2.
    e_ops : dict of str to object, optional
        What else the mean is wanted of: Hermitian operators in the bare basis, index = number of
        excited atoms, as arrays or sparse matrices (N+1, N+1); `trajbatt.observables`; QuTiP's
        `Qobj` in the basis of `qutip.jmat`; or functions of the bare density matrix. Sums of
        products of up to two of J_x, J_y and J_z cost nothing; any other needs the whole density
        matrix. With noise of single atoms, `trajbatt.observables` alone.
    method : {"frame", "tensors", "banded"}, optional
        How the driven Eq. (5) is solved: in the co-moving frame; by spherical tensors, from a
        coherent state and if nothing but moments of the spin is wanted; or by the whole density
        matrix. The fastest that serves by default; `method` of the result says which it was.

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
    if model.is_steered:
        check_twin(model)
        checks.choice("method", "banded" if method is None else method, ("banded",))
        stages, mixture = model.latest_stages(), prepare(model, initial)
    else:
        check_method(method, model)
        stages, mixture = start(model, initial, times[-1], method=method)
    expectations = expected.checked(e_ops, model.n_atoms, stays_symmetric(model))
    if keep_states:
        blocks = max(getattr(stage.model, "n_blocks", 1) for stage in stages)
        check_fits("`keep_states`", 16 * times.size * blocks * (model.n_atoms + 1) ** 2)
    looks = Looks(
        model.n_atoms, [one for one in expectations if one.combination is None], keep_states
    )
    n_channels = len(model.channel_names)
    if model.is_steered:
        if looks or covariances:
            raise ValueError(
                "`keep_states`, `covariances` and `e_ops` other than sums of products of two spin "
                "components must be left out where a stage ends by clicks"
            )
        found = solve_steered(stages, n_channels, mixture, times, rtol)
    else:
        found = solve(stages, n_channels, mixture, times, rtol, looks or None)
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
        states=np.array(padded([state for state, _ in found.looks])) if keep_states else None,
        products=found.products,
        spin_distribution=found.spins.T,
        expect=_means(expectations, found, model.n_atoms),
        method=found.method,
        wanted_method=method,
    )


def _means(expectations, found, n_atoms):
    """Return the means, a dict of str to float64 (nt,)."""
    jz = found.energy - n_atoms / 2
    lengths = spin_blocks.lengths(n_atoms)[: len(found.spins)]
    spin_square = spin.casimir(lengths) @ found.spins
    looked = iter(np.array([means for _, means in found.looks]).T)
    return {
        one.name: next(looked)
        if one.combination is None
        else one.of_means(
            jz, found.energy_variance + jz**2, found.dipole, found.products, spin_square
        )
        for one in expectations
    }
