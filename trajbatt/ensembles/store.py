"""A run on disk: what it is, and its finished chunks, one file each.

`run.json` and `run.npz` say what run it is, and are written first. A chunk's file is an npz archive
under a seal, which says the run, the law, the chunk and its size. Every file is written at once, so
a run may be killed at any time; what is on disk is good. The folder is listed when it is opened and
not again, so the time that a run takes is proportional to its chunks.
"""

import json
import os
import re
import warnings
from contextlib import suppress

import numpy as np

from trajbatt.base import checks, files
from trajbatt.ensembles import locks, manifest, seals
from trajbatt.ensembles.chunk_arrays import arrays_of, records_in, tally_of
from trajbatt.ensembles.identity import describe, difference, rebuild
from trajbatt.ensembles.locks import LOCK
from trajbatt.ensembles.manifest import ARRAYS, MANIFEST, read_manifest
from trajbatt.ensembles.plan import law_of
from trajbatt.ensembles.processors import check_kind, kind_of

__all__ = ["ARRAYS", "LOCK", "MANIFEST", "Store", "read_manifest"]

# How files begin that are being written.
TEMPORARY = (f".{MANIFEST}.", f".{ARRAYS}.", ".chunk-", ".coherent-")
CHUNK_FILE = re.compile(r"chunk-(\d+)-(\d+)\.npz")
EXPECTED = "parts.json"  # of what an array job still has to give
PART_FOLDER = re.compile(r"part-(\d+)-of-(\d+)")  # of an array job, see `trajbatt.ensembles.parts`


class Store:
    """A folder with the chunks of one run.

    Parameters
    ----------
    place : str or os.PathLike
        It stays where it is when the process goes to another folder.

    Raises
    ------
    TypeError, ValueError
        If it is no path, or an empty one.
    """

    def __init__(self, place):
        self._place = checks.path("store", place).absolute()
        self._lock = None
        self._label = None  # what the chunks' seals must say
        self._older = False  # chunks of version 0.1.0 are taken
        self._sizes = {}  # of the files of each chunk

    @property
    def place(self):
        """The folder, a Path."""
        return self._place

    def __enter__(self):
        """Return the store, which is open."""
        return self

    def __exit__(self, *_):
        """End writing."""
        self.close()

    def open(self, plan, kind=None):
        """Begin to write: make the folder, or check that it holds this run. Returns self.

        Parameters
        ----------
        plan : Plan
        kind : str, optional
            The kind of processor that has computed what will be written; that of this process.

        Raises
        ------
        ValueError
            If it holds another run or something else, or if another process writes to it. Then
            nothing was written.
        OSError
            If it cannot be written.
        """
        if self._place.exists() and not self._place.is_dir():
            raise ValueError(f"`store` must be a folder, but {self._place} is a file")
        functions = [one.name for one in plan.expectations if one.function is not None]
        if functions:
            raise ValueError(
                "`e_ops` must be operators where there is a store, "
                f"but {functions[0]!r} is a function, which cannot be written down"
            )
        identity, arrays = describe(plan)
        if self._place.exists():
            self._check(identity)  # before a lock is put there
        self._place.mkdir(parents=True, exist_ok=True)
        self._lock = locks.acquire(self._place)
        try:
            found = self._check(identity)
            if found is not None:
                check_kind("store", plan, found.processor, kind)
            for name in os.listdir(self._place):
                if name.startswith(TEMPORARY):  # of a process that was killed
                    (self._place / name).unlink()
            self._older = found is not None and found.older
            if found is None or not found.whole:
                # With chunks of an unknown kind, it stays unknown.
                known = None if found is None else found.processor
                kind = (kind or kind_of(plan)) if known or not self._has_chunks() else None
                manifest.write(self._place, identity, arrays, self._older, kind)
            self._bind(identity)
        except BaseException:
            self.close()
            raise
        return self

    def close(self):
        """End writing."""
        self._lock.release()
        self._lock = None

    def _check(self, identity):
        """Return the `Description` of the run that is there; None if a new one may begin.

        Raises
        ------
        ValueError
            If it is another one, or something else.
        """
        names = os.listdir(self._place)
        chunks = [name for name in names if CHUNK_FILE.fullmatch(name)]
        if MANIFEST not in names and not all(self._is_ours(name) for name in names):
            raise ValueError(
                "`store` must be an empty folder or hold a run, "
                f"but {self._place} holds other files"
            )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what is lost is written again
            try:
                found = manifest.described(self._place)
            except ValueError:
                if MANIFEST in names and not chunks:
                    raise
                found = None
        if MANIFEST not in names and not chunks:
            return None  # a process was killed before it wrote the manifest
        if found is not None:
            words = difference(found.run, identity)
            if words:
                raise ValueError(
                    f"`store` must hold the same run, but {self._place} holds another one ({words})"
                )
        elif chunks:
            self._check_chunks(chunks, identity)
        return found

    def _check_chunks(self, names, identity):
        """Raise `ValueError` if a chunk is not of this run: nothing but them says what is there."""
        for name in names:
            label = seals.label_of(self._place / name)
            if label is None or label.get("run") != seals.digest(identity):
                raise ValueError(
                    f"`store` must hold the same run, but in {self._place}, where {MANIFEST} and "
                    f"{ARRAYS} are lost, {name} does not say that it is of it"
                )

    def _has_chunks(self):
        return any(CHUNK_FILE.fullmatch(name) for name in os.listdir(self._place))

    def _is_ours(self, name):
        """Whether a file may be there without the manifest: of a process that was killed."""
        if name == LOCK:
            return (self._place / name).stat().st_size == 0  # else it is somebody's own
        return (
            name == ARRAYS
            or name.startswith((*TEMPORARY, "coherent-"))
            or CHUNK_FILE.fullmatch(name) is not None
            or PART_FOLDER.fullmatch(name) is not None
        )

    def _bind(self, identity):
        self._label = {"run": seals.digest(identity), "law": identity["law"]}
        self._list()

    def _list(self):
        """Look which files of chunks there are."""
        sizes = {}
        for name in os.listdir(self._place):
            match = CHUNK_FILE.fullmatch(name)
            if match:
                sizes.setdefault(int(match[1]), set()).add(int(match[2]))
        self._sizes = sizes

    def _path(self, chunk, size):
        return self._place / f"chunk-{chunk:06d}-{size}.npz"

    def expect(self, joined):
        """Write down that parts are missing, `(ntraj, number of parts)`; None if none is."""
        path = self._place / EXPECTED
        if joined is None:
            path.unlink(missing_ok=True)
        else:
            files.write(path, (json.dumps(joined) + "\n").encode())

    def missing_parts(self, plan):
        """Return ntraj and the number of parts of a joined run, and which are missing; or None."""
        try:
            ntraj, n = json.loads((self._place / EXPECTED).read_text())
        except (OSError, ValueError, TypeError):
            return None
        missing = {chunk % n + 1 for chunk, size in plan.pieces(ntraj) if not self.has(chunk, size)}
        return (ntraj, n, sorted(missing)) if missing else None

    def has(self, chunk, size):
        """Whether there is a file of a chunk; it may be damaged."""
        return size in self._sizes.get(chunk, ())

    def finished(self):
        """Return the numbers and the largest sizes of the chunks that there are, ascending."""
        return [(chunk, max(sizes)) for chunk, sizes in sorted(self._sizes.items()) if sizes]

    def arrays(self, chunk, size):
        """Return the arrays of a chunk's file; raise `SpoiltError` if it is not to be taken."""
        label = {**self._label, "chunk": chunk, "size": size}
        arrays = seals.unsealed(self._path(chunk, size), label, self._older)
        counts = arrays.get("final_counts", np.empty(0))
        if arrays.get("count") != size or counts.ndim != 2 or len(counts) != size:
            raise seals.SpoiltError(
                f"is a file of another place (it does not hold {size} trajectories)"
            )
        return arrays

    def find(self, chunks, size_of):
        """Return the numbers of the chunks that are there and good, a set; warn of others.

        Parameters
        ----------
        chunks : range
        size_of : callable
            Gives the size of a chunk.
        """
        found = set()
        for chunk in sorted(self._sizes):
            if chunk not in chunks or size_of(chunk) not in self._sizes[chunk]:
                continue
            try:
                self.arrays(chunk, size_of(chunk))
            except seals.SpoiltError as spoilt:
                self._sizes[chunk].discard(size_of(chunk))
                warnings.warn(
                    f"{self._path(chunk, size_of(chunk))} {spoilt}, and is computed again",
                    RuntimeWarning,
                    stacklevel=2,
                )
            else:
                found.add(chunk)
        return found

    def write(self, chunk, size, tally):
        """Write a chunk; smaller versions of it, of a run that ended there, go.

        Parameters
        ----------
        chunk, size : int
        tally : Tally
        """
        self.take(chunk, size, arrays_of(tally))

    def take(self, chunk, size, arrays):
        """Write a chunk that is known by its `arrays`; smaller versions of it go."""
        label = {**self._label, "chunk": chunk, "size": size}
        files.write(self._path(chunk, size), seals.sealed(arrays, label))
        sizes = self._sizes.setdefault(chunk, set())
        for smaller in [other for other in sizes if other < size]:
            self._path(chunk, smaller).unlink(missing_ok=True)
            sizes.discard(smaller)
        sizes.add(size)

    def read(self, chunk, size):
        """Return the `Tally` of a chunk, without its clicks.

        Raises
        ------
        ValueError
            If it is missing, damaged, or of another run.
        """
        return tally_of(self._wanted(chunk, size))

    def _wanted(self, chunk, size):
        try:
            return self.arrays(chunk, size)
        except seals.SpoiltError as spoilt:
            raise ValueError(
                f"{self._path(chunk, size)} {spoilt}; the same call of mcsolve computes it again"
            ) from None

    def tallies(self, plan):
        """Yield the tallies up to the first gap, in order; warn of a chunk that is not to be taken.

        The run must be known, by `plan`.
        """
        chunk = 0
        while chunk in self._sizes:
            size = max(self._sizes[chunk])
            try:
                arrays = self.arrays(chunk, size)
            except seals.SpoiltError as spoilt:
                warnings.warn(
                    f"{self._path(chunk, size)} {spoilt}; the same call of mcsolve computes it "
                    "again",
                    RuntimeWarning,
                    stacklevel=3,
                )
                return
            yield tally_of(arrays)
            if size < plan.chunk_size:
                return
            chunk += 1

    def records(self, pieces):
        """Return the `Records` of chunks, a tuple; `pieces` are pairs of a number and a size.

        Those of a chunk that has grown since are the first of it.
        """
        found = []
        for arrays, size in self._pieces(pieces):
            found += records_in(arrays, size)
        return tuple(found)

    def samples(self, pieces, names):
        """Return what was kept of the trajectories of chunks, a dict of the `names` to ndarray."""
        parts = {name: [] for name in names}
        for arrays, size in self._pieces(pieces):
            for i, part in enumerate(parts.values()):
                part.append(arrays[f"samples_{i}"][:size])
        return {name: np.concatenate(part) for name, part in parts.items()}

    def _pieces(self, pieces):
        """Yield the arrays of chunks, each with how many of its trajectories are meant."""
        fresh = False
        for chunk, size in pieces:
            arrays = None
            if size in self._sizes.get(chunk, ()):
                with suppress(seals.SpoiltError):  # it may have grown since it was listed
                    arrays = self.arrays(chunk, size)
            if arrays is None:
                if not fresh:
                    self._list()
                    fresh = True
                larger = [one for one in self._sizes.get(chunk, ()) if one >= size]
                arrays = self._wanted(chunk, min(larger, default=size))
            yield arrays, size

    def remembered(self, name, compute):
        """Return what `compute` returns, a tuple of arrays or None, from disk the second time.

        Nothing is written where nothing can be.
        """
        path, label = self._place / f"{name}.npz", {**self._label, "what": name}
        with suppress(seals.SpoiltError, OSError):
            arrays = seals.unsealed(path, label, self._older)
            return tuple(arrays[str(i)] for i in range(len(arrays)))
        found = compute()
        if found is not None:
            data = seals.sealed({str(i): array for i, array in enumerate(found)}, label)
            with suppress(OSError):
                files.write(path, data)
        return found

    def seed(self):
        """Return the seed of the run in the folder, or None if there is none yet."""
        if not any((self._place / name).exists() for name in (MANIFEST, ARRAYS)):
            return None
        try:
            return manifest.described(self._place).run["seed"]
        except ValueError:
            if (self._place / MANIFEST).exists():
                raise
            return None  # a process was killed before it wrote the manifest

    def plan(self):
        """Return the `Plan` of the run in the folder, and whether its law is that of today.

        Raises
        ------
        ValueError
            If there is no run, or it cannot be known.
        """
        if not any((self._place / name).exists() for name in (MANIFEST, ARRAYS)):
            names = os.listdir(self._place) if self._place.is_dir() else ()
            if any(PART_FOLDER.fullmatch(name) for name in names):
                raise ValueError(
                    f"{self._place} must be a stored run, but holds parts of one: merge joins them"
                )
        found = manifest.described(self._place)
        if found.arrays is None:
            raise ValueError(
                f"{self._place / ARRAYS} is damaged; the same call of mcsolve writes it again"
            )
        try:
            plan = rebuild(found.run, found.arrays)
            current = found.run["law"] == law_of(found.run["method"])
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ValueError(
                f"{self._place} must be a stored run, but its {MANIFEST} is not of one ({error})"
            ) from error
        self._older = found.older
        self._bind(found.run)
        return plan, current
