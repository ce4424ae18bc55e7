"""The states of single trajectories."""

import numpy as np
import pytest
from oracle.dense import spin_operators

import trajbatt as tb

BATTERY = tb.Battery(12, 1.87, 120.0, gamma_plus=10.0)
CYCLE = tb.Protocol([(BATTERY.charge(), 0.5), (BATTERY.store(), 0.2), (BATTERY.discharge(), 0.2)])
DRIVEN = tb.Battery(12, 1.2, 60.0).charge(secular=False)
CASES = [
    pytest.param(BATTERY.charge(), None, id="ladder"),
    pytest.param(BATTERY.charge(), "mcwf", id="mcwf"),
    pytest.param(BATTERY.charge(), "banded", id="banded"),
    pytest.param(DRIVEN, None, id="driven"),
    pytest.param(CYCLE, None, id="cycle"),
]


def means(operator, kets):
    return np.einsum("ti,ij,tj->t", kets.conj(), operator, kets)


@pytest.mark.parametrize(("model", "method"), CASES)
def test_states_have_the_energies_and_dipoles_that_were_read(model, method):
    end = 0.9 if model is CYCLE else 0.4
    runs = tb.mcsolve(model, np.linspace(0.0, end, 10), 4, seed=3, method=method)
    one = runs.replay(2, keep_states=True)
    j_z, j_plus = spin_operators(12)
    energy = j_z + 6 * np.eye(13)
    assert one.states.shape == (10, 13)
    np.testing.assert_allclose(np.linalg.norm(one.states, axis=1), 1.0, atol=1e-14)
    np.testing.assert_allclose(means(energy, one.states).real, one.energy, atol=1e-12)
    np.testing.assert_allclose(means(j_plus, one.states), one.dipole, atol=1e-12)
    variance = means(energy @ energy, one.states).real - one.energy**2
    np.testing.assert_allclose(variance, one.energy_variance, atol=1e-11)
    k = np.arange(13)
    np.testing.assert_allclose(one.energy_distribution @ k, one.energy, atol=1e-12)
    # Whatever the grid, and without a trace of whether states are kept.
    late = runs.replay(2, [0.1, end], keep_states=True)
    overlap = abs(np.vdot(late.states[-1], one.states[-1]))
    assert overlap == pytest.approx(1.0, abs=1e-12)
    np.testing.assert_array_equal(runs.replay(2).energy, one.energy)


def test_methods_give_one_state_for_one_record():
    # The record of the ladder engine, filtered by integrating the wavefunction.
    from trajbatt.ensembles.chunks import replay_record
    from trajbatt.trajectories.methods import build_engine

    plan = tb.mcsolve(BATTERY.charge(), [0.2, 0.4], 3, seed=1).plan
    record = replay_record(plan, 1)
    exact = plan.engine.bare_kets(record, plan.times)[0]
    for method, tolerance in (("mcwf", 1e-10), ("banded", 1e-8)):
        engine = build_engine(method, 1e-10, plan.model, plan.mixture)
        other = engine.bare_kets(record, plan.times)[0]
        overlap = np.abs(np.einsum("ti,ti->t", exact.conj(), other))
        np.testing.assert_allclose(overlap, 1.0, atol=tolerance)


def test_states_are_kept_on_demand_only():
    runs = tb.mcsolve(BATTERY.charge(), [0.1], 2, seed=1)
    one = runs.replay(0)
    assert one.states is None
    with pytest.raises(ValueError, match=r"the states must be kept for that: replay"):
        one.energy_distribution  # noqa: B018
    with pytest.raises(TypeError, match="`keep_states` must be True or False"):
        runs.replay(0, keep_states="yes")
    with pytest.raises(ValueError, match="read-only"):
        runs.replay(0, keep_states=True).states[0] = 0.0
