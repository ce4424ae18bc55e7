"""What detectors make of photon numbers: losses, cross-talk and dark counts.

A photon of channel a is seen as one of channel b with the probability W_ab, or missed. So under
the counting fields z_b of what is seen it counts 1 - sum_b W_ab + sum_b W_ab z_b, and dark counts,
which are Poissonian, multiply the generating function by exp(sum_b d_b t (z_b - 1)).
"""

from typing import NamedTuple

import numpy as np

from trajbatt.light.detectors import Detectors


class Response(NamedTuple):
    """What becomes of one photon, and what comes without any.

    Attributes
    ----------
    shares : ndarray (nc, nc), float64
        Element (a, b) is the probability W_ab.
    dark_rate : ndarray (nc,), float64
        d_b.
    """

    shares: np.ndarray
    dark_rate: np.ndarray

    @classmethod
    def by(cls, detectors, model):
        """Return what `Detectors` make of a model's channels; of None, all photons are seen.

        Raises
        ------
        ValueError, TypeError
            If they are no detectors of these channels, or what they see is not independent.
        """
        if detectors is None:
            n = len(model.channel_names)
            return cls(np.eye(n), np.zeros(n))
        if not isinstance(detectors, Detectors):
            raise TypeError(f"`detectors` must be `Detectors`, but is {detectors!r}")
        return cls(*detectors.response_of(model))

    def sources(self, chosen):
        """Return which channels' photons may be seen in those of `chosen` (nc,), bool (nc,)."""
        return (self.shares[:, chosen] > 0.0).any(axis=1)

    def fields(self, fields):
        """Return the counting fields of the photons under those of what is seen, (nf, nc)."""
        return (1.0 - self.shares.sum(axis=1)) + fields @ self.shares.T

    def darkness(self, fields, duration):
        """Return the generating function of the dark counts alone, (nf,)."""
        return np.exp(duration * ((fields - 1.0) @ self.dark_rate))

    def moments(self, means, covariances, durations):
        """Return the means (nc, nt) and covariances (nc, nc, nt) of what is seen.

        Parameters
        ----------
        means, covariances : ndarray
            Of the photons, in the same form.
        durations : ndarray (nt,)
            In which dark counts come.
        """
        dark = np.outer(self.dark_rate, durations)
        arrived = self.shares.T @ means
        # Where one photon goes is a draw of its own.
        scatter = np.einsum("bt,bc->bct", arrived, np.eye(len(dark)))
        scatter -= np.einsum("at,ab,ac->bct", means, self.shares, self.shares)
        spread = np.einsum("ab,act,cd->bdt", self.shares, covariances, self.shares)
        return arrived + dark, spread + scatter + np.einsum("bt,bc->bct", dark, np.eye(len(dark)))
