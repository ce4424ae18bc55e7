"""What a stored run is: `run.json` for everybody, and `run.npz` with the arrays and the same again.

Either of the two may be lost: the run is known by the other, and by the same call of `mcsolve`,
since every chunk says under its seal which run it is of.
"""

import json
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from trajbatt.base import files
from trajbatt.base.version import __version__
from trajbatt.ensembles import seals
from trajbatt.ensembles.identity import difference, digest_of

MANIFEST, ARRAYS = "run.json", "run.npz"
SEALS = 2  # in the manifest: chunks are sealed with their run; one without is of version 0.1.0
LABEL = {"what": "run"}  # of the arrays


@dataclass(frozen=True)
class Description:
    """What a folder says of its run.

    Attributes
    ----------
    run : dict
        The identity, as `trajbatt.ensembles.identity.describe` has it.
    arrays : dict of str to ndarray, or None
        None if they are lost, or are not those of the run.
    older : bool
        The manifest is of version 0.1.0, so there may be chunks whose seal names no run.
    whole : bool
        Both files are there and good.
    processor : str or None
        The kind that fixes its clicks; None if none does, or it is not known.
    """

    run: dict
    arrays: dict | None
    older: bool
    whole: bool
    processor: str | None = None


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
    except OSError as error:
        raise ValueError(
            f"{place} must be a stored run, but its {MANIFEST} cannot be read ({error.strerror})"
        ) from None
    except (ValueError, RecursionError):
        about = None
    if not isinstance(about, dict) or not isinstance(about.get("run"), dict) or not about["run"]:
        raise ValueError(f"{place} must be a stored run, but its {MANIFEST} is not of one")
    return about


def described(place):
    """Return the `Description` of the run in a folder.

    Raises
    ------
    ValueError
        As `read_manifest`, if `run.npz` does not say it either; or if the two contradict.
    """
    kept, processor, arrays = _kept(place)
    try:
        about = read_manifest(place)
    except ValueError as error:
        if kept is None:
            raise
        warnings.warn(f"{error}: {ARRAYS} says what run it is", RuntimeWarning, stacklevel=4)
        own = _own(arrays, kept)
        return Description(kept, own, older=False, whole=False, processor=processor)
    words = "" if kept is None else difference(kept, about["run"])
    if words:
        raise ValueError(
            f"{place} must be one stored run, but {ARRAYS} and {MANIFEST} differ "
            f"({words.replace(' there,', f' in {ARRAYS},').replace(' now', f' in {MANIFEST}')})"
        )
    arrays = _own(arrays, about["run"])
    older, whole = "seals" not in about, arrays is not None
    return Description(about["run"], arrays, older, whole, about.get("processor"))


def write(place, identity, arrays, older, processor):
    """Write what is lost: both files of a new run, or one of them.

    `processor` is that of a `Description`. `older` says that the run was begun by version 0.1.0;
    its manifest stays as it is.
    """
    held = {
        **arrays,
        "run": np.array(json.dumps(identity)),
        "processor": np.array(json.dumps(processor)),
    }
    if not older or _own(_kept(place)[2], identity) is None:
        files.write(place / ARRAYS, seals.sealed(held, LABEL))
    if not older:
        about = {
            "written_by": f"trajbatt {__version__}",
            "seals": SEALS,
            "processor": processor,
            "run": identity,
        }
        files.write(place / MANIFEST, (json.dumps(about, indent=1) + "\n").encode())


def _kept(place):
    """Return the identity, the processor and the arrays that `run.npz` holds; None for others."""
    try:
        arrays = seals.unsealed(Path(place) / ARRAYS, LABEL, older=True)
    except (seals.SpoiltError, OSError):
        return None, None, None
    run, processor = (json.loads(str(arrays.pop(name, "null"))) for name in ("run", "processor"))
    return run, processor, arrays


def _own(arrays, run):
    """Return the arrays if they are those of the run, else None."""
    if arrays is None or {name: digest_of(one) for name, one in arrays.items()} != run.get(
        "arrays"
    ):
        return None
    return arrays
