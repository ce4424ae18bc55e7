"""Ramps: parameters that change in time, as protocols."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

import trajbatt as tb

BATTERY = tb.Battery(3, 0.6, 30.0, gamma_plus=3.0)


def test_the_issue_of_ten_stages():
    """At N = 100, from 0.6 to 2.4 in the T90 in which the constant 1.87 gives 68.7 quanta."""
    constant = tb.Battery(100, 1.87, 1000.0, gamma_plus=10.0)
    duration = constant.charging_time
    ramp = constant.ramp(duration, theta=(0.5, 2.5), stages=10)  # middles 0.6, 0.8, ..., 2.4
    np.testing.assert_allclose(
        [model.theta for model, _ in ramp.steps], np.linspace(0.6, 2.4, 10), atol=1e-12
    )
    end = [duration]
    before, found = tb.mesolve(constant.charge(), end), tb.mesolve(ramp, end)
    assert before.energy[-1] == pytest.approx(68.7, abs=0.05)
    assert found.energy[-1] == pytest.approx(91.2, abs=0.05)
    assert found.waste[-1] == pytest.approx(0.5 * before.waste[-1], rel=0.2)
    runs = tb.mcsolve(ramp, end, 400, seed=1)
    assert abs(runs.energy[-1] - found.energy[-1]) < 4.5 * runs.energy_sem[-1]
    assert abs(runs.energy[-1] - before.energy[-1]) > 20.0 * runs.energy_sem[-1]
    assert ramp.channel_names == ("red", "center", "blue")
    assert repr(ramp) == f"Protocol: charge for {duration:g} in 10 stages; N = 100"


def two_levels(theta, omega, duration):
    """Return <E> of one atom under H(t) alone, by another integrator."""

    def rhs(t, state):
        angle = theta(t)
        # J'_z = cos(theta) J_z - sin(theta) J_x in the basis of the ground and the excited state.
        cos, sin = np.cos(angle), np.sin(angle)
        h = 0.5 * omega * np.array([[-cos, -sin], [-sin, cos]])
        return -1j * h @ state

    found = solve_ivp(rhs, (0.0, duration), np.array([1.0 + 0j, 0.0]), rtol=1e-10, atol=1e-12)
    return np.abs(found.y[1, -1]) ** 2


def test_many_stages_are_the_ramp():
    """The error falls as the square of the number of stages."""
    quiet = tb.Battery(1, 0.3, 9.0, gamma_0=0.0, gamma_plus=0.0, gamma_minus=0.0)
    exact = two_levels(lambda t: 0.3 + t, 9.0, 1.5)
    errors = []
    for stages in (20, 40, 80):
        ramp = quiet.ramp(1.5, theta=(0.3, 1.8), stages=stages)
        errors.append(tb.mesolve(ramp, [1.5]).energy[0] - exact)
    assert abs(errors[2]) < 1e-3
    assert errors[0] / errors[1] == pytest.approx(4.0, rel=0.1)
    assert errors[1] / errors[2] == pytest.approx(4.0, rel=0.1)


def test_slow_ramps_keep_the_dressed_states():
    quiet = tb.Battery(4, 0.0, 40.0, gamma_0=0.0, gamma_plus=0.0, gamma_minus=0.0)
    ground = tb.ground_state(4)  # at theta = 0 the lowest dressed state
    slow, sudden = (quiet.ramp(20.0, theta=(0.0, 2.0), stages=n) for n in (400, 1))
    energy = 2.0 - 2.0 * np.cos(2.0)  # of the lowest dressed state at theta = 2
    assert tb.mesolve(slow, [20.0], ground).energy[0] == pytest.approx(energy, abs=0.05)
    assert abs(tb.mesolve(sudden, [20.0], ground).energy[0] - energy) > 0.5


def test_knots_may_have_times_and_be_smooth():
    knots = ([0.0, 0.1, 0.4], [0.5, 1.0, 2.0])
    ramp = BATTERY.ramp(0.4, theta=knots, omega_p=(30.0, 60.0), gamma_plus=(1.0, 2.0), stages=4)
    np.testing.assert_allclose([m.theta for m, _ in ramp.steps], np.interp(
        [0.05, 0.15, 0.25, 0.35], *knots))  # fmt: skip
    np.testing.assert_allclose([m.frequency for m, _ in ramp.steps], 30.0 + 30.0 * np.array(
        [0.125, 0.375, 0.625, 0.875]))  # fmt: skip
    smooth = BATTERY.ramp(0.4, theta=(0.5, 1.5, 0.5), interpolation="cubic", stages=4)
    x = np.array([0.125, 0.375, 0.625, 0.875])
    expected = 0.5 + 4.0 * x * (1.0 - x)  # three knots fix a parabola
    np.testing.assert_allclose([m.theta for m, _ in smooth.steps], expected, atol=1e-12)
    assert sum(duration for _, duration in ramp.steps) == pytest.approx(0.4)


@pytest.mark.parametrize("secular", [True, False])
def test_ramps_are_like_any_protocol(secular, tmp_path):
    ramp = tb.Battery(3, 0.6, 30.0).ramp(0.3, theta=(0.6, 2.0), stages=5, secular=secular)
    times = np.linspace(0.0, 0.3, 4)
    exact = tb.mesolve(ramp, times)
    runs = tb.mcsolve(ramp, times, 600, seed=2, store=tmp_path / "run", keep_clicks=True)
    assert tb.compare(runs, exact).p_value > 1e-3
    other = tb.mesolve(tb.Battery(3, 0.6, 30.0).ramp(0.3, theta=(0.6, 1.0), secular=secular), times)
    assert tb.compare(runs, other, other_model=True).p_value < 1e-6
    again = tb.load(tmp_path / "run")
    np.testing.assert_array_equal(again.energy, runs.energy)
    assert again.model == ramp
    found = tb.filter(ramp, runs.replay(3).clicks, times)
    np.testing.assert_allclose(found.energy, runs.replay(3, times).energy, atol=1e-8)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "must have a parameter that changes"),
        ({"theta": 1.0}, "`theta` must be two or more values"),
        ({"theta": (1.0,)}, "`theta` must be two or more values"),
        ({"theta": "slow"}, "`theta` must be two or more values"),
        ({"theta": (1.0, np.nan)}, "`theta` must hold finite numbers"),
        ({"theta": ([0.0, 0.2, 0.1], [1.0, 1.1, 1.2])}, "`theta` must have times that ascend"),
        ({"theta": ([0.0, 0.2], [1.0, 1.1])}, "from 0 to the duration, 0.1"),
        ({"theta": (1.0, 9.0)}, "`theta` must lie in"),
        ({"gamma_plus": (1.0, -1.0)}, "`gamma_plus` must be"),
        ({"n_atoms": (1, 2)}, "`knots` must be"),
        ({"theta": (1.0, 2.0), "stages": 0}, "`stages` must be a positive integer"),
        ({"theta": (1.0, 2.0), "interpolation": "nearest"}, "`interpolation` must be"),
    ],
)
def test_bad_knots(given, message):
    with pytest.raises(ValueError, match=message):
        BATTERY.ramp(0.1, **given)
