"""The verdict on an ensemble is that of a fair judge."""

import dataclasses

import numpy as np
import pytest
from scipy import stats

import trajbatt as tb
from trajbatt.numerics.scores import z_scores

BATTERY = tb.Battery(20, 1.87, 200.0, gamma_plus=10.0)
TIMES = np.linspace(0, BATTERY.charging_time, 25)


def p_values(ensemble_of, exact_of, n_runs=300, ntraj=400):
    exact = tb.mesolve(exact_of.charge(), TIMES)
    model = ensemble_of.charge()
    return np.array(
        [
            tb.compare(
                tb.mcsolve(model, TIMES, ntraj=ntraj, seed=seed, threads=1), exact, other_model=True
            ).p_value
            for seed in range(n_runs)
        ]
    )


@pytest.mark.slow
def test_p_value_is_uniform_under_the_null():
    p = p_values(BATTERY, BATTERY)
    assert stats.kstest(p, "uniform").pvalue > 1e-3
    assert 0.002 < np.mean(p < 0.05) < 0.11


@pytest.mark.slow
def test_p_value_is_not_uniform_when_a_rate_is_off():
    # The negative control of the test above.
    p = p_values(BATTERY, dataclasses.replace(BATTERY, gamma_0=1.05), n_runs=100)
    assert stats.kstest(p, "uniform").pvalue < 1e-3


def test_two_per_cent_off_is_seen_with_20000_trajectories():
    battery = tb.Battery(100, 1.87, 1000.0, gamma_plus=10.0)
    times = np.linspace(0, battery.charging_time, 25)
    runs = tb.mcsolve(battery.charge(), times, ntraj=20_000, seed=5)
    assert tb.compare(runs, tb.mesolve(battery.charge(), times)).p_value > 1e-3
    for rate in ("gamma_0", "gamma_plus", "gamma_minus"):
        off = dataclasses.replace(battery, **{rate: 1.02 * getattr(battery, rate)})
        assert tb.compare(runs, tb.mesolve(off.charge(), times), other_model=True).p_value < 1e-9


@pytest.mark.slow
def test_z_scores_are_standard_normal():
    exact = tb.mesolve(BATTERY.charge(), TIMES)
    z = []
    for seed in range(200):
        verdict = tb.compare(tb.mcsolve(BATTERY.charge(), TIMES, ntraj=400, seed=seed), exact)
        z.append([verdict.energy[-1], verdict.energy_variance[-1], *verdict.counts[:, -1]])
    z = np.array(z)
    assert np.all(np.isfinite(z).mean(axis=0) > 0.8)
    assert np.all(np.abs(np.nanmean(z, axis=0)) < 5 / np.sqrt(200))
    assert np.all(np.abs(np.nanstd(z, axis=0) - 1) < 5 / np.sqrt(400))


@pytest.mark.slow
@pytest.mark.parametrize(("n_atoms", "duration", "ntraj"), [(10, 5.0, 400), (1, 50.0, 300)])
def test_no_false_alarm_when_the_coherence_has_decayed(n_atoms, duration, ntraj):
    # The last coherence is carried by a few trajectories, or by none that was sampled.
    model = tb.Battery(n_atoms, 1.87, 10.0 * n_atoms, gamma_plus=10.0).charge()
    times = np.linspace(0, duration, 41)
    exact = tb.mesolve(model, times)
    p, worst = [], 0.0
    for seed in range(100):
        verdict = tb.compare(tb.mcsolve(model, times, ntraj=ntraj, seed=seed), exact)
        p.append(verdict.p_value)
        for z in (verdict.energy, verdict.energy_variance, verdict.dipole.imag, *verdict.counts):
            worst = max(worst, np.nanmax(np.abs(z)))
    assert stats.kstest(p, "uniform").pvalue > 1e-3
    assert worst < 6.5


def test_hardly_any_photon_is_no_verdict():
    model = tb.Battery(5, 1.87, 50.0, gamma_plus=10.0).charge()
    times = np.linspace(0, 1e-4, 5)
    verdict = tb.compare(tb.mcsolve(model, times, ntraj=500, seed=1), tb.mesolve(model, times))
    assert not np.any(np.isinf(verdict.energy))
    assert np.isnan(verdict.p_value) or verdict.p_value > 1e-3


@pytest.mark.slow
def test_a_large_battery_is_judged_although_its_chunks_are_small():
    battery = tb.Battery(10**5, 1.87, 1e6, gamma_plus=10.0)
    times = [0.0, 1e-2 * battery.charging_time]
    runs = tb.mcsolve(battery.charge(), times, ntraj=64, seed=1)
    assert tb.compare(runs, tb.mesolve(battery.charge(), times)).p_value > 1e-3
    off = dataclasses.replace(battery, gamma_plus=15.0)
    assert tb.compare(runs, tb.mesolve(off.charge(), times), other_model=True).p_value < 1e-9


@pytest.mark.slow
@pytest.mark.parametrize("theta", [0.3, 2.9])
def test_no_false_alarm_from_rare_photons(theta):
    # One run in three has the one red photon that carries all of the variance.
    battery = tb.Battery(5, theta, 50.0, gamma_plus=10.0 if theta < 1 else 1.0)
    times = np.linspace(0, battery.charging_time, 25)
    exact = tb.mesolve(battery.charge(), times)
    p = [
        tb.compare(tb.mcsolve(battery.charge(), times, ntraj=1000, seed=seed), exact).p_value
        for seed in range(60)
    ]
    # Where hardly a quantum is stored there is no verdict at all.
    assert min((one for one in p if not np.isnan(one)), default=1.0) > 1e-4


def test_missing_photons_are_a_verdict():
    # An ensemble that never emits cannot be excused by rare events.
    dark = tb.Battery(5, 1.87, 50.0, 0.0, 0.0, 0.0)
    bright = dataclasses.replace(dark, gamma_plus=10.0)
    times = np.linspace(0, 0.5, 5)
    runs = tb.mcsolve(dark.charge(), times, ntraj=500, seed=1)
    verdict = tb.compare(runs, tb.mesolve(bright.charge(), times), other_model=True)
    assert verdict.p_value == 0.0
    assert np.isinf(verdict.counts[2, -1])


def test_fixed_quantities():
    assert z_scores(1.0, 1.0 + 1e-12, 0.0) == 0.0
    assert np.isinf(z_scores(1.0, 2.0, 0.0))
    assert z_scores(1.0, 2.0, 0.5) == -2.0
    # At t = 0 nothing fluctuates, and nothing may differ.
    exact = tb.mesolve(BATTERY.charge(), TIMES)
    runs = tb.mcsolve(BATTERY.charge(), TIMES, ntraj=100, seed=1)
    assert tb.compare(runs, exact).energy[0] == 0.0
    # Without any rate every trajectory is the same; another state is then impossible.
    dead = tb.Battery(5, 1.0, 3.0, 0.0, 0.0, 0.0).charge()
    runs = tb.mcsolve(dead, [0.2, 0.5], ntraj=100, seed=1)
    assert tb.compare(runs, tb.mesolve(dead, [0.2, 0.5])).p_value == 1.0
    other = tb.mesolve(dead, [0.2, 0.5], initial=tb.excited_state(5))
    assert tb.compare(runs, other, other_model=True).p_value == 0.0


def test_the_card_is_a_table():
    runs = tb.mcsolve(BATTERY.charge(), TIMES, ntraj=100, seed=1)
    card = str(tb.compare(runs, tb.mesolve(BATTERY.charge(), TIMES)))
    assert "photons, center" in card
    assert "p = " in card.splitlines()[-1]


def test_bad_input():
    runs = tb.mcsolve(BATTERY.charge(), TIMES, ntraj=20, seed=1)
    exact = tb.mesolve(BATTERY.charge(), TIMES)
    with pytest.raises(TypeError, match="`runs` must be a result of mcsolve"):
        tb.compare(exact, runs)
    with pytest.raises(TypeError, match="`exact` must be a result of mesolve"):
        tb.compare(runs, runs)
    with pytest.raises(ValueError, match="`exact` must have the same times as `runs`"):
        tb.compare(runs, tb.mesolve(BATTERY.charge(), TIMES[1:]))
    other = dataclasses.replace(BATTERY, n_atoms=21)
    with pytest.raises(ValueError, match="`exact` must solve the same model"):
        tb.compare(runs, tb.mesolve(other.charge(), TIMES))


def test_another_battery_is_compared_on_demand_only():
    runs = tb.mcsolve(BATTERY.charge(), TIMES, ntraj=500, seed=1)
    off = tb.mesolve(dataclasses.replace(BATTERY, gamma_plus=11.0).charge(), TIMES)
    with pytest.raises(ValueError, match="solves charge with gamma_plus = 11"):
        tb.compare(runs, off)
    assert tb.compare(runs, off, other_model=True).p_value < 1e-6
    excited = tb.excited_state(BATTERY.n_atoms)
    exact = tb.mesolve(BATTERY.charge(), TIMES, initial=excited)
    with pytest.raises(ValueError, match="`exact` must begin in the initial state of `runs`"):
        tb.compare(runs, exact)
    assert tb.compare(runs, exact, other_model=True).p_value < 1e-6
    # One state may be given in several ways.
    runs = tb.mcsolve(BATTERY.charge(), TIMES, ntraj=500, seed=1, initial=excited)
    matrix = tb.mesolve(BATTERY.charge(), TIMES, initial=np.outer(excited, excited))
    assert tb.compare(runs, matrix).ntraj == 500


def test_p_value_minds_that_the_standard_error_is_estimated():
    # One atom that empties, at one time: photons and energy are the same number, so there is one
    # score z, whose variance is estimated: z^2 is F-distributed, that is, z follows Student's t.
    n, times = 300, [np.log(2.0)]
    model, start = tb.Battery(1, 1.0, 0.0).discharge(), tb.excited_state(1)
    runs = tb.mcsolve(model, times, ntraj=n, initial=start, seed=3)
    other = tb.Battery(1, 1.0, 0.0).discharge(1.5)
    verdict = tb.compare(runs, tb.mesolve(other, times, initial=start), other_model=True)
    z = verdict.energy[0]
    assert abs(z) > 2
    assert verdict.counts[0, 0] == pytest.approx(-z, rel=1e-9)
    assert verdict.degrees_of_freedom == 1
    assert verdict.p_value == pytest.approx(2 * stats.t.sf(abs(z), n - 1), rel=1e-6)
    # Negative control: as if the error was known.
    assert verdict.p_value != pytest.approx(2 * stats.norm.sf(abs(z)), rel=0.05)


SMALL = {n: tb.Battery(n, 1.87, 10.0 * n, gamma_plus=10.0) for n in (1, 3, 10, 30)}
NULL = {
    # Late times are decided by a few stragglers.
    "inverted-3": (SMALL[3].discharge(), np.linspace(0, 1.5, 41), tb.excited_state(3)),
    "inverted-30": (SMALL[30].discharge(), np.linspace(0, 0.322433, 41), tb.excited_state(30)),
    "charged-10": (SMALL[10].discharge(), np.linspace(0, 0.4, 21), None),
    "charging-1": (SMALL[1].charge(), np.linspace(0, SMALL[1].charging_time, 21), None),
    "start-10": (SMALL[10].charge(), np.linspace(0, 0.03 * SMALL[10].charging_time, 21), None),
    "late-10": (SMALL[10].charge(), np.linspace(0, 5 * SMALL[10].charging_time, 21), None),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", NULL)
@pytest.mark.parametrize("n", [100, 1000])
def test_a_right_run_is_no_alarm(name, n):
    model, times, start = NULL[name]
    exact, seeds = tb.mesolve(model, times, start), 400
    found = [
        tb.compare(tb.mcsolve(model, times, n, start, seed=seed, threads=1), exact).p_value
        for seed in range(seeds)
    ]
    found = np.array([p for p in found if not np.isnan(p)])
    if found.size < seeds / 2:
        assert name == "start-10"  # where hardly a photon has come, there is no verdict
        return
    # Binomial bounds of five standard deviations around what a user may expect.
    for level, most in ((0.05, 0.07), (0.01, 0.015), (0.001, 0.003)):
        share = np.mean(found < level)
        assert share < most + 5 * np.sqrt(most / found.size) / (1 if level < 0.05 else 2), level
    assert np.mean(found < 0.05) > 0.03 - 2.5 * np.sqrt(0.03 / found.size)
    assert found.min() > 1e-9  # it was 1e-97


def test_names_and_defaults_that_change_nothing():
    # The same physics under another name, or with another default that is not used.
    channels = (tb.Channel("down", -1, 1.0),)
    runs = tb.mcsolve(tb.LadderModel("x", 4, 1.0, 3.0, channels), [0.2, 0.4], 100, seed=1)
    same = tb.LadderModel("y", 4, 1.0, 3.0, channels)
    assert tb.compare(runs, tb.mesolve(same, [0.2, 0.4])).ntraj == 100
    start = tb.excited_state(4)
    discharges = [tb.Battery(4, 1.0, 3.0, gamma_plus=r).discharge() for r in (1.0, 20.0)]
    runs = tb.mcsolve(discharges[0], [0.2], 100, start, seed=1)
    assert tb.compare(runs, tb.mesolve(discharges[1], [0.2], start)).ntraj == 100
    with pytest.raises(TypeError, match="`other_model` must be True or False, but is 'no'"):
        tb.compare(runs, tb.mesolve(discharges[0], [0.2], start), other_model="no")


def test_infinite_scores_are_shown():
    verdict = tb.compare(
        tb.mcsolve(BATTERY.charge(), TIMES, 40, seed=1), tb.mesolve(BATTERY.charge(), TIMES)
    )
    energy = np.full(TIMES.size, np.nan)
    energy[1:3] = np.inf, 1.0
    assert "+inf" in str(dataclasses.replace(verdict, energy=energy)).splitlines()[1]


def test_scores_without_photons():
    # Nothing clicks in a storage, so nothing rare can decide.
    battery = tb.Battery(6, 2.2, 60.0)
    store = battery.store()
    start = tb.steady_state(battery.charge())
    runs = tb.mcsolve(store, [0.0, 0.1], 2000, start, seed=1)
    verdict = tb.compare(runs, tb.mesolve(store, [0.0, 0.1], start))
    assert np.all(np.isfinite(verdict.energy))
    few = tb.mcsolve(BATTERY.charge(), TIMES, 20, seed=1)
    verdict = tb.compare(few, tb.mesolve(BATTERY.charge(), TIMES))
    assert np.all(np.isnan(verdict.energy) | (verdict.energy == 0))
