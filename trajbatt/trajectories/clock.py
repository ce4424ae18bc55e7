"""When each trajectory is in a stage: for engines that take n of them side by side."""

from typing import NamedTuple

import numpy as np

NEVER = np.iinfo(np.int64).max


class Clock(NamedTuple):
    """When each of n trajectories begins and ends a stage, and which clicks end it.

    Times of clicks are those since the begin of their trajectory. A trajectory is observed at the
    times from its begin to its end; at the last of them in any case, but not after its end.

    Attributes
    ----------
    begins : ndarray (n,), float64
        Each one's begin, on the clock of the times at which it is observed.
    ends : ndarray (n,), float64
        How long after its begin it ends at the latest. Engines that draw clicks write here when the
        clicks have ended it; those that follow records are told so.
    counted : ndarray (nc,), int64
        1 for the channels whose clicks are counted, else 0.
    quota : int
        The click that ends a trajectory; `NEVER` for none.
    """

    begins: np.ndarray
    ends: np.ndarray
    counted: np.ndarray
    quota: int

    @classmethod
    def common(cls, n, t_end, n_channels):
        """Return that of n trajectories from 0 to `t_end`."""
        nothing = np.zeros(n_channels, dtype=np.int64)
        return cls(np.zeros(n), np.full(n, float(t_end)), nothing, NEVER)

    def local(self, times):
        """Return `times` (nt,) since the begins, but not after the ends, float64 (n, nt)."""
        return np.minimum(times - self.begins[:, None], self.ends[:, None])
