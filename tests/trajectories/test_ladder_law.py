"""The ladder and the textbook engine sample the law of the master equation."""

import dataclasses

import numpy as np
import pytest
from oracle import references
from oracle.statistics import smallest_p_value
from scipy import stats

import trajbatt as tb
from trajbatt.ensembles.plan import Plan
from trajbatt.states.mixture import Mixture

BATTERY = tb.Battery(20, 1.87, 200.0, gamma_plus=10.0)
TIMES = np.linspace(0, BATTERY.charging_time, 12)


@pytest.mark.parametrize("method", ["ladder", "mcwf"])
@pytest.mark.parametrize(
    "battery",
    [
        tb.Battery(1, 1.0, 1.0),
        tb.Battery(5, 0.0, 1.0),
        tb.Battery(5, np.pi, 1.0),
        tb.Battery(5, 1.0, 1.0, 0.0, 0.0, 0.0),
        tb.Battery(5, 1.0, 1.0, gamma_0=0.0),
        tb.Battery(5, 1.0, 1.0, gamma_plus=0.0, gamma_0=0.0),
        tb.Battery(5, np.pi / 2, 1.0),
    ],
    ids=str,
)
def test_edges_agree_with_the_exact_solution(battery, method):
    times = [0.4, 1.0, 3.0]
    runs = tb.mcsolve(battery.charge(), times, ntraj=800, seed=2, method=method)
    verdict = tb.compare(runs, tb.mesolve(battery.charge(), times))
    assert verdict.p_value > 1e-4
    for z in (verdict.energy, verdict.energy_variance, verdict.dipole, *verdict.counts):
        assert np.nanmax(np.abs([np.real(z), np.imag(z)])) < 5


@pytest.mark.parametrize("n", [1, 2])
def test_variance_over_trajectories_against_quadrature(n):
    case = next(c for c in references.load()["cond"]["eq7_exact"] if c["N"] == n)
    model = references.battery(case).charge()
    good = tb.mcsolve(model, case["t"], ntraj=40_000, seed=5)
    z = (good.trajectory_variance - case["var"]) / good.trajectory_variance_sem
    assert np.abs(z).max() < 4.5
    assert np.abs((good.energy - case["mean"]) / good.energy_sem).max() < 4.5
    # Negative control: gamma_+ 5 % off.
    off = dataclasses.replace(references.battery(case), gamma_plus=10.5).charge()
    bad = tb.mcsolve(off, case["t"], ntraj=40_000, seed=5)
    assert np.abs((bad.trajectory_variance - case["var"]) / bad.trajectory_variance_sem).max() > 4.5


@pytest.mark.parametrize("case", references.load()["cond"]["eq7_mc"], ids=references.name)
def test_ensembles_of_another_program(case):
    model = references.battery(case).charge()
    runs = tb.mcsolve(model, case["t"], ntraj=20_000, seed=6)
    error = np.hypot(runs.trajectory_variance_sem, case["var_se"])
    assert np.abs((runs.trajectory_variance - case["var"]) / error).max() < 4.5
    error = np.hypot(runs.energy_sem, case["mean_se"])
    assert np.abs((runs.energy - case["mean"]) / error).max() < 4.5


def test_oracle_means_within_their_errors_and_a_control():
    case = next(c for c in references.load()["eq7"] if c["N"] == 12)
    battery = references.battery(case)
    expected = np.array(
        [obs["mean"][name] for name in ("red", "center", "blue") for obs in case["obs"]]
    )

    def worst(battery):
        runs = tb.mcsolve(battery.charge(), case["t"], ntraj=10_000, seed=8)
        z_energy = (runs.energy - [obs["E"] for obs in case["obs"]]) / runs.energy_sem
        z_counts = (runs.counts.ravel() - expected) / runs.counts_sem.ravel()
        return max(np.abs(z_energy).max(), np.abs(z_counts).max())

    assert worst(battery) < 5
    for rate in ("gamma_0", "gamma_plus", "gamma_minus"):
        off = dataclasses.replace(battery, **{rate: 1.05 * getattr(battery, rate)})
        assert worst(off) > 5


def samples_at_end(battery, method, n, seed):
    model = battery.charge()
    start = Mixture.of_kets([1.0], _ground(model))
    plan = Plan(model, start, TIMES[[4, 11]], seed, method, 1e-6, False)
    return plan.engine.run(plan.generator(0), n, plan.times)[1].samples


def _ground(model):
    from trajbatt.numerics import spin

    return spin.to_dressed(tb.ground_state(model.n_atoms), model.theta)[None, :]


@pytest.mark.slow
def test_both_engines_sample_one_law():
    ladder = samples_at_end(BATTERY, "ladder", 6000, 1)
    textbook = samples_at_end(BATTERY, "mcwf", 6000, 2)
    assert smallest_p_value(ladder, textbook) > 1e-4
    # Negative control: one rate 5 % off.
    for rate in ("gamma_0", "gamma_plus"):
        off = dataclasses.replace(BATTERY, **{rate: 1.05 * getattr(BATTERY, rate)})
        assert smallest_p_value(samples_at_end(off, "ladder", 6000, 1), textbook) < 1e-6


@pytest.mark.slow
def test_first_waiting_time_is_a_mixture_of_exponentials():
    model = BATTERY.charge()
    plan = tb.mcsolve(model, [1.0], ntraj=4000, seed=9, keep_clicks=True)
    first = np.array([plan.clicks.of_trajectory(i).time[0] for i in range(4000)])
    p = _ground(model)[0] ** 2

    def cdf(t, rates):
        return 1 - np.exp(-np.multiply.outer(t, rates)) @ p

    rates = model.click_rates.sum(axis=0)
    assert stats.kstest(first, lambda t: cdf(t, rates)).pvalue > 1e-4
    assert stats.kstest(first, lambda t: cdf(t, rates * 1.1)).pvalue < 1e-4


def test_a_large_battery_works():
    battery = tb.Battery(20_000, 1.87, 2e5, gamma_plus=10.0)
    times = [0.0, battery.charging_time / 2]
    runs = tb.mcsolve(battery.charge(), times, ntraj=40, seed=1)
    exact = tb.mesolve(battery.charge(), times)
    verdict = tb.compare(runs, exact)
    assert abs(verdict.energy[-1]) < 5
    assert np.abs(verdict.counts[:, -1]).max() < 5
    assert runs.dropped < 1e-13
