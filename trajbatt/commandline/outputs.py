"""What every command does with its results: the screen, a folder, a JSON file."""

import json
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path

from trajbatt.commandline.options import make_folder, make_json_path


@dataclass(frozen=True)
class Outputs:
    """Where the results of a command go.

    Attributes
    ----------
    place : Path or None
        The folder of the picture.
    picture : str or None
        Its name.
    json_file : str or None
        As the option has it.
    json_path : Path or None
    provenance : dict
        Of `trajbatt.reports.json_report.provenance`.
    quiet : bool
    """

    place: Path | None
    picture: str | None
    json_file: str | None
    json_path: Path | None
    provenance: dict
    quiet: bool

    @classmethod
    def check(cls, context, provenance, out, json_file, force, quiet, has_picture=True):
        """Find out before anything is computed whether the results can be written.

        Parameters
        ----------
        context : typer.Context
            Of the command; if it has an option `store`, its results stay out of there.
        provenance : dict
        out, json_file : str or None
        force, quiet : bool
            As the options have them.
        has_picture : bool

        Raises
        ------
        ValueError
            As `results_folder.check`, and if an option names nothing.
        """
        from trajbatt.commandline import results_folder

        place = make_folder(context, out) if has_picture else None
        picture = f"{context.info_name}.png" if has_picture else None
        json_path = make_json_path(json_file)
        pictures = [picture] if has_picture else []
        check_apart(context, out, json_file, has_picture)
        results_folder.check(place, pictures, json_path, provenance, force)
        return cls(place, picture, json_file, json_path, provenance, quiet)

    def show(self, *things):
        """Print, on standard error where standard output is for JSON."""
        from trajbatt.commandline.console import screen

        console = screen(to_stderr=self.json_file == "-", quiet=self.quiet)
        for thing in things:
            console.print(thing)

    def save_picture(self, figure):
        """Write the picture, and say where it is."""
        from trajbatt.commandline import results_folder
        from trajbatt.pictures.style import as_png

        results_folder.write_results(self.place, {self.picture: as_png(figure)}, self.provenance)
        self.show(f"picture: {self.place / self.picture}")

    def write_json(self, numbers):
        """Write the numbers after the provenance, if they are wanted."""
        from trajbatt.base import files
        from trajbatt.reports import json_report

        if not self.json_file:
            return
        text = json.dumps(json_report.as_json({**self.provenance, **numbers}))
        if self.json_path is None:
            print(text)
        else:
            files.write(self.json_path, (text + "\n").encode())


def check_apart(context, out, json_file, has_picture=True):
    """Find out whether the results of a command stay out of the stores of runs.

    `Outputs.check` does it, too; commands that compute something before that ask here first. The
    arguments are those of `Outputs.check`; `context` tells the option `store`, if there is one.

    Raises
    ------
    ValueError
        If not; see `results_folder.check_apart`.
    """
    from trajbatt.commandline import results_folder

    results_folder.check_apart(
        make_folder(context, out) if has_picture else None,
        make_json_path(json_file),
        context.params.get("store"),
    )


def run_ensemble(model, times, settings, quiet, initial=None):
    """Return the ensemble of a command; on a terminal, with a bar.

    Parameters
    ----------
    settings : dict
        `ntraj`, `seed`, `store`, `threads` and `target` of `mcsolve`.

    Raises
    ------
    KeyboardInterrupt
        If Ctrl-C ended it; finished chunks are in the store.
    """
    from trajbatt.ensembles.mcsolve import mcsolve

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "interrupted")  # the command itself says so
        progress = not quiet and sys.stderr.isatty()
        runs = mcsolve(model, times, initial=initial, progress=progress, **settings)
    if runs.ended == "interrupted":
        raise KeyboardInterrupt
    return runs


def single_trajectories(runs):
    """Return the first three trajectories of an ensemble, for a picture."""
    return [runs.replay(i) for i in range(min(3, runs.ntraj))]
