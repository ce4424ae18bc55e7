"""Clicks as Photon-HDF5 files: integer timestamps with a unit, and detector ids.

A trajectory is a *spot* of the format, with a group of photon data and detectors of its own. Every
field carries the description that the format's specification (photon-hdf5.org) gives it, as its
validator wants.
"""

import io
import time
from pathlib import Path
from typing import Any

import numpy as np

from trajbatt.base import checks, files
from trajbatt.base.checks import shown
from trajbatt.base.types import PathLike
from trajbatt.base.version import __version__
from trajbatt.exchange.hdf5_fields import h5py_or_error
from trajbatt.exchange.photon_hdf5_reading import ABOUT, SPIN_PLACE
from trajbatt.light.clicks import Clicks
from trajbatt.light.input import check_clicks

ROOT = "A file format for photon-counting detector based single-molecule spectroscopy experiments."
GROUPS = {
    "setup": "Information about the experimental setup.",
    "setup/detectors": "Metadata relative to each detector's pixel. "
    "Each field is an array with size equal to the number of the detectors.",
    "identity": "Information about the Photon-HDF5 data file.",
}
USER = {"user": "A custom group.", ABOUT: "What the photons come from."}
PHOTONS = "Group containing arrays of photon-data."
STAMPS = (
    "Array of photon timestamps. "
    "Units specified in timestamps_units (defined in timestamps_specs/)."
)
IDS = "Array of pixel IDs for each timestamp."
SPECS = "Specifications for timestamps."
UNIT = "Value of 1-unit timestamp-increment in seconds."


def write_photon_hdf5(
    clicks: Clicks,
    path: PathLike,
    time_unit: float = 1.0,
    tick: float | None = None,
    about: dict[str, Any] | None = None,
) -> None:
    """Write clicks as a Photon-HDF5 file.

    What they know of `spin` is in the group user/trajbatt.

    Parameters
    ----------
    clicks : Clicks
    path : str or Path
    time_unit : float
        How many seconds the clicks' unit of time is.
    tick : float, optional
        Seconds between timestamps; by default 2^-52 of the duration.
    about : dict of str to object, optional
        What else is to be in the file, in the group user/trajbatt, such as `about_model(model)`;
        `read_about` reads it.

    Returns
    -------
    None

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
    for name in clicks.channels:
        if not name.isprintable():
            raise ValueError(
                "`clicks` must be of channels with printable names for a file, but one is "
                f"{shown(name)}"
            )
    memory = io.BytesIO()
    with h5py_or_error().File(memory, "w") as file:
        file.attrs["TITLE"] = np.bytes_(ROOT)
        has_more = bool(about) or clicks.spin is not None
        for name, words in (GROUPS | (USER if has_more else {})).items():
            file.create_group(name).attrs["TITLE"] = np.bytes_(words)
        for name, value, words in _fields(clicks, Path(path), seconds):
            _put(file, name, value, words)
        for name, value in (about or {}).items():
            _put(file, f"{ABOUT}/{name}", value, "A parameter, in the clicks' unit of time.")
        if clicks.spin is not None:
            _put(file, SPIN_PLACE, clicks.spin, "2J after each photon, spot by spot.")
        _put_photons(file, clicks, time_unit / tick, tick)
    files.write(Path(path), memory.getvalue())


def _put(parent, name, value, words):
    if isinstance(value, str):
        value = np.bytes_(value.encode(errors="replace"))
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
