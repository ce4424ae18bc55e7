"""trajbatt against QuTiP, side by side in one run, on one core each.

    pip install '.[bench]'
    python -m experiments.benchmark            # a few minutes
    python -m experiments.benchmark --quick    # a few seconds, noisy
    python -m experiments.benchmark --json benchmark.json

Charging by Eq. (7) at r = 10, theta = 1.87, Omega_P = 10 N, to t = 6/(N Gamma). QuTiP gets its best
options: with its defaults `mcsolve` fails on this class of model from N = 20 or so on ("Could not
find the collapse time within desired tolerance"), because its time tolerance is absolute. Compiling
is not counted, nor is QuTiP's preparation of the solver. Each ratio is the median over rounds that
time both programs in turn.
"""

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"  # before NumPy is imported

import argparse
import json
import statistics
import time

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
BEST_MESOLVE = {"atol": 1e-10, "rtol": 1e-8, "nsteps": 10**7, "progress_bar": ""}


def in_qutip(battery):
    """Return H, c_ops, [E, E^2] and the ground state of Eq. (7) in QuTiP's dressed basis."""
    j = battery.n_atoms / 2
    j_x, _, j_z = qutip.jmat(j)
    down, up, dephasing = battery.dressed_rates
    jumps = [
        np.sqrt(up) * qutip.jmat(j, "+"),
        np.sqrt(dephasing) * j_z,
        np.sqrt(down) * qutip.jmat(j, "-"),
    ]
    energy = np.cos(battery.theta) * j_z + np.sin(battery.theta) * j_x + j
    ground = qutip.spin_coherent(j, np.pi - battery.theta, np.pi)
    return battery.omega_p * j_z, jumps, [energy, energy * energy], ground


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
        f"{name:<44}{1e6 * result['trajbatt_seconds']:>12.4g}"
        f"{1e6 * result['qutip_seconds']:>12.4g}{result['ratio']:>10.0f}"
        f"   ({result['ratio_min']:.0f} to {result['ratio_max']:.0f})",
        flush=True,
    )
    return result


def trajectories(n_atoms, n_times, rounds, their_ntraj):
    """Race one trajectory with energy and variance at `n_times` times."""
    battery = tb.Battery(n_atoms, 1.87, 10.0 * n_atoms, gamma_plus=10.0)
    times = np.linspace(0, 6 / (n_atoms * battery.gamma_net), n_times)
    model = battery.charge()
    hamiltonian, jumps, observables, ground = in_qutip(battery)
    ntraj = 8192

    def ours():
        tb.mcsolve(model, times, ntraj=ntraj, seed=1, threads=1)

    def theirs():
        qutip.mcsolve(
            hamiltonian,
            ground,
            times,
            jumps,
            e_ops=observables,
            ntraj=their_ntraj,
            options=BEST_MCSOLVE,
        )

    name = f"trajectory, N = {n_atoms}, {n_times} times"
    return race(name, ours, theirs, rounds, ntraj, their_ntraj)


def master_equation(n_atoms, n_times, rounds):
    """Race the master equation, both accurate to 1e-8 or better."""
    battery = tb.Battery(n_atoms, 1.87, 10.0 * n_atoms, gamma_plus=10.0)
    times = np.linspace(0, 6 / (n_atoms * battery.gamma_net), n_times)
    model = battery.charge()
    hamiltonian, jumps, observables, ground = in_qutip(battery)

    def ours():
        return tb.mesolve(model, times)

    def theirs():
        return qutip.mesolve(
            hamiltonian, ground, times, jumps, e_ops=observables, options=BEST_MESOLVE
        )

    difference = np.abs(ours().energy - theirs().expect[0]).max()
    result = race(f"master equation, N = {n_atoms}, {n_times} times", ours, theirs, rounds)
    return {**result, "largest_energy_difference": difference}


def main(argv=None):
    """Run the benchmark and print its table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="a few seconds only, noisy")
    parser.add_argument("--json", metavar="FILE", help="write the numbers")
    options = parser.parse_args(argv)
    rounds, their_ntraj = (1, 3) if options.quick else (5, 20)
    print(f"trajbatt {tb.__version__}, QuTiP {qutip.__version__}, one core each")
    print(f"{'':<44}{'trajbatt/us':>12}{'QuTiP/us':>12}{'ratio':>10}   (range)")
    results = [
        trajectories(100, 101, rounds, their_ntraj),
        trajectories(100, 2, rounds, their_ntraj),
        master_equation(50, 101, rounds),
    ]
    if options.json:
        with open(options.json, "w") as file:
            json.dump(results, file, indent=1)


if __name__ == "__main__":
    main()
