"""Numbers of photons in a window of time, or of what detectors see of them."""

import math

import numpy as np

from trajbatt.base import checks
from trajbatt.counting.course import Course
from trajbatt.counting.detected import Response
from trajbatt.counting.generating import generating_function
from trajbatt.models.protocol import within

MOMENT_ACCURACY = 1e-9  # of means and covariances
FASTEST = 1e3  # clicks in the time


class Numbers:
    """One or more numbers of photons: their moments, and their generating function.

    Parameters
    ----------
    model, t, initial, start, detectors
        As in `trajbatt.counting.distribution`.
    channels : sequence of n str
        What is counted: names of channels, or "total".
    name : str
        What messages call the channels.

    Attributes
    ----------
    means : ndarray (n,), float64
    covariance : ndarray (n, n), float64

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range or of the wrong kind.
    """

    def __init__(self, model, t, channels, initial, start, detectors, name="channel"):
        t = checks.real("t", t, 0)
        (t,) = within(model, np.array([t]), "t")
        start = checks.real("start", start, 0, t)
        course = Course.of(model, initial, t)
        self._chosen = np.array([course.chosen(channel, name) for channel in channels])
        self._response = Response.by(detectors, model)
        self._span = t - start
        sources = self._response.sources(self._chosen.any(axis=0))
        self._photons = course.later(start).counted(sources, self._span)
        means, covariances = self._response.moments(*self._moments(), np.array([self._span]))
        chosen = self._chosen.astype(float)
        self.means = chosen @ means[:, 0]
        self.covariance = chosen @ covariances[:, :, 0] @ chosen.T

    def generating(self, z, may_stop=False):
        """Return E[prod_i z_i^{n_i}] for many z (nz, n), float64 or complex128 (nz,).

        With `may_stop` they come in an order in which it falls: see `generating_function`.
        """
        fields = np.prod(np.where(self._chosen, z[:, :, None], 1.0), axis=1)
        of_photons = generating_function(*self._photons, self._response.fields(fields), may_stop)
        return of_photons * self._response.darkness(fields, self._span)

    @property
    def widest(self):
        """The largest counting field that can be followed: whole density matrices take small steps.

        A field z makes clicks z times as fast, and `FASTEST` of them are followed quickly.
        """
        course, duration = self._photons
        if course is None or duration == 0.0:
            return math.inf
        rates = [one.model.largest_rate for one in course.stages]
        if all(one.model.clicks_from_populations for one in course.stages):
            return math.inf
        return FASTEST / (max(rates) * duration)

    def _moments(self):
        """Return the means (nc, 1) and covariances (nc, nc, 1) of the photons."""
        course, duration = self._photons
        if course is None or duration == 0.0:
            n = self._chosen.shape[1]
            return np.zeros((n, 1)), np.zeros((n, n, 1))
        return course.count_moments(np.array([duration]), MOMENT_ACCURACY)
