"""Eq. (5) with a drive that moves within a stage: the twin, photon numbers and filters."""

import numpy as np
import pytest
from oracle.moving import Dense
from scipy.interpolate import CubicSpline

import trajbatt as tb
from trajbatt import counting

KNOTS = {"theta": ([0.0, 0.2, 0.6], [0.6, 1.9, 1.1]), "omega_p": (30.0, 40.0, 25.0)}
TIMES = np.linspace(0.1, 0.6, 6)


def ramp_of(n, rate=1.0, interpolation="cubic", knots=KNOTS, **others):
    battery = tb.Battery(n, 0.6, 30.0, rate, rate, rate)
    return battery.ramp(0.6, interpolation=interpolation, secular=False, **knots, **others)


def dense_of(n, rate=1.0, interpolation="cubic", seen=0.0):
    places = (0.0, 0.2, 0.6), (0.0, 0.3, 0.6)
    values = KNOTS["theta"][1], KNOTS["omega_p"]
    if interpolation == "cubic":
        drive = [CubicSpline(x, y) for x, y in zip(places, values, strict=True)]
    else:
        drive = [
            lambda t, x=x, y=y: np.interp(t, x, y) for x, y in zip(places, values, strict=True)
        ]
    return Dense(n, *drive, rate, seen)


@pytest.mark.parametrize("interpolation", ["linear", "cubic"])
@pytest.mark.parametrize(("n", "rate"), [(1, 1.0), (2, 0.0), (9, 0.7)])
def test_the_twin_follows_the_true_hamiltonian(n, rate, interpolation):
    ramp, dense = ramp_of(n, rate, interpolation), dense_of(n, rate, interpolation)
    initial = tb.coherent_state(n, 0.4, 0.3)
    exact = tb.mesolve(ramp, TIMES, initial, keep_states=True, rtol=1e-12)
    assert exact.method == "frame"
    rho_0 = np.outer(initial, initial.conj())
    for i, time in enumerate(TIMES):
        rho, count = dense.evolve(rho_0, 0.0, time, kinks=(0.2, 0.3))
        np.testing.assert_allclose(exact.states[i], rho, atol=1e-10)
        assert exact.counts[0, i] == pytest.approx(count, abs=1e-10 * n)
    other = dict(KNOTS, theta=([0.0, 0.2, 0.6], [0.6, 1.9, 1.1 + 1e-6]))
    if n == 9:  # the test would see it
        slip = tb.mesolve(ramp_of(n, rate, interpolation, other), TIMES, initial, rtol=1e-12)
        assert np.abs(slip.energy - exact.energy).max() > 1e-8


def test_constant_stages_come_to_it():
    exact = tb.mesolve(ramp_of(6), TIMES).energy
    errors = [np.abs(tb.mesolve(ramp_of(6, stages=n), TIMES).energy - exact).max()
              for n in (120, 240, 480)]  # fmt: skip
    assert errors[0] / errors[1] == pytest.approx(4.0, rel=0.1)
    assert errors[1] / errors[2] == pytest.approx(4.0, rel=0.1)


def test_a_drive_that_rests_in_a_ramp():
    battery = tb.Battery(7, 1.1, 20.0)
    ramp = battery.ramp(0.6, theta=(1.1, 1.1), secular=False)
    one = tb.mesolve(ramp, TIMES, covariances=True)
    other = tb.mesolve(battery.charge(secular=False), TIMES, covariances=True)
    for name in ("energy", "energy_variance", "dipole", "counts", "counts_covariance", "products"):
        np.testing.assert_allclose(getattr(one, name), getattr(other, name), atol=1e-8)


def test_photon_numbers_through_stages_of_every_kind():
    """Distributions, whose pairs go from stage to stage, against moments, which go otherwise."""
    moving = ramp_of(5).steps
    battery = tb.Battery(5, 0.6, 30.0)
    mixed = [(battery.charge(secular=False), 0.1), *moving, (battery.charge(), 0.1)]
    for protocol in (tb.Protocol(moving), tb.Protocol(mixed)):
        end = protocol.duration
        exact = tb.mesolve(protocol, [end], covariances=True)
        for place, channel in enumerate(protocol.channel_names):
            p = counting.distribution(protocol, end, channel)
            k = np.arange(p.size)
            assert p.sum() == pytest.approx(1.0, abs=1e-9)
            assert k @ p == pytest.approx(exact.counts[place, -1], rel=1e-7, abs=1e-9)
            variance = k**2 @ p - (k @ p) ** 2
            found = exact.counts_covariance[place, place, -1]
            assert variance == pytest.approx(found, rel=1e-6, abs=1e-9)
    dark = counting.survival(tb.Protocol(moving), [0.6])[0]
    assert counting.distribution(tb.Protocol(moving), 0.6, "all")[0] == pytest.approx(dark)


@pytest.mark.parametrize("efficiency", [1.0, 0.6])
def test_filters_and_likelihoods(efficiency):
    """Against the conditional equation, integrated click by click."""
    ramp, dense = ramp_of(4), dense_of(4, seen=efficiency)
    one = tb.mcsolve(ramp, [0.6], 1, seed=5).replay(0, TIMES)
    found = tb.filter(ramp, one.clicks, TIMES, efficiency=efficiency)
    click_time = one.clicks.time
    assert click_time.size > 1
    rho, now, log, looks = np.diag([1.0, 0, 0, 0, 0]).astype(complex), 0.0, 0.0, list(TIMES)
    for time in np.sort(np.append(click_time, TIMES)):
        rho, _ = dense.evolve(rho, now, time, kinks=(0.2, 0.3))
        now = time
        if time in click_time:
            rho = efficiency * dense.click(rho)
        else:
            energy = np.trace(rho @ dense.j_z).real / np.trace(rho).real + 2.0
            assert found.energy[looks.index(time)] == pytest.approx(energy, abs=1e-7)
        log += np.log(np.trace(rho).real)
        rho /= np.trace(rho).real
    likelihood = tb.log_likelihood(ramp, one.clicks, efficiency=efficiency, duration=0.6)
    assert likelihood == pytest.approx(log, abs=1e-7)
    if efficiency == 1.0:  # trajectories are the same states
        tight = tb.mcsolve(ramp, [0.6], 1, seed=5, rtol=1e-11).replay(0, TIMES)
        own = tb.filter(ramp, tight.clicks, TIMES)
        np.testing.assert_allclose(tight.energy, own.energy, atol=1e-7)


@pytest.mark.parametrize("n", [5, 60])
def test_trajectories_follow_the_twin(n):
    ramp = ramp_of(n, 1.0 / n)
    exact = tb.mesolve(ramp, TIMES)
    runs = tb.mcsolve(ramp, TIMES, 1500 if n < 10 else 500, seed=2)
    assert tb.compare(runs, exact).p_value > 1e-3
    back = dict(KNOTS, omega_p=(30.0, 40.5, 25.0))
    other = tb.mesolve(ramp_of(n, 1.0 / n, knots=back), TIMES)
    assert tb.compare(runs, other, other_model=True).p_value < 1e-6


def test_many_atoms():
    """A frame of few levels, against constant stages."""
    battery, duration = tb.Battery(400, 0.3, 2000.0), 0.01
    ramp = battery.ramp(duration, theta=(0.3, 0.6), secular=False)
    times = np.linspace(0.002, duration, 5)
    exact = tb.mesolve(ramp, times)
    some, more = (
        tb.mesolve(battery.ramp(duration, theta=(0.3, 0.6), stages=n, secular=False), times).energy
        for n in (80, 160)
    )
    np.testing.assert_allclose(exact.energy, (4.0 * more - some) / 3.0, atol=2e-6)
    assert np.abs(exact.energy - more).max() > 2e-4
