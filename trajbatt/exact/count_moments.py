"""Means and covariances of photon counts through the stages of a schedule."""

import numpy as np

from trajbatt.exact.stages import walk
from trajbatt.exact.systems import systems_of


def count_moments(stages, mixture, times, mean_counts, rtol):
    """Return what the photon counts deviate from their lines on average, and their covariances.

    Parameters
    ----------
    stages : sequence of Stage
    mixture : Mixture
        The initial state in the basis of the first stage.
    times : ndarray (nt,)
    mean_counts : ndarray (n_stages, nc)
        Of all channels of the schedule by the end of each stage, or of the run. The line of a count
        goes straight from one to the next; zeros will do, where the covariances need not have all
        digits.
    rtol : float

    Returns
    -------
    deviations : ndarray (nc, nt), float64
    covariances : ndarray (nc, nc, nt), float64
    """
    n_counts = mean_counts.shape[1]
    deviations = np.zeros((n_counts, times.size))
    covariances = np.zeros((n_counts, n_counts, times.size))
    if n_counts == 0:
        return deviations, covariances
    gained = np.diff(mean_counts, axis=0, prepend=0.0)
    gains = {stage.start: gain for stage, gain in zip(stages, gained, strict=True)}

    def system(leg):
        duration = leg.local[-1]
        drift = gains[leg.stage.start] / duration if duration > 0 else np.zeros(n_counts)
        counts = systems_of(leg.stage.model).counts
        return counts(leg.stage.model, rtol, leg.stage.places, drift, leg.following is not None)

    for passage in walk(stages, times, system, mixture):
        leg = passage.leg
        means = np.empty((leg.local.size, n_counts))
        found = np.empty((leg.local.size, n_counts, n_counts))
        for mean, covariance, y in zip(means, found, passage, strict=True):
            mean[:], covariance[:] = passage.system.tagged.deviations(y)
        deviations[:, leg.wanted] = means[: leg.n_wanted].T
        covariances[:, :, leg.wanted] = np.moveaxis(found[: leg.n_wanted], 0, -1)
    return deviations, covariances
