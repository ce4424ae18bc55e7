"""Storage and discharge, exactly: Eq. (5) with the pump off."""

import numpy as np
import pytest
from oracle import references

import trajbatt as tb

CASES = [pytest.param(case, id=references.name(case)) for case in references.load()["discharge"]]


@pytest.mark.parametrize("case", CASES)
def test_oracles(case):
    model, initial = references.of_discharge(case)
    exact = tb.mesolve(model, case["t"], initial=initial, covariances=True)
    assert exact.channels == ("all",)
    close = {"rel": 1e-10, "abs": 1e-10}
    for i, obs in enumerate(case["obs"]):
        assert exact.energy[i] == pytest.approx(obs["E"], **close)
        assert exact.energy_variance[i] == pytest.approx(obs["varE"], **close)
        assert exact.dipole[i] == pytest.approx(complex(*obs["Jp"]), **close)
        assert exact.ergotropy[i] == pytest.approx(obs["ergotropy"], **close)
        assert exact.ergotropy_global[i] == pytest.approx(obs["ergotropy_full2N"], **close)
        assert exact.counts[0, i] == pytest.approx(obs["mean"]["all"], **close)
        assert exact.counts_covariance[0, 0, i] == pytest.approx(obs["cov"]["all,all"], **close)
    np.testing.assert_allclose(exact.coherent_energy, case["W"], rtol=1e-9, atol=1e-9)


@pytest.mark.slow
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
    assert tb.compare(runs, tb.mesolve(off, [0.01, 0.05]), other_model=True).p_value < 1e-6
    assert tb.steady_state(model).energy == 0.0


def test_bad_rate():
    with pytest.raises(ValueError, match="`gamma` must be a finite number, zero or positive"):
        tb.Battery(3, 1.0, 1.0).discharge(gamma=-1.0)
