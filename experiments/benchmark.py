"""trajbatt against QuTiP, side by side in one run, on one core each.

Charging by Eq. (7) at r = 10, theta = 1.87, Omega_P = 10 N, to t = 6/(N Gamma); charging by the
full Eq. (5) at theta = 1.2, Omega_P = 10 N cos(theta) gamma, to 6/(N cos(theta) gamma); discharging
the inverted state to 2 ln(N)/(N gamma). QuTiP gets its best options and frame. Compiling is not
counted, nor is QuTiP's preparation of the solver. Each ratio is the median over rounds that time
both in turn. Needs `pip install '.[bench]'`.
"""

import math
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass

import numpy as np
import qutip
from matplotlib.figure import Figure

import trajbatt as tb
from experiments import study
from experiments.study import CONDITIONAL, FAILS, HOLDS, Verdict

BEST_MCSOLVE = {
    "norm_t_tol": 1e-12,
    "norm_tol": 1e-4,
    "norm_steps": 50,
    "nsteps": 10**7,
    "map": "serial",
    "progress_bar": "",
}
BEST_MESOLVE = {"method": "vern9", "atol": 1e-10, "rtol": 1e-8, "nsteps": 10**7, "progress_bar": ""}
OURS, THEIRS = "#0072b2", "#d55e00"
# What is asked of the package, ratio by ratio.
ASKED = {
    "trajectory, Eq. (7), N = 100, 101 times": 1000,
    "trajectory, Eq. (7), N = 100, 2 times": 5000,
    "trajectory, Eq. (5), N = 100, 101 times": 40,
    "trajectory, discharge, N = 100, 101 times": 300,
    "master equation, Eq. (7), N = 50, 101 times": 100,
    "master equation, Eq. (5), N = 50, 101 times": 20,
}
GOALS = {f"{name}: ratio": asked for name, asked in ASKED.items()}
MEMORY = """
import tracemalloc, numpy as np
from experiments import benchmark
problem = benchmark.eq7(100)
times = np.linspace(0, problem.duration, 101)
benchmark.{who}(problem, times, 2)
tracemalloc.start()
benchmark.{who}(problem, times, {ntraj})
print(tracemalloc.get_traced_memory()[1])
"""


@dataclass(frozen=True)
class Settings:
    """What is timed."""

    rounds: int = 5
    their_ntraj: int = 20
    scaling: tuple = (10, 30, 100, 300, 1000)
    their_scaling: tuple = (10, 30, 100)
    standard_error: float = 1e-3  # of the energy per atom
    memory_ntraj: tuple = (20_000, 100)  # trajectories, here and in QuTiP
    defaults: tuple = (10, 20, 40, 100)  # numbers of atoms at which QuTiP's defaults are tried
    defaults_ntraj: int = 100


def settings(quick):
    """Return what is timed; quickly, it is noisy."""
    if not quick:
        return Settings()
    return Settings(
        rounds=1,
        their_ntraj=2,
        scaling=(10, 100),
        their_scaling=(10,),
        memory_ntraj=(1000, 10),
        defaults=(100,),
        defaults_ntraj=2,
    )


@dataclass(frozen=True)
class Problem:
    """One model in both programs.

    Attributes
    ----------
    name : str
    model : LadderModel or BandedModel
    initial : ndarray or None
    duration : float
    hamiltonian, jumps, observables, ket : Qobj
        For QuTiP.
    """

    name: str
    model: object
    initial: object
    duration: float
    hamiltonian: object
    jumps: list
    observables: list
    ket: object


def eq7(n_atoms):
    """Return charging by Eq. (7); QuTiP works in the dressed basis, where it is faster."""
    battery = tb.Battery(n_atoms, 1.87, 10.0 * n_atoms, gamma_plus=10.0)
    j = n_atoms / 2
    j_x, _, j_z = qutip.jmat(j)
    down, up, dephasing = battery.dressed_rates
    jumps = [
        np.sqrt(up) * qutip.jmat(j, "+"),
        np.sqrt(dephasing) * j_z,
        np.sqrt(down) * qutip.jmat(j, "-"),
    ]
    energy = np.cos(battery.theta) * j_z + np.sin(battery.theta) * j_x + j
    return Problem(
        f"Eq. (7), N = {n_atoms}",
        battery.charge(),
        None,
        6 / (n_atoms * battery.gamma_net),
        battery.omega_p * j_z,
        jumps,
        [energy, energy * energy],
        qutip.spin_coherent(j, np.pi - battery.theta, np.pi),
    )


def eq5(n_atoms):
    """Return charging by Eq. (5)."""
    battery = tb.Battery(n_atoms, 1.2, 10.0 * n_atoms * np.cos(1.2))
    duration = 6 / (n_atoms * np.cos(1.2))
    return _bare(f"Eq. (5), N = {n_atoms}", battery.charge(secular=False), None, duration)


def discharge(n_atoms):
    """Return the discharge of the inverted state."""
    model = tb.Battery(n_atoms, np.pi / 2, 0.0).discharge()
    inverted = tb.excited_state(n_atoms)
    duration = 2 * np.log(n_atoms) / n_atoms
    return _bare(f"discharge, N = {n_atoms}", model, inverted, duration)


def _bare(name, model, initial, duration):
    """Return a problem for which QuTiP works in the bare basis."""
    hamiltonian, jumps, observables, ket = tb.to_qutip(model, initial)
    both = [observables["energy"], observables["energy_squared"]]
    return Problem(name, model, initial, duration, hamiltonian, jumps, both, ket)


def ours(problem, times, ntraj):
    """Run trajectories in this package, on one core."""
    return tb.mcsolve(problem.model, times, ntraj, problem.initial, seed=1, threads=1)


def theirs(problem, times, ntraj, options=BEST_MCSOLVE):
    """Run trajectories in QuTiP, on one core."""
    return qutip.mcsolve(
        problem.hamiltonian,
        problem.ket,
        times,
        problem.jumps,
        e_ops=problem.observables,
        ntraj=ntraj,
        options=options,
    )


def compute(settings):
    """Time everything."""
    few, many = settings.their_ntraj, 8192
    races = [
        _trajectories(eq7(100), 101, settings.rounds, few, many),
        _trajectories(eq7(100), 2, settings.rounds, few, many),
        _trajectories(eq5(100), 101, settings.rounds, few, 512),
        _trajectories(discharge(100), 101, settings.rounds, few, many),
        _master_equation(eq7(50), 101, settings.rounds),
        _master_equation(eq5(50), 101, settings.rounds),
    ]
    return {
        "races": {race["name"]: race for race in races},
        "scaling": _scaling(settings),
        "memory": [
            _memory(*pair) for pair in zip(("ours", "theirs"), settings.memory_ntraj, strict=True)
        ],
        "defaults": {n: _defaults(n, settings.defaults_ntraj) for n in settings.defaults},
    }


def _seconds(call, at_least):
    """Return the time of one call, the mean over as many as take `at_least` seconds."""
    n, start = 0, time.perf_counter()
    while time.perf_counter() - start < at_least or n == 0:
        call()
        n += 1
    return (time.perf_counter() - start) / n


def _race(name, mine, other, rounds, per=1, their_per=1):
    """Time both in turn; return the medians in seconds and of the ratio."""
    mine()  # compile
    pairs = []
    for _ in range(rounds):
        pairs.append((_seconds(mine, 0.3) / per, _seconds(other, 0.0) / their_per))
    ratios = [b / a for a, b in pairs]
    return {
        "name": name,
        "trajbatt_seconds": statistics.median(a for a, _ in pairs),
        "qutip_seconds": statistics.median(b for _, b in pairs),
        "ratio": statistics.median(ratios),
        "ratio_min": min(ratios),
        "ratio_max": max(ratios),
    }


def _trajectories(problem, n_times, rounds, their_ntraj, ntraj):
    """Race one trajectory with energy and variance at `n_times` times."""
    times = np.linspace(0, problem.duration, n_times)
    result = _race(
        f"trajectory, {problem.name}, {n_times} times",
        lambda: ours(problem, times, ntraj),
        lambda: theirs(problem, times, their_ntraj),
        rounds,
        ntraj,
        their_ntraj,
    )
    runs = ours(problem, times, ntraj)
    return {
        **result,
        "clicks": float(runs.counts[:, -1].sum()),
        "spread": float(runs.energy_sem[-1] * math.sqrt(runs.ntraj) / runs.model.n_atoms),
    }


def _master_equation(problem, n_times, rounds):
    """Race the master equation, both accurate to 1e-8 of N or better."""
    times = np.linspace(0, problem.duration, n_times)

    rtol = 3e-7  # which gives 1e-8 in fact, as is seen below: both solvers are better than asked

    def mine():
        return tb.mesolve(problem.model, times, problem.initial, rtol=rtol)

    def other():
        return qutip.mesolve(
            problem.hamiltonian,
            problem.ket,
            times,
            problem.jumps,
            e_ops=problem.observables,
            options=BEST_MESOLVE,
        )

    exact, (energy, square) = mine(), other().expect
    pairs = (exact.energy, energy), (exact.energy_variance, square - energy**2)
    difference = max(np.abs(a - b).max() for a, b in pairs) / problem.model.n_atoms
    assert difference < 1e-8
    return _race(f"master equation, {problem.name}, {n_times} times", mine, other, rounds)


def _scaling(settings):
    """Return seconds for a trajectory by Eq. (7) against N, {who: (numbers of atoms, seconds)}."""
    mine, other = [], []
    for n in settings.scaling:
        problem = eq7(n)
        times = np.linspace(0, problem.duration, 101)
        ntraj = max(16, 200_000 // n)
        ours(problem, times, ntraj)
        mine.append(_seconds(lambda p=problem, t=times, k=ntraj: ours(p, t, k), 0.2) / ntraj)
    for n in settings.their_scaling:
        problem = eq7(n)
        times = np.linspace(0, problem.duration, 101)
        k = settings.their_ntraj
        other.append(_seconds(lambda p=problem, t=times, k=k: theirs(p, t, k), 0.0) / k)
    return {"ours": (settings.scaling, mine), "theirs": (settings.their_scaling, other)}


def _memory(who, ntraj):
    """Return the largest memory that `ntraj` trajectories take in a fresh process, in bytes.

    It counts what Python and NumPy allocate.
    """
    code = MEMORY.format(who=who, ntraj=ntraj)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return int(done.stdout)


def _defaults(n_atoms, ntraj):
    """Return what `qutip.mcsolve` says with its default options; empty if it runs."""
    problem = eq7(n_atoms)
    times = np.linspace(0, problem.duration, 11)
    try:
        theirs(problem, times, ntraj, {"progress_bar": ""})
    except RuntimeError as error:
        return str(error)
    return ""


def draw(settings, found):
    """Draw the ratios, and the time of a trajectory against N."""
    figure = Figure(figsize=(10.0, 4.2), layout="constrained")
    bars, scaling = figure.subplots(1, 2, width_ratios=(1.5, 1))
    races = list(found["races"].values())[::-1]
    for row, race in enumerate(races):
        bars.barh(row, race["ratio"], color=OURS, height=0.6)
        bars.plot([race["ratio_min"], race["ratio_max"]], [row, row], color="black", lw=1.5)
        bars.text(1.25 * race["ratio_max"], row, f"{race['ratio']:.0f}", va="center", fontsize=9)
    bars.set_yticks(range(len(races)), [race["name"] for race in races], fontsize=9)
    bars.set_xscale("log")
    bars.set_xlim(1, 1e5)
    bars.set_xlabel("times faster than QuTiP (line: range over rounds)")
    for who, label, color, mark in (
        ("theirs", "QuTiP", THEIRS, "s"),
        ("ours", "trajbatt", OURS, "o"),
    ):
        n, seconds = found["scaling"][who]
        scaling.loglog(n, seconds, marker=mark, color=color, label=label)
    scaling.set_xlabel("number of atoms $N$")
    scaling.set_ylabel("seconds per trajectory, 101 times")
    scaling.set_title("charging by Eq. (7)", fontsize=10)
    scaling.legend(frameon=False)
    for axes in (bars, scaling):
        axes.spines[["top", "right"]].set_visible(False)
    figure.suptitle(f"trajbatt {tb.__version__} and QuTiP {qutip.__version__}, one core each")
    return figure


def judge(settings, found):
    """Compare the ratios with what is asked."""
    races = found["races"]
    verdicts = [
        Verdict(
            f"{name}: {asked} times faster than QuTiP.",
            HOLDS if races[name]["ratio"] >= asked else FAILS,
            f"{_time(races[name]['trajbatt_seconds'])} against "
            f"{_time(races[name]['qutip_seconds'])}: {races[name]['ratio']:.0f} times "
            f"({races[name]['ratio_min']:.0f} to {races[name]['ratio_max']:.0f})"
            f"{_more(settings, races[name])}.",
            {
                f"{name}: {key}": races[name][key]
                for key in ("trajbatt_seconds", "qutip_seconds", "ratio", "ratio_min", "ratio_max")
            },
        )
        for name, asked in ASKED.items()
    ]
    mine, other = found["memory"]
    failing = {n: words for n, words in found["defaults"].items() if words}
    verdicts.append(
        Verdict(
            "Memory hardly grows with the number of trajectories.",
            HOLDS if mine < 100e6 else FAILS,
            f"{settings.memory_ntraj[0]} trajectories take at most {mine / 1e6:.1f} MB; "
            f"in QuTiP {settings.memory_ntraj[1]} take {other / 1e6:.1f} MB.",
        )
    )
    verdicts.append(
        Verdict(
            "QuTiP's mcsolve runs on this class of model with its default options.",
            FAILS if len(failing) == len(found["defaults"]) else CONDITIONAL if failing else HOLDS,
            f"Of N = {_listed(found['defaults'])}, {settings.defaults_ntraj} trajectories each, it "
            f"fails at N = {_listed(failing) or 'none'}"
            + (f": “{next(iter(failing.values())).split('.')[0]}”." if failing else "."),
            {"qutip_defaults_fail": [int(n) for n in failing]},
        )
    )
    return verdicts


def _more(settings, race):
    """Return what a trajectory's time comes to per click, and to a standard error."""
    if "clicks" not in race:
        return ""
    per_click = race["trajbatt_seconds"] / race["clicks"]
    ntraj = max(2.0, (race["spread"] / settings.standard_error) ** 2)
    mine, other = ntraj * race["trajbatt_seconds"], ntraj * race["qutip_seconds"]
    return (
        f"; {_time(per_click)} a click; the final energy per atom to a standard error of "
        f"{settings.standard_error:g} in {_time(mine)} against {_time(other)}"
    )


def _time(seconds):
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"


def _listed(numbers):
    return ", ".join(map(str, numbers))


if __name__ == "__main__":
    study.main(sys.modules[__name__])
