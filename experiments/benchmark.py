"""trajbatt against QuTiP, side by side in one run, on one core each.

    pip install '.[bench]'
    python -m experiments.benchmark            # some minutes
    python -m experiments.benchmark --quick    # some seconds, noisy
    python -m experiments.benchmark --json benchmark.json

Charging by Eq. (7) at r = 10, theta = 1.87, Omega_P = 10 N, to t = 6/(N Gamma); charging by the
full Eq. (5) at theta = 1.2, Omega_P = 10 N cos(theta) gamma, to 6/(N cos(theta) gamma); discharging
the inverted state to 2 ln(N)/(N gamma). QuTiP gets its best options and frame: with its defaults
`mcsolve` fails on this class of model from N = 20 or so on ("Could not find the collapse time
within desired tolerance"), because its time tolerance is absolute. Compiling is not counted, nor is
QuTiP's preparation of the solver. Each ratio is the median over rounds that time both in turn.
"""

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"  # before NumPy is imported

import argparse
import json
import statistics
import time
from dataclasses import dataclass

import numpy as np
import qutip

import trajbatt as tb

BEST_MCSOLVE = {
    "norm_t_tol": 1e-12,
    "norm_tol": 1e-4,
    "norm_steps": 50,
    "nsteps": 10**7,
    "map": "serial",
    "progress_bar": "",
}
BEST_MESOLVE = {"method": "vern9", "atol": 1e-10, "rtol": 1e-8, "nsteps": 10**7, "progress_bar": ""}


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
    """Return charging by Eq. (7); QuTiP works in the dressed basis."""
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
    """Return charging by Eq. (5); QuTiP works in the bare basis, where it is faster."""
    battery = tb.Battery(n_atoms, 1.2, 10.0 * n_atoms * np.cos(1.2))
    j = n_atoms / 2
    j_x, _, j_z = qutip.jmat(j)
    energy = j_z + j
    return Problem(
        f"Eq. (5), N = {n_atoms}",
        battery.charge(secular=False),
        None,
        6 / (n_atoms * np.cos(1.2)),
        battery.detuning * j_z - battery.rabi * j_x,
        [qutip.jmat(j, "-")],
        [energy, energy * energy],
        qutip.basis(n_atoms + 1, n_atoms),
    )


def discharge(n_atoms):
    """Return the discharge of the inverted state; without a Hamiltonian, which changes nothing."""
    j = n_atoms / 2
    energy = qutip.jmat(j, "z") + j
    return Problem(
        f"discharge, N = {n_atoms}",
        tb.Battery(n_atoms, np.pi / 2, 0.0).discharge(),
        tb.excited_state(n_atoms),
        2 * np.log(n_atoms) / n_atoms,
        0 * energy,
        [qutip.jmat(j, "-")],
        [energy, energy * energy],
        qutip.basis(n_atoms + 1, 0),
    )


def seconds(call, at_least):
    """Return the time of one call, the mean over as many as take `at_least` seconds."""
    n, start = 0, time.perf_counter()
    while time.perf_counter() - start < at_least or n == 0:
        call()
        n += 1
    return (time.perf_counter() - start) / n


def race(name, ours, theirs, rounds, per=1, their_per=1):
    """Time both in turn; return the medians in seconds and of the ratio."""
    ours()  # compile
    pairs = []
    for _ in range(rounds):
        pairs.append((seconds(ours, 0.3) / per, seconds(theirs, 0.0) / their_per))
    ratios = [b / a for a, b in pairs]
    result = {
        "name": name,
        "trajbatt_seconds": statistics.median(a for a, _ in pairs),
        "qutip_seconds": statistics.median(b for _, b in pairs),
        "ratio": statistics.median(ratios),
        "ratio_min": min(ratios),
        "ratio_max": max(ratios),
    }
    print(
        f"{name:<50}{1e6 * result['trajbatt_seconds']:>12.4g}"
        f"{1e6 * result['qutip_seconds']:>12.4g}{result['ratio']:>10.0f}"
        f"   ({result['ratio_min']:.0f} to {result['ratio_max']:.0f})",
        flush=True,
    )
    return result


def trajectories(problem, n_times, rounds, their_ntraj, ntraj):
    """Race one trajectory with energy and variance at `n_times` times."""
    times = np.linspace(0, problem.duration, n_times)

    def ours():
        tb.mcsolve(problem.model, times, ntraj, problem.initial, seed=1, threads=1)

    def theirs():
        qutip.mcsolve(
            problem.hamiltonian,
            problem.ket,
            times,
            problem.jumps,
            e_ops=problem.observables,
            ntraj=their_ntraj,
            options=BEST_MCSOLVE,
        )

    name = f"trajectory, {problem.name}, {n_times} times"
    return race(name, ours, theirs, rounds, ntraj, their_ntraj)


def master_equation(problem, n_times, rounds):
    """Race the master equation, both accurate to 1e-8 of N or better."""
    times = np.linspace(0, problem.duration, n_times)

    def ours():
        return tb.mesolve(problem.model, times, problem.initial, rtol=3e-7)  # 1e-8 in fact

    def theirs():
        return qutip.mesolve(
            problem.hamiltonian,
            problem.ket,
            times,
            problem.jumps,
            e_ops=problem.observables,
            options=BEST_MESOLVE,
        )

    mine, (energy, square) = ours(), theirs().expect
    pairs = (mine.energy, energy), (mine.energy_variance, square - energy**2)
    difference = max(np.abs(a - b).max() for a, b in pairs) / problem.model.n_atoms
    assert difference < 1e-8
    result = race(f"master equation, {problem.name}, {n_times} times", ours, theirs, rounds)
    return {**result, "largest_difference_per_atom": difference}


def main(argv=None):
    """Run the benchmark and print its table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="a few seconds only, noisy")
    parser.add_argument("--json", metavar="FILE", help="write the numbers")
    options = parser.parse_args(argv)
    rounds, their_ntraj = (1, 3) if options.quick else (5, 20)
    print(f"trajbatt {tb.__version__}, QuTiP {qutip.__version__}, one core each")
    print(f"{'':<50}{'trajbatt/us':>12}{'QuTiP/us':>12}{'ratio':>10}   (range)")
    results = [
        trajectories(eq7(100), 101, rounds, their_ntraj, 8192),
        trajectories(eq7(100), 2, rounds, their_ntraj, 8192),
        master_equation(eq7(50), 101, rounds),
        trajectories(eq5(100), 101, rounds, their_ntraj, 512),
        master_equation(eq5(50), 101, rounds),
        trajectories(discharge(100), 101, rounds, their_ntraj, 8192),
    ]
    if options.json:
        with open(options.json, "w") as file:
            json.dump(results, file, indent=1)


if __name__ == "__main__":
    main()
