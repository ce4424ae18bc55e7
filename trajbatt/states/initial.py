"""Initial states: as users name them, and as the solvers eat them.

Users give a bare ket (N+1,), a bare density matrix (N+1, N+1) or a steady state. Both solvers eat
a `Mixture` of kets in the basis of the model, each cut to the window of levels that it occupies.
"""

from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from trajbatt.base import checks
from trajbatt.base.arrays import copied
from trajbatt.base.types import ComplexArray, FloatArray
from trajbatt.models.model import Model
from trajbatt.numerics import spin
from trajbatt.states.block_steady_state import BlockSteadyState
from trajbatt.states.driven_steady_state import DrivenSteadyState
from trajbatt.states.frame_steady_state import FrameSteadyState
from trajbatt.states.mixture import NEGLIGIBLE, NEGLIGIBLE_BEFORE_STAGE, Mixture
from trajbatt.states.steady_state import SteadyState, steady_state

Initial: TypeAlias = (  # as users give it, or a Qobj
    ArrayLike | SteadyState | BlockSteadyState | DrivenSteadyState | FrameSteadyState
)
STEADY = (SteadyState, BlockSteadyState, DrivenSteadyState, FrameSteadyState)
TOLERANCE = 1e-6  # of norm, trace, symmetry and positivity, as single precision needs


def ground_state(n_atoms: int) -> FloatArray:
    """Return the bare ket with no atom excited, float64 (N+1,).

    Parameters
    ----------
    n_atoms : int
        N, at least 1.

    Returns
    -------
    ndarray (N+1,), float64
        Index = number of excited atoms.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range or of the wrong kind.
    """
    n_atoms = checks.integer("n_atoms", n_atoms, 1)
    return spin.coherent_ket(n_atoms, 0.0, 1.0)


def excited_state(n_atoms: int) -> FloatArray:
    """Return the bare ket with every atom excited, float64 (N+1,).

    Parameters
    ----------
    n_atoms : int
        N, at least 1.

    Returns
    -------
    ndarray (N+1,), float64
        Index = number of excited atoms.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range or of the wrong kind.
    """
    n_atoms = checks.integer("n_atoms", n_atoms, 1)
    return spin.coherent_ket(n_atoms, 1.0, 0.0)


def coherent_state(n_atoms: int, theta: float, phi: float = 0.0) -> FloatArray | ComplexArray:
    """Return the spin-coherent ket whose Bloch vector points along (theta, phi).

    Each atom is in cos(theta/2)|e> + exp(i phi) sin(theta/2)|g>, as in `qutip.spin_coherent`.

    Parameters
    ----------
    n_atoms : int
    theta : float
        Polar angle in [0, pi]; 0 is the excited state, pi the ground state.
    phi : float
        Azimuth.

    Returns
    -------
    ndarray (N+1,), float64 or complex128, index = number of excited atoms.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range or of the wrong kind.
    """
    n_atoms = checks.integer("n_atoms", n_atoms, 1)
    theta = checks.angle("theta", theta)
    phi = checks.real("phi", phi)
    lower = np.sin(theta / 2) * np.exp(1j * phi) if phi else np.sin(theta / 2)
    return spin.coherent_ket(n_atoms, np.cos(theta / 2), lower)


def held(initial):
    """Return an initial state as users give it so that nobody can change it: arrays as copies.

    A QuTiP state in the basis of `qutip.jmat` is turned round: our index is the number of excited
    atoms.

    Raises
    ------
    TypeError
        If it is neither None, nor a steady state, nor numbers.
    """
    if initial is None or isinstance(initial, STEADY):
        return initial
    if hasattr(initial, "full"):  # a Qobj, with all atoms excited first
        full = initial.full()
        initial = full[::-1, 0] if full.shape[1] == 1 else full[::-1, ::-1]
    try:
        if np.ma.is_masked(initial):
            raise TypeError
        state = copied(initial)
    except (TypeError, ValueError):
        state = None
    if state is None or state.dtype.kind not in "iufc":
        raise TypeError(
            "`initial` must be a ket, a density matrix or a steady state, "
            f"but is {checks.shown(initial)}"
        )
    return state


def prepare(model, initial, negligible=None):
    """Return `initial` as a `Mixture` in the basis of `model`; None is the model's default.

    Parameters
    ----------
    model : LadderModel, BandedModel or Protocol
        Of a protocol, the first stage counts.
    initial : None, steady state, or array_like (N+1,) or (N+1, N+1)
    negligible : float, optional
        Levels and pure states of less probability are dropped.

    Raises
    ------
    ValueError, TypeError
        If the state has another length, is not normalised, or is no density matrix.
    """
    if negligible is None:
        negligible = NEGLIGIBLE_BEFORE_STAGE if model.is_staged else NEGLIGIBLE
    model = model.latest_stages()[0].model
    if initial is None:
        initial = model.default_initial()
        initial = steady_state(initial) if isinstance(initial, Model) else initial
    if isinstance(initial, STEADY) and initial.n_atoms != model.n_atoms:
        raise ValueError(f"`initial` must have {model.n_atoms} atoms, but has {initial.n_atoms}")
    if isinstance(initial, BlockSteadyState):
        return _in_blocks(model, initial, negligible)
    if isinstance(initial, SteadyState):
        if initial.theta == model.theta:
            return Mixture.of_levels(initial.populations, negligible)
        populations = initial.populations
        filled = np.flatnonzero((populations > 0.0) & (populations >= negligible))
        first, last = filled[0], filled[-1]
        kets = spin.dressed_kets(model.n_atoms, initial.theta - model.theta, first, last)
        return Mixture.of_kets(populations[first : last + 1], kets, negligible)
    if isinstance(initial, FrameSteadyState):
        return initial.mixture(model.theta, negligible)
    if isinstance(initial, DrivenSteadyState):
        initial = initial.matrix
    state = held(initial)
    state = state.astype(complex if np.iscomplexobj(state) else float)
    n = model.n_levels
    if state.shape not in ((n,), (n, n)):
        raise ValueError(
            f"`initial` must have the shape ({n},) or ({n}, {n}), but has {state.shape}"
        )
    if not np.all(np.isfinite(state)):
        raise ValueError("`initial` must be finite, but holds nan or inf")
    if state.ndim == 1:
        return _pure(model, state, negligible)
    return _mixed(model, state, negligible)


def _in_blocks(model, state, negligible):
    """Return the levels of a `BlockSteadyState` as kets in the basis of `model`."""
    if model.is_symmetric:
        raise ValueError(
            "`initial` must have J = N/2 for a model without noise of single atoms, "
            "but is a steady state with it"
        )
    kept = np.flatnonzero(state.populations > negligible)
    spins = np.repeat(state.spins, [n + 1 for n in state.spins])[kept]
    levels = np.concatenate([np.arange(n + 1) for n in state.spins])[kept]
    kets = np.zeros((kept.size, model.n_levels))
    if state.theta == model.theta:
        kets[np.arange(kept.size), levels] = 1.0
    else:
        for n in np.unique(spins).tolist():
            rows = np.flatnonzero(spins == n)
            turn = spin.change_of_basis(n, state.theta, model.theta) if n else np.ones((1, 1))
            kets[rows, : n + 1] = turn[levels[rows]]
    # Levels beyond J, which are zeros, are cut off.
    found = Mixture.of_kets(state.populations[kept], kets, negligible=np.finfo(float).tiny)
    return found._replace(spins=spins.astype(np.int64))


def _pure(model, ket, negligible):
    norm = np.linalg.norm(ket)
    if abs(norm - 1.0) > TOLERANCE:
        raise ValueError(f"`initial` must be a ket of norm 1, but its norm is {norm:.9g}")
    return Mixture.of_kets([1.0], spin.to_dressed(ket / norm, model.theta)[None, :], negligible)


def _mixed(model, matrix, negligible):
    asymmetry = np.abs(matrix - matrix.conj().T).max()
    if asymmetry > TOLERANCE:
        raise ValueError(
            f"`initial` must be a Hermitian density matrix, but deviates by {asymmetry:.3g}"
        )
    trace = np.trace(matrix).real
    if abs(trace - 1.0) > TOLERANCE:
        raise ValueError(f"`initial` must be a density matrix of trace 1, but has {trace:.9g}")
    weights, columns = np.linalg.eigh((matrix + matrix.conj().T) / 2)
    if weights[0] < -TOLERANCE:
        raise ValueError(
            f"`initial` must be a positive density matrix, but has the eigenvalue {weights[0]:.3g}"
        )
    if model.resolves_rare_light:
        return Mixture.of_matrix(matrix, negligible)
    if model.theta:
        columns = spin.rotation_matrix(model.n_atoms, model.theta).T @ columns
    return Mixture.of_kets(weights, columns.T, negligible)
