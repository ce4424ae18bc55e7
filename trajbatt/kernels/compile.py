"""How the kernels are compiled."""

import functools

from numba import njit


def kernel(function=None, *, reassociate=False):
    """Compile `function` without the GIL, cached on disk where a folder can be written.

    `reassociate` lets the compiler reorder sums, and so vectorise them; results then differ in the
    last bits between kinds of processor. It is used where sums are read off, never where random
    decisions are taken.
    """
    if function is None:
        return functools.partial(kernel, reassociate=reassociate)
    options = {
        "nogil": True,
        "error_model": "numpy",
        "fastmath": {"reassoc", "contract", "nsz"} if reassociate else False,
    }
    try:
        return njit(cache=True, **options)(function)
    except RuntimeError:  # no folder for the cache can be written
        return njit(**options)(function)
