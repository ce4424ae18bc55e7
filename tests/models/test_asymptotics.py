"""The formulas for many atoms."""

import math

import numpy as np
import pytest
from scipy.optimize import brentq

import trajbatt as tb
from trajbatt.models import asymptotics


def test_tau_90_is_where_the_bound_reaches_90_percent():
    for theta, r in ((0.3, 1.0), (1.87, 10.0), (2.5, 1e4), (1.87, 0.1)):
        battery = tb.Battery(100, theta, 1000.0, gamma_plus=r)
        target = 0.9 * tb.asymptotics.final_charge(battery)
        crossing = brentq(
            lambda t, b=battery, e=target: tb.asymptotics.energy_lower_bound(b, t) - e,
            0.0,
            10 * battery.charging_time,
            xtol=1e-15,
        )
        assert battery.charging_time == pytest.approx(crossing, rel=1e-9)


def test_tau_90_limits():
    assert tb.asymptotics.tau_90(0.0) == pytest.approx(-math.log(1 - math.sqrt(0.9)), rel=1e-12)
    assert tb.asymptotics.tau_90(1e-6) == pytest.approx(tb.asymptotics.tau_90(0.0), rel=1e-9)
    balanced = tb.Battery(5, math.pi / 2, 1.0)  # x = 1 but for rounding
    assert math.isinf(balanced.charging_time)
    assert math.isnan(tb.asymptotics.final_charge(balanced))


def test_power_bound_is_equation_16_rewritten():
    battery = tb.Battery(50, 1.2, 500.0, gamma_plus=5.0)
    charge = math.sin(0.6) ** 2
    bound = tb.asymptotics.power_bound(charge, 5.0)
    assert tb.asymptotics.average_power(battery) / 50**2 == pytest.approx(bound, rel=1e-12)


@pytest.mark.parametrize("theta", [0.0, 1e-3, 1.87, math.pi])
def test_equation_14_starts_at_zero_and_stays_finite(theta):
    battery = tb.Battery(100, theta, 1000.0, gamma_plus=10.0)
    energy = tb.asymptotics.energy(battery, np.linspace(0, 1, 7))
    assert energy[0] == pytest.approx(0.0, abs=1e-11)
    assert np.all(np.isfinite(tb.asymptotics.energy(battery, [1e3, 1e6])))


def test_equation_14_is_the_large_n_limit():
    errors = []
    for n in (50, 200, 800):
        battery = tb.Battery(n, 1.87, 10.0 * n, gamma_plus=10.0)
        times = np.linspace(0, battery.charging_time, 40)
        exact = tb.mesolve(battery.charge(), times).energy
        errors.append(np.abs(tb.asymptotics.energy(battery, times) - exact).max() / n)
    assert errors[0] / errors[1] == pytest.approx(4.0, abs=1.0)
    assert errors[1] / errors[2] == pytest.approx(4.0, abs=0.5)


def test_mean_field_time_of_a_discharge():
    # The logistic equation, integrated numerically.
    n, energy, gamma, steps = 30, 20.0, 0.7, 200_000
    end = asymptotics.discharge_time(n, energy, gamma, left=0.05)
    for _ in range(steps):
        middle = energy - 0.5 * end / steps * gamma * energy * (n - energy + 1)
        energy -= end / steps * gamma * middle * (n - middle + 1)
    assert energy == pytest.approx(1.0, rel=1e-8)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, 1.0, 1.0), "`n_atoms` must be a positive integer"),
        ((3, 5.0, 1.0), r"`energy` must lie in \[0.0, 3\], but is 5"),
        ((3, 1.0, -1.0), "`gamma` must be a finite number, zero or positive"),
        ((3, 1.0, 1.0, 0.0), r"`left` must lie in \(0, 1\], but is 0"),
    ],
)
def test_discharges_that_are_none(arguments, message):
    with pytest.raises(ValueError, match=message):
        asymptotics.discharge_time(*arguments)


def test_an_empty_battery_has_no_discharge():
    assert asymptotics.discharge_time(3, 0.0, 1.0) == np.inf


@pytest.mark.parametrize("name", ["balanced", "final_charge", "charging_time", "average_power"])
def test_a_model_is_no_battery(name):
    with pytest.raises(TypeError, match="`battery` must be a Battery, but is LadderModel"):
        getattr(asymptotics, name)(tb.Battery(3, 1.0, 1.0).charge())
