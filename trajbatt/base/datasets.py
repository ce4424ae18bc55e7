"""xarray datasets, and NetCDF files that describe themselves.

The files are NetCDF-4, that is HDF5. Complex numbers are two real variables.
"""

import tempfile
from pathlib import Path

import numpy as np

from trajbatt.base import files
from trajbatt.base.version import __version__


def write(dataset, path):
    """Write a dataset as a NetCDF-4 file, all at once."""
    with tempfile.TemporaryDirectory() as place:
        whole = Path(place) / "whole.nc"
        dataset.to_netcdf(whole, engine="h5netcdf")
        files.write(Path(path), whole.read_bytes())


def variable(dimensions, values, words, unit):
    """Return a variable as xarray takes it, with its meaning and its unit."""
    return dimensions, values, {"long_name": words, "units": unit}


def require():
    """Raise `ImportError`, with what to do, without xarray and h5netcdf."""
    try:
        import h5netcdf  # noqa: F401
        import xarray  # noqa: F401
    except ImportError as error:
        raise ImportError(
            f"{error.name} is needed for this: pip install xarray h5netcdf h5py"
        ) from None


def about(title):
    """Return the attributes that every file has."""
    import numba

    return {
        "Conventions": "CF-1.11",
        "title": f"quantum battery: {title}",
        "source": f"trajbatt {__version__}",
        "versions": f"numpy {np.__version__}, numba {numba.__version__}",
    }
