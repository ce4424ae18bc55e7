r"""What a record of the light is worth: its Fisher information about parameters.

The score of a record R is d ln p(R|theta)/d theta. Its mean over records is zero, and the mean of
its square is the Fisher information I: n records allow no smaller standard errors than those of
(n I)^(-1), and many reach them (Cramer and Rao). Whatever is measured of light and battery, I is
at most the quantum Fisher information of both. That follows from two copies of the model with
parameters theta_1 and theta_2 to the left and to the right of the density matrix,

    drho/dt = -i (H_1 rho - rho H_2) + sum_c L_c1 rho L_c2+ - (M_1 rho + rho M_2)/2,
    ln abs(Tr rho) = -d F d/8 + O(d^4),     theta_1, theta_2 = theta +- d/2

(Gammelmark and Molmer, Phys. Rev. Lett. 112, 170401 (2014)).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement

import numpy as np

from trajbatt.base import checks
from trajbatt.base.cards import Card
from trajbatt.base.types import FloatArray, PerChannel
from trajbatt.ensembles.mcsolve import mcsolve
from trajbatt.exact.stationary import superoperator
from trajbatt.inference.likelihood import score
from trajbatt.inference.scales import scales_of
from trajbatt.inference.seen import meant
from trajbatt.light.detectors import Detectors, described
from trajbatt.models.battery import Battery
from trajbatt.models.model import Model, check_at_rest, check_plain, check_symmetric
from trajbatt.numerics import bands, spin
from trajbatt.states.initial import Initial, prepare

STEP = 0.02  # of the scales, between the two copies
MOST_ATOMS = 60  # of which density matrices are followed


@dataclass(frozen=True, eq=False, repr=False)
class FisherInformation(Card):
    """What one record is worth for some parameters.

    Attributes
    ----------
    model : Model
    parameters : tuple of n str
    matrix : ndarray (n, n), float64
        The information, in units of 1/(parameter x parameter).
    sem : ndarray (n, n), float64
        Its standard errors.
    mean_score, mean_score_sem : ndarray (n,), float64
        Of the records that were drawn: zero but for its error, or they were not drawn from this
        model.
    ntraj : int
        How many records.
    """

    model: Model
    parameters: tuple[str, ...]
    matrix: FloatArray
    sem: FloatArray
    mean_score: FloatArray
    mean_score_sem: FloatArray
    ntraj: int

    def errors(self, n_records: int = 1) -> dict[str, float]:
        """Return the smallest standard errors that so many records allow, a dict by parameter.

        The bound of Cramer and Rao if all `parameters` are unknown; inf where nothing is learnt.
        """
        n_records = checks.integer("n_records", n_records, 1)
        try:
            variances = np.diag(np.linalg.inv(self.matrix)) / n_records
        except np.linalg.LinAlgError:
            variances = np.full(len(self.parameters), np.inf)
        return dict(zip(self.parameters, np.sqrt(variances).tolist(), strict=True))

    def __repr__(self) -> str:
        """Return a card: each parameter with the error that one record allows."""
        lines = [f"FisherInformation of one record: {self.model.name}, N = {self.model.n_atoms}"]
        lines += [f"  {name:<14}  ± {error:.3g}" for name, error in self.errors().items()]
        return "\n".join([*lines, f"  records         {self.ntraj}"])


def fisher_information(
    model: Battery | Model,
    parameters: Sequence[str],
    duration: float,
    ntraj: int = 1000,
    initial: Initial | None = None,
    efficiency: PerChannel = 1.0,
    dark_rate: PerChannel = 0.0,
    detectors: Detectors | None = None,
    *,
    seed: int | None = None,
) -> FisherInformation:
    """Return the Fisher information of a record of the light, from the scores of simulated ones.

    Parameters
    ----------
    model : Battery, LadderModel, BandedModel or Protocol
    parameters : sequence of str
        As in `fit`.
    duration : float
        How long the light is watched.
    ntraj : int
        How many records, at least 2: the relative error of the information is about
        sqrt(2/ntraj).
    initial, efficiency, dark_rate, detectors : optional
        As in `fit`; of detectors, efficiencies, dark counts and cross-talk.
    seed : int, optional

    Returns
    -------
    FisherInformation

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range or of the wrong kind.
    """
    model = meant(model)
    scales_of(model, parameters)
    ntraj = checks.integer("ntraj", ntraj, 1)
    if ntraj < 2:
        raise ValueError("`ntraj` must be at least 2 for a standard error, but is 1")
    detectors = described(detectors, efficiency, dark_rate)
    duration = checks.positive("duration", duration)
    if seed is None:
        seed = int(np.random.default_rng().integers(2**63))
    runs = mcsolve(model, [duration], ntraj, initial, seed=seed, keep_clicks=True)
    clicks = detectors.see(runs.clicks, seed, model=model)
    scores = score(model, clicks, parameters, initial=initial, detectors=detectors)
    products = scores[:, :, None] * scores[:, None, :]
    return FisherInformation(
        model=model,
        parameters=tuple(parameters),
        matrix=products.mean(axis=0),
        sem=products.std(axis=0, ddof=1) / np.sqrt(ntraj),
        mean_score=scores.mean(axis=0),
        mean_score_sem=scores.std(axis=0, ddof=1) / np.sqrt(ntraj),
        ntraj=ntraj,
    )


def quantum_information(
    model: Battery | Model,
    parameters: Sequence[str],
    duration: float,
    initial: Initial | None = None,
) -> FloatArray:
    """Return the quantum Fisher information of the battery and all its light together.

    No measurement of them, and no record, has more. The initial state is taken as known.

    Parameters
    ----------
    model : Battery, LadderModel or BandedModel
        Without noise of single atoms, of at most 60 atoms.
    parameters : sequence of n str
        As in `fit`.
    duration : float
    initial : optional
        As in `mesolve`.

    Returns
    -------
    ndarray (n, n), float64
        In units of 1/(parameter x parameter), to about 1e-6.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range or of the wrong kind.
    """
    model = meant(model)
    check_plain(model)
    check_symmetric(model, "`model`")
    check_at_rest(model, "`model`")
    if model.n_atoms > MOST_ATOMS:
        raise ValueError(
            f"`model` must have at most {MOST_ATOMS} atoms for whole density matrices, but has "
            f"{model.n_atoms}"
        )
    duration = checks.positive("duration", duration)
    scales = scales_of(model, parameters)
    turn = spin.change_of_basis(model.n_atoms, model.theta, 0.0)
    dressed = prepare(model, initial, negligible=0.0).matrix(model.n_levels)
    start = turn.T @ dressed @ turn

    def copy(point):
        pairs = zip(scales, point, strict=True)
        values = {name: scale.value(scale.start + x) for (name, scale), x in pairs}
        return _bare_operators(model.with_parameters(**values))

    def falls(difference):
        """Return d F d by two steps, the error of one being of fourth order."""
        found = []
        for h in (STEP, 2.0 * STEP):
            left, right = copy(0.5 * h * difference), copy(-0.5 * h * difference)
            found.append(-8.0 * _log_overlap(left, right, start, duration) / h**2)
        near, far = found
        return (4.0 * near - far) / 3.0

    n = len(scales)
    found, unit = np.empty((n, n)), np.eye(n)
    for i, j in combinations_with_replacement(range(n), 2):
        if i == j:
            found[i, i] = falls(unit[i])
        else:
            mixed = falls(unit[i] + unit[j]) - falls(unit[i] - unit[j])
            found[i, j] = found[j, i] = mixed / 4.0
    slopes = np.array([scale.slope(scale.start) for _, scale in scales])
    return found / (slopes[:, None] * slopes)


def _bare_operators(model):
    """Return -i H - M/2 and the jumps of a model in the bare basis, csc_arrays (N+1, N+1)."""
    from scipy.sparse import csc_array

    turn = spin.change_of_basis(model.n_atoms, model.theta, 0.0)
    energies = model.frequency * spin.magnetic_numbers(model.n_atoms)
    jumps = [csc_array(turn.T @ (bands.operator(one) @ turn)) for one in model.jump_bands]
    loss = sum(0.5 * jump.conj().T @ jump for jump in jumps)
    return csc_array(-1j * (turn.T * energies) @ turn - loss), jumps


def _log_overlap(left, right, state, duration):
    """Return ln abs(Tr rho) of two copies, `left` and `right` of the density matrix."""
    from scipy.sparse.linalg import expm_multiply

    matrix, _ = superoperator(left, right)
    found = expm_multiply(duration * matrix, state.ravel().astype(complex))
    return float(np.log(np.abs(np.trace(found.reshape(state.shape)))))
