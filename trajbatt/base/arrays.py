"""Arrays that come in as copies and go out to be read."""

import numpy as np


def read_only(*arrays):
    """Forbid writing to arrays that nobody else holds, None among them; return them, or the one."""
    for array in arrays:
        if array is not None:
            array.flags.writeable = False
    return arrays[0] if len(arrays) == 1 else arrays


def copied(value):
    """Return a read-only copy of an array or a nested sequence of numbers."""
    return read_only(np.array(value))


def real_parts(array):
    """Return views of the real and the imaginary part of an array, or of the real one alone."""
    return (array.real, array.imag) if np.iscomplexobj(array) else (array,)


def padded(rows):
    """Return arrays (n_i, ...) with zeros behind, so that all are as long as the longest."""
    most = max(len(row) for row in rows)
    if all(len(row) == most for row in rows):
        return list(rows)
    return [np.pad(row, [(0, most - len(row))] + [(0, 0)] * (row.ndim - 1)) for row in rows]


class ReadOnlyPickle:
    """Whose arrays are read-only after a pickle, too, as they were before."""

    def __setstate__(self, state):
        """Take the fields of a pickle."""
        vars(self).update(state)
        arrays = [*state.values(), *(state.get("expect") or {}).values()]
        read_only(*(one for one in arrays if isinstance(one, np.ndarray)))
