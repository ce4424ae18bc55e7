"""Means and co-moments that add: the statistics that an ensemble streams.

Two summaries of different trajectories merge into the summary of both (Chan, Golub and LeVeque
1983; Pebay 2008), so memory does not grow with the number of trajectories.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from trajbatt.base.types import AnyArray, FloatArray, MaybeNone


@dataclass(frozen=True, eq=False)
class Moments:
    """The mean and the co-moments of `count` samples of some variables.

    Attributes
    ----------
    count : int
    mean : ndarray (nv, ...), float64
    comoment : ndarray (nv, nv, ...), float64
        Sums of (x_a - mean_a)(x_b - mean_b); trailing axes go side by side.
    third, fourth : ndarray (nv, ...), float64, or None
        Sums of (x_a - mean_a)^3 and (x_a - mean_a)^4.
    """

    count: int
    mean: FloatArray
    comoment: FloatArray
    third: FloatArray | MaybeNone = None
    fourth: FloatArray | MaybeNone = None

    @classmethod
    def side_by_side(cls, samples: AnyArray) -> "Moments":
        """Summarise samples (n, nv, nt): co-moments of pairs of variables at equal times."""
        from trajbatt.kernels.comoments import comoments

        n, *shape = samples.shape
        mean, third, fourth = (np.empty(shape) for _ in range(3))
        comoment = np.empty((shape[0], *shape))
        comoments(samples, mean, comoment, third, fourth, np.empty(shape))
        return cls(n, mean, comoment, third, fourth)

    @classmethod
    def of_all_pairs(cls, samples: AnyArray) -> "Moments":
        """Summarise samples (n, nv): co-moments of all pairs of variables."""
        from trajbatt.kernels.comoments import cross_comoments

        n, n_variables = samples.shape
        mean, comoment = np.empty(n_variables), np.empty((n_variables, n_variables))
        cross_comoments(samples, mean, comoment, np.empty(n_variables))
        return cls(n, mean, comoment)

    def __add__(self, other: "Moments") -> "Moments":
        """Merge the summaries of two disjoint sets of samples."""
        a, b = self.count, other.count
        n = a + b
        step = other.mean - self.mean
        mean = self.mean + step * (b / n)
        comoment = self._merged(other, step, a * b / n)
        if self.third is None:
            return Moments(n, mean, comoment)
        second_a, second_b = self.second, other.second
        third = self.third + other.third + step**3 * (a * b * (a - b) / n**2)
        third += 3 * step * (a * second_b - b * second_a) / n
        fourth = self.fourth + other.fourth + step**4 * (a * b * (a * a - a * b + b * b) / n**3)
        fourth += 6 * step**2 * (a * a * second_b + b * b * second_a) / n**2
        fourth += 4 * step * (a * other.third - b * self.third) / n
        return Moments(n, mean, comoment, third, fourth)

    def _merged(self, other, step, weight):
        """Return the co-moments of both, without arrays in between: there are many pairs."""
        from trajbatt.kernels.comoments import merge_comoments

        pairs = (*self.comoment.shape[:2], -1)
        one, its = (np.ascontiguousarray(x.comoment).reshape(pairs) for x in (self, other))
        comoment = np.empty_like(one)
        merge_comoments(one, its, step.reshape(pairs[0], -1), weight, comoment)
        return comoment.reshape(self.comoment.shape)

    @property
    def second(self) -> FloatArray:
        """Sums of (x_a - mean_a)^2, float64 (nv, ...)."""
        return np.einsum("aa...->a...", self.comoment)

    @property
    def carriers(self) -> FloatArray:
        """How many samples carry the variance of each variable, float64 (nv, ...).

        (sum d^2)^2/sum d^4 with d the deviations: a third of the samples for a normal
        distribution, one for a lone outlier, zero for a constant.
        """
        square = self.second**2
        return np.divide(square, self.fourth, out=np.zeros_like(square), where=self.fourth > 0)

    @property
    def covariance(self) -> FloatArray:
        """Unbiased sample covariance (nv, nv, ...); nan for a single sample."""
        if self.count < 2:
            return np.full_like(self.comoment, np.nan)
        return self.comoment / (self.count - 1)

    @property
    def mean_sem(self) -> FloatArray:
        """Standard errors of the means (nv, ...); nan for a single sample."""
        if self.count < 2:
            return np.full_like(self.mean, np.nan)
        return np.sqrt(self.second / (self.count - 1) / self.count)

    def sem(self, gradient: ArrayLike) -> FloatArray:
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
