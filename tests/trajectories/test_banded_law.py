"""The banded engine samples the law of the master equation."""

import dataclasses

import numpy as np
import pytest
from oracle import references
from oracle.dense import random_states
from oracle.runs import plan_of
from oracle.statistics import p_of_numbers, smallest_p_value

import trajbatt as tb

COUNTS = [
    pytest.param(case, id=references.name(case), marks=[pytest.mark.slow] * (case["N"] > 2))
    for case in references.load()["counts5"]
]
DRIVEN = tb.Battery(6, 1.2, 20.0)


def samples_of(battery, method, n, seed, times):
    plan = plan_of(battery.charge(), times, seed=seed, method=method, rtol=1e-5)
    return plan.engine.run(plan.generator(0), n, plan.times)[1].samples


@pytest.mark.slow
def test_samples_the_law_of_the_ladder_engine():
    battery = tb.Battery(20, 1.87, 200.0, gamma_plus=10.0)
    times = [0.36 * battery.charging_time, battery.charging_time]
    ours = samples_of(battery, "banded", 5000, 1, times)
    assert smallest_p_value(ours, samples_of(battery, "ladder", 5000, 2, times)) > 1e-4
    # Negative control: one rate 5 % off.
    for rate in ("gamma_0", "gamma_plus"):
        off = dataclasses.replace(battery, **{rate: 1.05 * getattr(battery, rate)})
        assert smallest_p_value(ours, samples_of(off, "ladder", 5000, 2, times)) < 1e-6


def worst_score(battery, case, times, ntraj):
    """Return the largest z-score of mean and variance over trajectories of the energy."""
    runs = tb.mcsolve(battery.charge(secular=False), case["t"], ntraj=ntraj, seed=5)
    mean_se, var_se = (np.array(case.get(name, 0.0)) for name in ("mean_se", "var_se"))
    mean = (runs.energy - case["mean"]) / np.hypot(runs.energy_sem, mean_se)
    variance = runs.trajectory_variance - case["var"]
    variance /= np.hypot(runs.trajectory_variance_sem, var_se)
    return max(np.abs(mean[times]).max(), np.abs(variance[times]).max())


@pytest.mark.slow
@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, id=f"{name}-N{case['N']}-{case['theta']:.1f}-{case['Omega_P']}")
        for name in ("eq5_exact", "eq5_mc")
        for case in references.load()["cond"][name]
        if name == "eq5_exact" or case["N"] > 1
    ],
)
def test_conditional_energies_of_another_program(case):
    battery, ntraj = tb.Battery(case["N"], case["theta"], case["Omega_P"]), 20_000 // case["N"]
    # A standard error means nothing while a handful of photons carry the variance.
    photons = tb.mesolve(battery.charge(secular=False), case["t"]).counts[0]
    times = ntraj * photons > 150
    assert times[-1]
    assert worst_score(battery, case, times, ntraj) < 5
    # Negative controls.
    off = dataclasses.replace(battery, omega_p=1.05 * battery.omega_p)
    assert worst_score(off, case, times, ntraj) > 5
    off = dataclasses.replace(battery, gamma_0=1.1, gamma_plus=1.1, gamma_minus=1.1)
    assert worst_score(off, case, times, ntraj) > 5


@pytest.mark.parametrize("case", COUNTS)
def test_photon_numbers_follow_the_exact_distribution(case):
    ntraj, entry = 8000, case["T"][-1]

    def p_value(omega_p):
        model = tb.Battery(case["N"], case["theta"], omega_p).charge(secular=False)
        counts = tb.mcsolve(model, [entry["T"]], ntraj, seed=9, rtol=1e-5).final_counts[:, 0]
        return p_of_numbers(counts, entry["pmf"])

    assert p_value(case["Omega_P"]) > 1e-4
    assert p_value(1.1 * case["Omega_P"]) < 1e-6


@pytest.mark.slow
@pytest.mark.parametrize("case", COUNTS)
def test_first_photons_come_in_time(case):
    times, cdf = (np.array(case["first_photon"][name]) for name in ("t", "cdf"))
    useful = cdf < 0.995
    times, cdf = times[useful], cdf[useful]

    def worst_score(omega_p):
        model = tb.Battery(case["N"], case["theta"], omega_p).charge(secular=False)
        runs = tb.mcsolve(model, times[-1:], ntraj=10_000, seed=10, keep_clicks=True, rtol=1e-5)
        emitters, at = np.unique(runs.clicks.trajectory, return_index=True)
        assert emitters.size > 2500
        found = np.searchsorted(np.sort(runs.clicks.time[at]), times) / 10_000
        known = 10_000 * cdf * (1 - cdf) > 100
        error = np.sqrt(cdf * (1 - cdf) / 10_000)
        return np.abs((found - cdf) / error)[known].max()

    assert worst_score(case["Omega_P"]) < 5
    assert worst_score(1.1 * case["Omega_P"]) > 5


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["excited", "coherent", "ket", "mixed", "steady"])
def test_initial_states(kind):
    model, times = DRIVEN.charge(secular=False), [0.0, 0.05, 0.2, 0.6]
    ket, mixed = random_states(6)
    start = {
        "excited": tb.excited_state(6),
        "coherent": tb.coherent_state(6, 1.1, 0.8),
        "ket": ket,
        "mixed": mixed,
        "steady": tb.steady_state(DRIVEN.charge()),
    }[kind]
    runs = tb.mcsolve(model, times, ntraj=6000, initial=start, seed=3)
    assert tb.compare(runs, tb.mesolve(model, times, initial=start)).p_value > 1e-4
    # Negative controls: another rate, another initial state.
    off = dataclasses.replace(model, rate=1.06)
    assert tb.compare(runs, tb.mesolve(off, times, initial=start), other_model=True).p_value < 1e-6
    other = tb.mesolve(model, times, initial=tb.coherent_state(6, 1.0, 0.8))
    assert tb.compare(runs, other, other_model=True).p_value < 1e-6


@pytest.mark.slow
@pytest.mark.parametrize(
    ("battery", "secular"),
    [
        (tb.Battery(1, 1.0, 1.0), False),
        (tb.Battery(1, 1.0, 0.0), False),
        (tb.Battery(5, 0.0, 1.0), False),
        (tb.Battery(5, np.pi, 1.0), False),
        (tb.Battery(5, np.pi / 2, 0.1), False),
        (tb.Battery(2, 2.8, 100.0), False),
        (tb.Battery(1, 1.0, 1.0), True),
        (tb.Battery(5, 0.0, 1.0), True),
        (tb.Battery(5, np.pi, 1.0), True),
        (tb.Battery(5, 1.0, 1.0, gamma_0=0.0), True),
        (tb.Battery(5, 1.0, 1.0, gamma_plus=0.0, gamma_0=0.0), True),
    ],
    ids=str,
)
def test_edges_agree_with_the_exact_solution(battery, secular):
    model, times = battery.charge(secular=secular), [0.0, 0.4, 1.0, 3.0]
    start = tb.excited_state(battery.n_atoms)
    runs = tb.mcsolve(model, times, ntraj=800, initial=start, seed=2, method="banded")
    verdict = tb.compare(runs, tb.mesolve(model, times, initial=start))
    assert verdict.p_value > 1e-4
    for z in (verdict.energy, verdict.energy_variance, verdict.dipole, *verdict.counts):
        assert np.nanmax(np.abs([np.real(z), np.imag(z)])) < 5


@pytest.mark.slow
def test_a_battery_of_some_hundred_atoms_agrees_with_the_exact_solution():
    # The window of levels moves and its ends are cut.
    battery, times = tb.Battery(200, 2.0, 2000.0), [0.004, 0.01, 0.02]
    model = battery.charge(secular=False)
    runs = tb.mcsolve(model, times, ntraj=500, seed=2, method="banded")
    exact = tb.mesolve(battery.charge(secular=False), times, rtol=1e-8)
    assert 0 < runs.dropped < 1e-13
    assert tb.compare(runs, exact).p_value > 1e-4
    off = dataclasses.replace(battery, omega_p=2010.0).charge(secular=False)
    assert tb.compare(runs, tb.mesolve(off, times, rtol=1e-8), other_model=True).p_value < 1e-6
