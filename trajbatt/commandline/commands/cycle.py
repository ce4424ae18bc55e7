"""`trajbatt cycle`."""

import math
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

HELP = "The whole cycle: charge, store and discharge, in one run."
STORE_PERIODS = 3
STORE_POINTS = 101
DISCHARGE_POINTS = 301


def cycle(
    context: typer.Context,
    n_atoms: options.NAtoms = 100,
    theta: options.Theta = 1.87,
    ratio: options.RatioOrOne = None,
    gamma_0: options.Gamma0 = 1.0,
    omega_p: options.OmegaP = None,
    local: options.Local = 0.0,
    dephasing: options.Dephasing = 0.0,
    dephasing_omega: options.DephasingOmega = None,
    pump: options.Pump = 0.0,
    thermal: options.Thermal = 0.0,
    charge_time: options.ChargingTime = None,
    store_time: Annotated[
        float | None,
        typer.Option(
            help="duration of the storage",
            show_default="3 precession periods",
            parser=options.number,
        ),
    ] = None,
    discharge_time: Annotated[
        float | None,
        typer.Option(
            help="duration of the discharge",
            show_default="until 1 % is left",
            parser=options.number,
        ),
    ] = None,
    gamma: Annotated[
        float | None,
        typer.Option(
            help="decay rate of the discharge",
            show_default="that of --gamma-0",
            parser=options.number,
        ),
    ] = None,
    full: Annotated[
        bool,
        typer.Option("--full", help="charge by the full Eq. (5), of one rate"),
    ] = False,
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
    """Charge, store and discharge: each trajectory keeps its state from stage to stage."""
    import numpy as np

    from trajbatt.base import checks
    from trajbatt.commandline.draining import until_drained, warmth
    from trajbatt.commandline.presenting import present
    from trajbatt.exact.mesolve import mesolve
    from trajbatt.models.protocol import Protocol
    from trajbatt.reports import json_report

    ratio = options.ratio_or_one(ratio, full)
    battery = options.make_battery(
        n_atoms, theta, ratio, gamma_0, omega_p, **options.noise_of(context)
    )
    settings = options.make_settings(ntraj, seed, store, workers, target, part)
    check_apart(context, out, json_file)
    charging, storing = battery.charge(secular=not full), battery.store()
    # Single atoms decay in proportion to the collective rate of the discharge.
    gamma = battery.gamma_0 if gamma is None else gamma
    discharging = battery.discharge(gamma, local=local * gamma)
    charged = options.charging_duration(battery, "charge_time", charge_time)
    options.check_photons(charging, "charge_time", charged)
    charging_times = options.charging_times(battery, charged)
    options.check_lasting("charge_time", charged, charging_times)
    if full:
        options.check_cost(charging, "charge_time", charging_times, quiet)
    if store_time is None:
        period = 2 * math.pi / abs(battery.detuning) if battery.detuning else math.inf
        store_time = min(STORE_PERIODS * period, charged)
    stored = charged + checks.positive("store_time", store_time)
    storing_times = np.linspace(charged, stored, STORE_POINTS)
    options.check_lasting("store_time", store_time, storing_times)
    steps = [(charging, charged), (storing, store_time)]
    if discharge_time is None:
        discharge_time = until_drained(
            "discharge_time",
            n_atoms,
            discharging.coherent_rate,
            lambda times: (
                mesolve(
                    Protocol([*steps, (discharging, times[-1] + charged)]),
                    stored + times,
                    rtol=1e-6,
                ).energy
            ),
            floor=warmth(discharging, thermal),
        )
    discharge_time = checks.positive("discharge_time", discharge_time)
    options.check_photons(discharging, "discharge_time", discharge_time)
    discharging_times = np.linspace(stored, stored + discharge_time, DISCHARGE_POINTS)
    options.check_lasting("discharge_time", discharge_time, discharging_times)
    protocol = Protocol([*steps, (discharging, discharge_time)])
    provenance = json_report.provenance(
        "cycle",
        battery,
        full=full,
        charge_time=charged,
        store_time=store_time,
        discharge_time=discharge_time,
        gamma=discharging.coherent_rate,
        ntraj=ntraj,
        seed=seed,
        target=settings["target"],
    )
    outputs = Outputs.check(context, provenance, out, json_file, force, quiet)
    options.warn_of_battery(battery, quiet, secular=not full)

    times = np.concatenate((charging_times, storing_times[1:], discharging_times[1:]))
    runs = run_ensemble(protocol, times, settings, quiet)
    exact = exact_solution(protocol, times, quiet=quiet)
    present(outputs, runs, exact, single_trajectories(runs))
