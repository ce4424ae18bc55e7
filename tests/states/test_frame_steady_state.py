"""The steady state of the driven Eq. (5) near its mean spin, and its light."""

import numpy as np
import pytest
from oracle import dense
from scipy.linalg import expm

import trajbatt as tb
from trajbatt.states.fixed_frame import fixed_frame, steady_pole
from trajbatt.states.frame_steady_state import frame_steady_state

DRIVES = [(1.2, 4.0), (np.pi / 2, 0.3), (2.3, 4.0), (0.4, 0.02), (1.4, 1.0), (0.0, 2.0)]


def driven(n, theta, drive, gamma=1.0):
    battery = tb.Battery(n, theta, gamma * drive * n, gamma, gamma, gamma)
    return battery.charge(secular=False)


@pytest.mark.parametrize("n", [1, 6, 100, 400])
@pytest.mark.parametrize(("theta", "drive"), DRIVES)
def test_against_the_closed_form(n, theta, drive):
    model = driven(n, theta, drive, 0.7)
    steady, known = frame_steady_state(model), tb.steady_state(model)
    assert steady.energy == pytest.approx(known.energy, abs=1e-12 * n)
    assert steady.energy_variance == pytest.approx(known.energy_variance, abs=1e-11 * n)
    assert steady.dipole == pytest.approx(known.dipole, abs=1e-12 * n)
    assert steady.ergotropy == pytest.approx(known.ergotropy, abs=1e-10 * n)
    assert steady.ergotropy_global == pytest.approx(known.ergotropy_global, abs=1e-10 * n)
    assert steady.ergotropy_rotation == pytest.approx(known.ergotropy_rotation, abs=1e-11 * n)
    assert steady.emission == pytest.approx(known.emission, abs=1e-11 * n**2)
    if known.emission > 1e-3:
        assert steady.g2_zero == pytest.approx(known.g2_zero, rel=1e-8)
    np.testing.assert_allclose(steady.populations, known.populations, atol=1e-11)


@pytest.mark.parametrize("n", [10**4, 10**6])
def test_many_atoms_come_to_rest_there(n):
    model = driven(n, 1.2, 4.0)
    steady = tb.steady_state(model)
    late = tb.mesolve(model, [200.0 / n], rtol=1e-10)
    assert steady.energy == pytest.approx(late.energy[0], abs=1e-11 * n)
    assert steady.energy_variance == pytest.approx(late.energy_variance[0], abs=1e-9 * n)
    assert steady.dipole == pytest.approx(late.dipole[0], abs=1e-11 * n)
    assert "FrameSteadyState(n_atoms=" in str(steady)


def test_the_pole_is_at_rest():
    rng = np.random.default_rng(2)
    for _ in range(50):
        theta, drive = rng.uniform(0.01, 3.13), 10.0 ** rng.uniform(-3, 3)
        model = driven(30, theta, drive)
        p = steady_pole(model)
        n = np.array([-np.sin(theta), 0.0, np.cos(theta)])
        force = model.frequency * (n - p * (p @ n)) + 15.0 * np.cross(p, [0.0, 0.0, 1.0])
        assert np.linalg.norm(p) == pytest.approx(1.0, abs=1e-9)
        np.testing.assert_allclose(force, 0.0, atol=1e-9 * (model.frequency + 15.0))


def test_where_there_is_none():
    with pytest.raises(ValueError, match="above the critical drive there is none"):
        tb.steady_state(driven(3000, np.pi / 2, 2.0))
    with pytest.raises(ValueError, match="must have a unique steady state"):
        tb.steady_state(tb.Battery(3000, 1.2, 5.0, 0.0, 0.0, 0.0).charge(secular=False))
    assert steady_pole(driven(10, np.pi / 2, 2.0)) is None


@pytest.mark.parametrize(("theta", "drive"), DRIVES[:3])
def test_the_spectrum_against_a_dense_liouvillian(theta, drive):
    n = 6
    model = driven(n, theta, drive)
    battery = tb.Battery(n, theta, drive * n)
    generator = dense.driving(battery, np.inf).generator({})
    _, j_plus = dense.spin_operators(n)
    rho = tb.steady_state(model).matrix
    mean = np.trace(j_plus.T @ rho)
    x = ((j_plus.T @ rho) - mean * rho).ravel()
    frequencies = np.array([-3.0 * n, -0.4, 0.0, 1.0, 2.0 * n])
    found = tb.counting.spectrum(model, frequencies, "all")
    for frequency, density in zip(frequencies, found.density, strict=True):
        y = np.linalg.lstsq(-1j * frequency * np.eye(x.size) - generator, x, rcond=1e-13)[0]
        y = y.reshape(n + 1, n + 1) - np.trace(y.reshape(n + 1, n + 1)) * rho
        assert density == pytest.approx(np.trace(j_plus @ y).real / np.pi, rel=1e-9, abs=1e-11)
    assert found.elastic == pytest.approx(abs(mean) ** 2, rel=1e-10)


def test_the_spectrum_holds_all_photons_of_many_atoms():
    n = 10**4
    model = driven(n, 1.2, 4.0)
    steady = tb.steady_state(model)
    w = np.concatenate([np.linspace(-60.0, 60.0, 2001)]) * n
    found = tb.counting.spectrum(model, w[::40], "all")
    assert found.elastic + np.trapezoid(found.density, w[::40]) == pytest.approx(
        steady.emission, rel=1e-3
    )
    with pytest.raises(ValueError, match="`initial` and `until` must be left out with Eq"):
        tb.counting.spectrum(model, [0.0], "all", until=1.0)


@pytest.mark.parametrize("n", [5, 80])
def test_correlations_by_regression(n):
    model, delays = driven(n, 1.2, 4.0), np.array([0.0, 0.1, 1.0]) / n
    steady = tb.steady_state(model)
    found = tb.counting.g2(model, delays, ("all", "all"), steady)
    assert found[0] == pytest.approx(steady.g2_zero, rel=1e-9)
    fixed, _ = fixed_frame(model)
    np.testing.assert_allclose(fixed.correlation(delays), found, rtol=1e-8)
    if n == 5:
        generator = dense.driving(tb.Battery(n, 1.2, 4.0 * n), np.inf).generator({})
        _, j_plus = dense.spin_operators(n)
        after = (j_plus.T @ steady.matrix @ j_plus).ravel()
        clicks = j_plus @ j_plus.T
        for delay, one in zip(delays, found, strict=True):
            later = (expm(generator * delay) @ after).reshape(n + 1, n + 1)
            expected = np.trace(clicks @ later).real / steady.emission**2
            assert one == pytest.approx(expected, rel=1e-9)


def test_light_of_many_atoms_from_their_steady_state():
    n = 5000
    model, delays = driven(n, 1.2, 4.0), np.array([0.0, 0.5, 100.0]) / n
    steady = tb.steady_state(model)
    found = tb.counting.g2(model, delays, ("all", "all"), steady)
    assert found[0] == pytest.approx(steady.g2_zero, rel=1e-8)
    assert found[-1] == pytest.approx(1.0, abs=1e-8)
    runs = tb.mcsolve(model, [0.2 / n], 6, steady, seed=3, method="frame")
    assert runs.counts[0, 0] == pytest.approx(0.2 / n * steady.emission, rel=0.2)


def test_a_store_knows_it_again(tmp_path):
    model = driven(2500, 1.2, 4.0)
    steady = tb.steady_state(model)
    runs = tb.mcsolve(model, [1e-6], 4, steady, seed=3, store=tmp_path / "runs")
    again = tb.load(tmp_path / "runs")
    np.testing.assert_array_equal(again.energy, runs.energy)
    np.testing.assert_array_equal(again.initial.in_frame, steady.in_frame)
