"""xarray datasets, and NetCDF files that describe themselves.

The files are NetCDF-4, that is HDF5, after the CF conventions. Complex numbers are two real
variables. What has no unit of UDUNITS - quanta, and times in 1/rate - has the unit "1", and its
`long_name` says what one is.
"""

import io

import numpy as np

from trajbatt.base import checks, files
from trajbatt.base.version import __version__

SUFFIXES = (".nc", ".nc4", ".cdf", ".netcdf")


def write(dataset, path, groups=None, overwrite=True):
    """Write a dataset as a NetCDF-4 file, all at once.

    The file is made in memory: on a full disk the HDF5 library may end the interpreter.

    Parameters
    ----------
    dataset : xarray.Dataset
    path : str or os.PathLike
        It ends in .nc, .nc4, .cdf or .netcdf.
    groups : dict of str to xarray.Dataset, optional
        What goes into groups of the file.
    overwrite : bool
        Whether the file may be there.

    Raises
    ------
    ValueError, TypeError
        If it may not be written to `path`.
    """
    files.write(check_target(path, overwrite), as_bytes(dataset, groups))


def check_target(path, overwrite=True):
    """Return where a dataset goes as a `Path`.

    Raises
    ------
    ValueError, TypeError
        If it is no path, has another ending, is a folder, or is there and `overwrite` is not set.
    """
    path, overwrite = checks.path("path", path), checks.boolean("overwrite", overwrite)
    if path.suffix.lower() not in SUFFIXES and not _is_device(path):
        *others, last = SUFFIXES
        raise ValueError(f"`path` must end in {', '.join(others)} or {last}, but is {path}")
    if path.is_dir():
        raise ValueError(f"`path` must be a file, but {path} is a folder")
    if path.exists() and not _is_device(path) and not overwrite:
        raise ValueError(f"`path` must not exist, but {path} does: overwrite=True replaces it")
    return path


def _is_device(path):
    """Whether a path is of something that is no file, such as /dev/stdout."""
    return path.exists() and not path.is_file() and not path.is_dir()


def as_bytes(dataset, groups=None):
    """Return a dataset, with others in its groups, as the bytes of a NetCDF-4 file."""
    require()
    import h5netcdf
    from xarray.backends import H5NetCDFStore

    memory = io.BytesIO()
    with h5netcdf.File(memory, "w") as file:
        for name, one in {None: dataset, **(groups or {})}.items():
            for coordinate in one.coords.values():  # CF: nothing is missing in them
                coordinate.encoding.setdefault("_FillValue", None)
            if name is not None:
                file.create_group(name)
            one.dump_to_store(H5NetCDFStore(file, group=name))
    return memory.getvalue()


def variable(dimensions, values, words, unit="1"):
    """Return a variable as xarray takes it: a copy of the values, their meaning and their unit."""
    return dimensions, np.array(values), {"long_name": words, "units": unit}


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
