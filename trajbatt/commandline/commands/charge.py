"""`trajbatt charge`."""

from typing import Annotated

import typer

from trajbatt.commandline import options
from trajbatt.commandline.outputs import (
    Outputs,
    exact_solution,
    run_ensemble,
    single_trajectories,
)

HELP = "Charge: an ensemble of trajectories beside the exact solution."


def charge(
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
    full: Annotated[
        bool, typer.Option("--full", help="the full Eq. (5), of one rate, instead of Eq. (7)")
    ] = False,
    time: options.ChargingTime = None,
    ntraj: options.NTraj = 1000,
    seed: options.Seed = options.DEFAULT_SEED,
    target: options.Target = None,
    store: options.Store = None,
    part: options.Part = None,
    workers: options.Workers = None,
    omega_0: Annotated[
        float | None,
        typer.Option(
            "--omega-0",
            help="atomic frequency in units of gamma_minus, for the energies of waste photons",
            show_default="each counts as one quantum",
            parser=options.number,
        ),
    ] = None,
    out: options.Out = None,
    picture_format: options.PictureFormat = "png",
    json_file: options.Json = None,
    force: options.Force = False,
    quiet: options.Quiet = False,
):
    """Charge by Eq. (7), or by Eq. (5): an ensemble of trajectories beside the exact solution."""
    from trajbatt.base import checks
    from trajbatt.commandline.presenting import present
    from trajbatt.models.channel import photon_energies
    from trajbatt.reports import json_report

    ratio = options.ratio_or_one(ratio, full)
    battery = options.make_battery(
        n_atoms, theta, ratio, gamma_0, omega_p, **options.noise_of(context)
    )
    settings = options.make_settings(ntraj, seed, store, workers, target, part)
    if omega_0 is not None:
        omega_0 = checks.positive("omega_0", omega_0)
        if full:
            raise ValueError("`omega_0` must be left out with --full, which resolves no channels")
    model = battery.charge(secular=not full)
    energies = photon_energies(model, omega_0)
    duration = options.charging_duration(battery, "time", time)
    times = options.charging_times(battery, duration)
    options.check_lasting("time", duration, times)
    options.check_photons(model, "time", times[-1])
    provenance = json_report.provenance(
        "charge",
        battery,
        full=full,
        time=duration,
        ntraj=ntraj,
        seed=seed,
        target=settings["target"],
        omega_0=omega_0,
    )
    outputs = Outputs.check(context, provenance, out, json_file, force, quiet)
    options.warn_of_battery(battery, quiet, secular=not full)
    if full:
        options.check_cost(model, "time", times, quiet)

    runs = run_ensemble(model, times, settings, quiet)
    exact = exact_solution(model, times, quiet=quiet)
    present(outputs, runs, exact, single_trajectories(runs), energies)
