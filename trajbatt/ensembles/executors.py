"""Run numbered pieces of work on any executor, and try again what fails."""

import os
import warnings
from collections import deque
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, wait

from trajbatt.base import checks
from trajbatt.ensembles.blas import one_blas_thread
from trajbatt.ensembles.workers import Workers

IN_FLIGHT = 512  # pieces submitted ahead to an executor of unknown size
ATTEMPTS = 3


def finished(function, pieces, executor=None, threads=None):
    """Yield (i, function(*pieces[i])) for each piece i as soon as it is there, in any order.

    At most a few pieces are ahead of the oldest unfinished one, so results do not pile up. A piece
    that fails on an executor is tried again. If the executor itself is broken, as a process pool is
    when one of its workers is killed, threads in this process do the rest. When the consumer stops
    early, or an error or Ctrl-C ends the run, the pieces not yet begun are cancelled, and threads
    of this process that are in the middle of one are not waited for.

    Parameters
    ----------
    function : callable
        At module level, so that process pools and clusters can pickle it.
    pieces : iterable of (int, tuple), or dict of int to tuple
        The number and the arguments of each piece; of an iterable, the lowest numbers first. They
        are asked for when their turn comes, so there may be any number of them.
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
    queue = _Queue(pieces)
    if executor is not None:
        yield from _on_executor(function, queue, executor, threads)
    else:
        yield from _on_threads(function, queue, threads)


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
    numbers, waiting = deque(), {}

    def noted():
        for i, arguments in _in_order(pieces):
            numbers.append(i)
            yield i, arguments

    for i, result in finished(function, noted(), executor, threads):
        waiting[i] = result
        while numbers and numbers[0] in waiting:
            yield waiting.pop(numbers.popleft())


def _in_order(pieces):
    return sorted(pieces.items()) if isinstance(pieces, dict) else pieces


class _Queue:
    """Pieces of work: those to come, and those in hand, of which no result is there yet."""

    def __init__(self, pieces):
        self._pieces = iter(_in_order(pieces))
        self.in_hand = {}
        self._again = deque()

    def begin_again(self):
        """Put what is in hand before what is to come."""
        self._again = deque(sorted(self.in_hand))

    def upcoming(self):
        """Take the next piece in hand and return its number; None if there is none."""
        if self._again:
            return self._again.popleft()
        for i, arguments in self._pieces:
            self.in_hand[i] = arguments
            return i
        return None


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


def _on_threads(function, queue, threads):
    with one_blas_thread(), Workers(threads) as pool:
        yield from _submitted(function, queue, pool, 2 * threads, 1)


def _on_executor(function, queue, executor, threads):
    try:
        yield from _submitted(function, queue, executor, IN_FLIGHT, ATTEMPTS)
    except BrokenExecutor as cause:
        warnings.warn(
            f"the executor is broken ({cause or type(cause).__name__}); "
            "threads in this process do the rest",
            RuntimeWarning,
            stacklevel=2,
        )
        queue.begin_again()
        yield from _on_threads(function, queue, threads)


def _again(attempt, function, *arguments):
    """Do the work; `attempt` makes it another task to executors that remember failed ones."""
    return function(*arguments)


def _submitted(function, queue, executor, ahead, attempts):
    """Yield (i, result) for the pieces of a `_Queue` as they finish."""
    futures, failures = {}, {}

    def submit(i):
        failed = failures.get(i, 0)
        call = (_again, failed, function) if failed else (function,)
        try:
            future = executor.submit(*call, *queue.in_hand[i])
        except RuntimeError as cause:
            if "shutdown" in str(cause):  # as results that outlive their pool find it
                raise BrokenExecutor("it is shut down") from cause
            raise
        futures[future] = i

    try:
        upcoming = queue.upcoming()
        while futures or upcoming is not None:
            oldest = min(futures.values(), default=upcoming)
            while upcoming is not None and upcoming < oldest + ahead:
                submit(upcoming)
                upcoming = queue.upcoming()
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
                    del queue.in_hand[i]
                    yield i, result
    except BrokenExecutor:
        raise  # it fails its own futures, and must not find them cancelled meanwhile
    except BaseException:
        for future in futures:
            future.cancel()
        raise
