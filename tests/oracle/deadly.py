"""Work that kills its worker; in a module of its own, so that any worker can import it."""

import os
import signal


def die_once(path, function, *arguments):
    """Kill this process the first time that it is here, else do the work."""
    if not os.path.exists(path):
        with open(path, "w"):
            pass
        os.kill(os.getpid(), signal.SIGKILL)
    return function(*arguments)
