"""Click records: when each trajectory emitted a photon, and into which channel."""

from dataclasses import dataclass, replace

import numpy as np


@dataclass(frozen=True, eq=False, repr=False)
class Clicks:
    """The clicks of one or more trajectories as parallel arrays, sorted by trajectory, then time.

    Attributes
    ----------
    trajectory : ndarray (n_clicks,), int64
    time : ndarray (n_clicks,), float64
        In the unit of 1/rate, since t = 0.
    channel : ndarray (n_clicks,), int8
        Index into `channels`.
    channels : tuple of str
    first, ntraj : int
        Trajectories `first` to `first + ntraj - 1` were watched, whether they clicked or not. By
        default, from 0 to the last that did.
    duration : float
        Until when; by default, until the last click.
    """

    trajectory: np.ndarray
    time: np.ndarray
    channel: np.ndarray
    channels: tuple[str, ...]
    first: int = 0
    ntraj: int | None = None
    duration: float | None = None

    def __post_init__(self):
        for name in ("trajectory", "time", "channel"):
            object.__setattr__(self, name, np.asarray(getattr(self, name)))
        if not self.trajectory.shape == self.time.shape == self.channel.shape == (self.time.size,):
            raise ValueError(
                "clicks must have one trajectory, time and channel each, but the shapes are "
                f"{self.trajectory.shape}, {self.time.shape} and {self.channel.shape}"
            )
        if self.ntraj is None:
            last = int(self.trajectory[-1]) if len(self) else self.first
            object.__setattr__(self, "ntraj", last + 1 - self.first)
        if self.duration is None:
            object.__setattr__(self, "duration", float(self.time.max()) if len(self) else 0.0)

    def __len__(self):
        """The number of clicks."""
        return self.time.size

    def __repr__(self):
        """Return one line: how many clicks there are in each channel."""
        counts = np.bincount(self.channel, minlength=len(self.channels))
        listed = ", ".join(f"{name} {n}" for name, n in zip(self.channels, counts, strict=True))
        return f"Clicks: {listed or 'none'}"

    @classmethod
    def of_records(cls, records, channels, duration, first=0):
        """Join the `trajbatt.records.Records` in `records`; trajectories count from `first`."""
        per_trajectory = np.concatenate([np.diff(record.offsets) for record in records])
        return cls(
            trajectory=np.repeat(np.arange(first, first + per_trajectory.size), per_trajectory),
            time=np.concatenate([record.time for record in records]),
            channel=np.concatenate([record.channel for record in records]),
            channels=channels,
            first=first,
            ntraj=per_trajectory.size,
            duration=float(duration),
        )

    @property
    def offsets(self):
        """Trajectory `first` + i has the clicks offsets[i] to offsets[i+1], int64 (ntraj+1,)."""
        edges = np.arange(self.first, self.first + self.ntraj + 1)
        return np.searchsorted(self.trajectory, edges)

    def where(self, wanted):
        """Return the clicks for which the array `wanted` (n_clicks,) of bool says so."""
        return replace(
            self,
            trajectory=self.trajectory[wanted],
            time=self.time[wanted],
            channel=self.channel[wanted],
        )

    def of_trajectory(self, trajectory):
        """Return the clicks of one trajectory alone."""
        return self.of_trajectories(trajectory, trajectory + 1)

    def of_trajectories(self, start, stop):
        """Return the clicks of the trajectories from `start` up to `stop`, which is left out.

        Raises
        ------
        ValueError
            If there are no such trajectories.
        """
        if not self.first <= start < stop <= self.first + self.ntraj:
            raise ValueError(
                f"trajectories must be among {self.first} to {self.first + self.ntraj - 1}, "
                f"but are {start} to {stop - 1}"
            )
        edges = np.searchsorted(self.trajectory, [start, stop])
        return replace(self.where(slice(*edges)), first=start, ntraj=stop - start)
