"""Run numbered pieces of work on any executor, and try again what fails."""

import os
import warnings
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, ThreadPoolExecutor, wait

from trajbatt.base import checks

IN_FLIGHT = 512  # pieces submitted ahead to an executor of unknown size
ATTEMPTS = 3


def finished(function, pieces, executor=None, threads=None):
    """Yield (i, function(*pieces[i])) for each piece i as soon as it is there, in any order.

    At most a few pieces are ahead of the oldest unfinished one, so results do not pile up. A piece
    that fails on an executor is tried again. If the executor itself is broken, as a process pool is
    when one of its workers is killed, threads in this process do the rest. When the consumer stops
    early, or an error or Ctrl-C ends the run, the pieces not yet begun are cancelled.

    Parameters
    ----------
    function : callable
        At module level, so that process pools and clusters can pickle it.
    pieces : dict of int to tuple
        The arguments of each numbered piece; the lowest numbers come first.
    executor : concurrent.futures.Executor, optional
        Left open at the end. By default, threads in this process.
    threads : int, optional
        How many threads, if there is no executor; all cores by default.

    Raises
    ------
    RuntimeError
        If a piece fails every time; it names the piece and the cause.
    """
    check_workers(executor, threads)
    threads = threads or _cores()
    if executor is not None:
        yield from _on_executor(function, pieces, executor, threads)
    elif threads == 1:
        for i in sorted(pieces):
            yield i, _attempt(i, 1, function, *pieces[i])
    else:
        with ThreadPoolExecutor(threads) as pool:
            yield from _submitted(function, pieces, pool, 2 * threads, 1)


def check_workers(executor, threads):
    """Raise `TypeError` or `ValueError` if one of the two cannot work."""
    if executor is not None and not hasattr(executor, "submit"):
        raise TypeError(
            "`executor` must have the interface of concurrent.futures.Executor, "
            f"but is {executor!r}"
        )
    if threads is not None:
        checks.integer("threads", threads, 1)


def ordered(function, pieces, executor=None, threads=None):
    """Yield the results in the order of the pieces' numbers; else as `finished`."""
    numbers = iter(sorted(pieces))
    following, waiting = next(numbers, None), {}
    for i, result in finished(function, pieces, executor, threads):
        waiting[i] = result
        while following in waiting:
            yield waiting.pop(following)
            following = next(numbers, None)


def _cores():
    """Return the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _attempt(i, attempt, call, *arguments):
    """Return call(*arguments), or raise a `RuntimeError` that names piece i."""
    try:
        return call(*arguments)
    except (BrokenExecutor, MemoryError):
        raise
    except Exception as cause:
        times = "once" if attempt == 1 else f"{attempt} times"
        raise RuntimeError(f"chunk {i} failed {times}: {cause!r}") from cause


def _on_executor(function, pieces, executor, threads):
    left = dict(pieces)
    try:
        for i, result in _submitted(function, left, executor, IN_FLIGHT, ATTEMPTS):
            del left[i]
            yield i, result
    except BrokenExecutor as cause:
        warnings.warn(
            f"the executor is broken ({cause or type(cause).__name__}); "
            "threads in this process do the rest",
            RuntimeWarning,
            stacklevel=2,
        )
        with ThreadPoolExecutor(threads) as pool:
            yield from _submitted(function, left, pool, 2 * threads, 1)


def _again(attempt, function, *arguments):
    """Do the work; `attempt` makes it another task to executors that remember failed ones."""
    return function(*arguments)


def _submitted(function, pieces, executor, ahead, attempts):
    """Yield (i, result) for the numbered `pieces` {i: arguments} as they finish."""
    numbers = iter(sorted(pieces))
    futures, failures = {}, {}

    def submit(i):
        failed = failures.get(i, 0)
        call = (_again, failed, function) if failed else (function,)
        try:
            future = executor.submit(*call, *pieces[i])
        except RuntimeError as cause:
            if "shutdown" in str(cause):  # as results that outlive their pool find it
                raise BrokenExecutor("it is shut down") from cause
            raise
        futures[future] = i

    try:
        upcoming = next(numbers, None)
        while futures or upcoming is not None:
            oldest = min(futures.values(), default=upcoming)
            while upcoming is not None and upcoming < oldest + ahead:
                submit(upcoming)
                upcoming = next(numbers, None)
            for future in wait(futures, return_when=FIRST_COMPLETED).done:
                i = futures.pop(future)
                try:
                    result = _attempt(i, failures.get(i, 0) + 1, future.result)
                except RuntimeError:
                    failures[i] = failures.get(i, 0) + 1
                    if failures[i] >= attempts:
                        raise
                    del future
                    submit(i)
                else:
                    yield i, result
    except BrokenExecutor:
        raise  # it fails its own futures, and must not find them cancelled meanwhile
    except BaseException:
        for future in futures:
            future.cancel()
        raise
