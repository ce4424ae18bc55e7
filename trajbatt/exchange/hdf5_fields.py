"""Fields of an HDF5 file from anywhere: no link and no storage leads to other files."""

import numpy as np

from trajbatt.base import memory

SHARE = 8  # of the memory, that what a field declares may take


def h5py_or_error():
    """Return h5py, or raise `ImportError` that says how to get it."""
    try:
        import h5py
    except ImportError:
        raise ImportError("h5py is needed for this: pip install h5py") from None
    return h5py


def part(file, name):
    """Return the group or dataset of a name, with slashes, or None if there is none.

    Raises
    ------
    ValueError
        If it is a link, soft or external, or in one.
    """
    h5py = h5py_or_error()
    found = file
    for word in name.split("/"):
        if not isinstance(found, h5py.Group):
            return None
        link = found.get(word, getlink=True)
        if link is None:
            return None
        if not isinstance(link, h5py.HardLink):
            raise ValueError(f"its {name} is a link, and links are not followed")
        found = found[word]
    return found


def value(file, name, otherwise=None):
    """Return what a dataset holds, as NumPy has it; `otherwise` if there is none.

    Raises
    ------
    ValueError
        If it is no dataset, or stored elsewhere, or declares what it does not hold or what the
        memory does not hold.
    """
    h5py = h5py_or_error()
    found = part(file, name)
    if found is None:
        return otherwise
    if not isinstance(found, h5py.Dataset):
        raise ValueError(f"its {name} is a group, not a dataset")
    if found.external or found.is_virtual:
        raise ValueError(f"its {name} is stored in another file, which is not read")
    if found.shape is None:
        raise ValueError(f"its {name} is empty")
    if found.size and found.id.get_storage_size() == 0 and found.ndim:
        raise ValueError(f"its {name} declares {found.size:.3g} values, but holds none")
    if found.size * found.dtype.itemsize > memory.of_machine() // SHARE:
        raise ValueError(f"its {name} declares {found.size:.3g} values, too many for the memory")
    return found[()]


def integers(file, name):
    """Return an array of integers, or None if there is none.

    Raises
    ------
    ValueError
        As `value`, and if they are no integers.
    """
    found = value(file, name)
    if found is None:
        return None
    found = np.asarray(found)
    if found.size and found.dtype.kind not in "iu":
        raise ValueError(f"its {name} must be integers, but is {found.dtype}")
    return found


def text(word):
    """Return a text of a file as str.

    Raises
    ------
    ValueError
        If it is not in UTF-8.
    """
    if not isinstance(word, bytes):
        return str(word)
    try:
        return word.decode()
    except UnicodeDecodeError:
        raise ValueError(f"its text {word[:40]!r} is not in UTF-8") from None
