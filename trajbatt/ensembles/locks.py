"""One writer at a time: the lock of a folder."""

from pathlib import Path

from filelock import FileLock, Timeout

LOCK = "lock"
NO_LOCKS = (
    "`store` must be on a filesystem with file locks to be written to, but {} is on one without"
)


def acquire(place):
    """Return the lock of a folder, held; it dies with the process.

    Raises
    ------
    ValueError
        If another process holds it, or if the filesystem knows no locks.
    """
    path = Path(place) / LOCK
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        reason = _why_not(path)
        if reason is not None:
            raise ValueError(f"{NO_LOCKS.format(place)} ({reason})") from None
        raise ValueError(
            f"`store` must not be in use, but another process writes to {place}"
        ) from None
    except (NotImplementedError, OSError) as error:
        reason = _why_not(path)
        if reason is None:
            raise
        raise ValueError(f"{NO_LOCKS.format(place)} ({reason})") from error
    return lock


def _why_not(path):
    """Return why a file cannot be locked, but for that somebody else has locked it; else None."""
    try:
        import fcntl
    except ImportError:  # Windows locks everywhere
        return None
    try:
        with path.open("ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return None
    except OSError as error:
        return error.strerror
    return None
