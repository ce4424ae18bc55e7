"""`trajbatt charge`."""

from typing import Annotated

import typer

from trajbatt.commands import options
from trajbatt.commands.outputs import (
    Outputs,
    comparison_numbers,
    run_beside_exact,
    show_comparison,
    single_trajectories,
)

HELP = "Charge: an ensemble of trajectories beside the exact solution."


def charge(
    context: typer.Context,
    n_atoms: options.NAtoms = 100,
    theta: options.Theta = 1.87,
    ratio: Annotated[
        float | None,
        typer.Option(
            help="r = gamma_plus/gamma_minus; gamma_minus is 1", show_default="10; 1 with --full"
        ),
    ] = None,
    gamma_0: options.Gamma0 = 1.0,
    omega_p: options.OmegaP = None,
    full: Annotated[
        bool, typer.Option("--full", help="the full Eq. (5), of one rate, instead of Eq. (7)")
    ] = False,
    time: Annotated[
        float | None, typer.Option(help="duration, in 1/gamma_minus", show_default="T90")
    ] = None,
    ntraj: options.NTraj = 1000,
    seed: options.Seed = options.DEFAULT_SEED,
    omega_0: Annotated[
        float | None,
        typer.Option(
            "--omega-0",
            help="atomic frequency in units of gamma_minus, for the energies of waste photons",
            show_default="each counts as one quantum",
        ),
    ] = None,
    out: options.Out = None,
    json_file: options.Json = None,
    force: options.Force = False,
    quiet: options.Quiet = False,
):
    """Charge by Eq. (7), or by Eq. (5): an ensemble of trajectories beside the exact solution."""
    from trajbatt import checks, plots, report, summaries
    from trajbatt.console import plural, summary_table
    from trajbatt.mesolve import mesolve

    default_ratio = 1.0 if full else 10.0
    ratio = default_ratio if ratio is None else ratio
    battery = options.make_battery(n_atoms, theta, ratio, gamma_0, omega_p)
    ntraj = checks.integer("ntraj", ntraj, 1)
    seed = checks.integer("seed", seed, 0)
    if omega_0 is not None:
        omega_0 = checks.positive("omega_0", omega_0)
        if full:
            raise ValueError("`omega_0` must be left out with --full, which resolves no channels")
    model = battery.charge(secular=not full)
    energies = report.photon_energies(battery, omega_0)[: len(model.channel_names)]
    duration = options.charging_duration(battery, "time", time)
    times = options.charging_times(battery, duration)
    options.check_photons(model, "time", times[-1])
    provenance = report.provenance(
        "charge", battery, full=full, time=duration, ntraj=ntraj, seed=seed, omega_0=omega_0
    )
    outputs = Outputs.check(context, provenance, out, json_file, force, quiet)
    options.warn_of_battery(battery, quiet, secular=not full)

    runs, exact, verdict = run_beside_exact(model, times, ntraj, seed, quiet)
    rows = summaries.charging_summary(runs, exact, verdict, energies)
    headline = (
        f"Charging {plural(battery.n_atoms, 'atom')}{' by Eq. (5)' if full else ''} to "
        f"t = {duration:.6g}: {plural(ntraj, 'trajectory')}, seed {seed}"
    )
    show_comparison(outputs, headline, summary_table(rows, "at the end"), verdict)
    secular = mesolve(battery.charge(), times) if full else None
    outputs.save_picture(
        plots.charging_figure(runs, exact, battery, single_trajectories(runs), secular)
    )
    outputs.write_json(comparison_numbers(runs, exact, verdict, rows))
