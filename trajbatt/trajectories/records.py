"""What passes between the engines and the rest: clicks, and what is read off the states.

A trajectory engine draws the clicks of n trajectories from a generator and reads the conditional
state off the clicks at requested times. So the clicks do not depend on the requested times, and one
engine can read the record of another.
"""

from typing import NamedTuple

import numpy as np

from trajbatt.states.observables import JX, JY, JZ, JZ_SQUARE

# The number of each row of the samples of an `Observation`: means of observables, and the variance
# of the first of them in the conditional state. Photon counts per channel follow.
ROW = {JZ.name: 0, JZ_SQUARE.name: 1, "jz_variance": 2, JX.name: 3, JY.name: 4}
COUNTS = len(ROW)
UNCHECKED = ROW["jz_variance"]  # whose mean the density matrix does not tell


class Records(NamedTuple):
    """The clicks of n trajectories, back to back.

    Attributes
    ----------
    origin : ndarray (n,), int64
        Which pure state of the initial mixture each trajectory began in.
    hidden : ndarray (n,), int64
        The level that the ladder engine drew; the others draw none and leave -1.
    offsets : ndarray (n+1,), int64
        Trajectory i has the clicks offsets[i] to offsets[i+1].
    time : ndarray (n_clicks,), float64
    channel : ndarray (n_clicks,), int8
    spin : ndarray (n_clicks,), int32, or None
        2J after the click, with noise of single atoms.
    """

    origin: np.ndarray
    hidden: np.ndarray
    offsets: np.ndarray
    time: np.ndarray
    channel: np.ndarray
    spin: np.ndarray | None = None

    @property
    def joined(self):
        """The records themselves; those of a protocol are in pieces."""
        return self

    @property
    def detected(self):
        """None; of a protocol whose stages end by what is seen, the records of that."""
        return None

    @property
    def stage_ends(self):
        """None; of a protocol, when each of its stages has ended, (n, n_stages)."""
        return None

    def first(self, n):
        """Return the records of the first n trajectories."""
        stop = self.offsets[n]
        return Records(
            origin=self.origin[:n],
            hidden=self.hidden[:n],
            offsets=self.offsets[: n + 1],
            time=self.time[:stop],
            channel=self.channel[:stop],
            spin=None if self.spin is None else self.spin[:stop],
        )

    def kept(self, wanted):
        """Return the records without the clicks that are not `wanted`, bool (n_clicks,)."""
        before = np.append(0, np.cumsum(wanted))
        return self._replace(
            offsets=before[self.offsets],
            time=self.time[wanted],
            channel=self.channel[wanted],
            spin=None if self.spin is None else self.spin[wanted],
        )

    def one(self, i):
        """Return the records of trajectory i alone."""
        clicks = slice(self.offsets[i], self.offsets[i + 1])
        return Records(
            origin=self.origin[i : i + 1],
            hidden=self.hidden[i : i + 1],
            offsets=np.array([0, clicks.stop - clicks.start]),
            time=self.time[clicks],
            channel=self.channel[clicks],
            spin=None if self.spin is None else self.spin[clicks],
        )


class Observation(NamedTuple):
    """What was read off n conditional states at nt times.

    Attributes
    ----------
    samples : ndarray (n, 5 + nc, nt), float64
        See `ROW`; <J_x> and <J_y> are the parts of the dipole <J_+>.
    dropped : float
        The largest weight that was dropped from any one state.
    kets : ndarray (n, N+1), complex128, or None
        The normalised states at the last time in the model's basis, if they were wanted.
    products : ndarray (n, 4, nt), float64, or None
        The means of `trajbatt.states.products.PRODUCTS`, if they were wanted.
    spins : ndarray (n, nt), int64, or None
        2J, with noise of single atoms. Kets then begin with M = -J.
    """

    samples: np.ndarray
    dropped: float
    kets: np.ndarray | None
    products: np.ndarray | None = None
    spins: np.ndarray | None = None

    def then(self, later):
        """Return this and what was read of the same trajectories later, as one."""
        pairs = zip(self, later, strict=True)
        samples, dropped, kets, products, spins = pairs
        return Observation(
            np.concatenate(samples, axis=2),
            max(dropped),
            kets[1],
            None if products[0] is None else np.concatenate(products, axis=2),
            None if spins[0] is None else np.concatenate(spins, axis=1),
        )
