"""The states in which n trajectories begin a stage: one for each."""

import numpy as np

from trajbatt.states.mixture import NEGLIGIBLE_BEFORE_STAGE, Mixture


def one_each(kets, spins=None):
    """Return the even `Mixture` of the rows of `kets` (n, N+1), none of them dropped.

    As `Mixture.of_kets`, but by kernels: there are many.

    Parameters
    ----------
    kets : ndarray (n, N+1), float64 or complex128
    spins : ndarray (n,), int64, optional
        2J.
    """
    from trajbatt.kernels.windows import cut, find

    rows, n = np.array(kets), len(kets)
    first, offsets = np.empty(n, np.int64), np.empty(n + 1, np.int64)
    parts, cells = rows.view(float), rows.itemsize // 8
    find(parts, cells, NEGLIGIBLE_BEFORE_STAGE, first, offsets)
    rows /= np.linalg.norm(rows, axis=1)[:, None]
    amplitudes = np.empty(offsets[-1], rows.dtype)
    cut(parts, cells, first, offsets, amplitudes.view(float))
    return Mixture(np.full(n, 1.0 / n), first, offsets, amplitudes, spins)
