"""A run on disk: what it is, and its finished chunks, one file each.

`run.json` and `run.npz` say what run it is, and are written first. A chunk's file begins with the
checksum of the rest, an npz archive. Every file is written at once, so a run may be killed at any
time; what is on disk is good.
"""

import hashlib
import io
import json
import re
import warnings
from contextlib import suppress
from pathlib import Path

import numpy as np
from filelock import FileLock, Timeout

from trajbatt.base import files
from trajbatt.base.version import __version__
from trajbatt.ensembles.identity import describe, difference, rebuild
from trajbatt.ensembles.tally import Tally
from trajbatt.numerics.moments import Moments
from trajbatt.trajectories.records import Records

MANIFEST, ARRAYS, LOCK = "run.json", "run.npz", "lock"
TEMPORARY = (".run.", ".chunk-", ".coherent-")  # how files begin that are being written
CHUNK_FILE = re.compile(r"chunk-(\d+)-(\d+)\.npz")
DIGEST = 64  # characters


class Store:
    """A folder with the chunks of one run.

    Parameters
    ----------
    place : Path
    """

    def __init__(self, place):
        self._place = Path(place)
        self._lock = None

    def open(self, plan):
        """Begin to write: make the folder, or check that it holds this run. Returns self.

        Raises
        ------
        ValueError
            If it holds another run or something else, or if another process writes to it.
        OSError
            If it cannot be written.
        """
        if self._place.exists() and not self._place.is_dir():
            raise ValueError(f"`store` must be a folder, but {self._place} is a file")
        self._place.mkdir(parents=True, exist_ok=True)
        self._lock = FileLock(self._place / LOCK)
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            raise ValueError(
                f"`store` must not be in use, but another process writes to {self._place}"
            ) from None
        try:
            self._claim(plan)
        except BaseException:
            self._lock.release()
            raise
        return self

    def close(self):
        """End writing."""
        self._lock.release()
        self._lock = None

    def _claim(self, plan):
        identity, arrays = describe(plan)
        about = json.dumps({"written_by": f"trajbatt {__version__}", "run": identity}, indent=1)
        manifest = self._place / MANIFEST
        if manifest.exists():
            words = difference(read_manifest(self._place)["run"], identity)
            if words:
                raise ValueError(
                    f"`store` must hold the same run, but {self._place} holds another one ({words})"
                )
        elif any(not _is_ours(path.name) for path in self._place.iterdir()):
            raise ValueError(
                "`store` must be an empty folder or hold a run, "
                f"but {self._place} holds other files"
            )
        for path in self._place.iterdir():
            if path.name.startswith(TEMPORARY):  # of a process that was killed
                path.unlink()
        if not manifest.exists() or _content(self._place / ARRAYS) is None:
            files.write(self._place / ARRAYS, _sealed(_packed(arrays)))
        if not manifest.exists():
            files.write(manifest, (about + "\n").encode())

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
                path.unlink()
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
        files.write(self._path(chunk, size), _sealed(_packed(arrays)))
        for other_chunk, other_size in self._chunks():
            if other_chunk == chunk and other_size < size:
                self._path(chunk, other_size).unlink()

    def _chunks(self):
        """Return the number and the size of each chunk's file, sorted."""
        matches = (CHUNK_FILE.fullmatch(path.name) for path in self._place.iterdir())
        return sorted((int(match[1]), int(match[2])) for match in matches if match)

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
        """Return the `Records` of chunks {number: size}, a tuple.

        Those of a chunk that has grown since are the first of it.
        """
        found = []
        for chunk, size in sizes.items():
            larger = [other for number, other in self._chunks() if number == chunk]
            arrays = self._arrays(chunk, min(one for one in larger if one >= size))
            i, left = 0, size
            while left > 0:
                fields = (arrays[f"records_{i}_{name}"] for name in Records._fields)
                records = Records(*fields)
                n = min(left, records.origin.size)
                found.append(records.first(n))
                i, left = i + 1, left - n
        return tuple(found)

    def remembered(self, name, compute):
        """Return what `compute` returns, a tuple of arrays or None, from disk the second time.

        Nothing is written where nothing can be.
        """
        path = self._place / f"{name}.npz"
        content = _content(path)
        if content is not None:
            arrays = _unpacked(content)
            return tuple(arrays[str(i)] for i in range(len(arrays)))
        found = compute()
        if found is not None:
            packed = _packed({str(i): array for i, array in enumerate(found)})
            with suppress(OSError):
                files.write(path, _sealed(packed))
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
        """Return the `Plan` of the run."""
        identity = read_manifest(self._place)["run"]
        path = self._place / ARRAYS
        content = _content(path)
        if content is None:
            raise ValueError(f"{path} is damaged; the same call of mcsolve writes it again")
        return rebuild(identity, _unpacked(content))

    def stored_trajectories(self, plan):
        """Return how many trajectories there are up to the first gap; warn of damaged chunks."""
        largest = dict(self._chunks())
        total, chunk = 0, 0
        while chunk in largest:
            path = self._path(chunk, largest[chunk])
            if _content(path) is None:
                warnings.warn(
                    f"{path} is damaged; the same call of mcsolve computes it again",
                    RuntimeWarning,
                    stacklevel=3,
                )
                break
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
    except NotADirectoryError:
        raise ValueError(f"{place} must be a stored run, but is a file") from None
    except (OSError, ValueError):
        about = None
    if not isinstance(about, dict) or not isinstance(about.get("run"), dict) or not about["run"]:
        raise ValueError(f"{place} must be a stored run, but its {MANIFEST} is not of one")
    return about


def _is_ours(name):
    """Whether a file may be there before the manifest: of a process that was killed."""
    return name in (LOCK, ARRAYS) or name.startswith(TEMPORARY)


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
    """Return the archive in a file, or None if it is missing or damaged."""
    if not path.exists():
        return None
    data = path.read_bytes()
    digest, content = data[:DIGEST], data[DIGEST:]
    return content if hashlib.sha256(content).hexdigest().encode() == digest else None
