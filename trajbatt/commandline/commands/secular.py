"""`trajbatt secular`."""

from typing import Annotated

import typer

from trajbatt.commandline import options
from trajbatt.commandline.outputs import Outputs

HELP = "Tell whether the secular Eq. (7) may stand for the full Eq. (5)."


def secular(
    context: typer.Context,
    n_atoms: options.NAtoms = 50,
    theta: options.Theta = 1.87,
    omega_p: Annotated[
        float | None,
        typer.Option(
            help="dressed splitting Omega_P, in units of gamma",
            show_default="10 N",
            parser=options.number,
        ),
    ] = None,
    sweep: Annotated[
        str | None,
        typer.Option(
            metavar="LIST", help="several drives instead, Omega_P/(N gamma), such as 1,2,5,10"
        ),
    ] = None,
    time: options.ChargingTime = None,
    tolerance: Annotated[
        float,
        typer.Option(
            help="difference per atom, or trace distance, that is trusted", parser=options.number
        ),
    ] = 0.05,
    out: options.Out = None,
    picture_format: options.PictureFormat = "png",
    json_file: options.Json = None,
    force: options.Force = False,
    quiet: options.Quiet = False,
):
    """Solve Eq. (5) beside Eq. (7), all rates being gamma = 1, and say how far they differ."""
    from trajbatt.analysis.secular import secular_check
    from trajbatt.base import checks
    from trajbatt.commandline.console import columns_table
    from trajbatt.exact.envelope import envelope
    from trajbatt.plots.analysis import secular_figure, secular_sweep_figure
    from trajbatt.reports import json_report
    from trajbatt.states.driven_steady_state import check_size

    if omega_p is not None and sweep is not None:
        raise ValueError("`omega_p` must be left out with --sweep")
    tolerance = checks.positive("tolerance", tolerance)
    drives = None if sweep is None else _drives(sweep)
    splittings = [omega_p] if drives is None else [drive * n_atoms for drive in drives]
    batteries = [
        options.make_battery(n_atoms, theta, 1.0, 1.0, splitting) for splitting in splittings
    ]
    check_size(n_atoms)
    duration = options.charging_duration(batteries[0], "time", time)
    provenance = json_report.provenance(
        "secular", batteries[0], sweep=drives, time=duration, tolerance=tolerance
    )
    grids = [options.transient_times(battery, duration) for battery in batteries]
    for battery, times in zip(batteries, grids, strict=True):
        options.check_lasting("time", duration, times)
        options.check_cost(battery.charge(secular=False), "time", times, quiet)
    outputs = Outputs.check(context, provenance, out, json_file, force, quiet)
    options.warn_of_battery(batteries[0], quiet, secular=False)

    found = [secular_check(battery, times) for battery, times in zip(batteries, grids, strict=True)]
    rows = [
        {
            "drive": one.drive,
            "energy_full_per_atom": one.full_steady.energy / n_atoms,
            "energy_secular_per_atom": one.secular_steady.energy / n_atoms,
            "energy_difference_per_atom": one.energy_difference,
            "transient_difference_per_atom": one.transient_difference,
            "trace_distance": one.trace_distance,
            **{
                f"{name}_trusted": difference < tolerance
                for name, difference in _differences(one).items()
            },
        }
        for one in found
    ]
    headings = (
        "Ω_P/(Nγ)",
        "final E/N by (5)",
        "by (7)",
        "differ by",
        "on the way",
        "trace distance",
    )
    outputs.show(
        f"Equation (7) beside Eq. (5): N = {n_atoms}, θ = {theta:g}, to t = {duration:.6g}",
        columns_table(headings, [list(row.values())[: len(headings)] for row in rows]),
        *_verdicts(found, tolerance),
    )
    figure = (
        secular_sweep_figure(found) if drives else secular_figure(found[0], envelope(found[0].full))
    )
    outputs.save_picture(figure)
    outputs.write_json({"summary": rows, "full": [one.full for one in found]})


def _differences(one):
    """Return how far the two equations differ in what one may trust them for."""
    return {
        "final_energy": abs(one.energy_difference),
        "energy": max(abs(one.energy_difference), one.transient_difference),
        "state": one.trace_distance,
    }


def _verdicts(found, tolerance):
    """Say for what, and for which of the drives, the secular equation may be trusted."""
    what = {
        "final_energy": "the final energy",
        "energy": "the energy on the way",
        "state": "the final state",
    }
    for name, words in what.items():
        trusted = [one.drive for one in found if _differences(one)[name] < tolerance]
        if len(found) == 1:
            answer = "yes" if trusted else "no"
        else:
            answer = f"Ω_P/(Nγ) = {', '.join(f'{d:g}' for d in trusted)}" if trusted else "no"
        yield f"Eq. (7) may be trusted to {tolerance:g} for {words}: {answer}"


def _drives(text):
    from trajbatt.base import checks

    try:
        drives = [float(word) for word in text.split(",")]
    except ValueError:
        raise ValueError(
            f"`sweep` must be numbers with commas between them, such as 1,2,5,10, but is {text!r}"
        ) from None
    return sorted(checks.positive("sweep", drive) for drive in drives)
