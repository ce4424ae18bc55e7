"""The states that a filter knows."""

import numpy as np
import pytest

import trajbatt as tb

BATTERY = tb.Battery(8, 1.87, 80.0, gamma_plus=10.0)
CYCLE = tb.Protocol([(BATTERY.charge(), 0.4), (BATTERY.store(), 0.1), (BATTERY.discharge(), 0.2)])
DRIVEN = tb.Battery(8, 1.2, 40.0).charge(secular=False)
MODELS = {"ladder": BATTERY.charge(), "cycle": CYCLE, "driven": DRIVEN}
TIMES = np.linspace(0.0, 0.6, 7)


def record(model):
    runs = tb.mcsolve(model, TIMES, 3, seed=2, rtol=1e-11, keep_clicks=True)
    return runs.replay(1, keep_states=True)


@pytest.mark.parametrize("name", MODELS)
def test_who_misses_nothing_knows_the_trajectory(name):
    one = record(MODELS[name])
    found = tb.filter(MODELS[name], one.clicks, TIMES)
    assert found.states.shape == (7, 9)
    overlaps = np.abs(np.einsum("ti,ti->t", found.states.conj(), one.states))
    np.testing.assert_allclose(overlaps, 1.0, atol=1e-7)
    np.testing.assert_allclose(found.energy_distribution, one.energy_distribution, atol=1e-6)
    with pytest.raises(ValueError, match="read-only"):
        found.states[0, 0] = 1.0


@pytest.mark.parametrize("name", MODELS)
def test_who_misses_some_has_a_density_matrix(name):
    one = record(MODELS[name])
    found = tb.filter(MODELS[name], one.clicks, TIMES, 0.5)
    assert found.states.shape == (7, 9, 9)
    k = np.arange(9)
    np.testing.assert_allclose(np.einsum("tkk->t", found.states).real, 1.0, atol=1e-10)
    np.testing.assert_allclose(found.energy_distribution @ k, found.energy, atol=1e-9)
    second = found.energy_distribution @ k**2 - found.energy**2
    np.testing.assert_allclose(second, found.energy_variance, atol=1e-8)
    purity = np.einsum("tij,tji->t", found.states, found.states).real
    np.testing.assert_allclose(purity, found.purity, atol=1e-9)
    # Who has seen nothing at all has the solution of the master equation.
    blind = tb.filter(MODELS[name], tb.Clicks([], [], [], MODELS[name].channel_names), TIMES, 0.0)
    exact = tb.mesolve(MODELS[name], TIMES, keep_states=True)
    np.testing.assert_allclose(blind.states, exact.states, atol=1e-8)
