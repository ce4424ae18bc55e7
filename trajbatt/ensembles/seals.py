"""Files of arrays under a seal: whose they are, and that not a byte has changed.

A file is an npz archive, which `np.load` opens. Its zip comment is the seal, JSON: the label, which
says what the file is of, and a checksum of the label and of the archive. So a good file of another
run, or of another chunk, is told from a damaged one, and neither is taken.

Version 0.1.0 put the checksum of the archive before it and nothing else. Such files are known by
their first bytes, and are taken where the reader says so.
"""

import hashlib
import io
import json
import zipfile

import numpy as np

END = b"PK\x05\x06"  # begins the last record of an archive
END_SIZE = 22  # without the comment
LONGEST = 2**16  # of a comment
DIGEST = 64  # characters


class SpoiltError(Exception):
    """A file cannot be taken; the text says why, to be put after its name."""


def digest(value):
    """Return the SHA-256 of a JSON value, which does not tell 1 from 1.0, in hexadecimal."""
    text = json.dumps(_plain(value), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def sealed(arrays, label):
    """Return the bytes of a file.

    Parameters
    ----------
    arrays : dict of str to ndarray
    label : dict
        What the file is of, as JSON has it.
    """
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    archive = buffer.getvalue()
    seal = json.dumps({**label, "sha256": _checksum(archive, label)}).encode()
    # The last two bytes are the length of the comment.
    return archive[:-2] + len(seal).to_bytes(2, "little") + seal


def unsealed(path, label, older=False):
    """Return the arrays of a file that `sealed` made, a dict.

    Parameters
    ----------
    path : Path
    label : dict
        What it must be of.
    older : bool
        Take files of version 0.1.0, too, whose seal does not say what they are of.

    Raises
    ------
    SpoiltError
        If it is missing, damaged, or of something else.
    OSError
        If it cannot be read.
    """
    try:
        data = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise SpoiltError("is missing") from None
    if not data.startswith(b"PK"):
        archive = data[DIGEST:]
        if hashlib.sha256(archive).hexdigest().encode() != data[:DIGEST]:
            raise SpoiltError("is damaged")
        if not older:
            raise SpoiltError("does not say what run it is of")
        return _arrays(archive)
    archive, found, checksum = _parts(data)
    if checksum is None or checksum != _checksum(archive, found):
        raise SpoiltError("is damaged")
    for name, wanted in label.items():
        if found.get(name) != wanted:
            raise SpoiltError(_of_another(name, found.get(name), wanted))
    return _arrays(archive)


def label_of(path):
    """Return the label of a file; None if it has none that can be read. The rest is not checked."""
    try:
        with path.open("rb") as file:
            file.seek(0, io.SEEK_END)
            file.seek(max(0, file.tell() - END_SIZE - LONGEST))
            return _parts(file.read())[1]
    except OSError:
        return None


def _parts(data):
    """Return the archive, the label and the checksum of a file; None for what is not there."""
    end = data.rfind(END)
    try:
        seal = json.loads(data[end + END_SIZE :]) if end >= 0 else None
    except (ValueError, RecursionError):
        seal = None
    if not isinstance(seal, dict):
        return data, None, None
    label = {name: value for name, value in seal.items() if name != "sha256"}
    return data[: end + END_SIZE - 2] + b"\0\0", label, seal.get("sha256")


def _checksum(archive, label):
    return hashlib.sha256(digest(label).encode() + archive).hexdigest()


def _of_another(name, found, wanted):
    if name in ("chunk", "size"):
        return f"is a file of another place ({name} {found}, not {wanted})"
    return f"is of another {name}"


def _arrays(archive):
    try:
        with np.load(io.BytesIO(archive), allow_pickle=False) as opened:
            return {name: opened[name] for name in opened.files}
    except (ValueError, EOFError, zipfile.BadZipFile):
        raise SpoiltError("is damaged") from None


def _plain(value):
    """Return a JSON value in which whole numbers are integers."""
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value
