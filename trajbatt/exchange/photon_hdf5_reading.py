"""Clicks from Photon-HDF5 files, our own and those of other programs."""

import errno
import math
import os
import re
from collections.abc import Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from trajbatt.base import checks
from trajbatt.base.types import PathLike
from trajbatt.exchange import hdf5_fields
from trajbatt.exchange.numbering import is_numbered, named, places_of
from trajbatt.exchange.ticks import since
from trajbatt.light.checking import TOTAL, channel_names
from trajbatt.light.clicks import Clicks
from trajbatt.light.input import assembled

SIGNATURE = b"\x89HDF\r\n\x1a\n"
OWN = "trajbatt"
ABOUT = f"user/{OWN}"
SPIN_PLACE = f"{ABOUT}/spin"  # 2J after each photon, of simulated records
NON_PHOTON = re.compile(r"non_photon_id\d+")
SPECS_OF_DETECTORS = ("measurement_specs/detectors_specs", "detectors_specs")
ROUNDED_TO = 0.1  # seconds; phconvert's acquisition_duration


def is_hdf5(path):
    """Whether a path is that of an HDF5 file, by its name or, if it can be read, its beginning."""
    path = Path(path)
    if path.suffix.lower() in (".h5", ".hdf5"):
        return True
    try:
        with open(path, "rb") as file:
            return file.read(len(SIGNATURE)) == SIGNATURE
    except OSError:
        return False


def read_photon_hdf5(
    path: PathLike,
    time_unit: float = 1.0,
    channels: Sequence[str] | dict[int, str] | None = None,
    duration: float | None = None,
    origin: int | None = None,
) -> Clicks:
    """Return the `Clicks` in a Photon-HDF5 file; several spots are several trajectories.

    Detections that the file lists as `non_photon_id` are left out.

    Parameters
    ----------
    path : str or Path
    time_unit : float
        How many seconds the clicks' unit of time is to be.
    channels : sequence of str or dict of int to str, optional
        The names that there are, by default the labels in the file. For detector ids, names with
        their ids, {1: "red", 2: "blue"}; where the file has no labels, names alone are those of
        0, 1, 2, ... and need an id 0.
    duration : float, optional
        How long the light was watched since `origin`, in the clicks' unit of time. By default as
        long as the file says for sure, or until the last photon if that is later: a file of another
        program, which may round it, says it to within 0.05 seconds.
    origin : int, optional
        The timestamp that is t = 0, by default 0: subtracted before timestamps are rounded to
        floats.

    Returns
    -------
    Clicks

    Raises
    ------
    ImportError
        Without h5py, which the extra `netcdf` brings.
    OSError
        If there is no file.
    ValueError, TypeError
        If it is no such file, or timestamps are out of order, or the file does not say for how long
        all spots were watched.
    """
    time_unit = checks.positive("time_unit", time_unit)
    with _opened(path) as file:
        spots = [_photons(file, name) for name in _spots(file)]
        known = hdf5_fields.integers(file, "setup/detectors/id")
        labels = hdf5_fields.value(file, "setup/detectors/label", np.empty(0))
        labels = [hdf5_fields.text(one) for one in np.atleast_1d(labels).tolist()]
        known = np.empty(0, dtype=int) if known is None else np.atleast_1d(known)
        if labels and len(labels) != known.size:
            raise ValueError(f"it has {len(labels)} labels for {known.size} detectors")
        seconds = _seconds(file, len(spots))
        spin = hdf5_fields.integers(file, SPIN_PLACE)
    if not spots:
        raise ValueError(f"{path} must be a Photon-HDF5 file, but has no group photon_data")
    trajectory = np.repeat(np.arange(len(spots)), [stamps.size for stamps, _, _, _ in spots])
    time = np.concatenate(
        [since(origin, one, f"{path}") * (u / time_unit) for one, _, u, _ in spots]
    )
    ids = np.concatenate([ids for _, ids, _, _ in spots])
    others = {number for *_, others in spots for number in others}
    labels = dict(zip(known.tolist(), labels, strict=False))
    known = set(known.tolist()) - others
    names, channels = _names(set(np.unique(ids).tolist()), known, labels, channels, path)
    if duration is None:
        begin = (origin or 0) * spots[0][2]
        duration = _duration(seconds, begin, time_unit, time.max(initial=0.0), path)
    channel = places_of(ids, names, channels)
    if spin is not None and spin.shape != time.shape:
        raise ValueError(
            f"{path} must have as many numbers in {SPIN_PLACE} as photons, {time.size}, "
            f"but has the shape {spin.shape}"
        )
    return assembled(trajectory, time, channel, channels, len(spots), duration, spin=spin)


def about_in_hdf5(path):
    """Return what the group user/trajbatt of a file holds, a dict; errors as `read_photon_hdf5`."""
    with _opened(path) as file:
        group = hdf5_fields.part(file, ABOUT)
        found = {} if group is None else {n: hdf5_fields.value(group, n) for n in group}
        return {
            name: hdf5_fields.text(one) if isinstance(one, bytes) else one.item()
            for name, one in found.items()
            if np.ndim(one) == 0
        }


@contextmanager
def _opened(path):
    """Open a file; whatever is wrong with it is one sentence."""
    h5py = hdf5_fields.h5py_or_error()
    if not Path(path).exists():
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
    try:
        with h5py.File(path, "r") as file:
            yield file
    except MemoryError:
        raise ValueError(f"{path} must fit into the memory, but does not") from None
    except (OSError, RuntimeError, KeyError, TypeError, ValueError, AttributeError) as error:
        words = " ".join(str(error).split())
        raise ValueError(f"{path} must be a Photon-HDF5 file, but: {words[:300]}") from None


def _spots(file):
    """Return the names of the groups of photons, in order, which is that of trajectories.

    Raises
    ------
    ValueError
        If one is missing in between: then the others would have wrong numbers.
    """
    found = [name for name in file if re.fullmatch(r"photon_data\d*", name)]
    if found in ([], ["photon_data"]):
        return found
    found.sort(key=lambda name: int(name.removeprefix("photon_data") or -1))
    if found != [f"photon_data{i}" for i in range(len(found))]:
        raise ValueError(
            "its groups must be photon_data0, photon_data1, ... without a gap, but are "
            + ", ".join(found)
        )
    return found


def _photons(file, name):
    """Return the timestamps, detector ids, unit in seconds, and ids that are no photons' of a spot.

    Those are left out.

    Raises
    ------
    ValueError
    """
    stamps = hdf5_fields.value(file, f"{name}/timestamps")
    unit = hdf5_fields.value(file, f"{name}/timestamps_specs/timestamps_unit")
    for one, found in (("timestamps", stamps), ("timestamps_specs/timestamps_unit", unit)):
        if found is None:
            raise ValueError(f"it has no {one} in {name}")
    unit = float(np.squeeze(unit))
    ids = hdf5_fields.integers(file, f"{name}/detectors")
    ids = np.zeros(stamps.size, dtype=np.int64) if ids is None else ids
    if stamps.ndim != 1 or ids.shape != stamps.shape:
        raise ValueError(
            f"its timestamps and detectors in {name} have the shapes {stamps.shape} and {ids.shape}"
        )
    if stamps.size and stamps.dtype.kind not in "iu":
        raise ValueError(f"its timestamps in {name} must be integers, but are {stamps.dtype}")
    if not 0 < unit < math.inf:
        raise ValueError(f"its timestamps_unit in {name} is {unit}")
    others = set()
    for specs in SPECS_OF_DETECTORS:
        for one in hdf5_fields.part(file, f"{name}/{specs}") or ():
            if NON_PHOTON.fullmatch(one):
                found = hdf5_fields.integers(file, f"{name}/{specs}/{one}")
                others |= set(np.ravel(found).tolist())
    if others:
        is_photon = ~np.isin(ids, sorted(others))
        stamps, ids = stamps[is_photon], ids[is_photon]
    return stamps, ids, unit, others


def _seconds(file, n_spots):
    """Return the shortest and the longest duration that are sure, in seconds; None if not told."""
    found = hdf5_fields.value(file, "acquisition_duration")
    if found is None:
        return None
    found = np.ravel(np.asarray(found, dtype=float))
    if found.size not in (1, n_spots) or not np.all(np.isfinite(found)):
        raise ValueError(f"its acquisition_duration has {found.size} numbers for {n_spots} spots")
    software = hdf5_fields.value(file, "identity/software", b"")
    is_exact = isinstance(software, bytes) and hdf5_fields.text(software) == OWN
    sure = found if is_exact else found - ROUNDED_TO / 2
    return float(sure.min()), float(sure.max())


def _duration(seconds, begin, time_unit, last, path):
    """Return how long all spots were watched, but at least until the `last` photon."""
    if seconds is None:
        return last
    low, high = ((one - begin) / time_unit for one in seconds)
    if high > low and high > last:
        raise ValueError(
            f"`duration` must be given, because the spots of {path} were not all watched for the "
            f"same time, but for {seconds[0]:g} to {seconds[1]:g} s"
        )
    return max(low, last)


def _names(ids, known, labels, channels, path):
    """Return the name of the channel of each detector id, a dict, and all names in order.

    Parameters
    ----------
    ids, known : set of int
        Those of the photons and those that the file lists.
    labels : dict of int to str
    channels : sequence of str or dict of int to str or None
    path : str or Path
    """
    if is_numbered(channels):
        return named(ids, channels, path)
    every = sorted(ids | known)
    if channels is not None and not labels:
        return named(every, channels, path)
    names = {i: labels.get(i, str(i)) for i in every}
    for name in names.values():
        if name in ("", TOTAL):
            raise ValueError(
                f"{path} must have labels other than '' and {TOTAL!r}, but one is {name!r}: "
                "`channels` may name its detectors"
            )
    if channels is None:
        channels = dict.fromkeys(names.values())
        return names, channel_names(tuple(channels))
    return names, channel_names(channels)
