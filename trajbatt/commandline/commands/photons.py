"""`trajbatt photons`."""

import math
from typing import Annotated

import typer

from trajbatt.commandline import options
from trajbatt.commandline.outputs import Outputs

HELP = "Statistics of a stored run's photons, beside the exact ones."


def photons(
    context: typer.Context,
    run: Annotated[str, typer.Argument(help="folder of --store")],
    exact: Annotated[
        bool | None,
        typer.Option(
            "--exact/--no-exact",
            help="compute the exact curves; of Eq. (5) they may take hours",
            show_default="--exact, but not for Eq. (5) above 20 atoms",
        ),
    ] = None,
    out: options.Out = None,
    picture_format: options.PictureFormat = "png",
    json_file: options.Json = None,
    force: options.Force = False,
    quiet: options.Quiet = False,
):
    """Show photon numbers, Fano factors, waiting times and g2 of a stored run."""
    from trajbatt.commandline.console import plural, summary_table
    from trajbatt.commandline.stored_run import open_run
    from trajbatt.models.recognised import battery_of
    from trajbatt.plots.photons import photons_figure
    from trajbatt.reports import json_report
    from trajbatt.reports.photon_report import is_quick, photon_report

    runs = open_run(run)
    if not runs.channels:
        raise ValueError(
            f"`run` must have photons, but {run} is of {runs.model.name!r}, which emits none"
        )
    with_exact = is_quick(runs.model) if exact is None else exact
    provenance = json_report.provenance(
        "photons",
        battery_of(runs.model),
        model=runs.model,
        run=str(run),
        time=float(runs.times[-1]),
        ntraj=runs.ntraj,
        seed=runs.seed,
        exact=with_exact,
    )
    outputs = Outputs.check(context, provenance, out, json_file, force, quiet)
    clicks = runs.draw_clicks()
    found = photon_report(clicks, runs.model, runs.initial, with_exact)
    outputs.show(
        f"{plural(len(clicks), 'photon')} of {plural(runs.ntraj, 'trajectory')}: "
        f"{runs.model.label}, {plural(runs.model.n_atoms, 'atom')}",
        summary_table(found.rows, f"by t = {found.duration:.6g}"),
    )
    if with_exact:
        p_values = {name: p for name, p in found.p_values.items() if not math.isnan(p)}
        listed = ", ".join(f"{name} {p:.3g}" for name, p in p_values.items()) or "unknown"
        outputs.show(f"chance of a larger deviation of the numbers: {listed}")
    else:
        outputs.show("exact curves of Eq. (5) are left out; --exact computes them")
    outputs.save_picture(photons_figure(found, runs.model))
    outputs.write_json({"photons": found})
