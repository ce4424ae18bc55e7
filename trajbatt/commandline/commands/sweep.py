"""`trajbatt sweep`."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from trajbatt.commandline import options
from trajbatt.commandline.outputs import Outputs

HELP = "Charge over a grid of parameters: energy, power, fluctuation and waste."
MOST_ROWS = 60
HEADINGS = {"local": "local", "dephasing": "γ_φ", "thermal": "n̄"}
VALUES = "; values as 1,2,5, as first:last:number, or as first:last:number:log"
NO_DATASET = "no dataset: that needs the packages xarray and h5netcdf; --json has the same numbers"


def sweep(
    context: typer.Context,
    n_atoms: Annotated[str, typer.Option("--n-atoms", "-N", help="numbers of atoms" + VALUES)] = (
        "10,30,100,300"
    ),
    theta: Annotated[str, typer.Option(help="dressing angles" + VALUES)] = "1.2:2.0:9",
    ratio: Annotated[str, typer.Option(help="gamma_plus/gamma_minus" + VALUES)] = "10",
    gamma_0: Annotated[str, typer.Option("--gamma-0", help="gamma_0/gamma_minus" + VALUES)] = "1",
    drive: Annotated[str, typer.Option(help="Omega_P/(N gamma_minus)" + VALUES)] = "10",
    time: Annotated[
        str | None,
        typer.Option(help="durations, in 1/gamma_minus" + VALUES, show_default="T90 of each"),
    ] = None,
    local: Annotated[
        str | None, typer.Option(help="decay of single atoms over collective decay" + VALUES)
    ] = None,
    dephasing: Annotated[
        str | None, typer.Option(help="gamma_phi/gamma_minus of single atoms" + VALUES)
    ] = None,
    thermal: Annotated[
        str | None, typer.Option(help="mean numbers of thermal photons" + VALUES)
    ] = None,
    axis: Annotated[
        str | None,
        typer.Option(
            help="the parameter on the abscissa, such as n_atoms",
            show_default="that with most values",
        ),
    ] = None,
    ntraj: Annotated[
        int, typer.Option(help="trajectories at each point; 0: exact only", parser=options.whole)
    ] = 0,
    seed: options.Seed = options.DEFAULT_SEED,
    store: Annotated[str, typer.Option(help="folder of the points, for this and other sweeps")] = (
        "trajbatt-out/sweep-points"
    ),
    workers: options.Workers = None,
    out: Annotated[
        str | None,
        typer.Option(help="folder for picture and dataset", show_default="trajbatt-out/COMMAND..."),
    ] = None,
    picture_format: options.PictureFormat = "png",
    json_file: options.Json = None,
    force: options.Force = False,
    quiet: options.Quiet = False,
):
    """Charge batteries of all combinations; what is shown is free of the phase of Omega_P.

    Energy, power, fluctuation and waste are of the mean over a period; the bounds of the
    oscillation, and the energy at the very time, stand beside them. Known points are not computed
    again.
    """
    import numpy as np

    from trajbatt.analysis import sweep as sweeps
    from trajbatt.base import checks
    from trajbatt.commandline import results_folder
    from trajbatt.commandline.console import columns_table, plural
    from trajbatt.plots.sweeps import default_axis, sweep_figure
    from trajbatt.reports import json_report

    if not store.strip():
        raise ValueError("`store` must name a folder, but is empty")
    place = Path(store)
    if place.exists() and not place.is_dir():
        raise ValueError(f"`store` must be a folder, but {store} is a file")
    results_folder.check_no_run("store", place)
    given = {
        "n_atoms": _values("n_atoms", n_atoms, int),
        "theta": _values("theta", theta),
        "ratio": _values("ratio", ratio),
        "gamma_0": _values("gamma_0", gamma_0),
        "drive": _values("drive", drive),
        "time": None if time is None else _values("time", time),
        "local": None if local is None else _values("local", local),
        "dephasing": None if dephasing is None else _values("dephasing", dephasing),
        "thermal": None if thermal is None else _values("thermal", thermal),
    }
    axes, _ = sweeps.checked(given.values())
    axis = default_axis(axes) if axis is None else checks.choice("axis", axis, tuple(axes))
    threads = None if workers is None else checks.integer("workers", workers, 1)
    provenance = json_report.provenance("sweep", None, ntraj=ntraj, seed=seed, axis=axis, **axes)
    del provenance["parameters"]["model"]
    outputs = Outputs.check(context, provenance, out, json_file, force, quiet, others=["sweep.nc"])
    results_folder.check_writable("store", place / "point")
    try:
        grid = sweeps.run_grid(
            given.values(),
            ntraj=ntraj,
            seed=seed,
            store=place,
            threads=threads,
            progress=not quiet and sys.stderr.isatty(),
        )
    except KeyboardInterrupt:
        options.say(f"finished points are in {place}; the same command goes on with them")
        raise
    columns = _columns(grid)
    rows = list(zip(*columns.values(), strict=True))
    until = "each charged to its T90" if time is None else "each charged for T"
    more = len(rows) - MOST_ROWS
    endless = int(np.isinf(grid.numbers["duration"]).sum())
    outputs.show(
        f"{plural(len(rows), 'point')}, {until}; means over a period of Omega_P",
        columns_table(columns, rows[:MOST_ROWS]),
        *([f"... and {plural(more, 'point')} more"] if more > 0 else []),
        *([f"no T90, because x = 1: {plural(endless, 'point')}; see --time"] if endless else []),
    )
    dataset = _dataset(grid)
    others = {} if dataset is None else {"sweep.nc": dataset}
    outputs.save_picture(sweep_figure(grid, axis), others)
    outputs.show(NO_DATASET if dataset is None else f"dataset: {outputs.place / 'sweep.nc'}")
    outputs.write_json({"axes": grid.axes, "points": grid.numbers})


def _columns(grid):
    """Return the headings of the table and the numbers below each."""
    at = {name: values.ravel() for name, values in grid.coordinates().items()}
    numbers = {name: values.ravel() for name, values in grid.numbers.items()}
    estimated = {}
    if grid.ntraj:
        estimated = {
            "by traj.": numbers["mean_energy_per_atom_estimate"],
            "±": numbers["mean_energy_per_atom_sem"],
        }
    return {
        "N": at["n_atoms"],
        "θ": at["theta"],
        "γ₊": at["ratio"],
        "γ₀": at["gamma_0"],
        "Ω_P/N": at["drive"],
        **{HEADINGS[name]: at[name] for name in HEADINGS if name in at},
        "T": numbers["duration"],
        "E/N": numbers["mean_energy_per_atom"],
        **estimated,
        "from": numbers["lowest_energy_per_atom"],
        "to": numbers["highest_energy_per_atom"],
        "at T": numbers["energy_per_atom"],
        "ΔE/E": numbers["relative_fluctuation"],
        "P/N²": numbers["power"] / at["n_atoms"] ** 2,
        "waste": numbers["waste_per_quantum"],
        "work/N": numbers["ergotropy_rotation_per_atom"],
    }


def _dataset(grid):
    """Return the bytes of a NetCDF file, or None without the packages that write it."""
    import tempfile

    from trajbatt.base import datasets

    try:
        datasets.require()
    except ImportError:
        return None
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "sweep.nc"
        datasets.write(grid.to_xarray(), path)
        return path.read_bytes()


def _values(name, text, kind=float):
    """Return the numbers in "1,2,5", "first:last:number" or "first:last:number:log"."""
    import numpy as np

    try:
        if ":" in text:
            first, last, number, *scale = text.split(":")
            if scale not in ([], ["log"]):
                raise ValueError
            spaced = np.geomspace if scale else np.linspace
            values = spaced(options.number(first), options.number(last), options.whole(number))
            return [kind(round(value)) if kind is int else float(value) for value in values]
        read = options.whole if kind is int else options.number
        return [read(word) for word in text.split(",")]
    except (ValueError, OverflowError):
        raise ValueError(
            f"`{name}` must be numbers, such as 1,2,5 or first:last:number, but is {text!r}"
        ) from None
