"""`trajbatt show`."""

from typing import Annotated

import typer

from trajbatt.commandline import film, options
from trajbatt.commandline.outputs import Outputs, busy, exact_solution, single_trajectories

HELP = "Show a stored run again: table and picture, without running it."
FINER = 8  # times the number of times of the run, for a single trajectory
MOST_TIMES = 20_001


def show(
    context: typer.Context,
    run: Annotated[str, typer.Argument(help="folder of --store")],
    trajectory: Annotated[
        int | None,
        typer.Option(
            help="show this trajectory beside the average, on a finer grid of times",
            parser=options.whole,
        ),
    ] = None,
    animate: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="write a film of one trajectory, .gif or .mp4"),
    ] = None,
    out: options.Out = None,
    picture_format: options.PictureFormat = "png",
    json_file: options.Json = None,
    force: options.Force = False,
    quiet: options.Quiet = False,
):
    """Show a stored run again; only single trajectories and the exact solution are computed."""
    import numpy as np

    from trajbatt.commandline.presenting import present, present_alone
    from trajbatt.commandline.stored_run import open_run
    from trajbatt.exact.steered import has_exact_twin
    from trajbatt.models.recognised import battery_of
    from trajbatt.reports import json_report

    runs = open_run(run)
    provenance = json_report.provenance(
        "show",
        battery_of(runs.model),
        model=runs.model,
        run=str(run),
        time=float(runs.times[-1]),
        ntraj=runs.ntraj,
        seed=runs.seed,
        trajectory=trajectory,
    )
    outputs = Outputs.check(context, provenance, out, json_file, force, quiet)
    film_path = None if animate is None else film.checked(animate, force)
    if trajectory is None:
        trajectories = single_trajectories(runs)
    else:
        wanted = min(FINER * (runs.times.size - 1) + 1, MOST_TIMES)
        finer = np.linspace(runs.times[0], runs.times[-1], max(wanted, 2))
        trajectories = [runs.replay(trajectory, finer if runs.times.size > 1 else None)]
    has_twin = has_exact_twin(runs.model)
    exact = None
    if has_twin:
        exact = exact_solution(runs.model, runs.times, runs.initial, quiet=quiet)
    if film_path is not None:
        with busy("drawing the film", quiet):
            film.write(film_path, runs, trajectory or 0, exact)
        outputs.show(f"film of trajectory {trajectory or 0}: {film_path}")
    if has_twin:
        present(outputs, runs, exact, trajectories)
    else:
        present_alone(outputs, runs, trajectories[0])
