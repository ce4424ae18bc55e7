"""Clicks to and from other programs: arrays, time tags, CSV, Photon-HDF5, PTU, QuTiP results."""

from trajbatt.exchange.about import about_model, read_about
from trajbatt.exchange.csv_files import read_csv, write_csv
from trajbatt.exchange.current_csv import read_current_csv, write_current_csv
from trajbatt.exchange.photon_hdf5 import write_photon_hdf5
from trajbatt.exchange.photon_hdf5_reading import read_photon_hdf5
from trajbatt.exchange.ptu import read_ptu
from trajbatt.exchange.qutip_results import from_qutip
from trajbatt.exchange.structured import from_structured, to_structured
from trajbatt.exchange.tags import read_tags

__all__ = [
    "about_model",
    "from_qutip",
    "from_structured",
    "read_about",
    "read_csv",
    "read_current_csv",
    "read_photon_hdf5",
    "read_ptu",
    "read_tags",
    "to_structured",
    "write_csv",
    "write_current_csv",
    "write_photon_hdf5",
]
