"""The command line: thin, and with the words of the library."""

import json
import math
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    add_completion=False,
    no_args_is_help=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Simulate a quantum battery of N two-level atoms, photon by photon.",
)

DEFAULT_SEED = 20241217  # the date of the paper
SECULAR_SAFE = 5.0
MOST_ATOMS = 10**7
MOST_PHOTONS = 1e8  # of one trajectory; more is a slip of the pen
TIMES_PER_PERIOD = 32
INTERRUPTED = 130

NAtoms = Annotated[int, typer.Option("--n-atoms", "-N", help="number of atoms N")]
Theta = Annotated[float, typer.Option(help="dressing angle in [0, pi], in radians")]
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
Force = Annotated[bool, typer.Option("--force", help="overwrite the results of another run")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="print nothing but errors")]


def _show_version(wanted: bool):
    if wanted:
        from trajbatt.version import __version__

        print(f"trajbatt {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="show the version"),
    ] = False,
):
    """Take the options that belong to no command."""


@app.command(short_help="Charge: an ensemble of trajectories beside the exact solution.")
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
        str | None,
        typer.Option(help="folder for the picture", show_default="trajbatt-out/charge..."),
    ] = None,
    json_file: Json = None,
    force: Force = False,
    quiet: Quiet = False,
):
    """Charge by Eq. (7): an ensemble of trajectories beside the exact solution."""
    from trajbatt import checks, folder, report
    from trajbatt.compare import NO_P_VALUE, compare
    from trajbatt.console import plural, progress_bar, screen, summary_table
    from trajbatt.mcsolve import mcsolve
    from trajbatt.mesolve import mesolve

    battery = _battery(n_atoms, theta, ratio, gamma_0, omega_p)
    ntraj = checks.integer("ntraj", ntraj, 1)
    seed = checks.integer("seed", seed, 0)
    if omega_0 is not None:
        omega_0 = checks.positive("omega_0", omega_0)
    energies = report.photon_energies(battery, omega_0)
    model = battery.charge()
    times = _times(battery, _duration(battery, time))
    _check_photons(model, times[-1])
    provenance = report.provenance(
        "charge", battery, time=float(times[-1]), ntraj=ntraj, seed=seed, omega_0=omega_0
    )
    place = _folder(context, out)
    picture = place / "charge.png"
    json_path = _json_path(json_file)
    folder.check(place, [picture.name], json_path, provenance, force)

    show = screen(to_stderr=json_file == "-", quiet=quiet)
    _warn(battery, quiet)
    with progress_bar(ntraj, quiet) as progress:
        runs = mcsolve(model, times, ntraj=ntraj, seed=seed, progress=progress)
    exact = mesolve(model, times)
    verdict = compare(runs, exact)
    rows = report.charging_summary(runs, exact, verdict, energies)
    show.print(
        f"Charging {plural(battery.n_atoms, 'atom')} to t = {times[-1]:.6g}: "
        f"{plural(ntraj, 'trajectory')}, seed {seed}"
    )
    show.print(summary_table(rows))
    if math.isnan(verdict.p_value):
        show.print(NO_P_VALUE)
    else:
        show.print(
            f"p = {verdict.p_value:.3g}: chance of a larger deviation from the exact solution"
        )

    from trajbatt import plots

    singles = [runs.replay(i) for i in range(min(3, ntraj))]
    figure = plots.charging_figure(runs, exact, battery, singles)
    folder.write_results(place, {picture.name: plots.as_png(figure)}, provenance)
    show.print(f"picture: {picture}")
    if json_file:
        numbers = {
            **provenance,
            "p_value": verdict.p_value,
            "summary": rows,
            "ensemble": runs,
            "exact": exact,
            "z": verdict,
        }
        _write_json(json_path, report.as_json(numbers))


@app.command(short_help="Print the exact steady state, and the rates and times of charging.")
def steady(
    n_atoms: NAtoms = 100,
    theta: Theta = 1.87,
    ratio: Ratio = 10.0,
    gamma_0: Gamma0 = 1.0,
    omega_p: OmegaP = None,
    json_file: Json = None,
    force: Force = False,
    quiet: Quiet = False,
):
    """Print the exact steady state of Eq. (7), and the rates and times of charging."""
    from trajbatt import asymptotics, folder, report
    from trajbatt.console import facts_table, screen
    from trajbatt.steady_state import steady_state

    battery = _battery(n_atoms, theta, ratio, gamma_0, omega_p)
    state = steady_state(battery.charge())
    provenance = report.provenance("steady", battery)
    json_path = _json_path(json_file)
    folder.check(None, [], json_path, provenance, force)
    fluctuation = math.sqrt(state.energy_variance) / state.energy if state.energy > 0 else math.nan
    facts = {
        "energy": ("energy E", state.energy),
        "energy_per_atom": ("  per atom, E/N", state.energy / n_atoms),
        "relative_fluctuation": ("  fluctuation, ΔE/E", fluctuation),
        "ergotropy": ("ergotropy R", state.ergotropy),
        "ergotropy_per_atom": ("  per atom, R/N", state.ergotropy / n_atoms),
        "ergotropy_per_atom_limit": (
            "  per atom for N → ∞",
            asymptotics.final_charge(battery) / n_atoms,
        ),
        "x": ("x = r cot⁴(θ/2)", battery.x),
        "gamma_net": ("net rate Γ", battery.gamma_net),
        "tau_90": ("τ₉₀", asymptotics.battery_tau_90(battery)),
        "charging_time": ("charging time T₉₀", battery.charging_time),
        "secular_ratio": ("Ω_P/(N max(A, B, C))", battery.secular_ratio),
    }
    _warn(battery, quiet)
    screen(to_stderr=json_file == "-", quiet=quiet).print(facts_table(facts.values()))
    if json_file:
        numbers = {name: number for name, (_, number) in facts.items()}
        numbers |= {
            "energy_variance": state.energy_variance,
            "dipole": state.dipole,
            "populations": state.populations,
        }
        _write_json(json_path, report.as_json({**provenance, **numbers}))


def main(argv=None):
    """Run the command line and return its exit status: 0, 2 for bad input, 130 for Ctrl-C."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal without Greek letters
    words = sys.argv[1:] if argv is None else list(argv)
    try:
        status = app(args=words or ["--help"], prog_name="trajbatt", standalone_mode=False)
        sys.stdout.flush()
    except typer.TyperException as error:
        return _fail(error.format_message())
    except (ValueError, TypeError, ArithmeticError) as error:
        return _fail(str(error))
    except MemoryError:
        return _fail("not enough memory for so many atoms, or for a run of so many photons")
    except BrokenPipeError:  # the reader has gone, as in `trajbatt charge | head -1`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        return _fail(f"cannot write {error.filename or 'the output'}: {error.strerror}")
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
    if n_atoms > MOST_ATOMS:
        raise ValueError(f"`n_atoms` must be at most {MOST_ATOMS}, but is {n_atoms}")
    return Battery(
        n_atoms=n_atoms,
        theta=theta,
        omega_p=10.0 * n_atoms if omega_p is None else omega_p,
        gamma_0=gamma_0,
        gamma_plus=checks.real("ratio", ratio, 0),
        gamma_minus=1.0,
    )


def _duration(battery, time):
    from trajbatt import checks

    if time is not None:
        return checks.positive("time", time)
    if math.isinf(battery.charging_time):
        raise ValueError("`time` must be given, because the charging time is infinite at x = 1")
    return battery.charging_time


def _times(battery, duration):
    """Return enough times to draw the oscillations at Omega_P, 401 to 3201."""
    import numpy as np

    wanted = TIMES_PER_PERIOD * battery.omega_p * duration / (2.0 * math.pi)
    return np.linspace(0.0, duration, 1 + round(min(max(wanted, 400.0), 3200.0)))


def _check_photons(model, duration):
    expected = model.typical_clicks(duration)
    if expected > MOST_PHOTONS:
        raise ValueError(
            f"`time` must leave a trajectory fewer than {MOST_PHOTONS:.0e} photons, "
            f"but {expected:.1e} are expected by t = {duration:.6g}"
        )


def _warn(battery, quiet):
    """Warn of parameters that are allowed, but hardly meant."""
    if quiet:
        return
    if math.sin(battery.theta) < 1e-12:
        print("trajbatt: warning: at sin(theta) = 0 the drive is off", file=sys.stderr)
    if battery.secular_ratio < SECULAR_SAFE:
        print(
            f"trajbatt: warning: Omega_P is only {battery.secular_ratio:.3g} times N max(A, B, C); "
            f"below {SECULAR_SAFE:g} the secular Eq. (7) is doubtful",
            file=sys.stderr,
        )


def _folder(context, out):
    """Return the folder `out`, or one named after the options that differ from their defaults."""
    if out is not None:
        if not out.strip():
            raise ValueError("`out` must name a folder, but is empty")
        return Path(out)
    words = [context.info_name]
    for option in context.command.params:
        value = context.params.get(option.name)
        if option.name not in ("out", "json_file", "force", "quiet") and value != option.default:
            words.append(f"{option.name.replace('_', '-')}-{value}")
    return Path("trajbatt-out") / "-".join(words)


def _json_path(json_file):
    """Return the path of the JSON file, None for standard output."""
    if json_file is not None and not json_file.strip():
        raise ValueError("`json` must name a file, but is empty")
    return None if json_file in (None, "-") else Path(json_file)


def _write_json(path, numbers):
    from trajbatt import folder

    text = json.dumps(numbers)
    if path is None:
        print(text)
    else:
        folder.write(path, (text + "\n").encode())
