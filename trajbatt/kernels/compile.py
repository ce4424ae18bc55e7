"""How the kernels are compiled."""

import functools
import hashlib
import warnings
from contextlib import suppress
from pathlib import Path

from numba import config, njit
from numba.core.caching import FunctionCache


def kernel(function=None, *, reassociate=False, inline=False, counting=True):
    """Compile `function` without the GIL, cached on disk where that can be.

    `reassociate` lets the compiler reorder sums, and so vectorise them; results then differ in the
    last bits between kinds of `processor`. The kernels of the ladder have it where sums are read
    off only, so their clicks are the same everywhere; those of the other engines decide clicks by
    such sums.

    `inline` puts the kernel in the place of its calls. An array goes to a call as seven words, so
    that is faster for a short one with many arrays.

    Without `counting` the kernel counts no references to its arguments, which takes longer than the
    work of a short one, and is not left out by the compiler where a kernel that is called might
    raise. Such a kernel makes no arrays, and neither do those that it calls.
    """
    if function is None:
        return functools.partial(kernel, reassociate=reassociate, inline=inline, counting=counting)
    options = {
        "nogil": True,
        "inline": "always" if inline else "never",
        "error_model": "numpy",
        "_nrt": counting,
        "fastmath": {"reassoc", "contract", "nsz"} if reassociate else False,
    }
    compiled = njit(**options)(function)
    if not hasattr(compiled, "enable_caching"):  # with NUMBA_DISABLE_JIT it is plain Python
        return compiled
    try:
        compiled._cache = _Cache(function)
    except (RuntimeError, OSError) as error:  # no folder for the cache can be written
        _warn(error)
    return compiled


@functools.cache
def processor():
    """Return for what kind of processor kernels are compiled, such as "cascadelake-0b5d1f3a".

    Numba's variable NUMBA_CPU_NAME sets it, by default to this machine's: "generic" is the same
    kind on all machines of one architecture.
    """
    if config.DISABLE_JIT:
        return "python"
    from numba.core.registry import cpu_target

    machine, name, features = cpu_target.target_context.codegen().magic_tuple()
    return f"{name}-{hashlib.sha256((machine + features).encode()).hexdigest()[:8]}"


@functools.cache
def _sources():
    """Return what tells an edit of any kernel: the name, the size and the time of each file."""
    stats = [(path.name, path.stat()) for path in sorted(Path(__file__).parent.glob("*.py"))]
    return tuple((name, stat.st_size, stat.st_mtime_ns) for name, stat in stats)


class _Cache(FunctionCache):
    """Numba's cache, which a damaged file, a full disk or a lost folder make slow, not useless.

    Nor does it miss an edit in the file of a kernel that another one calls.
    """

    def __init__(self, function):
        super().__init__(function)
        self._cache_file._source_stamp = _sources()

    def load_overload(self, sig, target_context):
        """Return the compiled function from disk, or None, so that it is compiled."""
        try:
            return super().load_overload(sig, target_context)
        except Exception as error:  # whatever bytes that are no cache lead to
            _warn(error)
            with suppress(Exception):
                self.flush()  # the next process finds an empty cache
            return None

    def save_overload(self, sig, data):
        """Write the compiled function to disk."""
        try:
            super().save_overload(sig, data)
        except Exception as error:
            _warn(error)


_warned = []


def _warn(error):
    """Say once in a process that functions are compiled anew."""
    if _warned:
        return
    _warned.append(error)
    warnings.warn(
        f"Numba's cache cannot be used ({type(error).__name__}: {error}): functions are compiled "
        "anew, which takes a while",
        RuntimeWarning,
        stacklevel=3,
    )
