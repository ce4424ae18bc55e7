"""The film of `trajbatt show --animate`."""

from pathlib import Path
from tempfile import TemporaryDirectory

from trajbatt.base import files

FRAMES = 120


def checked(text, force):
    """Return the path of a film that can be written, before anything is computed.

    Raises
    ------
    ValueError
        If it has another ending, is there already, or cannot be written.
    """
    from trajbatt.commandline.results_folder import check_writable
    from trajbatt.plots.animation import writer_of

    path = Path(text)
    writer_of(path, "animate")
    if path.exists() and not force:
        raise ValueError(f"`animate` must be a new file, but {text} is there: --force overwrites")
    check_writable("animate", path, make_parents=False)
    return path


def write(path, runs, index, exact):
    """Write the film of trajectory `index` of a run, the file at once."""
    import numpy as np

    from trajbatt.plots.animation import animate

    times = runs.times
    frames = None if times.size < 2 else np.linspace(times[0], times[-1], FRAMES)
    trajectory = runs.replay(index, frames, keep_states=True)
    with TemporaryDirectory() as folder:
        film = Path(folder) / f"film{path.suffix}"
        animate(trajectory, exact, film)
        files.write(path, film.read_bytes())
