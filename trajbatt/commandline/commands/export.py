"""`trajbatt export`."""

from pathlib import Path
from typing import Annotated

import typer

from trajbatt.commandline import options

HELP = "Write a stored run as one NetCDF file, or its photons as CSV or Photon-HDF5."
SUFFIXES = (".nc", ".csv", ".h5", ".hdf5")


def export(
    run: Annotated[str, typer.Argument(help="folder of --store")],
    file: Annotated[
        str, typer.Argument(help="the file to write: .nc for NetCDF; photons alone as .csv, .h5")
    ],
    force: options.Force = False,
    quiet: options.Quiet = False,
):
    """Write a stored run, with its clicks if it kept them, as one NetCDF file.

    Or its photons alone, which are drawn again if they were not kept: as a CSV file, or as a
    Photon-HDF5 file, in which 1/gamma_minus is one second. Both say what the photons come from.
    """
    from trajbatt import exchange
    from trajbatt.commandline import results_folder
    from trajbatt.commandline.console import plural
    from trajbatt.ensembles.load import load

    path = Path(file)
    if path.exists() and not force:
        raise ValueError(f"`file` must not exist, but {file} does: --force overwrites it")
    if not path.parent.is_dir():
        raise ValueError(f"`file` must be in a folder, but {path.parent} is none")
    results_folder.check_no_run("file", path.parent)
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise ValueError(f"`file` must end in {', '.join(SUFFIXES)}, but is {file}")
    runs = load(run)
    if suffix != ".nc" and not runs.channels:
        raise ValueError(
            f"`run` must have photons for a {suffix} file, "
            f"but {run} is of {runs.model.name!r}, which emits none"
        )
    if suffix == ".nc":
        runs.save(path, overwrite=force)
    else:
        write = exchange.write_csv if suffix == ".csv" else exchange.write_photon_hdf5
        write(runs.draw_clicks(), path, about=exchange.about_model(runs.model, runs.initial))
    if not quiet:
        print(f"{plural(runs.ntraj, 'trajectory')}: {file}")
