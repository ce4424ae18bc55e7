"""Storage and discharge: Eq. (5) with the pump off."""

import dataclasses

import numpy as np
import oracles
import pytest

import trajbatt as tb


def model_and_start(case):
    """Return the model of a `discharge` case and its initial state; H = 0 there."""
    n = case["N"]
    battery = tb.Battery(n, case["theta"], 0.0, case["gamma0"], case["r"] or 1.0, 1.0)
    return battery.discharge(), None if case["init"] == "rho_ss" else tb.excited_state(n)


CASES = [pytest.param(case, id=oracles.name(case)) for case in oracles.load()["discharge"]]


@pytest.mark.parametrize("case", CASES)
def test_oracles(case):
    model, initial = model_and_start(case)
    exact = tb.mesolve(model, case["t"], initial=initial, covariances=True)
    assert exact.channels == ("all",)
    close = {"rel": 1e-10, "abs": 1e-10}
    for i, obs in enumerate(case["obs"]):
        assert exact.energy[i] == pytest.approx(obs["E"], **close)
        assert exact.energy_variance[i] == pytest.approx(obs["varE"], **close)
        assert exact.dipole[i] == pytest.approx(complex(*obs["Jp"]), **close)
        assert exact.ergotropy[i] == pytest.approx(obs["ergotropy"], **close)
        assert exact.counts[0, i] == pytest.approx(obs["mean"]["all"], **close)
        assert exact.counts_covariance[0, 0, i] == pytest.approx(obs["cov"]["all,all"], **close)
    np.testing.assert_allclose(exact.coherent_energy, case["W"], rtol=1e-9, atol=1e-9)


def worst_score(model, case, initial):
    # The first three times: later hardly any trajectory is not in the ground state.
    times, obs = case["t"][:3], case["obs"][:3]
    runs = tb.mcsolve(model, times, ntraj=10_000, initial=initial, seed=3)
    z_energy = (runs.energy - [o["E"] for o in obs]) / runs.energy_sem
    z_counts = (runs.counts[0] - [o["mean"]["all"] for o in obs]) / runs.counts_sem[0]
    return max(np.abs(z_energy).max(), np.abs(z_counts).max())


@pytest.mark.parametrize("case", CASES)
def test_trajectories_against_oracles(case):
    model, initial = model_and_start(case)
    assert worst_score(model, case, initial) < 5
    # Negative control: the rate 5 % off.
    channel = dataclasses.replace(model.channels[0], rate=1.05)
    off = dataclasses.replace(model, channels=(channel,))
    if case["N"] > 1:
        assert worst_score(off, case, initial) > 4


@pytest.mark.parametrize("case", oracles.load()["cond"]["discharge_exact"], ids=lambda c: c["N"])
@pytest.mark.parametrize("method", ["ladder", "mcwf"])
def test_variance_over_trajectories(case, method):
    n = case["N"]
    model = tb.Battery(n, 1.0, 0.0).discharge(case["gamma0"])
    # The charged pure state: the Bloch vector of the lowest dressed state of theta.
    start = tb.coherent_state(n, np.pi - case["theta"])
    runs = tb.mcsolve(model, case["t"], ntraj=20_000, initial=start, seed=4, method=method)
    # At late times hardly any trajectory is left that is not in the ground state.
    known = slice(0, 3)
    pure = case["pure"]
    score = (runs.trajectory_variance - pure["var"]) / runs.trajectory_variance_sem
    assert np.abs(score[known]).max() < 4.5
    assert np.abs((runs.energy - pure["mean"]) / runs.energy_sem)[known].max() < 4.5


def test_the_photons_are_the_energy_lost():
    # From a Dicke state every photon takes one quantum, trajectory by trajectory.
    n = 12
    dicke = np.zeros(n + 1)
    dicke[9] = 1.0
    model = tb.Battery(n, 1.87, 30.0).discharge()
    runs = tb.mcsolve(model, np.linspace(0, 1, 8), ntraj=50, initial=dicke, seed=1)
    for i in range(50):
        one = runs.replay(i)
        np.testing.assert_allclose(one.energy, 9 - one.counts[0], atol=1e-12)
        np.testing.assert_allclose(one.energy_variance, 0, atol=1e-12)


def test_coherent_energy_of_an_ensemble():
    model = tb.Battery(20, 1.87, 200.0, gamma_plus=10.0).discharge()
    times = np.array([0.02, 0.1, 0.4])
    exact = tb.mesolve(model, times).coherent_energy
    estimates = np.array(
        [tb.mcsolve(model, times, ntraj=300, seed=seed).coherent_energy for seed in range(40)]
    )
    error = estimates.std(axis=0, ddof=1) / np.sqrt(40)
    assert np.abs((estimates.mean(axis=0) - exact) / error).max() < 4.5
    # Negative control: the battery was charged with gamma_+ 5 % higher.
    off = tb.mesolve(tb.Battery(20, 1.87, 200.0, gamma_plus=10.5).discharge(), times)
    assert np.abs((estimates.mean(axis=0) - off.coherent_energy) / error).max() > 4.5


def test_coherent_energy_is_below_the_energy_and_most_of_it_at_large_n():
    fractions = []
    for n in (1, 10, 100, 1000):
        battery = tb.Battery(n, 1.87, 10.0 * n, gamma_plus=10.0)
        stored = tb.steady_state(battery.charge()).energy
        fractions.append(tb.mesolve(battery.discharge(), [100.0 / n]).coherent_energy[-1] / stored)
    assert np.all(np.diff(fractions) > 0)
    assert fractions[0] == pytest.approx(0.097929, abs=1e-5)
    assert 0.99 < fractions[-1] < 1


def test_default_start_is_the_charged_steady_state():
    battery = tb.Battery(15, 1.87, 150.0, gamma_plus=10.0)
    steady = tb.steady_state(battery.charge())
    for model in (battery.discharge(), battery.store()):
        for solve in (tb.mesolve, lambda m, t: tb.mcsolve(m, t, ntraj=20_000, seed=2)):
            start = solve(model, [0.0])
            assert start.energy[0] == pytest.approx(steady.energy, rel=0.01)
        exact = tb.mesolve(model, [0.0])
        assert exact.energy[0] == pytest.approx(steady.energy, rel=1e-12)
        assert exact.energy_variance[0] == pytest.approx(steady.energy_variance, rel=1e-11)
        assert exact.dipole[0] == pytest.approx(steady.dipole, rel=1e-12)
    dead = tb.Battery(5, 1.0, 1.0, 1.0, 0.0, 0.0)
    with pytest.raises(ValueError, match="`model` must have a unique steady state"):
        tb.mesolve(dead.discharge(), [0.1])
    tb.mesolve(dead.discharge(), [0.1], initial=tb.excited_state(5))


def test_storage_keeps_energy_and_precesses():
    battery = tb.Battery(8, 1.87, 40.0, gamma_plus=10.0)
    model = battery.store()
    start = tb.coherent_state(8, 1.1, 0.4)
    times = np.linspace(0, 3, 7)
    assert model.channels == ()
    exact = tb.mesolve(model, times, initial=start, covariances=True, keep_states=True)
    runs = tb.mcsolve(model, times, ntraj=30, initial=start, seed=1)
    for result in (exact, runs):
        np.testing.assert_allclose(result.energy, result.energy[0], rtol=1e-12)
        np.testing.assert_allclose(result.energy_variance, result.energy_variance[0], rtol=1e-11)
        np.testing.assert_allclose(
            result.dipole, result.dipole[0] * np.exp(1j * battery.detuning * times), atol=1e-11
        )
        assert result.counts.shape == (0, 7)
        assert result.coherent_energy is None
    np.testing.assert_allclose(
        np.abs(exact.states), np.abs(exact.states[:1]).repeat(7, 0), atol=1e-12
    )
    assert tb.compare(runs, exact).p_value == 1.0


def test_everything_comes_out_in_the_end():
    battery = tb.Battery(40, 1.87, 400.0, gamma_plus=10.0)
    model = battery.discharge(gamma=2.0)
    exact = tb.mesolve(model, [1.0, 10.0])
    assert exact.energy[-1] < 1e-10
    assert exact.counts[0, -1] == pytest.approx(tb.steady_state(battery.charge()).energy, rel=1e-10)
    runs = tb.mcsolve(model, [0.01, 0.05], ntraj=2000, seed=1)
    assert tb.compare(runs, tb.mesolve(model, [0.01, 0.05])).p_value > 1e-4
    off = battery.discharge(gamma=2.1)
    assert tb.compare(runs, tb.mesolve(off, [0.01, 0.05])).p_value < 1e-6
    assert tb.steady_state(model).energy == 0.0


def test_bad_rate():
    with pytest.raises(ValueError, match="`gamma` must be a finite number, zero or positive"):
        tb.Battery(3, 1.0, 1.0).discharge(gamma=-1.0)
