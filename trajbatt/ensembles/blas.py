"""Chunks run side by side, so each takes one thread for its products of matrices.

Libraries of linear algebra take all cores for a small product, too, and keep them busy waiting for
the next one.
"""

import threading
from contextlib import contextmanager
from functools import cache
from typing import Any

_lock = threading.Lock()
_limits: list[Any] = []  # one of each chunk at work; the first restores what was before


@contextmanager
def one_blas_thread():
    """Let products of matrices take one thread each while any of these contexts lasts."""
    with _lock:
        _limits.append(_libraries().limit(limits=1, user_api="blas") if not _limits else None)
    try:
        yield
    finally:
        with _lock:
            if len(_limits) == 1:
                _limits[0].restore_original_limits()
                _limits.clear()
            else:
                _limits.remove(None)


@cache
def _libraries():
    import scipy.linalg  # noqa: F401, which brings a library of its own
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()
