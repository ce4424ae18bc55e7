"""Mixtures of kets, each cut to the window of levels that it occupies."""

from typing import NamedTuple

import numpy as np

from trajbatt.numerics import frame

# Levels and pure states of less probability are dropped. The posterior probability of a dropped
# level is a martingale, so the chance that one ever matters at the level 1e-8 is 1e-10.
NEGLIGIBLE = 1e-18

# Before another stage less is dropped: in its basis levels interfere, so that what is dropped
# matters by its amplitude, the square root of this.
NEGLIGIBLE_BEFORE_STAGE = 1e-28

ROUNDING = 1e-17  # probabilities that are none
UNDERFLOW = 1e-150  # amplitudes whose squares leave the range of floating-point numbers


class Mixture(NamedTuple):
    """A mixture of P pure states in a model's basis, stored back to back (total length M).

    Attributes
    ----------
    weights : ndarray (P,), float64
        Probabilities; they add up to 1.
    first : ndarray (P,), int64
        The lowest level of each ket's window.
    offsets : ndarray (P+1,), int64
        Ket i is `amplitudes[offsets[i]:offsets[i+1]]`.
    amplitudes : ndarray (M,), float64 or complex128
    spins : ndarray (P,), int64, or None
        2J of each ket, whose levels then count from M = -J; None if all have J = N/2.
    """

    weights: np.ndarray
    first: np.ndarray
    offsets: np.ndarray
    amplitudes: np.ndarray
    spins: np.ndarray | None = None

    @classmethod
    def of_kets(cls, weights, kets, negligible=NEGLIGIBLE):
        """Cut the rows of `kets` (P, N+1) to their windows and drop those of no weight."""
        weights = np.asarray(weights, dtype=float)
        kept = np.flatnonzero((weights > 0.0) & (weights >= negligible * weights.sum()))
        rows = kets[kept]
        occupied = np.abs(rows) ** 2 >= negligible
        first = occupied.argmax(axis=1)
        sizes = rows.shape[1] - occupied[:, ::-1].argmax(axis=1) - first
        levels = np.arange(rows.shape[1]) - first[:, None]
        inside = (levels >= 0) & (levels < sizes[:, None])
        norms = np.linalg.norm(np.where(inside, rows, 0.0), axis=1)
        return cls(
            weights[kept] / weights[kept].sum(),
            first.astype(np.int64),
            np.concatenate(([0], np.cumsum(sizes))).astype(np.int64),
            (rows / norms[:, None])[inside],
        )

    @classmethod
    def of_matrix(cls, matrix, negligible=NEGLIGIBLE):
        """Return a mixture of pure states that is a density matrix (N+1, N+1).

        They come from the eigenstates of the matrix with its diagonal scaled to 1, so that levels
        of little probability keep their digits, too; they are not orthogonal.
        """
        amplitudes = np.sqrt(np.maximum(matrix.diagonal().real, 0.0))
        scale = np.where(amplitudes > UNDERFLOW, amplitudes, 1.0)
        shares, columns = np.linalg.eigh(matrix / np.outer(scale, scale))
        columns *= scale[:, None]
        norms = np.linalg.norm(columns, axis=0)
        norms[norms == 0.0] = 1.0
        return cls.of_kets(shares * norms**2, (columns / norms).T, negligible)

    @classmethod
    def in_frame(cls, n_atoms, axes, matrix, theta, negligible=0.0):
        """Return the eigenstates of a density matrix in a frame as kets in the basis of an angle.

        Parameters
        ----------
        n_atoms : int
        axes : ndarray (6,)
            Of the frame, see `trajbatt.numerics.frame`.
        matrix : ndarray (levels, levels), complex128
        theta : float
        negligible : float
        """
        weights, columns = np.linalg.eigh(matrix)
        kept = weights > max(negligible, ROUNDING)
        turned = frame.in_basis(frame.rows_of(axes), theta)
        kets = frame.kets(n_atoms, turned, len(columns)) @ columns[:, kept]
        return cls.of_kets(weights[kept], kets.T, negligible)

    @classmethod
    def of_levels(cls, populations, negligible=NEGLIGIBLE):
        """Return the mixture of single levels with the given `populations` (N+1,)."""
        levels = np.flatnonzero(
            (populations > 0.0) & (populations >= negligible * populations.sum())
        )
        weights = populations[levels]
        return cls(
            weights / weights.sum(),
            levels.astype(np.int64),
            np.arange(levels.size + 1, dtype=np.int64),
            np.ones(levels.size),
        )

    def rows(self, n_levels):
        """Return the amplitudes on all levels, (P, n_levels)."""
        rows = np.zeros((self.weights.size, n_levels), dtype=self.amplitudes.dtype)
        for row, (_, first, ket) in zip(rows, self.kets(), strict=True):
            row[first : first + ket.size] = ket
        return rows

    def matrix(self, n_levels):
        """Return the density matrix (n_levels, n_levels)."""
        rows = self.rows(n_levels)
        return np.einsum("p,pi,pj->ij", self.weights, rows, rows.conj(), optimize=True)

    def in_basis(self, turn):
        """Return the mixture in the basis that `turn` (N+1, N+1) leads to, with all levels."""
        return Mixture.of_kets(self.weights, self.rows(len(turn)) @ turn, negligible=0.0)

    @property
    def cumulative_weights(self):
        """The cumulative probabilities (P,); the last is 1."""
        weights = np.cumsum(self.weights)
        return weights / weights[-1]

    def kets(self):
        """Yield the weight, the lowest level and the amplitudes of each pure state."""
        for i, weight in enumerate(self.weights):
            yield weight, self.first[i], self.amplitudes[self.offsets[i] : self.offsets[i + 1]]
