"""What every command does with its results: a folder, a JSON file, and then the screen.

Whoever reads the screen may go at any moment, as `head` does. So what is to be shown is kept until
all results are written.
"""

import json
import sys
import warnings
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from trajbatt.commandline import streams
from trajbatt.commandline.options import make_folder, make_json_path, picture_name


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
    kept : list
        What is to be shown in the end.
    """

    place: Path | None
    picture: str | None
    json_file: str | None
    json_path: Path | None
    provenance: dict
    quiet: bool
    kept: list = field(default_factory=list)

    @classmethod
    def check(cls, context, provenance, out, json_file, force, quiet, has_picture=True, others=()):
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
        others : sequence of str
            Files that will go with the picture.

        Raises
        ------
        ValueError
            As `results_folder.check`, and if an option names nothing.
        """
        from trajbatt.commandline import results_folder

        if json_file == "-" and not streams.is_open(sys.stdout):
            raise ValueError("`json` must be a file, because standard output is closed")
        place = make_folder(context, out) if has_picture else None
        picture = picture_name(context) if has_picture else None
        json_path = make_json_path(json_file)
        pictures = [picture, *others] if has_picture else []
        check_apart(context, out, json_file, has_picture)
        results_folder.check(place, pictures, json_path, provenance, force)
        return cls(place, picture, json_file, json_path, provenance, quiet)

    def of_part(self, finished):
        """Return the outputs of a run that was interrupted after some trajectories.

        Where whole results are, or more of them, there they stay: what is finished is shown only.
        """
        from trajbatt.commandline import results_folder

        def free(place):
            busy = place is not None and results_folder.holds_more(place, finished)
            if busy:
                self.kept.append(f"{place} holds more results, which stay")
            return None if busy else place

        parameters = {**self.provenance["parameters"], results_folder.FINISHED: finished}
        json_path = free(self.json_path)
        return replace(
            self,
            place=free(self.place),
            json_path=json_path,
            json_file=self.json_file if json_path or self.json_file == "-" else None,
            provenance={**self.provenance, "parameters": parameters},
        )

    def show(self, *things):
        """Keep text and tables for the screen; `write_json` shows them."""
        self.kept.extend(things)

    def save_picture(self, figure, others=None):
        """Write the picture, and say where it is.

        Parameters
        ----------
        figure : Figure
        others : dict of str to bytes, optional
            Files that go with it.
        """
        from trajbatt.commandline import results_folder
        from trajbatt.plots.style import as_bytes

        if self.place is None:
            return
        kind = self.picture.rpartition(".")[2]
        files = {self.picture: as_bytes(figure, kind), **(others or {})}
        results_folder.write_results(self.place, files, self.provenance)
        self.show(f"picture: {self.place / self.picture}")

    def write_json(self, numbers):
        """Write the numbers after the provenance, if they are wanted, and then show the rest.

        It is the last that a command does. The screen is standard error where standard output is
        for JSON.
        """
        from trajbatt.base import files
        from trajbatt.commandline.console import screen
        from trajbatt.reports import json_report

        if self.json_file:
            text = json.dumps(json_report.as_json({**self.provenance, **numbers})) + "\n"
            if self.json_path is None:
                sys.stdout.write(text)
                sys.stdout.flush()
            else:
                files.write(self.json_path, text.encode())
        console = screen(to_stderr=self.json_file == "-", quiet=self.quiet)
        for thing in self.kept:
            console.print(thing)
        self.kept.clear()


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


@contextmanager
def busy(doing, quiet):
    """Show on a terminal that something is being done that takes a while."""
    if quiet or not sys.stderr.isatty():
        yield
        return
    from rich.console import Console

    with Console(stderr=True).status(doing):
        yield


def exact_solution(model, times, initial=None, *, quiet=False):
    """Return what `mesolve` does of a run, and say meanwhile that it is at it."""
    from trajbatt.exact.mesolve import mesolve

    with busy(f"solving the master equation of {model.n_atoms} atoms", quiet):
        return mesolve(model, times, initial)


def run_ensemble(model, times, settings, quiet, initial=None):
    """Return the ensemble of a command; on a terminal, with a bar.

    Parameters
    ----------
    settings : dict
        `ntraj`, `seed`, `store`, `part`, `threads` and `target` of `mcsolve`.

    Returns
    -------
    EnsembleResult
        What is finished, if Ctrl-C ended it and there is no store.

    Raises
    ------
    KeyboardInterrupt
        If nothing is, or finished chunks are in the store.
    typer.Exit
        If it was one part of an array job: there is nothing to show before all are joined.
    """
    from trajbatt.ensembles.mcsolve import mcsolve

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "interrupted")  # the command itself says so
        progress = not quiet and sys.stderr.isatty()
        runs = mcsolve(model, times, initial=initial, progress=progress, **settings)
    if runs.ended == "interrupted":
        done = f"{runs.ntraj} of {settings['ntraj']} trajectories"
        if settings["store"] is not None:
            streams.say(f"{done} are in {settings['store']}; the same command goes on with them")
            raise KeyboardInterrupt
        if not quiet:
            streams.say(f"{done} are finished and will be shown; Ctrl-C again ends at once")
    if settings["part"] is not None:
        import typer

        if not quiet:
            i, n = settings["part"]
            print(f"part {i} of {n}: {runs.ntraj} of {settings['ntraj']} trajectories")
            print(f"when all are there: trajbatt merge {settings['store']}")
        raise typer.Exit
    return runs


def single_trajectories(runs):
    """Return the first three trajectories of an ensemble, for a picture."""
    return [runs.replay(i) for i in range(min(3, runs.ntraj))]
