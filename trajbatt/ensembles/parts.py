"""Array jobs: the parts of a run, which know nothing of each other, and how they become one.

Chunk k of part i of n is chunk n k + i - 1 of the run: the same stream of random numbers, so what
the parts give together is, bit for bit, what one process gives. Each part is a stored run of its
own in a folder of its own, below that of the run: nobody waits for anybody, and a part that was
killed goes on where it was.
"""

import json
import shutil
from dataclasses import replace
from numbers import Integral
from pathlib import Path
from typing import NamedTuple

from trajbatt.base import checks, files
from trajbatt.base.types import PathLike
from trajbatt.ensembles import locks, manifest, seals
from trajbatt.ensembles.identity import describe, difference
from trajbatt.ensembles.load import load
from trajbatt.ensembles.plan import Plan
from trajbatt.ensembles.result import EnsembleResult
from trajbatt.ensembles.store import PART_FOLDER, Store

SHARE = "share.json"  # in the folder of a part: of how many trajectories it is a share


def checked(part):
    """Return a part (i, n), i = 1..n, as ints; None for the whole run.

    Raises
    ------
    ValueError, TypeError
        If it is none.
    """
    if part is None:
        return None
    is_pair = isinstance(part, tuple | list) and len(part) == 2
    if not is_pair or not all(_is_integer(one) for one in part):
        raise TypeError(f"`part` must be two integers such as (3, 64), but is {checks.shown(part)}")
    i, n = map(int, part)
    if not 1 <= i <= n:
        n = max(n, 1)
        raise ValueError(f"`part` must be (1, {n}) to ({n}, {n}), but is {checks.shown(part)}")
    return i, n


def _is_integer(value):
    return isinstance(value, Integral) and not isinstance(value, bool)


def check_same(place, plan):
    """Raise `ValueError` if the run that parts were joined to is another one than a plan's."""
    if not (Path(place) / manifest.MANIFEST).exists():
        return
    run, _ = describe(replace(plan, part=None))
    words = difference(manifest.described(place).run, run)
    if words:
        raise ValueError(f"`store` must hold the same run, but {place} holds another one ({words})")


def share(plan, ntraj):
    """Return how many of `ntraj` trajectories are those of a plan's part.

    Raises
    ------
    ValueError
        If there are none.
    """
    i, n = plan.part
    chunks = plan.chunks(ntraj)
    mine = range(i - 1, chunks.stop, n)
    if not mine:
        raise ValueError(
            f"`part` must be one of at most {chunks.stop}, because a part computes "
            f"{plan.chunk_size} trajectories or more of {ntraj}, but is {plan.part}"
        )
    return sum(plan.size(chunk, ntraj) for chunk in mine)


def store_of(place, part):
    """Return the `Store` of a part of the run in a folder."""
    i, n = part
    return Store(Path(checks.path("store", place)) / f"part-{i:0{len(str(n))}}-of-{n}")


def write_share(place, part, ntraj):
    """Write down of how many trajectories a part is a share, so that a lost one is missed."""
    path = store_of(place, part).place / SHARE
    files.write(path, (json.dumps({"ntraj": max(ntraj, _share_in(path))}) + "\n").encode())


def are_in(place):
    """Return whether a folder holds parts of a run."""
    return bool(_found(place))


def merge(store: PathLike) -> EnsembleResult:
    """Join the parts of a run in a folder, and return the ensemble up to its first missing chunk.

    What is joined is the run as one process would have stored it. The folders of parts that are
    finished are removed. One that is missing, damaged, or still at work is named by a warning, here
    and whenever the run is loaded, and stays: when it is finished, it is joined like this. Until
    then the trajectories behind the gap wait for it.

    Parameters
    ----------
    store : path
        As in `mcsolve(..., part=...)`.

    Returns
    -------
    EnsembleResult
        As of `load`.

    Raises
    ------
    ValueError
        If there are no parts, or they are not of one run, or nothing of it is finished.
    TypeError
        If `store` is no path.
    """
    place = Path(checks.path("store", store))
    found = _found(place)
    if not found:
        if not (place / manifest.MANIFEST).exists():
            raise ValueError(f"`store` must hold parts of a run, but {place} holds none")
        return load(place)  # they are joined; it says what is missing
    numbers = {n for _, n in found}
    if len(numbers) > 1:
        words = " and ".join(map(str, sorted(numbers)))
        raise ValueError(
            f"`store` must hold parts of one division, but {place} has some of {words}"
        )
    (n,) = numbers
    known = {i: part for (i, _), folder in sorted(found.items()) if (part := _known(i, n, folder))}
    if not known:
        raise ValueError(f"`store` must hold parts of a run, but nothing of {place} can be read")
    plan, kind = _common(known)
    with Store(place).open(plan, kind) as whole:
        unfinished = {i for i, part in known.items() if not _join(whole, n, i, part)}
        unfinished |= {i for i, _ in found} - set(known)
        ntraj = max(_share_in(folder / SHARE) for folder in found.values())
        pieces = plan.pieces(ntraj)
        unfinished |= {chunk % n + 1 for chunk, size in pieces if not whole.has(chunk, size)}
        for (i, _), folder in found.items():
            if i not in unfinished:
                shutil.rmtree(folder)
        whole.expect((ntraj, n) if unfinished else None)
    return load(place)


def _found(place):
    """Return the folders of the parts in a folder, a dict by (i, n)."""
    place = Path(place)
    if not place.is_dir():
        return {}
    matches = ((PART_FOLDER.fullmatch(one.name), one) for one in place.iterdir() if one.is_dir())
    return {(int(match[1]), int(match[2])): one for match, one in matches if match}


class _Part(NamedTuple):
    """A part that can be read."""

    store: Store
    plan: Plan
    is_current: bool
    processor: str | None


def _known(i, n, folder):
    """Return the `_Part` in a folder; None if it was killed before it said what it is, or is lost.

    Raises
    ------
    ValueError
        If it is another one than the folder says.
    """
    store = Store(folder)
    try:
        plan, is_current = store.plan()
        part = _Part(store, plan, is_current, manifest.described(folder).processor)
    except ValueError:
        return None
    if plan.part != (i, n):
        raise ValueError(f"{folder} must hold part {i} of {n}, but holds {plan.part}")
    return part


def _common(known):
    """Return the `Plan` of the whole run, and the kind of processor of all its parts.

    Raises
    ------
    ValueError
        If they are not of one run, or computed on several kinds, or by another law than today's.
    """
    (first, one), *others = known.items()
    run, _ = describe(replace(one.plan, part=None))
    for i, part in others:
        words = difference(run, describe(replace(part.plan, part=None))[0])
        if words:
            raise ValueError(
                f"`store` must hold parts of one run, but parts {first} and {i} differ "
                f"({words.replace(' there', f' in {first}').replace(' now', f' in {i}')})"
            )
        if part.processor != one.processor:
            raise ValueError(
                f"`store` must hold parts of one kind of processor, but part {first} is of "
                f"{one.processor} and part {i} of {part.processor}"
            )
    if not all(part.is_current for part in known.values()):
        raise ValueError(
            "`store` must hold parts of today's version of the law to be joined, but they were "
            "written by another one"
        )
    return replace(one.plan, part=None), one.processor


def _join(whole, n, i, part):
    """Copy the chunks of a part; return whether nobody writes to it and none is damaged."""
    store = part.store
    try:
        lock = locks.acquire(store.place)
    except ValueError:
        return False
    try:
        for chunk, size in store.finished():
            place = n * chunk + i - 1
            if not _is_good(whole, place, size):  # the copy here may be the only good one
                whole.take(place, size, store.arrays(chunk, size))
    except seals.SpoiltError:
        return False
    finally:
        lock.release()
    return True


def _is_good(store, chunk, size):
    if not store.has(chunk, size):
        return False
    try:
        store.arrays(chunk, size)
    except seals.SpoiltError:
        return False
    return True


def _share_in(path):
    """Return the number of trajectories that a part is a share of; 0 if it does not say."""
    try:
        return int(json.loads(path.read_text())["ntraj"])
    except (OSError, ValueError, KeyError, TypeError):
        return 0
