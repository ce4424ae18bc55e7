"""How much memory the machine has, so that what it cannot hold is refused before it is begun."""

import os

UNKNOWN = 2**33  # bytes that are assumed where the system does not tell


def of_machine():
    """Return the bytes of memory of this machine."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):  # Windows
        return UNKNOWN


def check_fits(what, size):
    """Raise `ValueError` if `size` bytes, for what the subject `what` names, are more than that."""
    most = of_machine()
    if size > most:
        raise ValueError(
            f"{what} must fit into the {most / 1e9:.0f} GB of memory here, but takes "
            f"{size / 1e9:.0f} GB: ask for fewer times"
        )
