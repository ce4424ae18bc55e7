"""Click records: when each trajectory emitted a photon, and into which channel."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False, repr=False)
class Clicks:
    """The clicks of an ensemble as parallel arrays, sorted by trajectory, then by time.

    Attributes
    ----------
    trajectory : ndarray (n_clicks,), int64
    time : ndarray (n_clicks,), float64
        In the unit of 1/rate, since t = 0.
    channel : ndarray (n_clicks,), int8
        Index into `channels`.
    channels : tuple of str
    """

    trajectory: np.ndarray
    time: np.ndarray
    channel: np.ndarray
    channels: tuple[str, ...]

    def __len__(self):
        """The number of clicks."""
        return self.time.size

    def __repr__(self):
        """Return one line: how many clicks there are in each channel."""
        counts = np.bincount(self.channel, minlength=len(self.channels))
        listed = ", ".join(f"{name} {n}" for name, n in zip(self.channels, counts, strict=True))
        return f"Clicks: {listed or 'none'}"

    @classmethod
    def of_records(cls, records, channels, first=0):
        """Join the `trajbatt.records.Records` in `records`; trajectories count from `first`."""
        per_trajectory = np.concatenate([np.diff(record.offsets) for record in records])
        return cls(
            trajectory=np.repeat(np.arange(first, first + per_trajectory.size), per_trajectory),
            time=np.concatenate([record.time for record in records]),
            channel=np.concatenate([record.channel for record in records]),
            channels=channels,
        )

    def of_trajectory(self, trajectory):
        """Return the clicks of one trajectory alone."""
        start, stop = np.searchsorted(self.trajectory, [trajectory, trajectory + 1])
        return Clicks(
            self.trajectory[start:stop],
            self.time[start:stop],
            self.channel[start:stop],
            self.channels,
        )
