"""Squeezing and quantum Fisher information, beside brute force and closed forms."""

import numpy as np
import pytest
from oracle.dense import spin_operators
from scipy.linalg import expm

import trajbatt as tb
from trajbatt.states import spin_noise

BATTERY = tb.Battery(8, 1.87, 80.0, gamma_plus=10.0)
MODEL = BATTERY.charge()
TIMES = np.array([0.05, 0.2])


def spins(n_atoms):
    j_z, j_plus = spin_operators(n_atoms)
    return [(j_plus + j_plus.T) / 2, (j_plus - j_plus.T) / 2j, j_z]


def brute_squeezing(state, n_atoms):
    """Return both parameters by the variances of many components across the mean spin."""
    j = spins(n_atoms)
    mean = np.array([np.trace(one @ state).real for one in j])
    n = mean / np.linalg.norm(mean)
    u = np.linalg.svd(n[None])[2][1:]
    least = np.inf
    for angle in np.linspace(0, np.pi, 2001):
        axis = np.cos(angle) * u[0] + np.sin(angle) * u[1]
        one = sum(a * b for a, b in zip(axis, j, strict=True))
        least = min(least, np.trace(one @ one @ state).real)
    return n_atoms * least / (mean @ mean), 4 * least / n_atoms


def brute_qfi(state, n_atoms):
    """Return 8 (1 - fidelity)/d^2 of a small rotation, the largest over axes found by search."""
    j, step, best = spins(n_atoms), 1e-3, 0.0
    root = _root(state)
    for z in np.linspace(0, 1, 12):
        for phi in np.linspace(0, 2 * np.pi, 24, endpoint=False):
            r = np.sqrt(1 - z * z)
            axis = (r * np.cos(phi), r * np.sin(phi), z)
            turn = expm(-1j * step * sum(a * b for a, b in zip(axis, j, strict=True)))
            turned = turn @ state @ turn.conj().T
            fidelity = np.trace(_root(root @ turned @ root)).real
            best = max(best, 8 * (1 - fidelity) / step**2)
    return best


def _root(matrix):
    p, kets = np.linalg.eigh((matrix + matrix.conj().T) / 2)
    return (kets * np.sqrt(np.maximum(p, 0.0))) @ kets.conj().T


def test_exact_squeezing_by_brute_force():
    exact = tb.mesolve(MODEL, TIMES, keep_states=True)
    for i, state in enumerate(exact.states):
        wineland, kitagawa = brute_squeezing(state, 8)
        assert exact.spin_squeezing[i] == pytest.approx(wineland, rel=1e-5)
        assert exact.spin_squeezing_kitagawa[i] == pytest.approx(kitagawa, rel=1e-5)


def test_quantum_fisher_information_by_brute_force():
    # Of states without small eigenvalues, which the brute force would not resolve.
    rng = np.random.default_rng(1)
    for n_atoms in (2, 3):
        some = rng.normal(size=(n_atoms + 1,) * 2) + 1j * rng.normal(size=(n_atoms + 1,) * 2)
        state = some @ some.conj().T
        state /= np.trace(state).real
        found = spin_noise.qfi([(len(state) - 1, state)])
        assert brute_qfi(state, n_atoms) == pytest.approx(found, rel=0.03)
        assert brute_qfi(state, n_atoms) <= found * (1 + 1e-3)


def test_coherent_states_are_the_limit():
    n = 12
    for theta, phi in ((0.0, 0.0), (1.1, 0.4), (np.pi, 0.0)):
        start = tb.coherent_state(n, theta, phi)
        exact = tb.mesolve(tb.Battery(n, 1.87, 120.0).charge(), [0.0, 1e-3], start)
        for name in ("spin_squeezing", "spin_squeezing_kitagawa"):
            assert getattr(exact, name)[0] == pytest.approx(1.0, abs=1e-9)
        assert exact.qfi[0] == pytest.approx(n, abs=1e-8)


def test_runs_have_it_where_states_are_pure():
    exact = tb.mesolve(MODEL, TIMES)
    runs = tb.mcsolve(MODEL, TIMES, 4000, seed=2, e_ops=tb.observables.second_moments)
    for name in ("spin_squeezing", "spin_squeezing_kitagawa"):
        z = (getattr(runs, name) - getattr(exact, name)) / getattr(runs, f"{name}_sem")
        assert np.all(np.abs(z) < 4), name
        wrong = (1.05 * getattr(runs, name) - getattr(exact, name)) / getattr(runs, f"{name}_sem")
        assert np.any(np.abs(wrong) > 4), name
    one = runs.replay(5, keep_states=True)
    for i, ket in enumerate(one.states):
        state = np.outer(ket, ket.conj())
        wineland, kitagawa = brute_squeezing(state, 8)
        assert one.spin_squeezing[i] == pytest.approx(wineland, rel=1e-5)
        assert one.spin_squeezing_kitagawa[i] == pytest.approx(kitagawa, rel=1e-5)
        assert one.qfi[i] == pytest.approx(spin_noise.qfi([(len(state) - 1, state)]), rel=1e-9)
    np.testing.assert_allclose(one.mean_spin[2], one.energy - 4)
    assert np.all(np.abs(runs.mean_spin - exact.mean_spin) < 4.5 * runs.mean_spin_sem)


def test_errors_of_squeezing_cover():
    known = tb.mesolve(MODEL, TIMES).spin_squeezing
    z = []
    for seed in range(150):
        runs = tb.mcsolve(
            MODEL, TIMES, 300, seed=seed, threads=1, e_ops=tb.observables.second_moments
        )
        z.append((runs.spin_squeezing - known) / runs.spin_squeezing_sem)
    assert np.std(z) == pytest.approx(1.0, abs=0.15)


def test_without_second_moments_it_says_so():
    runs = tb.mcsolve(MODEL, TIMES, 10, seed=1)
    with pytest.raises(ValueError, match="must hold the second moments for spin squeezing"):
        _ = runs.spin_squeezing
    # A state without a mean spin has no direction to look across.
    start = np.zeros(9)
    start[[0, 8]] = np.sqrt(0.5)
    assert np.isnan(tb.mesolve(MODEL, [0.0], start).spin_squeezing[0])


def test_runs_without_a_mean_spin_have_no_squeezing():
    channels = tb.Channel("up", 1, 1.0), tb.Channel("down", -1, 1.0)
    model = tb.LadderModel("hot", 4, 0.0, 0.0, channels)
    runs = tb.mcsolve(model, [20.0], 300, seed=1, e_ops=tb.observables.second_moments)
    assert np.isnan(runs.spin_squeezing[0])
    assert np.isnan(runs.spin_squeezing_sem[0])
