r"""Ensemble against exact: a z-score for every number, and one p-value for all of them.

The z-scores of one run are correlated, between times most of all, so they cannot be judged one
by one. Let d be the differences of all rows of samples at a few checkpoints from their exact
means, in units of standard deviations, R their correlation matrix, estimated from the n
trajectories, and v_i the m leading eigenvectors of R, with the eigenvalues lambda_i. The p-value is
that of Hotelling's

    T^2 = n sum_i (v_i.d)^2/lambda_i,     T^2 (n - m)/(m (n - 1)) ~ F(m, n - m).

It minds that R is estimated, but not that the v_i are, nor that means are not quite normal. So the
lambda_i are corrected, see `_true_weights`, and it is asked only

- where means are carried by many trajectories, by what the *exact* solution knows: if all energy
  were in a share P of the trajectories, then <E>^2/(Delta E^2 + <E>^2) = P; likewise of what is
  missing to N, and of clicks. At the ends of a discharge a few stragglers would decide, whose
  sample variance may be far too small, or none of which may have been sampled;
- where no sample has a heavy tail, as the last coherence of a decayed dipole has;
- along directions that carry a share of the variance: the smaller, the more trajectories there are.

Where a few trajectories carry all of a quantity's variance (photons that hardly ever come, the last
coherence of a decayed dipole) a standard error means nothing, and there is no z-score: unless the
difference is larger than rare events could explain, see `_scores`.
"""

from dataclasses import dataclass

import numpy as np

from trajbatt.base import checks
from trajbatt.base.cards import Card
from trajbatt.base.types import ComplexArray, FloatArray
from trajbatt.ensembles.result import EnsembleResult
from trajbatt.exact.result import MasterEquationResult
from trajbatt.numerics.scores import ROUNDED, z_scores
from trajbatt.states.initial import prepare
from trajbatt.trajectories.records import COUNTS, ROW, UNCHECKED

JUDGED = ("jz", "jz_square", "jx", "jy")  # rows of samples, and the counts
ENOUGH_CARRIERS = 25  # trajectories, see `Moments.carriers`
ENOUGH_TRAJECTORIES = 10  # for a p-value
ENOUGH_FOR_SCORES = 30  # trajectories: of fewer, a difference over its own error has long tails
CARRYING = 40  # trajectories that must carry a mean if there are a hundred; more if there are more
OF_SQUARES = 10  # times as many must carry a mean of squares
# The fourth moment of a sample, in units of the squared variance, that is no heavy tail; it grows
# as the square root of the number of trajectories above a hundred.
TAIL = 4.0
DIRECTIONS = 20  # trajectories for each direction that is judged
SHARES = 50.0, 0.01, 0.1  # of a direction's variance in the leading one's: 50/n, but within these
GAP = 0.1  # of a direction's variance: of what is closer to the next one the first order fails
SMALL_MATRIX = 1000  # levels up to which states are compared as matrices
NO_P_VALUE = "no p-value: too few trajectories, or too few photons, to judge by"


@dataclass(frozen=True, eq=False, repr=False)
class Comparison(Card):
    """How an ensemble agrees with its exact twin.

    Attributes
    ----------
    times : ndarray (nt,), float64
    channels : tuple of nc str
    ntraj : int
    energy, energy_variance : ndarray (nt,), float64
        z-scores: (ensemble - exact)/standard error; 0 where neither fluctuates nor differs, nan
        where too few trajectories carry the variance.
    dipole : ndarray (nt,), complex128
        z-scores of the real and the imaginary part.
    counts : ndarray (nc, nt), float64
        z-scores.
    p_value : float
        Probability of a disagreement at least as large, if both solve the same model; uniform in
        [0, 1] then. nan for fewer than 10 trajectories, or where nothing can be judged.
    statistic : float
        T^2.
    degrees_of_freedom : float
        The number of independent directions in it, m.
    counted_as : str
        What the counts are: photons, clicks or currents.
    """

    times: FloatArray
    channels: tuple[str, ...]
    ntraj: int
    energy: FloatArray
    energy_variance: FloatArray
    dipole: ComplexArray
    counts: FloatArray
    p_value: float
    statistic: float
    degrees_of_freedom: float
    counted_as: str = "photons"

    def __repr__(self) -> str:
        """Return a table: the z-score at the last time and the largest, and the p-value."""
        rows = {
            "energy": self.energy,
            "energy variance": self.energy_variance,
            "Re dipole": self.dipole.real,
            "Im dipole": self.dipole.imag,
            **{
                f"{self.counted_as}, {name}": z
                for name, z in zip(self.channels, self.counts, strict=True)
            },
        }
        width = max(len(name) for name in rows)
        lines = [f"{'z-score':<{width}}   at the end   largest"]
        for name, z in rows.items():
            known = z[~np.isnan(z)]
            largest = known[np.argmax(np.abs(known))] if known.size else np.nan
            lines.append(f"{name:<{width}}   {z[-1]:+10.2f}   {largest:+7.2f}")
        verdict = (
            f"p = {self.p_value:.3g} (in {self.degrees_of_freedom:.0f} independent directions)"
        )
        if np.isnan(self.p_value):
            verdict = NO_P_VALUE
        sizes = f"{self.ntraj} trajectories, {self.times.size} times"
        return "\n".join([*lines, f"{sizes}: {verdict}"])


def compare(
    runs: EnsembleResult, exact: MasterEquationResult, *, other_model: bool = False
) -> Comparison:
    """Compare an ensemble of trajectories with the master equation's solution.

    Parameters
    ----------
    runs : EnsembleResult
    exact : MasterEquationResult
        Of the same model at the same times, from the same initial state.
    other_model : bool
        Allow another model or initial state, of as many atoms and with the same channels: the
        p-value then says how well the runs tell the two apart.

    Returns
    -------
    Comparison

    Raises
    ------
    TypeError
        If the arguments are no such results.
    ValueError
        If they belong to different batteries, models, initial states or times.
    """
    if not isinstance(runs, EnsembleResult):
        raise TypeError(f"`runs` must be a result of mcsolve, but is {type(runs).__name__}")
    if not isinstance(exact, MasterEquationResult):
        raise TypeError(f"`exact` must be a result of mesolve, but is {type(exact).__name__}")
    if (runs.model.n_atoms, runs.channels) != (exact.model.n_atoms, exact.channels):
        raise ValueError(
            f"`exact` must solve the same model as `runs` ({runs.model.name}, "
            f"N = {runs.model.n_atoms}), but solves {exact.model.name}, N = {exact.model.n_atoms}"
        )
    if not checks.boolean("other_model", other_model):
        _check_same_model(runs, exact)
    if not np.array_equal(runs.times, exact.times):
        raise ValueError("`exact` must have the same times as `runs`, but has others")

    energy, variance, real, imag, *counts = z = _scores(runs, exact)
    dipole = np.empty(runs.times.size, dtype=complex)
    dipole.real, dipole.imag = real, imag
    statistic, freedom, p_value = _joint_test(runs, exact, z)
    return Comparison(
        times=runs.times,
        channels=runs.channels,
        counted_as=runs.model.counted_as,
        ntraj=runs.ntraj,
        energy=energy,
        energy_variance=variance,
        dipole=dipole,
        counts=np.array(counts).reshape(len(runs.channels), runs.times.size),
        p_value=p_value,
        statistic=statistic,
        degrees_of_freedom=freedom,
    )


def _check_same_model(runs, exact):
    hint = "; to tell two models apart, say `other_model=True`"
    if _dynamics(runs.model) != _dynamics(exact.model):
        mine, its = runs.model.parameters(), exact.model.parameters()
        others = [f"{name} = {its[name]}" for name in mine.keys() & its if its[name] != mine[name]]
        what = f"{exact.model.name} with {', '.join(sorted(others))}" if others else "another one"
        raise ValueError(f"`exact` must solve the same model as `runs`, but solves {what}{hint}")
    if not _same_state(runs.plan.mixture, prepare(exact.model, exact.initial), runs.model.n_levels):
        raise ValueError(f"`exact` must begin in the initial state of `runs`{hint}")


def _dynamics(model):
    """Return what the solvers use of a model: not its name, nor where it begins by default."""
    parts = []
    for stage in model.latest_stages():
        one = stage.model
        rates, mix = one.rates.tolist(), one.jump_mix.tolist()
        parts.append((one.n_atoms, one.drive, rates, mix, one.coherent_rate))
        parts.append((one.is_local.tolist(), one.oscillators.tolist()))
        parts.append((stage.places, stage.duration, stage.rule))
    return parts


def _same_state(one, other, n_levels):
    if all(np.array_equal(*pair) for pair in zip(one, other, strict=True)):
        return True
    is_small = n_levels <= SMALL_MATRIX
    return is_small and np.allclose(one.matrix(n_levels), other.matrix(n_levels), atol=1e-9)


def _scores(runs, exact):
    """Return the z-scores of energy, variance, dipole and counts, float64 (4 + nc, nt).

    nan where a standard error means nothing and the difference is within what `ENOUGH_CARRIERS`
    trajectories unlike all others would make of the mean. It means nothing where too few
    trajectories carry the variance, where one more of a kind not yet seen would outdo it, or where
    the whole ensemble has hardly emitted a photon.
    """
    n, n_atoms = runs.ntraj, runs.model.n_atoms
    dipole_sem = runs.dipole_sem
    pairs = [
        (runs.energy, exact.energy),
        (runs.energy_variance, exact.energy_variance),
        (runs.dipole.real, exact.dipole.real),
        (runs.dipole.imag, exact.dipole.imag),
        *zip(runs.counts, exact.counts, strict=True),
    ]
    mean, true = (np.array(rows) for rows in zip(*pairs, strict=True))
    sem = np.array(
        [
            runs.energy_sem,
            runs.energy_variance_sem,
            dipole_sem.real,
            dipole_sem.imag,
            *runs.counts_sem,
        ]
    )
    # How far one trajectory may lie from the mean: five standard deviations and five quanta.
    far = 5.0 * (1.0 + np.sqrt(exact.energy_variance))
    half = np.full(runs.times.size, n_atoms / 2)
    expected = np.maximum(exact.counts, 0.0)
    reach = np.array([far, far**2, half, half, *(5.0 * (1.0 + np.sqrt(expected)))])

    carriers = runs.moments.carriers[[ROW["jz"], ROW["jz_variance"], ROW["jx"], ROW["jy"]]]
    # The variance of E is carried by the conditional variances and by the conditional energies.
    quantum_share = runs.quantum_variance_sem > 0.03 * runs.energy_variance_sem
    carriers[1] = np.where(quantum_share, np.minimum(*carriers[:2]), carriers[0])
    carriers = np.concatenate((carriers, runs.moments.carriers[COUNTS:]))

    # Rounding is relative to the squares of which the variance is a difference.
    scale = np.array([n_atoms, n_atoms**2 / 100, n_atoms, n_atoms, *([1.0] * len(runs.counts))])
    scores = z_scores(mean, true, sem, scale[:, None])
    # Nor may what the sample has not seen decide: by the exact solution, too few may carry <E>.
    known = np.tile(n * _carrying(exact), (2, 1))
    carriers[:2] = np.minimum(carriers[:2], known)
    clicks = n * expected.sum(axis=0)
    meaningless = (
        (carriers < min(ENOUGH_CARRIERS, n / 6))
        | (sem < 0.02 * reach / n)
        | ((clicks > 0.0) & (clicks < ENOUGH_CARRIERS))
        | (n < ENOUGH_FOR_SCORES)
        | _hang_on_rare_clicks(n, expected, exact.energy_variance, sem)
    )
    explained = np.abs(mean - true) <= ENOUGH_CARRIERS * reach / n
    return np.where(meaningless & explained & (scores != 0), np.nan, scores)


def _hang_on_rare_clicks(n, expected, energy_variance, sem):
    """Return where the clicks of a channel that hardly ever clicks could decide, bool (4 + nc, nt).

    Between none and 25 of them are expected in the whole ensemble, a number that fluctuates by its
    square root; each may change the state by a quantum or by Delta E. Only if that is little beside
    the standard error does the latter mean something.
    """
    clicks = n * expected
    rare = (clicks > 0.0) & (clicks < ENOUGH_CARRIERS)
    moved = np.sqrt(np.where(rare, clicks, 0.0).sum(axis=0)) / n
    quantum = 1.0 + np.sqrt(energy_variance)
    could = np.array([quantum, quantum**2, quantum, quantum]) * moved
    decides = np.zeros(sem.shape, dtype=bool)
    decides[:4] = could > 0.1 * sem[:4]
    decides[4:] = rare
    return decides


def _carrying(exact):
    """Return the share of trajectories that carries <E>, or N - <E> if that is less, (nt,)."""
    parts = exact.energy, exact.model.n_atoms - exact.energy
    shares = [
        np.divide(
            part**2, exact.energy_variance + part**2, out=np.zeros_like(part), where=part > 0.0
        )
        for part in parts
    ]
    return np.min(shares, axis=0)


def _expected_samples(exact):
    """Return the exact means of the rows that are judged, float64 (4 + nc, nt)."""
    jz = exact.energy - exact.model.n_atoms / 2
    return np.array(
        [jz, exact.energy_variance + jz**2, exact.dipole.real, exact.dipole.imag, *exact.counts]
    )


def _judged_checkpoints(runs):
    """Return the means and the covariance of the rows that are judged at the checkpoints.

    Returns
    -------
    mean : ndarray (nr nt,), float64
    covariance : ndarray (nr nt, nr nt), float64
    """
    n_rows, n_times = len(runs.moments.mean) - 1, runs.checkpoint_indices.size
    rows = np.append([ROW[name] for name in JUDGED], np.arange(COUNTS, n_rows + 1))
    rows -= rows > UNCHECKED  # which is left out there
    places = (n_times * rows[:, None] + np.arange(n_times)).ravel()
    return runs.checkpoints.mean[places], runs.checkpoints.covariance[np.ix_(places, places)]


def _judgeable(runs, exact):
    """Return which rows are carried well enough at the checkpoints, bool (4 + nc, nt)."""
    n, n_atoms, at = runs.ntraj, exact.model.n_atoms, runs.checkpoint_indices
    energy = exact.energy[at]
    counts = np.maximum(exact.counts[:, at], 0.0)
    carrying = n * _carrying(exact)[at]
    quanta = n * np.minimum(energy, n_atoms - energy)
    clicks = n * counts.sum(axis=0) if len(counts) else np.full(at.size, np.inf)
    enough = CARRYING * np.sqrt(n / 100)
    carried = np.min([carrying, quanta, clicks], axis=0) >= enough
    has_tail = runs.moments.carriers[:, at] < n / (TAIL * np.sqrt(max(n, 100) / 100))
    square = (np.minimum(carrying, clicks) >= OF_SQUARES * enough) & ~has_tail[ROW["jz_square"]]
    light = ~has_tail[ROW["jz"]]
    return np.array(
        [
            carried & light,
            square & light,
            carried & ~has_tail[ROW["jx"]],
            carried & ~has_tail[ROW["jy"]],
            *(carried & (n * counts >= enough) & ~has_tail[COUNTS:]),
        ]
    )


def _joint_test(runs, exact, scores):
    """Return T^2, the number of directions in it, and the p-value."""
    from scipy.special import fdtrc  # and not scipy.stats, which takes a second to import

    n = runs.ntraj
    indices = runs.checkpoint_indices
    expected = _expected_samples(exact)[:, indices]
    if n < ENOUGH_TRAJECTORIES:
        return np.nan, np.nan, np.nan
    if np.any(np.isinf(scores[:, indices])):
        return np.inf, 0.0, 0.0
    if np.all(scores[:, indices] == 0.0):
        return 0.0, 0.0, 1.0
    rows, columns = expected.shape
    # <J_z^2> follows <J_z>; <J_z^2> - 2 mu <J_z>, with mu exact, tells what the variance does.
    turn = np.eye(rows * columns)
    of_energy, of_square = np.arange(columns), columns + np.arange(columns)
    turn[of_square, of_energy] = -2.0 * expected[0]
    turn = turn[_judgeable(runs, exact).ravel()]
    mean, covariance = _judged_checkpoints(runs)
    difference, covariance = turn @ (mean - expected.ravel()), turn @ covariance @ turn.T
    deviation = np.sqrt(np.diagonal(covariance))
    fluctuates = deviation > ROUNDED * (1.0 + np.abs(turn) @ np.abs(expected.ravel()))
    if not np.any(fluctuates):
        return np.nan, np.nan, np.nan
    deviation = deviation[fluctuates]
    z = difference[fluctuates] / deviation * np.sqrt(n)
    correlation = covariance[np.ix_(fluctuates, fluctuates)] / np.outer(deviation, deviation)
    weights, directions = (part[..., ::-1] for part in np.linalg.eigh(correlation))
    slope, least, most = SHARES
    carrying = np.count_nonzero(weights > min(max(slope / n, least), most) * weights[0])
    m = max(1, min(n // DIRECTIONS, carrying))
    true = _true_weights(weights, m, n)
    statistic = float(np.sum((directions[:, :m].T @ z) ** 2 / true))
    p_value = float(fdtrc(m, n - m, statistic * (n - m) / (m * (n - 1))))
    return statistic, float(m), p_value


def _true_weights(weights, m, n):
    """Return the variances that the m leading directions have in truth, float64 (m,).

    They were picked for their variance in this sample of n, where it is too large therefore, to the
    first order in 1/n by sum_j w_i w_j/(w_i - w_j)/n over the directions that are left out. In
    truth it is too small by the same.
    """
    kept, rest = weights[:m, None], np.maximum(weights[m:], 0.0)
    excess = (kept * rest / np.maximum(kept - rest, GAP * kept)).sum(axis=1) / n
    return np.maximum(weights[:m] - 2.0 * excess, GAP * weights[:m])
