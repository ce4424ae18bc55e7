"""Clicks as Photon-HDF5 files: integer timestamps with a unit, and detector ids.

A trajectory is a *spot* of the format, with a group of photon data and detectors of its own. Every
field carries the description that the format's specification (photon-hdf5.org) gives it, as its
validator wants.
"""

import errno
import io
import os
import re
import time
from pathlib import Path

import numpy as np

from trajbatt.base import checks, files
from trajbatt.base.version import __version__
from trajbatt.light.checking import channel_names
from trajbatt.light.input import assembled, check_clicks

ROOT = "A file format for photon-counting detector based single-molecule spectroscopy experiments."
GROUPS = {
    "setup": "Information about the experimental setup.",
    "setup/detectors": "Metadata relative to each detector's pixel. "
    "Each field is an array with size equal to the number of the detectors.",
    "identity": "Information about the Photon-HDF5 data file.",
}
PHOTONS = "Group containing arrays of photon-data."
STAMPS = (
    "Array of photon timestamps. "
    "Units specified in timestamps_units (defined in timestamps_specs/)."
)
NEEDED = ("timestamps", "timestamps_specs/timestamps_unit")
IDS = "Array of pixel IDs for each timestamp."
SPECS = "Specifications for timestamps."
UNIT = "Value of 1-unit timestamp-increment in seconds."


def write_photon_hdf5(clicks, path, time_unit=1.0, tick=None):
    """Write clicks as a Photon-HDF5 file.

    Parameters
    ----------
    clicks : Clicks
    path : str or Path
    time_unit : float
        How many seconds the clicks' unit of time is.
    tick : float, optional
        Seconds between timestamps; by default 2^-52 of the duration.

    Raises
    ------
    ImportError
        Without h5py, which the extra `netcdf` brings.
    ValueError, TypeError
        If an argument is out of its range.
    """
    check_clicks(clicks)
    time_unit = checks.positive("time_unit", time_unit)
    seconds = clicks.duration * time_unit
    tick = (seconds or 1.0) / 2**52 if tick is None else checks.positive("tick", tick)
    if seconds / tick >= 2**63:
        raise ValueError(
            f"`tick` must be at least {seconds / 2**63:g} for 64-bit timestamps, but is {tick:g}"
        )
    if tick > seconds > 0:
        raise ValueError(f"`tick` must be below the duration, {seconds:g} s, but is {tick:g}")
    memory = io.BytesIO()
    with _h5py().File(memory, "w") as file:
        file.attrs["TITLE"] = np.bytes_(ROOT)
        for name, words in GROUPS.items():
            file.create_group(name).attrs["TITLE"] = np.bytes_(words)
        for name, value, words in _fields(clicks, Path(path), seconds):
            _put(file, name, value, words)
        _put_photons(file, clicks, time_unit / tick, tick)
    files.write(Path(path), memory.getvalue())


def read_photon_hdf5(path, time_unit=1.0, channels=None, duration=None):
    """Return the `Clicks` in a Photon-HDF5 file; several spots are several trajectories.

    Parameters
    ----------
    path : str or Path
    time_unit : float
        How many seconds the clicks' unit of time is to be.
    channels : sequence of str, optional
        The channel of each detector id, in ascending order; by default the labels in the file.
    duration : float, optional
        How long the light was watched, in the clicks' unit of time; by default as long as the file
        says, or until the last photon if that is later.

    Returns
    -------
    Clicks

    Raises
    ------
    ImportError
        Without h5py, which the extra `netcdf` brings.
    OSError
        If there is no file.
    ValueError
        If it is no such file, or timestamps are out of order.
    """
    time_unit = checks.positive("time_unit", time_unit)
    h5py = _h5py()
    if not Path(path).exists():
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
    try:
        with h5py.File(path, "r") as file:
            spots = [_photons(file, name) for name in _spots(file)]
            setup = (_optional(file, f"setup/detectors/{name}") for name in ("id", "label"))
            known, labels = (np.atleast_1d(one) for one in setup)
            seconds = float(np.sum(_optional(file, "acquisition_duration")))
    except (OSError, RuntimeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} must be a Photon-HDF5 file, but: {error}") from None
    if not spots:
        raise ValueError(f"{path} must be a Photon-HDF5 file, but has no group photon_data")
    trajectory = np.repeat(np.arange(len(spots)), [stamps.size for stamps, _, _ in spots])
    time = np.concatenate([stamps * (unit / time_unit) for stamps, _, unit in spots])
    ids = np.concatenate([ids for _, ids, _ in spots])
    labels = _labels(ids, known, labels, channels, path)
    if duration is None:
        # The format's own writer rounds it to a tenth of a second, and counts from the first one.
        duration = max(seconds / time_unit, time.max(initial=0.0))
    names = [labels[i] for i in ids.tolist()]
    channels = tuple(dict.fromkeys(labels.values()))
    return assembled(trajectory, time, names, channels, len(spots), duration)


def _optional(file, name):
    """Return what a field holds; an empty array if there is none."""
    return file[name][()] if name in file else np.empty(0)


def _spots(file):
    """Return the names of the groups of photons, in order."""
    return sorted(
        (name for name in file if re.fullmatch(r"photon_data\d*", name)),
        key=lambda name: int(name.removeprefix("photon_data") or 0),
    )


def _photons(file, name):
    """Return the timestamps, the detector ids and the unit in seconds of a spot.

    Raises
    ------
    ValueError
    """
    group = file[name]
    for one in NEEDED:
        if one not in group:
            raise ValueError(f"it has no {one} in {name}")
    stamps, unit = group["timestamps"][:], float(np.squeeze(group[NEEDED[1]][()]))
    ids = group["detectors"][:] if "detectors" in group else np.zeros(stamps.size, dtype=np.int64)
    if stamps.ndim != 1 or ids.shape != stamps.shape:
        raise ValueError(
            f"its timestamps and detectors in {name} have the shapes {stamps.shape} and {ids.shape}"
        )
    if not unit > 0:
        raise ValueError(f"its timestamps_unit in {name} is {unit}")
    return stamps, ids, unit


def _labels(ids, known, labels, channels, path):
    """Return the name of the channel of each detector id, a dict.

    Parameters
    ----------
    ids : ndarray (n_clicks,)
    known, labels : ndarray (n,) or (0,)
        Those of the file's setup.
    channels : sequence of str or None
        Names that go before these.
    """
    if labels.size and labels.shape != known.shape:
        raise ValueError(
            f"{path} must be a Photon-HDF5 file, but has {labels.size} labels for {known.size} "
            "detectors"
        )
    every = np.union1d(ids, known).astype(int).tolist()
    if channels is not None:
        channels = channel_names(channels)
        if len(channels) != len(every):
            raise ValueError(
                f"`channels` must name the {len(every)} detectors of {path}, "
                f"but names {len(channels)}"
            )
        return dict(zip(every, channels, strict=True))
    words = [one.decode() if isinstance(one, bytes) else str(one) for one in labels.tolist()]
    return {i: str(i) for i in every} | dict(zip(known.tolist(), words, strict=False))


def _put(parent, name, value, words):
    if isinstance(value, str):
        value = np.bytes_(value.encode())
    parent[name] = value
    parent[name].attrs["TITLE"] = np.bytes_(words)


def _put_photons(file, clicks, ticks, tick):
    """Write a group of photon data for each trajectory."""
    last = np.floor(clicks.duration * ticks)  # so that no click comes back after the end
    stamps = np.minimum(np.rint(clicks.time * ticks), last).astype(np.int64)
    offsets = clicks.offsets
    n_channels = len(clicks.channels)
    id_type = np.min_scalar_type(clicks.ntraj * n_channels)
    counts = np.zeros(clicks.ntraj * n_channels, dtype=np.int64)
    for spot in range(clicks.ntraj):
        part = slice(offsets[spot], offsets[spot + 1])
        group = file.create_group("photon_data" if clicks.ntraj == 1 else f"photon_data{spot}")
        group.attrs["TITLE"] = np.bytes_(PHOTONS)
        ids = (spot * n_channels + clicks.channel[part].astype(np.int64)).astype(id_type)
        counts += np.bincount(ids, minlength=counts.size)
        _put(group, "timestamps", stamps[part], STAMPS)
        _put(group, "detectors", ids, IDS)
        group.create_group("timestamps_specs").attrs["TITLE"] = np.bytes_(SPECS)
        _put(group, "timestamps_specs/timestamps_unit", tick, UNIT)
    labels = [name.encode() for name in clicks.channels]
    for name, values, words in (
        ("id", np.arange(counts.size, dtype=id_type), "Detector IDs as they appear on "
         "/photon_data/detectors."),
        ("label", np.tile(labels, clicks.ntraj), "Labels (strings) "
         "describing each detector."),
        ("counts", counts, "Total number of counts detected by each detector."),
        ("spot", np.repeat(np.arange(clicks.ntraj), n_channels), "Spot number for each pixel in "
         "the measurement."),
    ):  # fmt: skip
        _put(file, f"setup/detectors/{name}", values, words)


def _fields(clicks, path, seconds):
    """Return the (name, value, description) of what there is beside the photons."""
    n_channels = len(clicks.channels)
    return (
        ("acquisition_duration", seconds, "Measurement duration in seconds."),
        (
            "description",
            "photons of a quantum battery",
            "A user-defined comment describing the data file.",
        ),
        ("format_name", "Photon-HDF5", "Name of the file format."),
        ("format_version", "0.5", "Version for the Photon-HDF5 format."),
        ("setup/num_pixels", n_channels * clicks.ntraj, "Total number of detector pixels."),
        (
            "setup/num_spots",
            clicks.ntraj,
            'Number of excitation (or detection) "spots" in the sample.',
        ),
        (
            "setup/num_spectral_ch",
            n_channels,
            "Number of distinct spectral bands which are acquired.",
        ),
        (
            "setup/num_polarization_ch",
            1,
            "Number of distinct polarization states which are acquired.",
        ),
        (
            "setup/num_split_ch",
            1,
            "Number of distinct detection channels detecting the same spectral band and "
            "polarization. This value is > 1 when using a non-polarizing beam splitter.",
        ),
        (
            "setup/modulated_excitation",
            False,
            "True (i.e. 1) if there is any form of excitation modulation of excitation wavelength "
            "(as in us-ALEX or PAX) or polarization. This field is also True for pulse-interleaved "
            "excitation (PIE) or ns-ALEX measurements.",
        ),
        (
            "setup/lifetime",
            False,
            "True (i.e. 1) if the measurement includes a nanotimes array of photon arrival times "
            "with respect to a laser pulse (as in TCSPC measurements).",
        ),
        (
            "setup/excitation_cw",
            np.array([True]),
            "For each excitation source, this field indicates whether excitation is continuous "
            "wave (CW), True (i.e. 1), or pulsed, False (i.e. 0).",
        ),
        (
            "setup/excitation_alternated",
            np.array([False]),
            "New in version 0.5. Indicates whether each excitation source is alternated (True, or "
            "1) or not alternated (False, or 0).",
        ),
        (
            "identity/software",
            "trajbatt",
            "Name of the software used to create the current Photon-HDF5 file.",
        ),
        (
            "identity/software_version",
            __version__,
            "Version of the software used to create current the Photon-HDF5 file.",
        ),
        ("identity/format_name", "Photon-HDF5", "Name of the file format."),
        ("identity/format_version", "0.5", "Version for the Photon-HDF5 format."),
        (
            "identity/format_url",
            "http://photon-hdf5.org/",
            "Official URL for the Photon-HDF5 format.",
        ),
        (
            "identity/creation_time",
            time.strftime("%Y-%m-%d %H:%M:%S"),
            "Creation time of the current Photon-HDF5 file.",
        ),
        (
            "identity/filename",
            path.name,
            "Original file name of the current Photon-HDF5 file (i.e. file name at creation time).",
        ),
    )


def _h5py():
    try:
        import h5py
    except ImportError:
        raise ImportError("h5py is needed for this: pip install h5py") from None
    return h5py
