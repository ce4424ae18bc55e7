"""Threads of this process that do pieces of work, and that nobody has to wait for.

The pools of the standard library wait for the work that is running when they are left, and the
interpreter for them when it ends. Here Ctrl-C, an error or a consumer that has enough leave at
once: running pieces are told to stop, and those that cannot yet, because a compiled function is at
work, end on their own, their results unread.
"""

import threading
import time
from concurrent.futures import Future
from queue import Empty, SimpleQueue

GRACE = 0.1  # seconds for running pieces to stop


class NotWantedError(Exception):
    """Nobody waits for this piece of work any more."""


def check_wanted():
    """Raise `NotWantedError` in a thread whose pool was left; long pieces of work ask."""
    pool = _own_pool()
    if pool is not None and pool.left:
        raise NotWantedError


def _own_pool():
    """Return the pool that this thread belongs to, or None."""
    return getattr(threading.current_thread(), "pool", None)


class Workers:
    """A pool of threads, with as much of the interface of an executor as is needed.

    Parameters
    ----------
    threads : int
    """

    def __init__(self, threads):
        self._left = False
        self._above = _own_pool()  # of the piece of work that makes this pool
        self._work = SimpleQueue()
        self._threads = [
            threading.Thread(target=self._run, name=f"trajbatt-{i}", daemon=True)
            for i in range(threads)
        ]
        for thread in self._threads:
            thread.pool = self

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        """Leave: what has not begun is cancelled, what is running is told to stop."""
        self._left = True
        while True:
            try:
                self._work.get_nowait()[0].cancel()
            except Empty:
                break
        for _ in self._threads:
            self._work.put(None)
        deadline = time.monotonic() + GRACE
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(max(0.0, deadline - time.monotonic()))

    @property
    def left(self):
        """Whether nobody waits for its work any more."""
        return self._left or (self._above is not None and self._above.left)

    def submit(self, function, *arguments):
        """Return the `Future` of function(*arguments)."""
        future = Future()
        self._work.put((future, function, arguments))
        return future

    def _run(self):
        while (item := self._work.get()) is not None:
            future, function, arguments = item
            if self.left or not future.set_running_or_notify_cancel():
                continue
            try:
                result = function(*arguments)
            except BaseException as error:
                future.set_exception(error)
            else:
                future.set_result(result)
            del item, future, function, arguments
            result = None
