"""Single batteries: what they do, how their light tells their charge, what averages hide.

An ensemble average cannot say what one battery does. A trajectory can, and its clicks are what an
experiment would see: given a record of them, even with detectors that miss many photons,
`tb.filter` computes the state. Its error against the state that all photons would reveal is
measured on simulated records, at the time when batteries differ most, and compared with the
uncertainty that the filter itself states: by the law of total variance the mean square of the error
must be the difference of the mean variances.
"""

import math
import sys
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

import trajbatt as tb
from experiments import study
from experiments.study import CONDITIONAL, FAILS, HOLDS, Verdict
from trajbatt.plots.style import EXACT_COLOR, TRAJECTORY_COLOR

COLORS = {1.0: TRAJECTORY_COLOR, 0.3: "#e69f00", 0.05: "#009e73"}


@dataclass(frozen=True)
class Settings:
    """What is simulated."""

    n_atoms: int = 100
    theta: float = 1.87
    ratio: float = 10.0
    ntraj: int = 4000
    records: int = 400
    efficiencies: tuple = (0.03, 0.1, 0.3, 0.6, 0.9, 1.0)
    shown: int = 5  # a trajectory
    n_flat: int = 20  # atoms at x = 1
    flat_theta: float = 2.4
    flat_time: float = 10.0
    seed: int = 20241217


def settings(quick):
    """Return what is simulated."""
    return Settings(ntraj=400, records=60, efficiencies=(0.03, 0.3, 1.0)) if quick else Settings()


def compute(settings):
    """Run trajectories, thin their clicks and filter what is left."""
    n = settings.n_atoms
    battery = tb.Battery(n, settings.theta, 10.0 * n, gamma_plus=settings.ratio)
    model, end = battery.charge(), battery.charging_time
    times = np.linspace(0.0, end, 401)
    runs = tb.mcsolve(model, times, settings.ntraj, seed=settings.seed, keep_clicks=True)
    exact = tb.mesolve(model, times)
    own = runs.replay(settings.shown)
    emitted = own.clicks
    views = {}
    for efficiency in COLORS:
        seen = tb.Detectors(efficiency=efficiency).see(emitted, seed=settings.seed)
        views[efficiency] = tb.filter(model, seen, times, efficiency)
    return {
        "battery": battery,
        "times": times,
        "exact": exact,
        "runs": runs,
        "singles": [runs.replay(i) for i in range(4)],
        "own": own,
        "views": views,
        "errors": _errors(settings, model, runs, times[np.argmax(runs.trajectory_variance)]),
        "flat": _flat(settings),
    }


def _errors(settings, model, runs, when):
    """Return how far filtered energies are from what all photons tell, by efficiency.

    Returns
    -------
    dict of float to dict
        `square`, `promised`: mean square of the error per atom, and the filter's own, each with its
        standard error; `bias` with its own.
    """
    n = settings.n_atoms
    seen = runs.clicks.where(runs.clicks.time <= when)
    records = [seen.of_trajectory(i) for i in range(settings.records)]
    whole = [tb.filter(model, clicks, [when]) for clicks in records]
    found = {}
    for efficiency in settings.efficiencies:
        detectors = tb.Detectors(efficiency=efficiency)
        part = [
            tb.filter(model, detectors.see(clicks, seed=i), [when], efficiency)
            for i, clicks in enumerate(records)
        ]
        error = np.array([(a.energy - b.energy)[0] for a, b in zip(part, whole, strict=True)]) / n
        variances = [
            (a.energy_variance - b.energy_variance)[0] for a, b in zip(part, whole, strict=True)
        ]
        promised = np.array(variances) / n**2
        found[efficiency] = {
            "square": _mean(error**2),
            "promised": _mean(promised),
            "difference": _mean(error**2 - promised),
            "bias": _mean(error),
        }
    return found


def _mean(samples):
    """Return the mean and its standard error."""
    return float(samples.mean()), float(samples.std(ddof=1) / math.sqrt(samples.size))


def _flat(settings):
    """Return a battery at x = 1, where the average tells nothing, in its steady state."""
    theta, n = settings.flat_theta, settings.n_flat
    battery = tb.Battery(n, theta, 10.0 * n, gamma_plus=math.tan(theta / 2) ** 4)
    model = battery.charge()
    times = np.linspace(0.0, settings.flat_time, 401)
    steady = tb.steady_state(model)
    runs = tb.mcsolve(model, times, settings.ntraj, steady, seed=settings.seed)
    return {
        "times": times,
        "runs": runs,
        "exact": tb.mesolve(model, times, steady),
        "singles": [runs.replay(i) for i in range(2)],
        "x": battery.x,
    }


def draw(settings, found):
    """Draw single runs, one battery as its light tells it, the error, and x = 1."""
    figure = Figure(figsize=(10.0, 7.4), layout="constrained")
    (runs, light), (error, flat) = figure.subplots(2, 2)
    n, times = settings.n_atoms, found["times"]
    for i, one in enumerate(found["singles"]):
        runs.plot(one.times, one.energy / n, color=TRAJECTORY_COLOR, lw=0.8,
                  label="single batteries" if i == 0 else None)  # fmt: skip
    runs.plot(times, found["exact"].energy / n, color=EXACT_COLOR, lw=1.8, label="average, exact")
    runs.set_title("single batteries, each at its own pace", fontsize=10)
    late = times > 0.5 * times[-1]
    for efficiency, view in found["views"].items():
        width = np.sqrt(view.energy_variance) / n
        color, mean = COLORS[efficiency], view.energy / n
        light.fill_between(times[late], (mean - width)[late], (mean + width)[late], color=color,
                           alpha=0.2, lw=0)  # fmt: skip
        light.plot(times[late], mean[late], color=color, lw=1.3,
                   label=f"{efficiency:.0%} of the photons")  # fmt: skip
    light.plot(times[late], found["exact"].energy[late] / n, color=EXACT_COLOR, lw=1.0,
               ls=(0, (4, 2)), label="none: the average")  # fmt: skip
    light.set_title(r"one battery by its light, $\pm\,\Delta E$", fontsize=10)
    for axes in (runs, light):
        axes.set_xlabel(r"time $t$ ($1/\gamma_-$)")
        axes.set_ylabel(r"energy per atom ($\hbar\omega_0$)")
    runs.set_ylim(-0.03, 1.2)
    light.set_ylim(0.2, 1.25)
    _draw_errors(error, settings, found["errors"], found["runs"])
    for one, color in zip(found["flat"]["singles"], (TRAJECTORY_COLOR, "#e69f00"), strict=True):
        flat.plot(one.times, one.energy / settings.n_flat, lw=0.8, color=color,
                  label=f"battery {one.index}")  # fmt: skip
    flat.plot(found["flat"]["times"], found["flat"]["exact"].energy / settings.n_flat,
              color=EXACT_COLOR, lw=1.8, label="average, exact")  # fmt: skip
    flat.set_title(f"steady state at $x = 1$, $N = {settings.n_flat}$", fontsize=10)
    flat.set_xlabel(r"time $t$ ($1/\gamma_-$)")
    flat.set_ylabel(r"energy per atom ($\hbar\omega_0$)")
    flat.set_ylim(-0.03, 1.25)
    for axes in (runs, light, error, flat):
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False, fontsize=8.5, ncols=2, loc="upper left")
    figure.suptitle(f"What single batteries show: $N = {n}$, $\\theta = {settings.theta}$, "
                    f"$\\gamma_+/\\gamma_- = {settings.ratio:g}$")  # fmt: skip
    return figure


def _draw_errors(axes, settings, errors, runs):
    x = [efficiency for efficiency in errors if efficiency < 1.0]
    square, sem = np.array([errors[e]["square"] for e in x]).T
    promised = np.array([errors[e]["promised"][0] for e in x])
    axes.errorbar(x, np.sqrt(square), sem / np.sqrt(square), ls="", marker="o", color="#0072b2",
                  label="measured on records")  # fmt: skip
    axes.plot(x, np.sqrt(promised), color="#d55e00", lw=1.3, label="as the filter states it")
    blind = math.sqrt(runs.trajectory_variance.max()) / settings.n_atoms
    axes.axhline(blind, color="#777777", lw=1.0, ls=":", label="without any photon")
    axes.set_xscale("log")
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_ylim(0.0, 1.6 * blind)
    axes.set_xlabel("efficiency of the detectors")
    axes.set_ylabel("r.m.s. error of the energy per atom")
    axes.set_title("error against what all photons would tell", fontsize=10)


def judge(settings, found):
    """Judge runs against averages, the filter's accuracy and honesty, and what averages hide."""
    runs, exact, errors = found["runs"], found["exact"], found["errors"]
    comparison = tb.compare(runs, exact)
    replayed = float(np.abs(found["views"][1.0].energy - found["own"].energy).max())
    blind = math.sqrt(runs.trajectory_variance.max()) / settings.n_atoms
    rms = {e: math.sqrt(one["square"][0]) for e, one in errors.items()}
    half = min((e for e in rms if rms[e] <= 0.5 * blind), default=1.0)
    honest = max(
        abs(one["difference"][0]) / one["difference"][1] for e, one in errors.items() if e < 1
    )
    bias = max(abs(one["bias"][0]) / one["bias"][1] for e, one in errors.items() if e < 1)
    flat = found["flat"]
    n = settings.n_flat
    wander = float(np.mean([one.energy.std() for one in flat["singles"]])) / n
    drift = float(np.ptp(flat["exact"].energy)) / n
    parts = flat["runs"].trajectory_variance[-1] / flat["runs"].energy_variance[-1]
    return [
        Verdict(
            "Averaged, single batteries do what the master equation says.",
            HOLDS if comparison.p_value > 1e-3 else FAILS,
            f"{runs.ntraj} trajectories against the exact energy, variance, dipole and counts: "
            f"p = {comparison.p_value:.2g}.",
            {"p_value": comparison.p_value},
        ),
        Verdict(
            "The charge of one battery can be read from its clicks.",
            CONDITIONAL if half > settings.efficiencies[0] else HOLDS,
            f"With all photons the energy is that of the trajectory, to {replayed:.0e}. When "
            f"batteries differ most, it is unknown without any photon by {blind:.3f} per atom, "
            f"beyond its quantum variance; with {_listed(rms)}. To halve it takes detectors that "
            f"see about {half:.0%} of the photons.",
            {
                "blind_rms": blind,
                **{f"rms_error_{e:g}": value for e, value in rms.items() if e < 1},
            },
        ),
        Verdict(
            "The filter's own uncertainty is honest, and its energy unbiased.",
            HOLDS if honest < 4 and bias < 4 else FAILS,
            f"Over {settings.records} records at each efficiency, the mean square error and the "
            f"difference of the stated variances differ by at most {honest:.1f} standard errors, "
            f"the mean error and zero by {bias:.1f}.",
            {"largest_z_of_variance": honest, "largest_z_of_bias": bias},
        ),
        Verdict(
            "Averages show what batteries do.",
            FAILS if wander > 10 * drift else HOLDS,
            f"At x = {flat['x']:.6g} the average energy of {n} atoms is constant (to {drift:.0e} "
            f"per atom), while that of a single battery wanders by {wander:.2f} per atom (its "
            f"standard deviation in time): {parts:.0%} of the variance is between batteries.",
            {"wander": wander, "drift_of_average": drift, "trajectory_share": float(parts)},
        ),
    ]


def _listed(rms):
    return ", ".join(f"{e:.0%} of them by {value:.3f}" for e, value in rms.items() if e < 1)


if __name__ == "__main__":
    study.main(sys.modules[__name__])
