r"""Ensemble against exact: a z-score for every number, and one p-value for all of them.

The z-scores of one run are correlated, between times most of all, so they cannot be judged one by
one. The p-value comes from Hotelling's T^2 at a few checkpoints: with d the differences of the
means of all quantities from their exact values and S the sample covariance of all pairs, both over
n trajectories, T^2 = n d.S^(-1).d, and under the null hypothesis T^2 (n - k)/(k (n - 1)) follows an
F distribution with k and n - k degrees of freedom, k being the rank of S. The state enters by
<J_z>, <J_z^2> and the dipole, linear in the density matrix, so no quantity is biased.
"""

from dataclasses import dataclass

import numpy as np

from trajbatt.engines import COUNTS, DIPOLE_IMAG, DIPOLE_REAL, JZ, JZ_SQUARE
from trajbatt.ensemble import EnsembleResult
from trajbatt.mesolve import MasterEquationResult

# A mean count of which the whole ensemble expects fewer photons than this says nothing.
ENOUGH_PHOTONS = 25.0
TRAJECTORIES_PER_DIMENSION = 10
# Directions of the correlation matrix of less variance than this are linear dependences.
DEPENDENT = 1e-9
# Differences of this relative size are rounding, in quantities that do not fluctuate.
ROUNDING = 1e-9


@dataclass(frozen=True)
class Comparison:
    """How an ensemble agrees with its exact twin.

    Attributes
    ----------
    times : ndarray (nt,), float64
    channels : tuple of nc str
    ntraj : int
    energy, energy_variance : ndarray (nt,), float64
        z-scores: (ensemble - exact)/standard error; 0 where neither fluctuates nor differs, nan
        where too few events make the standard error meaningless.
    dipole : ndarray (nt,), complex128
        z-scores of the real and the imaginary part.
    counts : ndarray (nc, nt), float64
        z-scores.
    p_value : float
        Probability of a disagreement at least as large, if both solve the same model; uniform in
        [0, 1] then. nan for fewer than 20 trajectories.
    statistic : float
        Hotelling's T^2.
    degrees_of_freedom : int
        The number k of independent directions compared.
    """

    times: np.ndarray
    channels: tuple[str, ...]
    ntraj: int
    energy: np.ndarray
    energy_variance: np.ndarray
    dipole: np.ndarray
    counts: np.ndarray
    p_value: float
    statistic: float
    degrees_of_freedom: int

    def __str__(self):
        """Return a table: the z-score at the last time and the largest, and the p-value."""
        rows = {
            "energy": self.energy,
            "energy variance": self.energy_variance,
            "Re dipole": self.dipole.real,
            "Im dipole": self.dipole.imag,
            **{f"photons, {name}": z for name, z in zip(self.channels, self.counts, strict=True)},
        }
        width = max(len(name) for name in rows)
        lines = [f"{'z-score':<{width}}   at the end   largest"]
        for name, z in rows.items():
            known = z[np.isfinite(z)] if not np.any(np.isinf(z)) else z
            largest = known[np.argmax(np.abs(known))] if known.size else np.nan
            lines.append(f"{name:<{width}}   {z[-1]:+10.2f}   {largest:+7.2f}")
        return "\n".join(
            [
                *lines,
                f"{self.ntraj} trajectories, {self.times.size} times: "
                f"p = {self.p_value:.3g} ({self.degrees_of_freedom} degrees of freedom)",
            ]
        )


def compare(runs, exact):
    """Compare an ensemble of trajectories with the master equation's solution.

    Parameters
    ----------
    runs : EnsembleResult
    exact : MasterEquationResult
        Of the same model at the same times, from the same initial state.

    Returns
    -------
    Comparison

    Raises
    ------
    TypeError
        If the arguments are no such results.
    ValueError
        If they belong to different batteries, models or times.
    """
    if not isinstance(runs, EnsembleResult):
        raise TypeError(f"`runs` must be a result of mcsolve, but is {type(runs).__name__}")
    if not isinstance(exact, MasterEquationResult):
        raise TypeError(f"`exact` must be a result of mesolve, but is {type(exact).__name__}")
    if (runs.model.name, runs.model.n_atoms, runs.channels) != (
        exact.model.name,
        exact.model.n_atoms,
        exact.channels,
    ):
        raise ValueError(
            f"`exact` must solve the same model as `runs` ({runs.model.name}, "
            f"N = {runs.model.n_atoms}), but solves {exact.model.name}, N = {exact.model.n_atoms}"
        )
    if not np.array_equal(runs.times, exact.times):
        raise ValueError("`exact` must have the same times as `runs`, but has others")

    expected = _expected_samples(runs, exact)
    rare = _rare(runs, expected)
    statistic, rank, p_value = _hotelling(runs, expected, rare)
    dipole = _z(runs.dipole.real, exact.dipole.real, runs.dipole_sem.real) + 1j * _z(
        runs.dipole.imag, exact.dipole.imag, runs.dipole_sem.imag
    )
    return Comparison(
        times=runs.times,
        channels=runs.channels,
        ntraj=runs.ntraj,
        energy=_z(runs.energy, exact.energy, runs.energy_sem),
        energy_variance=_z(
            runs.energy_variance, exact.energy_variance, runs.energy_variance_sem
        ),
        dipole=dipole,
        counts=np.where(
            rare[COUNTS - 1 :], np.nan, _z(runs.counts, exact.counts, runs.counts_sem)
        ),
        p_value=p_value,
        statistic=statistic,
        degrees_of_freedom=rank,
    )
