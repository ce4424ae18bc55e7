"""`trajbatt discharge`."""

from enum import StrEnum
from typing import Annotated

import typer

from trajbatt.commandline import options
from trajbatt.commandline.outputs import (
    Outputs,
    check_apart,
    exact_solution,
    run_ensemble,
    single_trajectories,
)

HELP = "Discharge: the charged battery decays with the pump off, by Eq. (5)."
POINTS = 401


class Start(StrEnum):
    """Initial states."""

    CHARGED = "charged"
    INVERTED = "inverted"


def discharge(
    context: typer.Context,
    n_atoms: options.NAtoms = 100,
    theta: options.Theta = 1.87,
    ratio: options.Ratio = 10.0,
    gamma_0: options.Gamma0 = 1.0,
    omega_p: options.OmegaP = None,
    local: options.Local = 0.0,
    dephasing: options.Dephasing = 0.0,
    thermal: options.Thermal = 0.0,
    start: Annotated[
        Start, typer.Option(help="the charged steady state of Eq. (7), or all atoms excited")
    ] = Start.CHARGED,
    gamma: Annotated[
        float | None,
        typer.Option(help="decay rate", show_default="that of --gamma-0", parser=options.number),
    ] = None,
    time: Annotated[
        float | None,
        typer.Option(
            help="duration, in 1/gamma_minus",
            show_default="until 1 % is left",
            parser=options.number,
        ),
    ] = None,
    ntraj: options.NTraj = 1000,
    seed: options.Seed = options.DEFAULT_SEED,
    target: options.Target = None,
    store: options.Store = None,
    part: options.Part = None,
    workers: options.Workers = None,
    out: options.Out = None,
    picture_format: options.PictureFormat = "png",
    json_file: options.Json = None,
    force: options.Force = False,
    quiet: options.Quiet = False,
):
    """Discharge by Eq. (5) with the pump off: an ensemble beside the exact solution."""
    import numpy as np

    from trajbatt.base import checks
    from trajbatt.commandline.draining import until_drained, warmth
    from trajbatt.commandline.presenting import present
    from trajbatt.exact.mesolve import mesolve
    from trajbatt.reports import json_report
    from trajbatt.states.initial import excited_state

    battery = options.make_battery(
        n_atoms, theta, ratio, gamma_0, omega_p, **options.noise_of(context)
    )
    settings = options.make_settings(ntraj, seed, store, workers, target, part)
    check_apart(context, out, json_file)
    # Single atoms decay in proportion to the collective rate of the discharge.
    gamma = battery.gamma_0 if gamma is None else gamma
    model = battery.discharge(gamma, local=local * gamma)
    initial = excited_state(n_atoms) if start is Start.INVERTED else None
    if time is None:
        time = until_drained(
            "time",
            n_atoms,
            model.coherent_rate,
            lambda times: mesolve(model, times, initial, rtol=1e-6).energy,
            floor=warmth(model, thermal),
        )
    time = checks.positive("time", time)
    options.check_photons(model, "time", time)
    times = np.linspace(0.0, time, POINTS)
    options.check_lasting("time", time, times)
    provenance = json_report.provenance(
        "discharge",
        battery,
        start=start.value,
        gamma=model.coherent_rate,
        time=time,
        ntraj=ntraj,
        seed=seed,
        target=settings["target"],
    )
    outputs = Outputs.check(context, provenance, out, json_file, force, quiet)

    runs = run_ensemble(model, times, settings, quiet, initial)
    exact = exact_solution(model, times, initial, quiet=quiet)
    present(outputs, runs, exact, single_trajectories(runs))
