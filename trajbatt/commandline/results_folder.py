"""Where a command writes, and whose results are already there.

A folder of results holds `results.json`, which says what command they are of; a JSON file says it
itself. Nothing is written before a command has computed everything, and then each file at once.
Results never come into the folder of a stored run, nor a run into one of results.
"""

import contextlib
import json
import math
import os
import tempfile
from pathlib import Path

from trajbatt.base import files
from trajbatt.ensembles import store as stores

MANIFEST = "results.json"
FINISHED = "finished"  # of the parameters: how much of an interrupted run results are of
OLD_MANIFEST = stores.MANIFEST  # results once had a manifest of the name that stores have


def check_apart(folder, json_file, store):
    """Find out, before anything is computed, whether results stay out of the stores of runs.

    Parameters
    ----------
    folder : Path or None
        Of the results.
    json_file : Path or None
    store : str or None
        Where the run itself will be kept.

    Raises
    ------
    ValueError
        If any of these would come into the place of another.
    """
    if folder is not None:
        check_no_run("out", folder)
    if json_file is not None:
        for place in _homes(json_file):
            check_no_run("json", place)
        for place in (folder, None if store is None else Path(store)):
            would_be = place is not None and json_file.resolve() in _with_parents(place)
            if would_be and not json_file.is_dir():
                raise ValueError(f"`json` must be a file, but {json_file} is to be a folder")
    if store is None:
        return
    kept = Path(store)
    if folder is not None and _is_same(folder, kept):
        raise ValueError(f"`out` must not be the folder of --store, but both are {folder}")
    if json_file is not None and any(_is_same(place, kept) for place in _homes(json_file)):
        raise ValueError(f"`json` must not be in the folder of --store, but {json_file} is")
    if _is_manifest(_manifest(kept)):
        raise ValueError(f"`store` must be a folder of its own, but {kept} holds results")


def check_no_run(argument, place):
    """Raise `ValueError` if a folder, that of the option or argument named, holds a stored run."""
    if _holds_run(place):
        raise ValueError(f"`{argument}` must not be where a run is stored, but {place} holds one")


def _holds_run(place):
    place = Path(place).resolve()  # folders on the way through ".." need not be there
    try:
        stores.read_manifest(place)
    except ValueError:
        return (place / stores.ARRAYS).is_file()  # it is being begun, or its manifest is damaged
    return True


def _is_same(place, other):
    """Whether two paths are of one folder, which need not be there yet."""
    place, other = place.resolve(), other.resolve()
    return place == other or (place.exists() and other.exists() and place.samefile(other))


def _homes(file):
    """Return the folders in which a file is, and in which it is if it is a link."""
    return file.parent, file.resolve().parent


def _with_parents(place):
    place = place.resolve()
    return (place, *place.parents)


def check(folder, files, json_file, provenance, force=False):
    """Find out, before anything is computed, whether the results of a command can be written.

    Parameters
    ----------
    folder : Path or None
    files : sequence of str
        What will be written there, beside the manifest.
    json_file : Path or None
    provenance : dict
        What is needed to repeat the command, as JSON has it.
    force : bool
        Overwrite other results.

    Raises
    ------
    ValueError
        If other results, or a file of another kind, would be overwritten, or if something cannot
        be written.
    """
    if folder is not None:
        outputs = [folder / name for name in (MANIFEST, *files)]
        found = _manifest(folder)
        if not force and (_is_manifest(found) or any(path.exists() for path in outputs)):
            _compare("out", folder, found, provenance)
        check_writable("out", folder / MANIFEST)
        for path in outputs:
            if path.is_dir():
                raise ValueError(f"`out` must be a folder for files, but {path} is a folder")
        taken = [path.resolve() for path in (*outputs, folder / OLD_MANIFEST)]
        if json_file is not None and json_file.resolve() in taken:
            raise ValueError(f"`json` must be a file of its own, but {json_file} is an output")
    if json_file is not None:
        if json_file.is_dir():
            raise ValueError(f"`json` must be a file, but {json_file} is a folder")
        if json_file.is_file() and not force:
            _compare("json", json_file, _read(json_file), provenance)
        check_writable("json", json_file, make_parents=False)


def write_results(folder, results, provenance):
    """Write the files of a command, {name: bytes}, and last its manifest."""
    # There is no moment at which a manifest tells of other results.
    (folder / MANIFEST).unlink(missing_ok=True)
    if _is_manifest(_read(folder / OLD_MANIFEST)):
        (folder / OLD_MANIFEST).unlink()
    for name, data in results.items():
        files.write(folder / name, data)
    files.write(folder / MANIFEST, (json.dumps(provenance, indent=1) + "\n").encode())


def holds_more(place, finished):
    """Whether a folder of results, or a JSON file, has more than `finished` trajectories of a run.

    Whole results always do, whatever they are of.
    """
    found = _manifest(place) if place.is_dir() else _read(place)
    if not isinstance(found, dict) or not isinstance(found.get("parameters"), dict):
        return False
    return found["parameters"].get(FINISHED, math.inf) >= finished


def _manifest(folder):
    """Return what the manifest in a folder says, or None; that of older results has another name.

    A file of the older name that is no manifest is somebody else's.
    """
    if (folder / MANIFEST).exists():
        return _read(folder / MANIFEST)
    older = _read(folder / OLD_MANIFEST)
    return older if _is_manifest(older) else None


def _is_manifest(found):
    """Whether a JSON value is the manifest of results: a provenance, and nothing else."""
    return isinstance(found, dict) and set(found) == {"command", "version", "parameters"}


def check_writable(argument, path, make_parents=True):
    """Raise `ValueError` if a file of an option cannot be written, perhaps in new folders."""
    parent = path.parent
    while make_parents and not _exists(argument, parent):
        parent = parent.parent
    if not parent.is_dir():
        raise ValueError(f"`{argument}` must be in a folder, but {parent} is none")
    is_there = _exists(argument, path)
    target = path if is_there else parent
    if not os.access(target, os.W_OK):
        raise ValueError(f"`{argument}` must be writable, but {target} is not")
    if is_there and not path.is_file():
        return  # such as /dev/stdout
    _try(argument, path)


def _exists(argument, path):
    try:
        return path.exists()
    except OSError as error:  # such as a name that is too long
        raise ValueError(
            f"`{argument}` must be writable, but {path} is not: {error.strerror}"
        ) from None


def _try(argument, path):
    """Find out by doing it whether a file can be written: not all that denies it is a permission.

    Such as /proc, a name that is too long, or a file system that is full or read-only. Nothing is
    left behind.
    """
    made = []
    try:
        for folder in reversed([one for one in path.parents if not one.exists()]):
            folder.mkdir()
            made.append(folder)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        os.close(handle)
        os.unlink(name)
    except OSError as error:
        place = path if path.parent.exists() else path.parent
        raise ValueError(
            f"`{argument}` must be writable, but {place} is not: {error.strerror}"
        ) from None
    finally:
        for folder in reversed(made):
            with contextlib.suppress(OSError):  # somebody else has put something there meanwhile
                folder.rmdir()


def _read(path):
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError):
        return None


def _compare(argument, place, found, wanted):
    difference = _difference(found, wanted)
    if difference:
        raise ValueError(
            f"`{argument}` must not hold another run's results, but {place} does ({difference}): "
            f"choose another with --{argument}, or --force to overwrite"
        )


def _difference(found, wanted):
    """Say in words how two provenances differ; empty if they do not."""
    if not isinstance(found, dict) or not isinstance(found.get("parameters"), dict):
        return "not written by trajbatt"
    for name in ("command", "version"):
        if found.get(name) != wanted[name]:
            return f"{name} {found.get(name)} there, {wanted[name]} now"
    there, now = found["parameters"], wanted["parameters"]
    for name in {**there, **now}:
        if name == FINISHED:
            continue  # a part of a run makes way for more of it
        if there.get(name) != now.get(name):
            return f"{name} {there.get(name)} there, {now.get(name)} now"
    return ""
