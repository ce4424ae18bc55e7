"""Means and co-moments that add: the statistics that an ensemble streams.

Two summaries of different trajectories merge into the summary of both (Chan, Golub and LeVeque
1983), so memory does not grow with the number of trajectories.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Moments:
    """The mean and the co-moments of `count` samples of some variables.

    Attributes
    ----------
    count : int
    mean : ndarray (nv, ...), float64
    comoment : ndarray (nv, nv, ...), float64
        Sums of (x_a - mean_a)(x_b - mean_b); trailing axes go side by side.
    carriers : ndarray (nv, ...), float64, or None
        How many samples carry the variance of each variable: (sum d^2)^2/sum d^4 with d the
        deviations, a third of the samples for a normal distribution and one for a lone outlier.
        Merging adds it up, which neglects that the merged means differ.
    """

    count: int
    mean: np.ndarray
    comoment: np.ndarray
    carriers: np.ndarray | None = None

    @classmethod
    def side_by_side(cls, samples):
        """Summarise samples (n, nv, nt): co-moments of pairs of variables at equal times."""
        from trajbatt.kernels.comoments import comoments

        n, *shape = samples.shape
        mean, fourth = np.empty(shape), np.empty(shape)
        comoment = np.empty((shape[0], *shape))
        comoments(samples, mean, comoment, fourth, np.empty(shape))
        square = np.einsum("aat->at", comoment)
        carriers = np.divide(square**2, fourth, out=np.zeros(shape), where=fourth > 0)
        return cls(n, mean, comoment, carriers)

    @classmethod
    def of_all_pairs(cls, samples):
        """Summarise samples (n, nv): co-moments of all pairs of variables."""
        from trajbatt.kernels.comoments import cross_comoments

        n, n_variables = samples.shape
        mean, comoment = np.empty(n_variables), np.empty((n_variables, n_variables))
        cross_comoments(samples, mean, comoment, np.empty(n_variables))
        return cls(n, mean, comoment)

    def __add__(self, other):
        """Merge the summaries of two disjoint sets of samples."""
        count = self.count + other.count
        step = other.mean - self.mean
        mean = self.mean + step * (other.count / count)
        between = step[:, None] * step[None, :] * (self.count * (other.count / count))
        carriers = None if self.carriers is None else self.carriers + other.carriers
        return Moments(count, mean, self.comoment + other.comoment + between, carriers)

    @property
    def covariance(self):
        """Unbiased sample covariance (nv, nv, ...); nan for a single sample."""
        if self.count < 2:
            return np.full_like(self.comoment, np.nan)
        return self.comoment / (self.count - 1)

    def sem(self, gradient):
        """Return the standard error of a function of the means, by the delta method.

        Parameters
        ----------
        gradient : array_like (nv, ...)
            Derivatives of the function by the means; broadcast against `mean`.

        Returns
        -------
        ndarray (...), float64; nan for a single sample.
        """
        gradient = np.broadcast_to(gradient, self.mean.shape)
        variance = np.einsum("a...,ab...,b...->...", gradient, self.covariance, gradient)
        return np.sqrt(np.maximum(variance, 0.0) / self.count)
