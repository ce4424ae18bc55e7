"""Run numbered pieces of work on any executor and take the results in order."""

import os
from collections import deque
from concurrent.futures import Executor, ThreadPoolExecutor

from trajbatt import checks

IN_FLIGHT = 64  # pieces submitted ahead to an executor of unknown size


def ordered(function, arguments, executor=None, threads=None):
    """Yield `function(*args)` for each args in `arguments`, in that order.

    At most a few pieces are in flight at once, so results do not pile up. When the consumer stops
    early, or an error or Ctrl-C ends the run, the pieces not yet begun are cancelled.

    Parameters
    ----------
    function : callable
        At module level, so that process pools and clusters can pickle it.
    arguments : iterable of tuple
    executor : concurrent.futures.Executor, optional
        Left open at the end. By default, threads in this process.
    threads : int, optional
        How many threads, if there is no executor; all cores by default.
    """
    if executor is not None:
        if not hasattr(executor, "submit"):
            raise TypeError(
                f"`executor` must have the interface of concurrent.futures.Executor, "
                f"but is {executor!r}"
            )
        yield from _submitted(function, arguments, executor, IN_FLIGHT)
        return
    if threads is None:
        threads = _cores()
    if checks.integer("threads", threads, 1) == 1:
        yield from (function(*args) for args in arguments)
        return
    with ThreadPoolExecutor(threads) as pool:
        yield from _submitted(function, arguments, pool, 2 * threads)


def _cores():
    """Return the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _submitted(function, arguments, executor: Executor, in_flight):
    pending = deque()
    try:
        for args in arguments:
            pending.append(executor.submit(function, *args))
            if len(pending) >= in_flight:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        for future in pending:
            future.cancel()
