"""Files that are written all at once."""

import os
import secrets
from pathlib import Path

SHOWN = 32  # characters of a file's name in that of its temporary one, which may not be too long


def write(path, data):
    """Write bytes to a file, all at once: nobody ever sees half of it.

    It has the permissions that any new file has.
    """
    if path.exists() and not path.is_file():  # such as /dev/stdout
        path.write_bytes(data)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = path.parent / f".{path.name[:SHOWN]}.{secrets.token_hex(8)}"
    # The system applies the umask, which can be asked for only by changing it, for all threads.
    handle = os.open(
        whole, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666
    )
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.replace(whole, path)
    except BaseException:
        Path(whole).unlink(missing_ok=True)
        raise
