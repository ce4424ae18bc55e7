"""The stored run that a command is about."""

from pathlib import Path

from trajbatt.ensembles import store as stores
from trajbatt.ensembles.load import load
from trajbatt.ensembles.parts import are_in, merge

# What a manifest that somebody has edited leads to, somewhere among the models.
DAMAGE = (LookupError, AttributeError, TypeError, OverflowError, RecursionError, AssertionError)


def open_run(run):
    """Return the `EnsembleResult` of a stored run.

    Parameters
    ----------
    run : str
        The folder, as the argument of the command has it.

    Raises
    ------
    ValueError
        If there is no run, or it cannot be read, or it is damaged; the message says which.
    """
    if not run.strip():
        raise ValueError("`run` must name a folder, but is empty")
    try:
        _check_readable(Path(run) / stores.MANIFEST)
        runs = merge(run) if are_in(run) else load(run)
        _check_names(runs.model)
    except OSError as error:
        raise ValueError(f"cannot read {error.filename or run}: {error.strerror}") from None
    except DAMAGE as error:
        raise ValueError(
            f"`run` must be a stored run, but the manifest in {run} is damaged "
            f"({type(error).__name__}: {_short(error)})"
        ) from None
    return runs


def _check_readable(manifest):
    """Raise `OSError` if a manifest is there and cannot be read, which is not to be without one."""
    try:
        manifest.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return


def _check_names(model):
    for stage in model.latest_stages():
        for name in (stage.model.name, *stage.model.channel_names):
            if not isinstance(name, str):
                raise TypeError(f"a name is {name!r}")


def _short(error, most=60):
    words = " ".join(str(error).split())
    return words if len(words) <= most else words[:most] + "…"
