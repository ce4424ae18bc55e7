"""A run on disk: what it is, and its finished chunks, one file each.

`run.json` and `run.npz` say what run it is, and are written first. A chunk's file begins with the
checksum of the rest, an npz archive. Every file is written at once, so a run may be killed at any
time; what is on disk is good.
"""

import hashlib
import io
import json
import warnings
from contextlib import suppress
from pathlib import Path

import numpy as np
from filelock import FileLock, Timeout

from trajbatt import folder
from trajbatt.chunks import Tally
from trajbatt.identity import describe, difference, rebuild
from trajbatt.moments import Moments
from trajbatt.records import Records
from trajbatt.version import __version__

MANIFEST, ARRAYS, LOCK = "run.json", "run.npz", "lock"
DIGEST = 64  # characters


class Store:
    """A folder with the chunks of one run.

    Parameters
    ----------
    place : Path
    """

    def __init__(self, place):
        self._place = Path(place)
        self._lock = FileLock(self._place / LOCK)

    def open(self, plan, initial):
        """Begin to write: make the folder, or check that it holds this run. Returns self.

        Raises
        ------
        ValueError
            If it holds another run or something else, or if another process writes to it.
        OSError
            If it cannot be written.
        """
        self._place.mkdir(parents=True, exist_ok=True)
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            raise ValueError(
                f"`store` must not be in use, but another process writes to {self._place}"
            ) from None
        try:
            self._claim(plan, initial)
        except BaseException:
            self._lock.release()
            raise
        return self

    def close(self):
        """End writing."""
        self._lock.release()

    def _claim(self, plan, initial):
        identity, arrays = describe(plan, initial)
        manifest = self._place / MANIFEST
        if manifest.exists():
            words = difference(read_manifest(self._place)["run"], identity)
            if words:
                raise ValueError(
                    f"`store` must hold the same run, but {self._place} holds another one ({words})"
                )
            return
        if any(path.name != LOCK for path in self._place.iterdir()):
            raise ValueError(
                "`store` must be an empty folder or hold a run, "
                f"but {self._place} holds other files"
            )
        folder.write(self._place / ARRAYS, _packed(arrays))
        about = {"written_by": f"trajbatt {__version__}", "run": identity}
        folder.write(manifest, (json.dumps(about, indent=1) + "\n").encode())

    def _path(self, chunk, size):
        return self._place / f"chunk-{chunk:06d}-{size}.npz"

    def find(self, sizes):
        """Return which of the chunks {number: size} are there, undamaged; warn of damaged ones."""
        found = set()
        for chunk, size in sizes.items():
            path = self._path(chunk, size)
            if not path.exists():
                continue
            if _content(path) is None:
                warnings.warn(
                    f"{path} is damaged, and is computed again", RuntimeWarning, stacklevel=2
                )
            else:
                found.add(chunk)
        return found

    def write(self, chunk, size, tally):
        """Write a chunk; smaller versions of it, of a run that ended there, go."""
        arrays = {
            "count": np.array(tally.moments.count),
            "mean": tally.moments.mean,
            "comoment": tally.moments.comoment,
            "third": tally.moments.third,
            "fourth": tally.moments.fourth,
            "checkpoint_mean": tally.checkpoints.mean,
            "checkpoint_comoment": tally.checkpoints.comoment,
            "final_counts": tally.final_counts,
            "dropped": np.array(tally.dropped),
        }
        for i, records in enumerate(tally.records):
            arrays |= {f"records_{i}_{name}": values for name, values in records._asdict().items()}
        folder.write(self._path(chunk, size), _sealed(_packed(arrays)))
        for path in self._place.glob(f"chunk-{chunk:06d}-*.npz"):
            if _size(path) < size:
                path.unlink()

    def read(self, chunk, size):
        """Return the `Tally` of a chunk, without its clicks."""
        arrays = self._arrays(chunk, size)
        count = int(arrays["count"])
        moments = Moments(
            count, *(arrays[name] for name in ("mean", "comoment", "third", "fourth"))
        )
        checkpoints = Moments(count, arrays["checkpoint_mean"], arrays["checkpoint_comoment"])
        return Tally(moments, checkpoints, arrays["final_counts"], (), float(arrays["dropped"]))

    def records(self, sizes):
        """Return the `Records` of chunks {number: size}, a tuple."""
        found = []
        for chunk, size in sizes.items():
            arrays = self._arrays(chunk, size)
            i = 0
            while f"records_{i}_time" in arrays:
                found.append(Records(*(arrays[f"records_{i}_{name}"] for name in Records._fields)))
                i += 1
        return tuple(found)

    def remembered(self, name, compute):
        """Return what `compute` returns, a tuple of arrays or None, from disk the second time.

        Nothing is written where nothing can be.
        """
        path = self._place / f"{name}.npz"
        content = _content(path) if path.exists() else None
        if content is not None:
            arrays = _unpacked(content)
            return tuple(arrays[str(i)] for i in range(len(arrays)))
        found = compute()
        if found is not None:
            packed = _packed({str(i): array for i, array in enumerate(found)})
            with suppress(OSError):
                folder.write(path, _sealed(packed))
        return found

    def _arrays(self, chunk, size):
        path = self._path(chunk, size)
        content = _content(path)
        if content is None:
            raise ValueError(f"{path} is damaged; the same call of mcsolve computes it again")
        return _unpacked(content)

    def seed(self):
        """Return the seed of the run in the folder, or None if there is none yet."""
        if not (self._place / MANIFEST).exists():
            return None
        return read_manifest(self._place)["run"]["seed"]

    def plan(self):
        """Return the `Plan` and the initial state of the run."""
        identity = read_manifest(self._place)["run"]
        return rebuild(identity, _unpacked((self._place / ARRAYS).read_bytes()))

    def stored_trajectories(self, plan):
        """Return how many trajectories there are up to the first gap."""
        largest = {}
        for path in self._place.glob("chunk-*-*.npz"):
            chunk = int(path.stem.split("-")[1])
            largest[chunk] = max(largest.get(chunk, 0), _size(path))
        total, chunk = 0, 0
        while chunk in largest:
            total += largest[chunk]
            if largest[chunk] < plan.chunk_size:
                break
            chunk += 1
        return total


def read_manifest(place):
    """Return what `run.json` in a folder holds.

    Raises
    ------
    ValueError
        If there is none, or not that of a stored run.
    """
    path = Path(place) / MANIFEST
    try:
        about = json.loads(path.read_text())
    except FileNotFoundError:
        raise ValueError(f"{place} must be a stored run, but holds no {MANIFEST}") from None
    except (OSError, ValueError):
        about = None
    if not isinstance(about, dict) or "run" not in about:
        raise ValueError(f"{place} must be a stored run, but its {MANIFEST} is not of one")
    return about


def _size(path):
    return int(path.stem.split("-")[2])


def _packed(arrays):
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def _sealed(content):
    """Put the checksum before the content."""
    return hashlib.sha256(content).hexdigest().encode() + content


def _unpacked(data):
    with np.load(io.BytesIO(data)) as archive:
        return {name: archive[name] for name in archive.files}


def _content(path):
    """Return the archive in a chunk's file, or None if it is damaged."""
    data = path.read_bytes()
    digest, content = data[:DIGEST], data[DIGEST:]
    return content if hashlib.sha256(content).hexdigest().encode() == digest else None
