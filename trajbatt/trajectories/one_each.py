"""The states in which n trajectories begin a stage: one for each."""

import numpy as np

from trajbatt.states.mixture import NEGLIGIBLE_BEFORE_STAGE, Mixture


def one_each(kets, turn=None, spins=None):
    """Return the even `Mixture` of the rows of `kets`, none of them dropped.

    As `Mixture.of_kets`, but by a kernel: there are many.

    Parameters
    ----------
    kets : ndarray (n, N+1), complex128
    turn : ndarray (N+1, N+1), float64, optional
        By which they are multiplied first, from the right.
    spins : ndarray (n,), int64, optional
        2J.
    """
    from trajbatt.kernels.windows import cut

    n, levels = kets.shape
    parts = np.empty((2, n, levels))
    parts[0], parts[1] = kets.real, kets.imag
    if turn is not None:  # of real numbers: half the work
        parts = (parts.reshape(-1, levels) @ turn).reshape(parts.shape)
    first, offsets = np.empty(n, np.int64), np.empty(n + 1, np.int64)
    amplitudes = np.empty(n * levels, complex)
    cut(parts, NEGLIGIBLE_BEFORE_STAGE, first, offsets, amplitudes)
    return Mixture(np.full(n, 1.0 / n), first, offsets, amplitudes[: offsets[-1]], spins)
