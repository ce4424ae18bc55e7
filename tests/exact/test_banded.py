"""The master equation of the driven Eq. (5)."""

import numpy as np
import pytest
from oracle import dense, references

import trajbatt as tb

CASES = [pytest.param(case, id=references.name(case)) for case in references.load()["eq5"]]


def battery_of(case):
    return tb.Battery(case["N"], case["theta"], case["Omega_P"])


def compare_with_oracle(exact, case, tolerance):
    for i, obs in enumerate(case["obs"]):
        close = {"rel": tolerance, "abs": tolerance}
        assert exact.energy[i] == pytest.approx(obs["E"], **close)
        assert exact.energy_variance[i] == pytest.approx(obs["varE"], **close)
        assert exact.dipole[i] == pytest.approx(complex(*obs["Jp"]), **close)
        assert exact.ergotropy[i] == pytest.approx(obs["ergotropy"], **close)
        assert exact.ergotropy_global[i] == pytest.approx(obs["ergotropy_full2N"], **close)
        assert exact.counts[0, i] == pytest.approx(obs["mean"]["all"], **close)
        covariance = obs["cov"]["all,all"]
        assert exact.counts_covariance[0, 0, i] == pytest.approx(covariance, **close)


@pytest.mark.parametrize(("rtol", "tolerance"), [(1e-12, 2e-11), (1e-10, 1e-9)])
@pytest.mark.parametrize("keep_states", [False, True])
@pytest.mark.parametrize("case", CASES)
def test_oracles(case, keep_states, rtol, tolerance):
    exact = tb.mesolve(
        battery_of(case).charge(secular=False),
        case["t"],
        covariances=True,
        keep_states=keep_states,
        rtol=rtol,
    )
    assert exact.channels == ("all",)
    compare_with_oracle(exact, case, tolerance)


@pytest.mark.parametrize("case", references.load()["counts5"], ids=references.name)
def test_counts_of_the_distributions(case):
    model = battery_of(case).charge(secular=False)
    exact = tb.mesolve(model, [entry["T"] for entry in case["T"]], covariances=True)
    for i, entry in enumerate(case["T"]):
        assert exact.counts[0, i] == pytest.approx(entry["mean"], rel=1e-9)
        n = np.arange(len(entry["pmf"]))
        mean = entry["pmf"] @ n
        variance = entry["pmf"] @ (n - mean) ** 2
        assert exact.counts_covariance[0, 0, i] == pytest.approx(variance, rel=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("theta", [0.0, 0.9, np.pi / 2, 2.3, np.pi])
@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize("initial", ["ground", "excited", "coherent", "mixed"])
def test_states_against_a_dense_liouvillian(n, theta, initial):
    battery = tb.Battery(n, theta, 4.0, 0.7, 0.7, 0.7)
    start = {
        "ground": tb.ground_state(n),
        "excited": tb.excited_state(n),
        "coherent": tb.coherent_state(n, 1.1, 0.8),
        "mixed": dense.mixed(n),
    }[initial]
    rho_0 = start if start.ndim == 2 else np.outer(start, start.conj())
    times = [0.0, 0.1, 0.9, 2.0]
    model = battery.charge(secular=False)
    exact = tb.mesolve(model, times, initial=start, keep_states=True, rtol=1e-12)
    j_z, j_plus = dense.spin_operators(n)
    h0 = j_z + n / 2 * np.eye(n + 1)
    twin = dense.Twin([dense.driving(battery, np.inf)])
    for i, time in enumerate(times):
        rho = twin.evolve(rho_0, 0.0, time)
        np.testing.assert_allclose(exact.states[i], rho, atol=1e-11)
        energy = np.trace(rho @ h0).real
        variance = np.trace(rho @ h0 @ h0).real - energy**2
        assert exact.energy[i] == pytest.approx(energy, abs=1e-11)
        assert exact.energy_variance[i] == pytest.approx(variance, abs=1e-11)
        assert exact.dipole[i] == pytest.approx(np.trace(rho @ j_plus), abs=1e-11)
        passive = np.linalg.eigvalsh(rho)[::-1] @ np.arange(n + 1)
        assert exact.ergotropy[i] == pytest.approx(energy - passive, abs=1e-11)


def coherent_energy(battery, times):
    """Return gamma int abs(<J_+>)^2 dt by Simpson's rule on dense states."""
    n, steps = battery.n_atoms, 6000
    _, j_plus = dense.spin_operators(n)
    h = times[-1] / steps
    twin = dense.Twin([dense.driving(battery, np.inf)])
    rho = np.diag(np.eye(n + 1, dtype=complex)[0])
    power = []
    for _ in range(steps + 1):
        power.append(battery.gamma_0 * abs(np.trace(rho @ j_plus)) ** 2)
        rho = twin.evolve(rho, 0.0, h)
    panels = h / 3 * (np.array(power[:-2:2]) + 4 * np.array(power[1:-1:2]) + np.array(power[2::2]))
    total = np.append(0.0, np.cumsum(panels))
    return total[np.round(np.array(times) / (2 * h)).astype(int)]


@pytest.mark.parametrize("omega_p", [9.0, 60.0])
def test_coherent_energy(omega_p):
    battery = tb.Battery(3, 1.1, omega_p, 0.8, 0.8, 0.8)
    times = np.array([0.0, 0.5, 1.0, 3.0])
    exact = tb.mesolve(battery.charge(secular=False), times)
    np.testing.assert_allclose(exact.coherent_energy, coherent_energy(battery, times), atol=1e-7)
    assert exact.coherent_energy[0] == 0.0


@pytest.mark.slow
def test_long_times():
    # All is steady but the counts, and their variance grows evenly.
    model = tb.Battery(3, 1.2, 12.0).charge(secular=False)
    times = np.array([60.0, 120.0, 180.0])
    exact = tb.mesolve(model, times, covariances=True)
    steady = tb.steady_state(model)
    np.testing.assert_allclose(exact.energy, steady.energy, rtol=1e-8)
    _, j_plus = dense.spin_operators(3)
    rate = np.trace(j_plus @ j_plus.T @ steady.matrix).real
    np.testing.assert_allclose(np.diff(exact.counts[0]), 60.0 * rate, rtol=1e-8)
    first, second = np.diff(exact.counts_covariance[0, 0])
    assert second == pytest.approx(first, rel=1e-6)
    assert first < 60.0 * rate  # antibunched


@pytest.mark.slow
@pytest.mark.parametrize("theta", [1.2, np.pi / 2, 2.0])
def test_transients_approach_the_secular_ones(theta):
    # Of first order in 1/Omega_P; the terms that were left out oscillate, so look at the largest.
    differences = []
    for omega_p in (200.0, 800.0, 3200.0):
        battery, times = tb.Battery(6, theta, omega_p), np.linspace(0.01, 0.3, 300)
        driven = tb.mesolve(battery.charge(secular=False), times, rtol=1e-9)
        secular = tb.mesolve(battery.charge(), times, rtol=1e-9)
        counts = driven.counts[0] - secular.counts.sum(axis=0)
        pairs = (driven.energy, secular.energy), (driven.energy_variance, secular.energy_variance)
        differences.append([*(np.abs(a - b).max() for a, b in pairs), np.abs(counts).max()])
    differences = np.array(differences)
    np.testing.assert_allclose(differences[:-1] / differences[1:], 4.0, rtol=0.1)
    assert np.all(differences[-1] < 0.01)


@pytest.mark.slow
@pytest.mark.parametrize("n", [5, 60])
def test_accuracy_is_what_was_asked_for(n):
    model = tb.Battery(n, 1.2, 5.0 * n).charge(secular=False)
    times = np.array([0.0, 0.5, 1.0, 6.0]) / n
    reference = tb.mesolve(model, times, rtol=1e-13, covariances=True)
    errors = []
    for rtol in (1e-3, 1e-6, 1e-9):
        rough = tb.mesolve(model, times, rtol=rtol, covariances=True)
        errors.append(np.abs(rough.energy - reference.energy).max() / n)
        assert errors[-1] < rtol
        variance = np.abs(rough.energy_variance - reference.energy_variance).max()
        assert variance < rtol * n
        assert np.abs(rough.dipole - reference.dipole).max() < rtol * n
        total = reference.counts[0, -1]
        assert np.abs(rough.counts - reference.counts).max() < rtol * total
        second = np.abs(rough.counts_covariance - reference.counts_covariance).max()
        assert second < 10 * rtol * total
    assert errors[0] > 10 * errors[1] > 100 * errors[2]


def test_times_do_not_matter():
    model = tb.Battery(12, 1.2, 60.0).charge(secular=False)
    many = tb.mesolve(model, np.linspace(0, 0.5, 101), covariances=True)
    few = tb.mesolve(model, [0.1, 0.5], covariances=True)
    np.testing.assert_allclose(few.energy, many.energy[[20, 100]], atol=1e-9)
    np.testing.assert_allclose(few.energy_variance, many.energy_variance[[20, 100]], atol=1e-9)
    np.testing.assert_allclose(few.counts, many.counts[:, [20, 100]], atol=1e-8)
    np.testing.assert_allclose(
        few.counts_covariance, many.counts_covariance[..., [20, 100]], atol=1e-7
    )


def test_units_scale():
    base = tb.Battery(8, 1.2, 30.0).charge(secular=False)
    times = np.array([0.0, 0.1, 1.0])
    expected = tb.mesolve(base, times, covariances=True)
    for unit in (1e-6, 1e9):
        model = tb.Battery(8, 1.2, 30.0 * unit, unit, unit, unit).charge(secular=False)
        got = tb.mesolve(model, times / unit, covariances=True)
        np.testing.assert_allclose(got.energy, expected.energy, atol=1e-9)
        np.testing.assert_allclose(got.counts_covariance, expected.counts_covariance, atol=1e-8)
        steady, other = tb.steady_state(model), tb.steady_state(base)
        np.testing.assert_allclose(steady.matrix, other.matrix, atol=1e-12)


def test_one_atom_without_a_drive_decays_exponentially():
    battery = tb.Battery(1, 1.0, 0.0, 2.0, 2.0, 2.0)
    model, times = battery.charge(secular=False), np.array([0.0, 0.3, 1.0, 4.0])
    exact = tb.mesolve(model, times, initial=tb.excited_state(1), covariances=True)
    left = np.exp(-2.0 * times)
    np.testing.assert_allclose(exact.energy, left, atol=1e-10)
    np.testing.assert_allclose(exact.energy_variance, left * (1 - left), atol=1e-10)
    np.testing.assert_allclose(exact.counts[0], 1 - left, atol=1e-10)
    np.testing.assert_allclose(exact.counts_covariance[0, 0], left * (1 - left), atol=1e-9)
    assert np.all(np.abs(exact.coherent_energy) < 1e-15)


@pytest.mark.slow
@pytest.mark.parametrize("n", [1, 6, 50])
@pytest.mark.parametrize("theta", [0.0, 1.0])
def test_the_undriven_ground_state_stays_dark(n, theta):
    # Theta = 0 is a pump so far detuned that it does nothing.
    model = tb.Battery(n, theta, 0.0 if theta else 3.0).charge(secular=False)
    exact = tb.mesolve(model, [0.1, 5.0], covariances=True)
    for quantity in (exact.energy, exact.energy_variance, exact.counts, exact.counts_covariance):
        np.testing.assert_allclose(quantity, 0, atol=1e-10)
    steady = tb.steady_state(model)
    assert steady.energy == pytest.approx(0, abs=1e-12)
    assert steady.energy_variance == pytest.approx(0, abs=1e-12)


def test_an_undriven_battery_is_one_in_discharge():
    battery = tb.Battery(12, 1.3, 0.0)
    start, times = tb.coherent_state(12, 0.7, 0.3), [0.0, 0.05, 0.3]
    driven = tb.mesolve(battery.charge(secular=False), times, initial=start, covariances=True)
    falls = tb.mesolve(battery.discharge(), times, initial=start, covariances=True)
    np.testing.assert_allclose(driven.energy, falls.energy, atol=1e-9)
    np.testing.assert_allclose(driven.energy_variance, falls.energy_variance, atol=1e-9)
    np.testing.assert_allclose(driven.dipole, falls.dipole, atol=1e-9)
    np.testing.assert_allclose(driven.counts, falls.counts, atol=1e-9)
    np.testing.assert_allclose(driven.counts_covariance, falls.counts_covariance, atol=1e-8)
    np.testing.assert_allclose(driven.coherent_energy, falls.coherent_energy, atol=1e-8)


@pytest.mark.parametrize("omega_p", [0.0, 3.0])
def test_without_decay_there_is_only_the_drive(omega_p):
    model = tb.Battery(7, 1.0, omega_p, 0.0, 0.0, 0.0).charge(secular=False)
    times = np.array([0.0, 0.4, 2.0])
    exact = tb.mesolve(model, times, covariances=True)
    swing = 7 * np.sin(1.0) ** 2 / 2 * (1 - np.cos(omega_p * times))
    np.testing.assert_allclose(exact.energy, swing, atol=1e-9)
    np.testing.assert_array_equal(exact.counts, 0)
    np.testing.assert_allclose(exact.counts_covariance, 0, atol=1e-12)
    np.testing.assert_array_equal(exact.coherent_energy, 0)


@pytest.mark.parametrize("rate", ["gamma_0", "gamma_plus", "gamma_minus"])
def test_unequal_rates(rate):
    battery = tb.Battery(5, 1.0, 1.0, **{rate: 2.5})
    with pytest.raises(ValueError, match=r"gamma_0.*gamma_plus.*gamma_minus.*2\.5") as error:
        battery.charge(secular=False)
    assert "\n" not in str(error.value)


def test_limits():
    with pytest.raises(ValueError, match="is offered up to 2000 atoms, but `n_atoms` is 2001"):
        tb.secular_check(tb.Battery(2001, 1.2, 5000.0), [1e-5])
    model = tb.Battery(2001, 1.2, 2e4).charge(secular=False)
    for options in ({"method": "banded"}, {"keep_states": True}):
        with pytest.raises(ValueError, match="up to 2000 atoms, but `n_atoms` is 2001"):
            tb.mesolve(model, [1e-5], **options)
    with pytest.raises(ValueError, match="must have a unique steady state, but its rate is zero"):
        tb.steady_state(tb.Battery(5, 1.2, 5.0, 0.0, 0.0, 0.0).charge(secular=False))


def test_cards():
    model = tb.Battery(5, 1.2, 5.0).charge(secular=False)
    assert "N = 5" in str(tb.mesolve(model, [0.1]))
    steady = tb.steady_state(model)
    assert str(steady) == f"DrivenSteadyState(n_atoms=5, theta=1.2, energy={steady.energy:.9g})"
