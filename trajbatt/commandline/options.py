"""The options that several commands share, and what is made of them."""

import hashlib
import math
from pathlib import Path
from typing import Annotated

import typer

from trajbatt.commandline.numbers import number, whole
from trajbatt.commandline.streams import say

DEFAULT_SEED = 20241217  # the date of the paper
SECULAR_SAFE = 5.0
MOST_ATOMS = 10**7
MOST_PHOTONS = 1e8  # of one trajectory; more is a slip of the pen
TIMES_PER_PERIOD = 32
LONGEST, WORTH_A_WORD = 3 * 3600.0, 20.0  # seconds
# Options that change where and how a run is computed, not the run.
LONGEST_NAME = 180  # bytes of a folder's name; file systems take 255, with a file's in it
NOISE_OPTIONS = ("local", "dephasing", "dephasing_omega", "pump", "thermal")
UNNAMED = ("out", "picture_format", "animate", "json_file", "force", "quiet", "store", "workers")
FORMATS = "png", "pdf", "svg"
# How the help groups the options.
BATTERY, NOISE, RUN, OUTPUT = "Battery", "Noise of single atoms, and heat", "Run", "Output"

NAtoms = Annotated[
    int,
    typer.Option(
        "--n-atoms", "-N", help="number of atoms N", parser=whole, rich_help_panel=BATTERY
    ),
]
Theta = Annotated[
    float,
    typer.Option(
        help="dressing angle in [0, pi], in radians", parser=number, rich_help_panel=BATTERY
    ),
]
Ratio = Annotated[
    float,
    typer.Option(
        help="r = gamma_plus/gamma_minus; gamma_minus is 1", parser=number, rich_help_panel=BATTERY
    ),
]
RatioOrOne = Annotated[
    float | None,
    typer.Option(
        "--ratio",
        help="r = gamma_plus/gamma_minus; gamma_minus is 1",
        show_default="10; 1 with --full",
        parser=number,
        rich_help_panel=BATTERY,
    ),
]
Gamma0 = Annotated[
    float,
    typer.Option("--gamma-0", help="gamma_0/gamma_minus", parser=number, rich_help_panel=BATTERY),
]
OmegaP = Annotated[
    float | None,
    typer.Option(
        help="dressed splitting Omega_P, in units of gamma_minus",
        show_default="10 N",
        parser=number,
        rich_help_panel=BATTERY,
    ),
]
Local = Annotated[
    float,
    typer.Option(
        help="decay of single atoms, at so many times the collective rates",
        parser=number,
        rich_help_panel=NOISE,
    ),
]
Dephasing = Annotated[
    float,
    typer.Option(
        help="dephasing of single atoms, gamma_phi/gamma_minus",
        parser=number,
        rich_help_panel=NOISE,
    ),
]
DephasingOmega = Annotated[
    float | None,
    typer.Option(
        help="the same noise at the frequency Omega_P; 0 if it is slow",
        show_default="white noise: as large",
        parser=number,
        rich_help_panel=NOISE,
    ),
]
Pump = Annotated[
    float,
    typer.Option(
        help="pumping of single atoms, in units of gamma_minus",
        parser=number,
        rich_help_panel=NOISE,
    ),
]
Thermal = Annotated[
    float,
    typer.Option(
        help="mean number of thermal photons in each mode", parser=number, rich_help_panel=NOISE
    ),
]
NTraj = Annotated[
    int, typer.Option(help="number of trajectories", parser=whole, rich_help_panel=RUN)
]
Seed = Annotated[
    int, typer.Option(help="seed of the trajectories", parser=whole, rich_help_panel=RUN)
]
Store = Annotated[
    str | None,
    typer.Option(
        help="folder to keep the run in; the same command again goes on with it",
        rich_help_panel=RUN,
    ),
]
Part = Annotated[
    str | None,
    typer.Option(
        metavar="I/N",
        help="compute part I of N alone, for an array job; `trajbatt merge` joins them in --store",
        rich_help_panel=RUN,
    ),
]
Workers = Annotated[
    int | None,
    typer.Option(help="threads", show_default="all cores", parser=whole, rich_help_panel=RUN),
]
Target = Annotated[
    str | None,
    typer.Option(
        metavar="ERRORS",
        help="stop at these standard errors, such as energy=0.01,counts=0.1; --ntraj is the cap",
        rich_help_panel=RUN,
    ),
]
Out = Annotated[
    str | None,
    typer.Option(
        help="folder for the picture",
        show_default="trajbatt-out/COMMAND...",
        rich_help_panel=OUTPUT,
    ),
]
PictureFormat = Annotated[
    str, typer.Option("--format", help="of the picture: png, pdf or svg", rich_help_panel=OUTPUT)
]
ChargingTime = Annotated[
    str | None,
    typer.Option(
        help="duration, in 1/gamma_minus, or as 2*T90", show_default="T90", rich_help_panel=BATTERY
    ),
]
Json = Annotated[
    str | None,
    typer.Option(
        "--json",
        metavar="FILE",
        help="write all numbers as JSON; - for standard output",
        rich_help_panel=OUTPUT,
    ),
]
Force = Annotated[
    bool,
    typer.Option("--force", help="overwrite the results of another run", rich_help_panel=OUTPUT),
]
Quiet = Annotated[
    bool, typer.Option("--quiet", "-q", help="print nothing but errors", rich_help_panel=OUTPUT)
]


def make_battery(n_atoms, theta, ratio, gamma_0, omega_p, **noise):
    """Return the battery of the options, in units of gamma_minus; `noise` as of `with_noise`."""
    from trajbatt.base import checks
    from trajbatt.models.battery import Battery
    from trajbatt.models.noise import with_noise

    n_atoms = checks.integer("n_atoms", n_atoms, 1)
    if n_atoms > MOST_ATOMS:
        raise ValueError(f"`n_atoms` must be at most {MOST_ATOMS}, but is {n_atoms}")
    battery = Battery(
        n_atoms=n_atoms,
        theta=theta,
        omega_p=10.0 * n_atoms if omega_p is None else omega_p,
        gamma_0=gamma_0,
        gamma_plus=checks.real("ratio", ratio, 0),
        gamma_minus=1.0,
    )
    return with_noise(battery, **noise)


def noise_of(context):
    """Return the options of the noise that were given, a dict; empty without any."""
    return {name: context.params[name] for name in NOISE_OPTIONS if name in context.params}


def ratio_or_one(ratio, full):
    """Return the ratio of the rates; by default 10, but 1 for Eq. (5)."""
    return (1.0 if full else 10.0) if ratio is None else ratio


def make_settings(ntraj, seed, store, workers, target, part=None):
    """Return what `mcsolve` is told about the size of a run and where it is kept."""
    from trajbatt.base import checks

    if store is not None and not store.strip():
        raise ValueError("`store` must name a folder, but is empty")
    if part is not None and store is None:
        raise ValueError("`store` must be given with --part: the parts meet there")
    return {
        "part": None if part is None else _part(part),
        "ntraj": checks.integer("ntraj", ntraj, 1),
        "seed": checks.integer("seed", seed, 0),
        "store": store,
        "threads": None if workers is None else checks.integer("workers", workers, 1),
        "target": None if target is None else _target(target),
    }


def _part(text):
    try:
        i, n = map(int, text.split("/"))
    except ValueError:
        raise ValueError(f"`part` must be such as 3/64, but is {text!r}") from None
    return i, n


def _target(text):
    try:
        pairs = [word.split("=") for word in text.split(",")]
        return {name.strip(): float(value) for name, value in pairs}
    except ValueError:
        raise ValueError(
            f"`target` must name standard errors, such as energy=0.01,counts=0.1, but is {text!r}"
        ) from None


def charging_duration(battery, name, time):
    """Return the duration that is meant by `time`, called `name`: a formula, or None for T90."""
    from trajbatt.base import checks

    if time is not None and "T90" not in time:
        return checks.positive(name, _named(name, time))
    if math.isinf(battery.charging_time):
        raise ValueError(f"`{name}` must be given, because the charging time is infinite at x = 1")
    return checks.positive(name, _named(name, time or "T90", T90=battery.charging_time))


def _named(name, text, **names):
    try:
        return number(text, **names)
    except ValueError as error:
        raise ValueError(f"`{name}`: {error}, such as 0.1 or 2*T90") from None


def charging_times(battery, duration):
    """Return enough times to draw the oscillations at Omega_P, 401 to 3201."""
    import numpy as np

    wanted = TIMES_PER_PERIOD * battery.omega_p * duration / (2.0 * math.pi)
    return np.linspace(0.0, duration, 1 + round(min(max(wanted, 400.0), 3200.0)))


def transient_times(battery, duration):
    """Return times that follow the first hundred oscillations, and then go on to the end."""
    import numpy as np

    period = 2.0 * math.pi / battery.omega_p if battery.omega_p > 0 else math.inf
    fine = min(duration, 100.0 * period)
    times = charging_times(battery, fine)
    if fine < duration:
        times = np.concatenate((times, np.linspace(fine, duration, 401)[1:]))
    return times


def check_lasting(name, duration, times):
    """Raise `ValueError` if `duration`, of the option `name`, is too short for `times` (nt,)."""
    import numpy as np

    if np.any(np.diff(times) <= 0.0):
        least = 2.0 * times.size * np.spacing(times[-1])
        raise ValueError(
            f"`{name}` must be longer than rounding, {least:.1g} here, but is {duration:.6g}"
        )


def check_photons(model, name, duration):
    """Raise `ValueError` if a trajectory would emit too many photons in the time called `name`."""
    expected = model.typical_clicks(duration)
    if expected > MOST_PHOTONS:
        raise ValueError(
            f"`{name}` must leave a trajectory fewer than {MOST_PHOTONS:.0e} photons, "
            f"but {expected:.1e} are expected by t = {duration:.6g}"
        )


def check_cost(model, name, times, quiet):
    """Warn if the exact solution of Eq. (5) until the time called `name` takes minutes.

    Raises
    ------
    ValueError
        If it takes many hours.
    """
    from trajbatt.exact.cost import driven_seconds

    seconds = driven_seconds(model, times)
    if seconds > LONGEST:
        raise ValueError(
            f"`{name}` must leave the exact solution of Eq. (5) less than "
            f"{LONGEST / 3600:g} hours, but about {seconds / 3600:.2g} are expected by "
            f"t = {times[-1]:.6g}"
        )
    if seconds > WORTH_A_WORD and not quiet:
        say(f"the exact solution of Eq. (5) takes about {seconds / 60:.1g} minutes")


def warn_of_battery(battery, quiet, secular=True):
    """Warn of parameters that are allowed, but hardly meant."""
    if quiet:
        return
    if math.sin(battery.theta) < 1e-12:
        say("warning: at sin(theta) = 0 the drive is off")
    if secular and battery.secular_ratio < SECULAR_SAFE:
        say(
            f"warning: Omega_P is only {battery.secular_ratio:.3g} times N max(A, B, C); "
            f"below {SECULAR_SAFE:g} the secular Eq. (7) is doubtful"
        )


def make_folder(context, out):
    """Return the folder `out`, or one named after the options that differ from their defaults."""
    if out is not None:
        if not out.strip():
            raise ValueError("`out` must name a folder, but is empty")
        if Path(out).suffix[1:].lower() in FORMATS:
            raise ValueError(
                f"`out` must be a folder, but {out} is named like a picture: "
                "--format chooses its kind"
            )
        return _without_detours(out)
    words = [context.info_name]
    for option in context.command.params:
        value = context.params.get(option.name)
        if option.name not in UNNAMED and value != option.default:
            text = str(value).replace("\\", "/").strip("./").replace("/", "-").replace("*", "x")
            words.append(f"{option.name.replace('_', '-')}-{text}")
    return Path("trajbatt-out") / _not_too_long("-".join(words))


def _not_too_long(name):
    """Return a name, one that no file system takes cut and told from others by its digest."""
    data = name.encode(errors="replace")
    if len(data) <= LONGEST_NAME:
        return name
    digest = hashlib.sha256(data).hexdigest()[:12]
    return f"{data[: LONGEST_NAME - 13].decode(errors='ignore')}-{digest}"


def picture_name(context):
    """Return the name of a command's picture, by its option --format."""
    from trajbatt.base import checks

    ending = context.params.get("picture_format", FORMATS[0])
    return f"{context.info_name}.{checks.choice('format', ending, FORMATS)}"


def make_json_path(json_file):
    """Return the path of the JSON file, None for standard output."""
    if json_file is not None and not json_file.strip():
        raise ValueError("`json` must name a file, but is empty")
    return None if json_file in (None, "-") else _without_detours(json_file)


def _without_detours(text):
    """Return a path; one through "..", which may lead through folders not yet there, resolved."""
    path = Path(text)
    return path.resolve() if ".." in path.parts else path
