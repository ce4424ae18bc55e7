"""The steady state of the driven Eq. (5)."""

import dataclasses

import numpy as np
import pytest
from oracle import references
from oracle.dense import spin_operators

import trajbatt as tb
from trajbatt.numerics import spin

CASES = [pytest.param(case, id=references.name(case)) for case in references.load()["eq5"]]


def battery_of(case):
    return tb.Battery(case["N"], case["theta"], case["Omega_P"])


@pytest.mark.parametrize("case", CASES)
def test_steady_state_oracles(case):
    battery, known = battery_of(case), case["steady"]
    steady = tb.steady_state(battery.charge(secular=False))
    close = {"rel": 1e-10, "abs": 1e-10}
    assert steady.energy == pytest.approx(known["E"], **close)
    assert steady.energy_variance == pytest.approx(known["varE"], **close)
    assert steady.dipole == pytest.approx(complex(*known["Jp"]), **close)
    assert steady.ergotropy == pytest.approx(known["ergotropy"], **close)
    assert np.trace(steady.matrix @ steady.matrix).real == pytest.approx(known["purity"], **close)
    _, j_plus = spin_operators(case["N"])
    rate = np.trace(j_plus @ j_plus.T @ steady.matrix).real
    assert rate == pytest.approx(known["rate"], **close)
    distance = trace_distance(steady.matrix, secular_matrix(battery))
    assert distance == pytest.approx(known["trace_distance_to_secular"], **close)


def trace_distance(a, b):
    return 0.5 * np.abs(np.linalg.eigvalsh(a - b)).sum()


def secular_matrix(battery):
    """Return the bare steady state of Eq. (7)."""
    turn = spin.rotation_matrix(battery.n_atoms, battery.theta)
    return turn @ np.diag(tb.steady_state(battery.charge()).populations) @ turn.T


@pytest.mark.parametrize("n", [1, 10, 60])
@pytest.mark.parametrize("drive", [0.3, 1.0, 3.0])
def test_steady_state_of_puri_and_lawande(n, drive):
    # On resonance rho is the inverse of X+ X, X = J_- - i Omega_R/gamma.
    gamma, rabi = 0.5, 0.5 * drive * n
    battery = tb.Battery(n, np.pi / 2, rabi, gamma, gamma, gamma)
    # The powers of the nilpotent J_- are exact; to invert X would lose all digits.
    _, j_plus = spin_operators(n)
    term, inverse = np.eye(n + 1, dtype=complex), np.zeros((n + 1, n + 1), dtype=complex)
    for _ in range(n + 1):
        inverse += term
        term = term @ j_plus.T * gamma / (1j * rabi)
    rho = inverse @ inverse.conj().T
    rho /= np.trace(rho).real
    steady = tb.steady_state(battery.charge(secular=False))
    np.testing.assert_allclose(steady.matrix, rho, atol=1e-12)
    # Negative control: the drive 1 % stronger.
    off = dataclasses.replace(battery, omega_p=1.01 * rabi).charge(secular=False)
    assert np.abs(tb.steady_state(off).matrix - rho).max() > 1e-4 / n


@pytest.mark.parametrize(
    "battery",
    [
        tb.Battery(40, 1.1, 400.0),
        tb.Battery(40, 2.0, 60.0),
        tb.Battery(40, 0.3, 30.0),
        tb.Battery(25, np.pi / 2, 12.0),
    ],
    ids=str,
)
def test_steady_state_is_stationary(battery):
    model = battery.charge(secular=False)
    steady = tb.steady_state(model)
    times = np.array([0.0, 0.01, 0.1])
    exact = tb.mesolve(model, times, initial=steady, keep_states=True, covariances=True)
    np.testing.assert_allclose(exact.states, steady.matrix[None].repeat(3, 0), atol=1e-9)
    np.testing.assert_allclose(exact.energy, steady.energy, rtol=1e-9)
    np.testing.assert_allclose(exact.energy_variance, steady.energy_variance, rtol=1e-8)
    np.testing.assert_allclose(exact.ergotropy, steady.ergotropy, rtol=1e-8)
    np.testing.assert_allclose(exact.dipole, steady.dipole, atol=1e-8)
    # Photons leave at an even rate.
    k = np.arange(battery.n_atoms + 1)
    rate = steady.matrix.diagonal().real @ (k * (battery.n_atoms + 1 - k))
    np.testing.assert_allclose(exact.counts[0], rate * times, rtol=1e-8)
    # Negative control: another model's steady state moves.
    off = tb.steady_state(dataclasses.replace(model, rate=1.01))
    moved = tb.mesolve(model, times, initial=off, keep_states=True)
    assert np.abs(moved.states[-1] - off.matrix).max() > 1e-5


def test_the_steady_state_is_reached():
    model = tb.Battery(4, 1.1, 10.0).charge(secular=False)
    late = tb.mesolve(model, [60.0], keep_states=True)
    np.testing.assert_allclose(late.states[0], tb.steady_state(model).matrix, atol=1e-9)


@pytest.mark.parametrize(
    "battery",
    [
        tb.Battery(1, 0.4, 0.1),
        tb.Battery(7, np.pi, 3.0),
        tb.Battery(30, 2.0, 1.0),
        tb.Battery(150, 0.8, 30.0),
        tb.Battery(150, np.pi / 2, 1500.0),
    ],
    ids=str,
)
def test_steady_states_are_states_with_consistent_attributes(battery):
    n = battery.n_atoms
    steady = tb.steady_state(battery.charge(secular=False))
    rho = steady.matrix
    assert np.trace(rho) == pytest.approx(1.0, abs=1e-12)
    np.testing.assert_array_equal(rho, rho.conj().T)
    eigenvalues = np.linalg.eigvalsh(rho)
    assert eigenvalues[0] > -1e-12
    j_z, j_plus = spin_operators(n)
    h0 = j_z + n / 2 * np.eye(n + 1)
    energy = np.trace(rho @ h0).real
    assert steady.energy == pytest.approx(energy, abs=1e-10)
    assert steady.energy_variance == pytest.approx(
        np.trace(rho @ h0 @ h0).real - energy**2, abs=1e-11 * n**2
    )
    assert steady.dipole == pytest.approx(np.trace(rho @ j_plus), abs=1e-10)
    assert steady.ergotropy == pytest.approx(energy - eigenvalues[::-1] @ np.arange(n + 1))
    assert steady.populations.shape == (n + 1,)
    assert steady.populations.sum() == pytest.approx(1.0, abs=1e-12)
    # Populations of the dressed levels give the mean of J'_z = cos(theta) J_z - sin(theta) J_x.
    dressed_z = np.cos(battery.theta) * j_z - np.sin(battery.theta) * (j_plus + j_plus.T) / 2
    m = spin.magnetic_numbers(n)
    for power in (1, 2):
        mean = np.trace(rho @ np.linalg.matrix_power(dressed_z, power)).real
        assert steady.populations @ m**power == pytest.approx(mean, abs=1e-11 * n**power)


@pytest.mark.parametrize("theta", [1.2, np.pi / 2, 2.0])
def test_steady_states_approach_the_secular_ones(theta):
    # The coherences between dressed levels are of first order in 1/Omega_P, all else of second.
    first, second = [], []
    for omega_p in (400.0, 800.0, 1600.0):
        battery = tb.Battery(6, theta, omega_p)
        driven = tb.steady_state(battery.charge(secular=False))
        secular = tb.steady_state(battery.charge())
        distance = trace_distance(driven.matrix, secular_matrix(battery))
        first.append([distance, abs(driven.dipole.imag)])
        second.append(
            [driven.energy - secular.energy, driven.energy_variance - secular.energy_variance]
        )
    first, second = np.array(first), np.array(second)
    np.testing.assert_allclose(first[:-1] / first[1:], 2.0, rtol=0.01)
    np.testing.assert_allclose(second[:-1] / second[1:], 4.0, rtol=0.01)
    assert np.all(first[-1] < 0.01)


def equation_5(battery, rho):
    """Return d rho/dt of Eq. (5) from dense operators, in units of the terms' own size."""
    j_z, j_plus = spin_operators(battery.n_atoms)
    dressed_z = np.cos(battery.theta) * j_z - np.sin(battery.theta) * (j_plus + j_plus.T) / 2
    h = battery.omega_p * dressed_z
    loss = j_plus @ j_plus.T / 2
    drive = -1j * (h @ rho - rho @ h)
    decay = j_plus.T @ rho @ j_plus - loss @ rho - rho @ loss
    return (drive + decay) / (np.abs(h).max() + np.abs(loss).max())


@pytest.mark.parametrize("theta", [1e-4, 0.3, 1.2, np.pi / 2 - 1e-3, np.pi / 2, 2.0, 3.1])
@pytest.mark.parametrize("drive", [1e-6, 1e-2, 1.0, 1e2, 1e4, 1e8, 1e10, 1e12])
@pytest.mark.parametrize("n", [1, 2, 10])
def test_steady_states_of_any_drive_are_stationary_states(n, drive, theta):
    # A solver that eliminated coherences was off by .04 at 10^8 and returned non-states at 10^12.
    battery = tb.Battery(n, theta, drive)
    rho = tb.steady_state(battery.charge(secular=False)).matrix
    assert np.abs(equation_5(battery, rho)).max() < 1e-14
    assert np.trace(rho).real == pytest.approx(1.0, abs=1e-13)
    assert np.linalg.eigvalsh(rho)[0] > -1e-15
    # On the way to infinite drive, the steady state of Eq. (7).
    if drive >= 1e8:
        assert trace_distance(rho, secular_matrix(battery)) < 1e-5


def test_rare_excitations_keep_their_relative_precision():
    # One atom, weakly driven: the excited population of the optical Bloch equations.
    theta, omega_p = 1.2, 1e-9
    rabi, detuning = omega_p * np.sin(theta), omega_p * np.cos(theta)
    steady = tb.steady_state(tb.Battery(1, theta, omega_p).charge(secular=False))
    known = rabi**2 / 4 / (detuning**2 + 1 / 4 + rabi**2 / 2)
    assert steady.energy == pytest.approx(known, rel=1e-13)
    # Weakly driven atoms are a coherent state: k excitations are binomial to leading order.
    steady = tb.steady_state(tb.Battery(4, np.pi / 2, 1e-6).charge(secular=False))
    populations = steady.matrix.diagonal().real
    # c_n = (1e6/i)^n, so level k has the weight (r_k ... r_3)^2 1e12^(4-k).
    squares = np.array([4.0, 6.0, 6.0, 4.0])
    known = [np.prod(1e-12 / squares[:k]) for k in range(5)]
    np.testing.assert_allclose(populations, known / np.sum(known), rtol=1e-5)


@pytest.mark.parametrize("theta", [0.0, np.pi])
def test_without_a_drive_on_the_dipole_the_battery_is_empty(theta):
    steady = tb.steady_state(tb.Battery(5, theta, 3.0).charge(secular=False))
    assert steady.energy == pytest.approx(0.0, abs=1e-30)


@pytest.mark.slow
def test_two_thousand_atoms():
    model = tb.Battery(2000, 1.2, 2e4).charge(secular=False)
    steady = tb.steady_state(model)
    assert steady.energy == pytest.approx(2000 * np.sin(0.6) ** 2, rel=1e-2)


def test_no_population_is_negative():
    for model in (
        tb.BandedModel("charge", 100, 0.6, 1e5, 1.0),
        tb.BandedModel("charge", 60, 1.87, 600.0, 1.0),
    ):
        populations = tb.steady_state(model).populations
        assert populations.min() >= 0.0
        assert not populations.flags.writeable
