"""Rare light of the weakly driven Eq. (5): rates and correlations keep all their digits."""

import numpy as np
import pytest
from oracle.dense import spin_operators

import trajbatt as tb
from trajbatt.exact import weak_drive


def steady(n_atoms, theta, drive):
    """Return model, steady state, rate and g2(0), of the elements of the closed form."""
    model = tb.Battery(n_atoms, theta, drive).charge(secular=False)
    state = tb.steady_state(model)
    _, j_plus = spin_operators(n_atoms)
    rate = np.trace(j_plus @ j_plus.T @ state.matrix).real
    pairs = np.trace(j_plus @ j_plus @ j_plus.T @ j_plus.T @ state.matrix).real
    return model, state, rate, pairs / rate**2


@pytest.mark.parametrize("theta", [np.pi / 2, 1.2, 2.5])
@pytest.mark.parametrize("drive", [0.05, 1e-2, 1e-4, 1e-6, 1e-9])
@pytest.mark.parametrize("n_atoms", [2, 3, 10])
def test_steady_light(n_atoms, theta, drive):
    model, state, rate, expected = steady(n_atoms, theta, drive)
    assert tb.mesolve(model, [1.0], state).counts[0, 0] == pytest.approx(rate, rel=1e-12)
    for at in (0.0, 0.3, (0.0, 0.3)):
        found = tb.counting.g2(model, [0.0], ("all", "all"), initial=state, at=at)
        assert found == pytest.approx(expected, rel=1e-12)


def test_one_weakly_driven_atom_emits_no_pairs():
    # Resonance fluorescence at weak drive: g2(tau) = (1 - exp(-gamma tau/2))^2.
    model, state, rate, _ = steady(1, np.pi / 2, 1e-7)
    assert rate == pytest.approx(1e-14, rel=1e-12)
    delays = np.array([0.0, 0.5, 3.0])
    found = tb.counting.g2(model, delays, ("all", "all"), initial=state)
    assert found == pytest.approx((1.0 - np.exp(-delays / 2)) ** 2, rel=1e-11)


def test_light_of_many_atoms_on_the_way():
    # Far below saturation sigma = J_- is driven alone: amplitude eps (1 - exp(-N gamma t/2)).
    n_atoms, drive = 30, 1e-8
    model = tb.Battery(n_atoms, np.pi / 2, drive).charge(secular=False)
    times = np.array([0.01, 0.05, 0.2])
    decay = n_atoms / 2
    amount = times - 2 * (1 - np.exp(-decay * times)) / decay
    amount += (1 - np.exp(-2 * decay * times)) / (2 * decay)
    counts = tb.mesolve(model, times, covariances=True)
    assert counts.counts[0] == pytest.approx(drive**2 * amount, rel=1e-9)
    assert counts.counts_covariance[0, 0] == pytest.approx(drive**2 * amount, rel=1e-9)


@pytest.mark.parametrize("initial", [None, tb.excited_state(4), tb.coherent_state(4, 1.0, 0.7)])
@pytest.mark.parametrize("theta", [0.7, np.pi / 2, 2.8])
def test_both_bases_agree(monkeypatch, theta, initial):
    model = tb.Battery(4, theta, 0.09).charge(secular=False)
    times = np.array([0.1, 0.8, 2.5])

    def everything():
        exact = tb.mesolve(model, times, initial, covariances=True, keep_states=True)
        waiting = tb.counting.arrival(model, 2, times, "all", initial)
        numbers = tb.counting.distribution(model, 2.5, "all", initial)
        return (
            exact.energy,
            exact.energy_variance,
            exact.dipole,
            exact.counts,
            exact.counts_covariance,
            exact.states,
            waiting,
            numbers[:3],
        )

    bare = everything()
    monkeypatch.setattr(weak_drive, "WEAK", 0.0)
    dressed = everything()
    for one, other in zip(bare, dressed, strict=True):
        assert one == pytest.approx(other, abs=2e-10)


def test_a_weak_stage_between_strong_ones():
    strong = tb.Battery(3, 1.2, 40.0).charge(secular=False)
    weak = tb.Battery(3, 1.0, 0.05).charge(secular=False)
    protocol = tb.Protocol([(strong, 0.3), (weak, 0.4), (strong, 0.2)])
    middle = tb.mesolve(strong, [0.3], keep_states=True).states[-1]
    later = tb.mesolve(weak, [0.4], middle, keep_states=True).states[-1]
    last = tb.mesolve(strong, [0.2], later, keep_states=True).states[-1]
    found = tb.mesolve(protocol, [0.3, 0.7, 0.9], keep_states=True).states
    assert found == pytest.approx(np.array([middle, later, last]), abs=1e-9)


def test_little_energy_keeps_its_digits():
    for model in (
        tb.Battery(2, np.pi / 2, 1e-8).charge(secular=False),
        tb.Battery(5, 1.2, 5.0).discharge(),
    ):
        start = tb.ground_state(2) if model.n_atoms == 2 else tb.excited_state(5)
        exact = tb.mesolve(model, [1.0, 8.0], start)
        k = np.arange(model.n_levels)
        np.testing.assert_allclose(exact.energy, exact.energy_distribution @ k, rtol=1e-6)
        assert np.all(exact.energy > 0)
