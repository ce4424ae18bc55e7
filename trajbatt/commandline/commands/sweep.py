"""`trajbatt sweep`."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from trajbatt.commandline import options

HELP = "Charge over a grid of parameters: power, charge, fluctuation and waste."
MOST_ROWS = 60
VALUES = "; values as 1,2,5 or as first:last:number"


def sweep(
    n_atoms: Annotated[str, typer.Option("--n-atoms", "-N", help="numbers of atoms" + VALUES)] = (
        "10,30,100,300"
    ),
    theta: Annotated[str, typer.Option(help="dressing angles" + VALUES)] = "1.2:2.0:9",
    ratio: Annotated[str, typer.Option(help="gamma_plus/gamma_minus" + VALUES)] = "10",
    gamma_0: Annotated[str, typer.Option("--gamma-0", help="gamma_0/gamma_minus" + VALUES)] = "1",
    drive: Annotated[str, typer.Option(help="Omega_P/(N gamma_minus)" + VALUES)] = "10",
    ntraj: Annotated[int, typer.Option(help="trajectories at each point; 0: exact only")] = 0,
    seed: options.Seed = options.DEFAULT_SEED,
    store: Annotated[str, typer.Option(help="folder for points, dataset and picture")] = (
        "trajbatt-out/sweep"
    ),
    workers: options.Workers = None,
    quiet: options.Quiet = False,
):
    """Charge batteries of all combinations to their T90; known points are not computed again."""
    from trajbatt.analysis.sweep import sweep as run_sweep
    from trajbatt.base import checks, datasets, files
    from trajbatt.commandline import results_folder
    from trajbatt.commandline.console import columns_table, plural, screen
    from trajbatt.ensembles.progress import reporting
    from trajbatt.pictures.analysis import sweep_figure
    from trajbatt.pictures.style import as_png

    if not store.strip():
        raise ValueError("`store` must name a folder, but is empty")
    place = Path(store)
    if place.exists() and not place.is_dir():
        raise ValueError(f"`store` must be a folder, but {store} is a file")
    results_folder.check_no_run("store", place)
    axes = {
        "n_atoms": _values("n_atoms", n_atoms, int),
        "theta": _values("theta", theta),
        "ratio": _values("ratio", ratio),
        "gamma_0": _values("gamma_0", gamma_0),
        "drive": _values("drive", drive),
    }
    threads = None if workers is None else checks.integer("workers", workers, 1)
    show = screen(quiet=quiet)
    with reporting(not quiet and sys.stderr.isatty(), None, what="points") as report:
        progress = None if report is None else lambda done, total: report(done, total, None)
        data = run_sweep(
            **axes, ntraj=ntraj, seed=seed, store=place, threads=threads, progress=progress
        )
    datasets.write(data, place / "sweep.nc")
    files.write(place / "sweep.png", as_png(sweep_figure(data)))
    table = data.to_dataframe().reset_index()
    columns = {
        "N": table.n_atoms,
        "θ": table.theta,
        "γ₊": table.ratio,
        "γ₀": table.gamma_0,
        "Ω_P/N": table.drive,
        "final E/N": table.final_energy_per_atom,
        "at T90": table.energy_per_atom,
        "ΔE/E": table.relative_fluctuation,
        "P/N²": table.power / table.n_atoms**2,
        "waste": table.waste_per_quantum,
    }
    rows = list(zip(*columns.values(), strict=True))
    show.print(f"{plural(len(rows), 'point')}, each charged to its T90")
    show.print(columns_table(columns, rows[:MOST_ROWS]))
    if len(rows) > MOST_ROWS:
        show.print(f"... and {plural(len(rows) - MOST_ROWS, 'point')} more")
    show.print(f"dataset: {place / 'sweep.nc'}\npicture: {place / 'sweep.png'}")


def _values(name, text, kind=float):
    """Return the numbers in "1,2,5" or "first:last:number"."""
    import numpy as np

    try:
        if ":" in text:
            first, last, number = text.split(":")
            values = np.linspace(float(first), float(last), int(number))
            return [kind(round(value)) if kind is int else float(value) for value in values]
        return [kind(word) for word in text.split(",")]
    except ValueError:
        raise ValueError(
            f"`{name}` must be numbers, such as 1,2,5 or first:last:number, but is {text!r}"
        ) from None
