"""The driven Dicke model under its own name, and a warm one in everything that takes it."""

import pickle

import numpy as np
import pytest
from oracle import dense
from scipy.linalg import expm

import trajbatt as tb
from trajbatt.states.json_form import plain, rebuilt


def test_it_is_the_model_of_a_battery():
    battery = tb.Battery(30, rabi=20.0, detuning=7.0)
    model, other = tb.DrivenDicke(30, 20.0, 7.0), battery.charge(secular=False)
    assert (model.theta, model.frequency) == (other.theta, other.frequency)
    assert (model.rabi, model.detuning) == pytest.approx((20.0, 7.0))
    assert battery.generalized_rabi == battery.omega_p == model.frequency
    times = [0.05, 0.1]
    np.testing.assert_array_equal(tb.mesolve(model, times).energy, tb.mesolve(other, times).energy)
    runs, those = (tb.mcsolve(one, times, 5, seed=1) for one in (model, other))
    np.testing.assert_array_equal(runs.energy, those.energy)
    assert tb.steady_state(model).energy == tb.steady_state(other).energy
    assert tb.Battery.from_model(model) == battery


def test_its_units():
    model = tb.DrivenDicke(40, rabi=10.0, gamma=0.5)
    assert model.critical_drive == 10.0
    assert "DrivenDicke(name='driven Dicke model', n_atoms=40" in repr(model)
    assert pickle.loads(pickle.dumps(model)) == model
    changed = model.with_parameters(rabi=5.0, detuning=1.0)
    assert changed.parameters() == pytest.approx({"rabi": 5.0, "detuning": 1.0, "gamma": 0.5})
    assert isinstance(changed, tb.DrivenDicke)
    again = rebuilt(plain(model))
    assert again == tb.BandedModel("driven Dicke model", 40, np.pi / 2, 10.0, 0.5)
    assert "thermal" not in plain(model)  # stores from before do not have it


def test_fits_find_the_drive():
    model = tb.DrivenDicke(6, rabi=8.0, detuning=2.0)
    runs = tb.mcsolve(model, [1.5], 3, seed=5, keep_clicks=True)
    found = tb.fit(model.with_parameters(rabi=7.0), runs.clicks, ("rabi",), duration=1.5)
    assert abs(found.values["rabi"] - 8.0) < 5.0 * found.errors["rabi"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"rabi": -1.0}, "`rabi` must be a finite number, zero or positive"),
        ({"rabi": 1.0, "gamma": -2.0}, "`gamma` must be a finite number, zero"),
        ({"rabi": 1.0, "detuning": np.inf}, "`detuning` must be a finite number"),
        ({"rabi": 1.0, "thermal": -0.1}, "`thermal` must be a finite number, zero"),
    ],
)
def test_bad_arguments(arguments, words):
    with pytest.raises(ValueError, match=words):
        tb.DrivenDicke(3, **arguments)


@pytest.mark.parametrize("arguments", [{}, {"theta": 1.0}, {"theta": 1.0, "omega_p": 2.0}])
def test_a_battery_takes_one_kind_of_drive(arguments):
    with pytest.raises(TypeError, match="`theta` and `omega_p`, or `rabi` and `detuning`, must be"):
        tb.Battery(3, **arguments, rabi=1.0)
    with pytest.raises(TypeError, match="`theta` and `omega_p`, or `rabi` and `detuning`, must be"):
        tb.Battery(3, **arguments, detuning=1.0)


def twin(n, rabi, detuning, gamma, thermal):
    """Return the generator, the jump operators and the operators of energy, all dense."""
    j_z, j_plus = dense.spin_operators(n)
    hamiltonian = detuning * j_z - rabi * (j_plus + j_plus.T) / 2
    jumps = {
        "all": np.sqrt(gamma * (1 + thermal)) * j_plus.T,
        "all_absorbed": np.sqrt(gamma * thermal) * j_plus,
    }
    return dense.Stage(hamiltonian, jumps, np.inf), jumps, j_z + n / 2 * np.eye(n + 1), j_plus


@pytest.mark.parametrize("method", ["frame", "banded"])
@pytest.mark.parametrize(("rabi", "detuning"), [(12.0, 5.0), (6.0, 0.0), (0.0, 3.0), (0.01, 0.0)])
@pytest.mark.parametrize("n", [1, 3, 9])
def test_thermal_light_against_a_dense_liouvillian(n, rabi, detuning, method):
    model = tb.DrivenDicke(n, rabi, detuning, 0.8, 0.3)
    stage, jumps, energy, j_plus = twin(n, rabi, detuning, 0.8, 0.3)
    times = np.array([0.02, 0.3, 1.1])
    exact = tb.mesolve(model, times, covariances=True, rtol=1e-12, method=method)
    assert exact.channels == ("all", "all_absorbed")
    whole = dense.Twin([stage])
    rho_0 = np.diag(np.eye(n + 1, dtype=complex)[0])
    clicks = [jump.conj().T @ jump for jump in jumps.values()]
    size = rho_0.size
    for i, time in enumerate(times):
        rho = whole.evolve(rho_0, 0.0, time)
        mean = np.trace(rho @ energy).real
        assert exact.energy[i] == pytest.approx(mean, abs=1e-10)
        variance = np.trace(rho @ energy @ energy).real - mean**2
        assert exact.energy_variance[i] == pytest.approx(variance, abs=1e-10)
        assert exact.dipole[i] == pytest.approx(np.trace(rho @ j_plus), abs=1e-10)
        larger = np.zeros((size + 2,) * 2, dtype=complex)
        larger[:size, :size] = stage.generator({})
        larger[size:, :size] = [one.T.ravel() for one in clicks]
        counts = (expm(larger * time)[size:, :size] @ rho_0.ravel()).real
        np.testing.assert_allclose(exact.counts[:, i], counts, atol=1e-10)
    means, covariance = whole.cumulants(rho_0, times[-1], ["all", "all_absorbed"])
    np.testing.assert_allclose(exact.counts[:, -1], means, rtol=1e-4)
    np.testing.assert_allclose(exact.counts_covariance[:, :, -1], covariance, rtol=1e-4, atol=1e-4)
    emitted = exact.counts[0] - exact.counts[1]
    np.testing.assert_allclose(exact.waste * exact.energy, emitted, rtol=1e-10)


def test_thermal_light_in_trajectories():
    n = 12
    model, times = tb.DrivenDicke(n, 40.0, 15.0, thermal=0.2), np.linspace(0.0, 0.5, 6)
    runs = tb.mcsolve(model, times, 600, seed=3, keep_clicks=True)
    exact = tb.mesolve(model, times, covariances=True)
    assert tb.compare(runs, exact).p_value > 1e-4
    colder = tb.mesolve(tb.DrivenDicke(n, 40.0, 15.0, thermal=0.1), times, covariances=True)
    assert tb.compare(runs, colder, other_model=True).p_value < 1e-6
    numbers = tb.counting.distribution(model, 0.5, "all_absorbed")
    assert numbers @ np.arange(numbers.size) == pytest.approx(exact.counts[1, -1], rel=1e-8)
    # All jumps seen, the state is pure and follows from them.
    one = runs.replay(0)
    seen = tb.filter(model, one.clicks, times)
    np.testing.assert_allclose(seen.energy, one.energy, atol=1e-4)
    with pytest.raises(ValueError, match="must not be 'frame' with thermal photons"):
        tb.mcsolve(model, times, 2, method="frame")


@pytest.mark.parametrize("n", [4, 60])
def test_the_warm_steady_state(n):
    model = tb.DrivenDicke(n, 2.0 * n, 3.0 * n, thermal=0.15)
    steady = tb.steady_state(model)
    late = tb.mesolve(model, [30.0 / n * 4], rtol=1e-11)
    assert steady.energy == pytest.approx(late.energy[0], abs=1e-9 * n)
    assert steady.energy_variance == pytest.approx(late.energy_variance[0], abs=1e-8 * n)


def test_a_warm_battery():
    battery = tb.Battery(5, 1.2, 30.0, thermal_0=0.2, thermal_plus=0.2, thermal_minus=0.2)
    model = battery.charge(secular=False)
    assert model.thermal == 0.2
    assert tb.Battery.from_model(model) == battery
    assert plain(model)["thermal"] == 0.2
    assert rebuilt(plain(model)) == model
    with pytest.raises(ValueError, match="must be equal for Eq"):
        tb.Battery(5, 1.2, 30.0, thermal_0=0.2).charge(secular=False)
    with pytest.raises(ValueError, match="must be true with noise of single atoms"):
        tb.Battery(5, 1.2, 30.0, dephasing=0.2).charge(secular=False)
