"""The command line: thin, and with the words of the library."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Simulate a quantum battery of N two-level atoms, photon by photon.",
)

DEFAULT_SEED = 20241217  # the date of the paper
SECULAR_SAFE = 5.0
INTERRUPTED = 130

NAtoms = Annotated[int, typer.Option("--n-atoms", "-N", help="number of atoms N")]
Theta = Annotated[float, typer.Option(help="dressing angle atan2(Omega_R, Delta), in [0, pi]")]
Ratio = Annotated[float, typer.Option(help="r = gamma_plus/gamma_minus; gamma_minus is 1")]
Gamma0 = Annotated[float, typer.Option("--gamma-0", help="gamma_0/gamma_minus")]
OmegaP = Annotated[
    float | None,
    typer.Option(help="dressed splitting Omega_P, in units of gamma_minus", show_default="10 N"),
]
Json = Annotated[
    str | None,
    typer.Option("--json", metavar="FILE", help="write all numbers as JSON; - for standard output"),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="print nothing but errors")]


@app.callback()
def _commands():
    """Keep commands as commands, however few there are."""


@app.command()
def charge(
    context: typer.Context,
    n_atoms: NAtoms = 100,
    theta: Theta = 1.87,
    ratio: Ratio = 10.0,
    gamma_0: Gamma0 = 1.0,
    omega_p: OmegaP = None,
    time: Annotated[
        float | None, typer.Option(help="duration, in 1/gamma_minus", show_default="T90")
    ] = None,
    ntraj: Annotated[int, typer.Option(help="number of trajectories")] = 1000,
    seed: Annotated[int, typer.Option(help="seed of the trajectories")] = DEFAULT_SEED,
    omega_0: Annotated[
        float | None,
        typer.Option(
            "--omega-0",
            help="atomic frequency in units of gamma_minus, for the energies of waste photons",
            show_default="each counts as one quantum",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="folder for the picture", show_default="trajbatt-out/charge..."),
    ] = None,
    json_file: Json = None,
    force: Annotated[bool, typer.Option("--force", help="overwrite another run's folder")] = False,
    quiet: Quiet = False,
):
    """Charge by Eq. (7): an ensemble of trajectories beside the exact solution."""
    from trajbatt import checks, folder, report
    from trajbatt.compare import compare
    from trajbatt.console import console, progress_bar, summary_table
    from trajbatt.mcsolve import mcsolve
    from trajbatt.mesolve import mesolve

    battery = _battery(n_atoms, theta, ratio, gamma_0, omega_p)
    ntraj = checks.integer("ntraj", ntraj, 1)
    seed = checks.integer("seed", seed, 0)
    if omega_0 is not None:
        omega_0 = checks.positive("omega_0", omega_0)
    energies = report.photon_energies(battery, omega_0)
    times = _times(battery, _duration(battery, time))
    provenance = report.provenance(
        "charge", battery, time=float(times[-1]), ntraj=ntraj, seed=seed, omega_0=omega_0
    )
    _check_json(json_file)
    out = out or Path("trajbatt-out") / _run_name(context)
    picture = out / "charge.png"
    folder.claim(out, provenance, [picture.name], force)

    screen = console(to_stderr=json_file == "-", quiet=quiet)
    _warn_if_not_secular(battery, quiet)
    model = battery.charge()
    with progress_bar(ntraj, quiet) as progress:
        runs = mcsolve(model, times, ntraj=ntraj, seed=seed, progress=progress)
    exact = mesolve(model, times)
    verdict = compare(runs, exact)
    rows = report.charging_summary(runs, exact, energies)

    from trajbatt import plots

    singles = [runs.replay(i) for i in range(min(3, ntraj))]
    plots.charging_figure(runs, exact, battery, singles).savefig(picture)
    if json_file:
        numbers = {
            **provenance,
            "p_value": verdict.p_value,
            "summary": rows,
            "ensemble": runs,
            "exact": exact,
            "z": verdict,
        }
        _write_json(json_file, report.as_json(numbers))
    screen.print(
        f"Charging {battery.n_atoms} atoms to t = {times[-1]:.6g}: "
        f"{ntraj} trajectories, seed {seed}"
    )
    screen.print(summary_table(rows))
    screen.print(f"p = {verdict.p_value:.3g}: chance of a larger deviation from the exact solution")
    screen.print(f"picture: {picture}")


@app.command()
def steady(
    n_atoms: NAtoms = 100,
    theta: Theta = 1.87,
    ratio: Ratio = 10.0,
    gamma_0: Gamma0 = 1.0,
    omega_p: OmegaP = None,
    json_file: Json = None,
    quiet: Quiet = False,
):
    """Print the exact steady state of Eq. (7) and the rates and times of charging."""
    import math

    from trajbatt import asymptotics, report
    from trajbatt.console import console, facts_table
    from trajbatt.steady_state import steady_state

    battery = _battery(n_atoms, theta, ratio, gamma_0, omega_p)
    _check_json(json_file)
    state = steady_state(battery.charge())
    numbers = {
        "energy": state.energy,
        "energy_variance": state.energy_variance,
        "ergotropy": state.ergotropy,
        "dipole": state.dipole,
        "x": battery.x,
        "gamma_net": battery.gamma_net,
        "tau_90": asymptotics.battery_tau_90(battery),
        "charging_time": battery.charging_time,
        "secular_ratio": battery.secular_ratio,
    }
    if json_file:
        _write_json(json_file, report.as_json({**report.provenance("steady", battery), **numbers}))
    _warn_if_not_secular(battery, quiet)
    n = battery.n_atoms
    screen = console(to_stderr=json_file == "-", quiet=quiet)
    screen.print(
        facts_table(
            [
                ("energy per atom, E/N", f"{state.energy / n:.9g}"),
                ("fluctuation, ΔE/E", f"{_over(math.sqrt(state.energy_variance), state.energy)}"),
                ("ergotropy per atom, R/N", f"{state.ergotropy / n:.9g}"),
                ("  for N → ∞", f"{asymptotics.final_charge(battery) / n:.9g}"),
                ("dipole per atom, |⟨J₊⟩|/N", f"{abs(state.dipole) / n:.9g}"),
                ("x = r cot⁴(θ/2)", f"{battery.x:.9g}"),
                ("net rate Γ", f"{battery.gamma_net:.9g}"),
                ("τ₉₀", f"{numbers['tau_90']:.9g}"),
                ("charging time T₉₀", f"{battery.charging_time:.9g}"),
                ("Ω_P/(N max(A, B, C))", f"{battery.secular_ratio:.4g}"),
            ]
        )
    )


def main(argv=None):
    """Run the command line and return its exit status: 0, 2 for bad input, 130 for Ctrl-C."""
    try:
        status = app(args=argv, prog_name="trajbatt", standalone_mode=False)
    except typer.TyperException as error:
        return _fail(error.format_message())
    except (ValueError, TypeError) as error:
        return _fail(str(error))
    if status == INTERRUPTED:  # Typer's own status for Ctrl-C
        print("trajbatt: interrupted", file=sys.stderr)
    return status or 0


def _fail(message):
    print("trajbatt: " + " ".join(message.split()), file=sys.stderr)
    return 2


def _battery(n_atoms, theta, ratio, gamma_0, omega_p):
    from trajbatt import checks
    from trajbatt.battery import Battery

    n_atoms = checks.integer("n_atoms", n_atoms, 1)
    return Battery(
        n_atoms=n_atoms,
        theta=theta,
        omega_p=10.0 * n_atoms if omega_p is None else omega_p,
        gamma_0=gamma_0,
        gamma_plus=checks.real("ratio", ratio, 0),
        gamma_minus=1.0,
    )


def _duration(battery, time):
    import math

    from trajbatt import checks

    if time is not None:
        return checks.positive("time", time)
    if math.isinf(battery.charging_time):
        raise ValueError("`time` must be given, because the charging time is infinite at x = 1")
    return battery.charging_time


def _times(battery, duration):
    """Return enough times to draw the oscillations at Omega_P, 401 to 3201."""
    import math

    import numpy as np

    wanted = 32.0 * battery.omega_p * duration / (2.0 * math.pi)
    return np.linspace(0.0, duration, 1 + round(min(max(wanted, 400.0), 3200.0)))


def _warn_if_not_secular(battery, quiet):
    if battery.secular_ratio < SECULAR_SAFE and not quiet:
        print(
            f"trajbatt: warning: Omega_P is only {battery.secular_ratio:.3g} times N max(A, B, C); "
            f"below {SECULAR_SAFE:g} the secular Eq. (7) is doubtful",
            file=sys.stderr,
        )


def _run_name(context):
    """Return the command's name with the options that change its result, as a folder name."""
    words = [context.info_name]
    for name, value in context.params.items():
        if name in ("out", "json_file", "force", "quiet"):
            continue
        if context.get_parameter_source(name).name == "COMMANDLINE":
            words.append(f"{name.replace('_', '-')}-{value}")
    return "-".join(words)


def _over(numerator, denominator):
    return f"{numerator / denominator:.9g}" if denominator else "–"


def _check_json(json_file):
    """Find out before computing whether the JSON file can be written."""
    if json_file in (None, "-"):
        return
    try:
        with open(json_file, "a"):
            pass
    except OSError as error:
        raise ValueError(f"`json` must be a file that can be written, but {error}") from None


def _write_json(json_file, numbers):
    text = json.dumps(numbers)
    if json_file == "-":
        print(text)
    else:
        Path(json_file).write_text(text + "\n")
