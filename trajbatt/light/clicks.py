"""Click records: when each trajectory emitted a photon, and into which channel."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from trajbatt.base import checks
from trajbatt.base.checks import shown
from trajbatt.base.types import AnyIntArray, FloatArray, IntArray
from trajbatt.light.checking import channel_names, check_kinds, check_values, unmasked


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
    spin : ndarray (n_clicks,), int64, or None
        2J after each click of a simulated record with noise of single atoms. No light tells it.

    Raises
    ------
    ValueError, TypeError
        If they are none of these; the message names the click.
    """

    trajectory: AnyIntArray
    time: FloatArray
    channel: AnyIntArray
    channels: tuple[str, ...]
    first: int = 0
    ntraj: int = None  # type: ignore[assignment]  # which becomes a number
    duration: float = None  # type: ignore[assignment]
    spin: AnyIntArray | None = None

    def __post_init__(self) -> None:
        arrays = [unmasked(one, getattr(self, one)) for one in ("trajectory", "time", "channel")]
        trajectory, time, channel = arrays
        channels = channel_names(self.channels)
        first = checks.integer("first", self.first, 0)
        check_kinds(*arrays)
        ntraj, duration = self.ntraj, self.duration
        if ntraj is None:
            ntraj = int(trajectory.max(initial=first)) + 1 - first
        ntraj = checks.integer("ntraj", ntraj, 1)
        if duration is not None:
            duration = checks.real("duration", duration, 0)
        check_values(trajectory, time, channel, channels, (first, first + ntraj - 1), duration)
        if duration is None:
            duration = float(time.max(initial=0.0))
        if self.spin is not None:
            object.__setattr__(self, "spin", _checked_spin(self.spin, time.size))
        for name, value in (
            ("trajectory", trajectory.astype(np.int64, copy=False)),
            ("time", time.astype(float, copy=False)),
            ("channel", channel.astype(np.int8, copy=False)),
            ("channels", channels),
            ("first", first),
            ("ntraj", ntraj),
            ("duration", duration),
        ):
            object.__setattr__(self, name, value)

    def __len__(self) -> int:
        """The number of clicks."""
        return self.time.size

    def __repr__(self) -> str:
        """Return one line: how many clicks there are in each channel."""
        counts = np.bincount(self.channel, minlength=len(self.channels))
        listed = ", ".join(f"{name} {n}" for name, n in zip(self.channels, counts, strict=True))
        return f"Clicks: {listed or 'none'}"

    @classmethod
    def of_records(
        cls, records: Sequence[Any], channels: tuple[str, ...], duration: float, first: int = 0
    ) -> "Clicks":
        """Join `trajbatt.trajectories.records.Records`; trajectories count from `first`."""
        per_trajectory = np.concatenate([np.diff(record.offsets) for record in records])
        return cls(
            trajectory=np.repeat(np.arange(first, first + per_trajectory.size), per_trajectory),
            time=np.concatenate([record.time for record in records]),
            channel=np.concatenate([record.channel for record in records]),
            spin=np.concatenate([record.spin for record in records])
            if records and records[0].spin is not None
            else None,
            channels=channels,
            first=first,
            ntraj=per_trajectory.size,
            duration=float(duration),
        )

    @property
    def offsets(self) -> IntArray:
        """Trajectory `first` + i has the clicks offsets[i] to offsets[i+1], int64 (ntraj+1,)."""
        edges = np.arange(self.first, self.first + self.ntraj + 1)
        return np.searchsorted(self.trajectory, edges)

    def where(self, wanted: ArrayLike | slice) -> "Clicks":
        """Return the clicks for which the array `wanted` (n_clicks,) of bool says so, or a slice.

        Raises
        ------
        TypeError
            If it is something else, such as numbers of clicks, which might come twice.
        """
        part: Any = wanted
        if not isinstance(wanted, slice):
            chosen = unmasked("wanted", wanted)
            if chosen.size == 0 and chosen.ndim == 1:
                chosen = chosen.astype(bool)
            if chosen.dtype != bool or chosen.shape != self.time.shape:
                raise TypeError(
                    f"`wanted` must be an array of bool, one for each of {len(self)} clicks, "
                    f"but is {shown(wanted)}"
                )
            part = chosen
        return replace(
            self,
            trajectory=self.trajectory[part],
            time=self.time[part],
            channel=self.channel[part],
            spin=None if self.spin is None else self.spin[part],
        )

    def of_trajectory(self, trajectory: int) -> "Clicks":
        """Return the clicks of one trajectory alone; errors as of `of_trajectories`."""
        trajectory = checks.integer("trajectory", trajectory, 0)
        return self.of_trajectories(trajectory, trajectory + 1)

    def of_trajectories(self, start: int, stop: int) -> "Clicks":
        """Return the clicks of the trajectories from `start` up to `stop`, which is left out.

        Raises
        ------
        ValueError, TypeError
            If there are no such trajectories.
        """
        start, stop = checks.integer("start", start, 0), checks.integer("stop", stop, 0)
        if not self.first <= start < stop <= self.first + self.ntraj:
            raise ValueError(
                f"trajectories must be among {self.first} to {self.first + self.ntraj - 1}, "
                f"but are {start} to {stop - 1}"
            )
        edges = np.searchsorted(self.trajectory, [start, stop])
        return replace(self.where(slice(*edges)), first=start, ntraj=stop - start)


def _checked_spin(spin, n_clicks):
    """Return 2J after each click, int64 (n_clicks,)."""
    spin = unmasked("spin", spin)
    if spin.shape != (n_clicks,) or spin.dtype.kind not in "iu" or spin.min(initial=0) < 0:
        raise ValueError(
            f"`spin` must be 2J >= 0 after each of {n_clicks} clicks, as integers, "
            f"but is {shown(spin)}"
        )
    return spin.astype(np.int64, copy=False)
