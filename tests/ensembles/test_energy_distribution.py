"""The distribution of the energy: of ensembles with its error, beside the exact one."""

import pickle

import numpy as np
import pytest

import trajbatt as tb

BATTERY = tb.Battery(8, 1.87, 80.0, gamma_plus=10.0)
CYCLE = tb.Protocol([(BATTERY.charge(), 0.3), (BATTERY.store(), 0.2), (BATTERY.discharge(), 0.2)])
DRIVEN = tb.Battery(5, 1.2, 30.0).charge(secular=False)
WEAK = tb.Battery(5, 1.2, 0.02).charge(secular=False)
MODELS = [BATTERY.charge(), BATTERY.discharge(), CYCLE, DRIVEN, WEAK]


@pytest.mark.parametrize("model", MODELS, ids=["charge", "discharge", "cycle", "driven", "weak"])
def test_the_exact_distribution_is_the_diagonal_of_the_states(model):
    times = np.linspace(0.0, 0.7 if model is CYCLE else 0.3, 6)
    exact = tb.mesolve(model, times, keep_states=True)
    found = tb.mesolve(model, times).energy_distribution
    np.testing.assert_allclose(found, np.einsum("tkk->tk", exact.states).real, atol=1e-11)
    k = np.arange(model.n_levels)
    np.testing.assert_allclose(found @ k, exact.energy, atol=1e-9)


@pytest.mark.parametrize("model", [BATTERY.charge(), CYCLE, DRIVEN], ids=["charge", "cycle", "eq5"])
def test_ensembles_have_it(model):
    times = np.linspace(0.0, 0.7 if model is CYCLE else 0.3, 5)[1:]
    exact = tb.mesolve(model, times).energy_distribution
    runs = tb.mcsolve(model, times, 1500, seed=4)
    found, sem = runs.energy_distribution, runs.energy_distribution_sem
    k = np.arange(model.n_levels)
    np.testing.assert_allclose(found @ k, runs.energy, atol=1e-4)
    likely = exact > 0.02
    z = (found - exact)[likely] / sem[likely]
    assert np.abs(z).max() < 4.5
    # Negative control: the neighbouring level.
    assert np.abs((found - np.roll(exact, 1, axis=1))[likely] / sem[likely]).max() > 10
    again = pickle.loads(pickle.dumps(runs)).energy_distribution
    np.testing.assert_array_equal(again, found)


def test_sums_of_runs_and_one_trajectory():
    parts = [tb.mcsolve(BATTERY.charge(), [0.1, 0.2], 40, seed=seed) for seed in (1, 2)]
    mean = np.mean([one.energy_distribution for one in parts], axis=0)
    np.testing.assert_allclose(sum(parts).energy_distribution, mean, atol=1e-14)
    one = tb.mcsolve(BATTERY.charge(), [0.1, 0.2], 1, seed=1)
    states = one.replay(0, keep_states=True).energy_distribution
    np.testing.assert_allclose(one.energy_distribution, states, atol=1e-14)
    assert np.all(np.isnan(one.energy_distribution_sem))


def test_its_error_is_that_of_the_mean():
    found = [tb.mcsolve(BATTERY.charge(), [0.1], 60, seed=seed, threads=1) for seed in range(80)]
    means = np.array([one.energy_distribution[0] for one in found])
    sems = np.array([one.energy_distribution_sem[0] for one in found])
    likely = means.mean(axis=0) > 0.05
    ratio = means.std(axis=0, ddof=1)[likely] / sems.mean(axis=0)[likely]
    np.testing.assert_allclose(ratio, 1.0, atol=0.3)


def test_coherences_that_have_died_out_are_not_missed():
    battery = tb.Battery(150, 1.87, 1500.0, gamma_plus=10.0)
    times = battery.charging_time * np.array([0.02, 0.1, 0.5, 2.0])
    exact = tb.mesolve(battery.charge(), times, keep_states=True)
    for time, state in zip(times, exact.states, strict=True):
        alone = tb.mesolve(battery.charge(), [time], keep_states=True).states[0]
        np.testing.assert_allclose(state, alone, atol=1e-10)
