"""`trajbatt filter`."""

from dataclasses import replace
from typing import Annotated

import typer

from trajbatt.commandline import options
from trajbatt.commandline.outputs import Outputs

HELP = "Read the charge of a battery off a record of its photons."
WAYPOINTS = 10  # rows of the table
AS_SAID = "as the file says"


def filter(
    context: typer.Context,
    clicks: Annotated[
        str, typer.Argument(help="CSV file with the columns time and channel, or Photon-HDF5")
    ],
    n_atoms: Annotated[
        int | None,
        typer.Option(
            "--n-atoms", "-N", help="number of atoms N", show_default=AS_SAID, parser=options.whole
        ),
    ] = None,
    theta: Annotated[
        float | None,
        typer.Option(
            help="dressing angle in [0, pi], in radians",
            show_default=AS_SAID,
            parser=options.number,
        ),
    ] = None,
    ratio: Annotated[
        float | None,
        typer.Option(
            help="r = gamma_plus/gamma_minus; gamma_minus is 1",
            show_default=f"{AS_SAID}; 1 with --full",
            parser=options.number,
        ),
    ] = None,
    gamma_0: Annotated[
        float | None,
        typer.Option(
            "--gamma-0",
            help="gamma_0/gamma_minus",
            show_default=f"{AS_SAID}; 1 with --full",
            parser=options.number,
        ),
    ] = None,
    omega_p: Annotated[
        float | None,
        typer.Option(
            help="dressed splitting Omega_P, in units of gamma_minus",
            show_default=AS_SAID,
            parser=options.number,
        ),
    ] = None,
    full: Annotated[
        bool, typer.Option("--full", help="the full Eq. (5), of one rate, instead of Eq. (7)")
    ] = False,
    discharge: Annotated[
        bool, typer.Option("--discharge", help="the discharge of the charged battery")
    ] = False,
    efficiency: Annotated[
        str, typer.Option(help="of the detectors: one number, or one for each, as 0.3,0.5,0.3")
    ] = "1",
    dark_rate: Annotated[
        str, typer.Option(help="clicks without a photon, in gamma_minus, in the same way")
    ] = "0",
    time: Annotated[
        float | None,
        typer.Option(
            help="until when the photons were watched, in 1/gamma_minus",
            show_default="as the file says, or the last photon",
            parser=options.number,
        ),
    ] = None,
    time_unit: Annotated[
        float,
        typer.Option(
            help="how long 1/gamma_minus is, in the file's time; HDF5: in seconds",
            parser=options.number,
        ),
    ] = 1.0,
    trajectory: Annotated[
        int | None,
        typer.Option(
            help="which trajectory of the file, from 0 on",
            show_default="the only one",
            parser=options.whole,
        ),
    ] = None,
    channels: Annotated[
        str | None,
        typer.Option(
            help="names of the file's numbers of channels, as 1=red,2=center,3=blue; "
            "red,center,blue are 0, 1 and 2",
            show_default="as the file says",
        ),
    ] = None,
    out: options.Out = None,
    picture_format: options.PictureFormat = "png",
    json_file: options.Json = None,
    force: options.Force = False,
    quiet: options.Quiet = False,
):
    """Follow the energy of one battery, and how well it is known, by its photons alone."""
    import numpy as np

    from trajbatt.base import checks
    from trajbatt.commandline.console import columns_table, facts_table, plural
    from trajbatt.commandline.recorded import model_of_file
    from trajbatt.exact.mesolve import mesolve
    from trajbatt.exchange.about import FULL, way_of
    from trajbatt.inference.filter import filter
    from trajbatt.light.input import check_watched
    from trajbatt.plots.photons import filter_figure
    from trajbatt.reports import json_report

    if full and discharge:
        raise ValueError("`full` and `discharge` must not both be given")
    given = dict(n_atoms=n_atoms, theta=theta, ratio=ratio, gamma_0=gamma_0, omega_p=omega_p)
    battery, model = model_of_file(clicks, given, full, discharge)
    discharge, n_atoms = model.is_discharge, model.n_atoms
    full = full or way_of(model) == FULL
    record = _record(clicks, trajectory, channels, checks.positive("time_unit", time_unit))
    duration = record.duration if time is None else checks.positive("time", time)
    if duration == 0.0:
        raise ValueError(f"`time` must be given, because {clicks} has no duration")
    check_watched(record, duration, "time")
    options.check_photons(model, "time", duration)
    times = options.charging_times(battery, duration)
    seen = _numbers("efficiency", efficiency)
    dark = _numbers("dark_rate", dark_rate)
    provenance = json_report.provenance(
        "filter",
        battery,
        clicks=clicks,
        full=full,
        discharge=discharge,
        efficiency=seen,
        dark_rate=dark,
        time=duration,
        time_unit=time_unit,
        trajectory=trajectory,
        channels=channels,
    )
    outputs = Outputs.check(context, provenance, out, json_file, force, quiet)
    if full:
        options.check_cost(model, "time", times, quiet)
    found = filter(model, record, times, seen, dark_rate=dark)
    unseen = mesolve(model, times)
    what = "discharging" if discharge else f"charging by Eq. ({5 if full else 7})"
    detectors = f"efficiency {efficiency}" + (
        "" if dark_rate == "0" else f", dark rate {dark_rate}"
    )
    shown = np.unique(np.linspace(0, times.size - 1, WAYPOINTS + 1).round().astype(int))[1:]
    so_far = np.searchsorted(found.click_time, times[shown], side="right")
    outputs.show(
        f"{plural(len(record), 'photon')} of {plural(battery.n_atoms, 'atom')} "
        f"{what} to t = {duration:.6g}, {detectors}",
        columns_table(
            ("t", "photons", "E/N", "± ΔE/N", "if nothing is observed"),
            zip(
                times[shown],
                so_far,
                found.energy[shown] / n_atoms,
                np.sqrt(found.energy_variance[shown]) / n_atoms,
                unseen.energy[shown] / n_atoms,
                strict=True,
            ),
        ),
        facts_table([("log-likelihood of the record", found.log_likelihood[-1])]),
    )
    outputs.save_picture(filter_figure(found, unseen, f"{what}, {detectors}"))
    outputs.write_json({"filter": found, "exact": unseen})


def _record(path, trajectory, channels, time_unit):
    """Return the clicks of one trajectory of a file, in units of 1/gamma_minus."""
    from trajbatt.base import checks
    from trajbatt.commandline.recorded import read_clicks

    found = read_clicks(path, channels)
    if trajectory is None:
        if found.ntraj > 1:
            raise ValueError(
                f"`trajectory` must be given, because {path} has {found.ntraj}: "
                f"0 to {found.ntraj - 1}"
            )
        trajectory = 0
    trajectory = checks.integer("trajectory", trajectory, 0)
    if trajectory >= found.ntraj:
        raise ValueError(
            f"`trajectory` must be below the {found.ntraj} of {path}, but is {trajectory}"
        )
    one = found.of_trajectory(trajectory)
    return replace(one, time=one.time / time_unit, duration=one.duration / time_unit)


def _numbers(name, text):
    try:
        values = [float(word) for word in text.split(",")]
    except ValueError:
        raise ValueError(
            f"`{name}` must be a number, or some separated by commas, but is {text!r}"
        ) from None
    return values[0] if len(values) == 1 else values
