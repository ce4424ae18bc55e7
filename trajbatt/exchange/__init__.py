"""Clicks to and from other programs: NumPy structured arrays, CSV, Photon-HDF5, QuTiP results."""

from trajbatt.exchange.csv_files import read_csv, write_csv
from trajbatt.exchange.photon_hdf5 import read_photon_hdf5, write_photon_hdf5
from trajbatt.exchange.qutip_results import from_qutip
from trajbatt.exchange.structured import from_structured, to_structured

__all__ = [
    "from_qutip",
    "from_structured",
    "read_csv",
    "read_photon_hdf5",
    "to_structured",
    "write_csv",
    "write_photon_hdf5",
]
