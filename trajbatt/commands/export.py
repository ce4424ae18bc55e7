"""`trajbatt export`."""

from pathlib import Path
from typing import Annotated

import typer

from trajbatt.commands import options

HELP = "Write a stored run as one NetCDF file."


def export(
    run: Annotated[str, typer.Argument(help="folder of --store")],
    file: Annotated[str, typer.Argument(help="the NetCDF file to write")],
    force: options.Force = False,
    quiet: options.Quiet = False,
):
    """Write a stored run, with its clicks if it kept them, as one NetCDF file."""
    from trajbatt.console import plural
    from trajbatt.mcsolve import load

    path = Path(file)
    if path.exists() and not force:
        raise ValueError(f"`file` must not exist, but {file} does: --force overwrites it")
    if not path.parent.is_dir():
        raise ValueError(f"`file` must be in a folder, but {path.parent} is none")
    runs = load(run)
    runs.save(path)
    if not quiet:
        print(f"{plural(runs.ntraj, 'trajectory')}: {file}")
