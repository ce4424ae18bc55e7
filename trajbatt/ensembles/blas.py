"""Chunks run side by side, so each takes one thread for its products of matrices.

Libraries of linear algebra take all cores for a small product, too, and keep them busy waiting for
the next one.
"""

from functools import cache


def one_blas_thread():
    """Return a context in which products of matrices take one thread each.

    The thread that has entered it first in a process says so for all, as long as it lasts: that is
    the one that hands out the chunks, or in a process of its own the one that computes them.
    """
    return _libraries().limit(limits=1, user_api="blas")


@cache
def _libraries():
    import scipy.linalg  # noqa: F401, which brings a library of its own
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()
