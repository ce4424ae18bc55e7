"""Extractable work, against brute force."""

import itertools

import numpy as np
import pytest
from oracle.dense import spin_operators
from scipy.linalg import expm
from scipy.optimize import minimize

import trajbatt as tb
from trajbatt.states import work


def any_state(n, seed, rank):
    rng = np.random.default_rng(seed)
    kets = rng.normal(size=(n + 1, rank)) + 1j * rng.normal(size=(n + 1, rank))
    rho = kets @ kets.conj().T
    return rho / np.trace(rho).real


def dicke_states(n):
    """Return the symmetric states of n atoms in the product basis, (2^n, n + 1)."""
    excited = np.array([sum(bits) for bits in itertools.product((0, 1), repeat=n)])
    return np.array([(excited == k) / np.sqrt((excited == k).sum()) for k in range(n + 1)]).T


@pytest.mark.parametrize("n", [1, 2, 4])
@pytest.mark.parametrize("rank", [1, 2, 5])
def test_all_unitaries_on_all_states(n, rank):
    rho = any_state(n, 7 * n + rank, rank)
    embed = dicke_states(n)
    whole = embed @ rho @ embed.conj().T
    levels = np.sort([sum(bits) for bits in itertools.product((0, 1), repeat=n)])
    energy = (rho.diagonal().real @ np.arange(n + 1)).item()
    passive = np.linalg.eigvalsh(whole)[::-1] @ levels
    found = work.global_work(energy, np.linalg.eigvalsh(rho)[-1])
    assert found == pytest.approx(energy - passive, abs=1e-12)


@pytest.mark.parametrize("n", [1, 3, 6])
@pytest.mark.parametrize("rank", [1, 3])
def test_rotations(n, rank):
    rho = any_state(n, n + rank, rank)
    j_z, j_plus = spin_operators(n)
    j_y = (j_plus - j_plus.T) / 2j
    energy, dipole = np.trace(rho @ j_z).real + n / 2, np.trace(rho @ j_plus)

    def turned(angles):
        turn = expm(-1j * angles[1] * j_y) @ expm(-1j * angles[0] * j_z)
        return np.trace(turn @ rho @ turn.conj().T @ j_z).real + n / 2

    starts = itertools.product((0.1, 2.0, 4.0), (0.5, 2.5))
    least = min(minimize(turned, start, method="Nelder-Mead", tol=1e-12).fun for start in starts)
    assert work.rotation_work(energy, dipole, n) == pytest.approx(energy - least, abs=1e-8)


def test_no_work_is_below_zero():
    # Near the ground state <J_z> + abs(<J>) is the difference of two numbers of the size of N.
    for dipole in (0.0, 1e-9, 1e-4):
        found = work.rotation_work(0.0, dipole, 1000)
        assert found == pytest.approx(dipole**2 / 1000, rel=1e-6)
    assert work.subspace_work(0.0, np.array([0.0, 1e-17, 1.0])) == 0.0
    assert work.capacity(np.full(3, 1 / 3), 2) == 0.0


@pytest.mark.parametrize("n", [1, 5, 30])
def test_definitions_are_in_order(n):
    battery = tb.Battery(n, 1.87, 10.0 * n, gamma_plus=10.0)
    times = np.linspace(0.0, 2 * battery.charging_time, 9)
    exact = tb.mesolve(battery.charge(), times)
    slack = 1e-10 * n
    assert np.all(exact.ergotropy_rotation >= 0.0)
    assert np.all(exact.ergotropy_rotation <= exact.ergotropy + slack)
    assert np.all(exact.ergotropy <= exact.ergotropy_global + slack)
    assert np.all(exact.ergotropy_global <= exact.energy + slack)
    assert np.all(exact.ergotropy <= exact.capacity + slack)
    # From the density matrices that were kept, too.
    kept = tb.mesolve(battery.charge(), times, keep_states=True)
    np.testing.assert_allclose(kept.ergotropy_global, exact.ergotropy_global, atol=1e-8)
    np.testing.assert_allclose(kept.capacity, exact.capacity, atol=1e-7)


def test_steady_states():
    battery = tb.Battery(6, 1.2, 60.0, gamma_plus=4.0)
    steady = tb.steady_state(battery.charge())
    late = tb.mesolve(battery.charge(), [0.0, 1.0], initial=steady)
    for name in ("ergotropy", "ergotropy_global", "ergotropy_rotation"):
        expected = getattr(steady, name)
        np.testing.assert_allclose(getattr(late, name), expected, rtol=1e-8, err_msg=name)
    driven = tb.Battery(6, 1.2, 60.0).charge(secular=False)
    steady = tb.steady_state(driven)
    late = tb.mesolve(driven, [0.5], initial=steady)
    for name in ("ergotropy", "ergotropy_global", "ergotropy_rotation"):
        assert getattr(late, name)[0] == pytest.approx(getattr(steady, name), rel=1e-7)


def test_trajectories_and_filters():
    model = tb.Battery(8, 1.87, 80.0, gamma_plus=10.0).charge()
    times = np.linspace(0.0, 0.4, 5)
    one = tb.mcsolve(model, times, 2, seed=1, keep_clicks=True).replay(1)
    sure = tb.filter(model, one.clicks, times)
    np.testing.assert_allclose(sure.ergotropy_rotation, one.ergotropy_rotation, atol=1e-9)
    np.testing.assert_array_equal(sure.ergotropy_global, sure.energy)
    assert np.all(one.ergotropy_rotation <= one.energy + 1e-10)
    unsure = tb.filter(model, one.clicks, times, 0.5)
    largest = np.linalg.eigvalsh(unsure.states)[:, -1]
    expected = np.maximum(unsure.energy - (1 - largest), 0.0)
    np.testing.assert_allclose(unsure.ergotropy_global, expected, atol=1e-9)
