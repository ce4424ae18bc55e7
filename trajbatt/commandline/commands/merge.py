"""`trajbatt merge`."""

from typing import Annotated

import typer

from trajbatt.commandline import options

HELP = "Join the parts of an array job to one stored run."


def merge(
    run: Annotated[str, typer.Argument(help="folder of --store")],
    quiet: options.Quiet = False,
):
    """Join what the jobs with --part have stored, and say which parts are not finished.

    The run is then, bit for bit, that of one process; `trajbatt show` shows it.
    """
    from trajbatt.ensembles import parts

    if not run.strip():
        raise ValueError("`run` must name a folder, but is empty")
    runs = parts.merge(run)
    if not quiet:
        print(f"{runs.ntraj} trajectories in {run}: trajbatt show {run}")
