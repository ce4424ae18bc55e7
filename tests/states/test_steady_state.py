"""Steady states of the ladder: closed forms against sums."""

import math

import numpy as np
import pytest

import trajbatt as tb
from trajbatt.numerics import spin
from trajbatt.states.steady_state import SteadyState

X_VALUES = [1.0, 1 + 2e-16, 1 + 1e-12, 1 - 1e-9, 1 + 1e-5, 1.0003, 0.99, 1.01, 2.9, 0.2, 50.0, 1e-8]


def by_sums(n, theta, x):
    """Energy, variance, ergotropy and dipole from the populations, in exact fractions of sums."""
    i = np.arange(n + 1, dtype=np.longdouble)
    x = np.longdouble(x)
    p = (1 / x) ** i if x >= 1 else (x ** (n - i))
    p /= p.sum()
    m = i - np.longdouble(n) / 2
    mean, square = (p * m).sum(), (p * m * m).sum()
    j = np.longdouble(n) / 2
    cos, sin = np.cos(np.longdouble(theta)), np.sin(np.longdouble(theta))
    energy = j + cos * mean
    variance = cos**2 * (p * (m - mean) ** 2).sum() + sin**2 * (j * (j + 1) - square) / 2
    ergotropy = energy - (np.sort(p)[::-1] * i).sum()
    return energy, variance, ergotropy, -sin * mean


@pytest.mark.parametrize("n", [1, 2, 7, 100, 3000])
@pytest.mark.parametrize("x", X_VALUES)
@pytest.mark.parametrize("theta", [0.0, 0.3, 1.87, math.pi])
def test_closed_forms_against_sums(n, x, theta):
    state = SteadyState(n, theta, x)
    energy, variance, ergotropy, dipole = by_sums(n, theta, x)
    # Long doubles end at 1e-19 n, which is all that the sums know of small values.
    rounding = 1e-15 * n
    assert state.energy == pytest.approx(float(energy), rel=1e-13, abs=rounding)
    assert state.energy_variance == pytest.approx(float(variance), rel=1e-11, abs=rounding)
    assert state.ergotropy == pytest.approx(float(ergotropy), rel=1e-13, abs=rounding)
    assert state.dipole.real == pytest.approx(float(dipole), rel=1e-13, abs=rounding)
    assert state.populations.sum() == pytest.approx(1.0, rel=1e-13)


@pytest.mark.parametrize("n", [1, 10, 1000, 10**6])
def test_ergotropy_keeps_its_relative_precision_at_x_1(n):
    # To first order in ln x, N/2 - <i> = N (N + 2) ln(x)/12.
    log_x = 1e-9 / n
    state = SteadyState(n, 1.0, math.exp(log_x))
    exact_log = math.log(state.x)
    expected = (1 - math.cos(1.0)) * n * (n + 2) * exact_log / 12
    assert state.ergotropy == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("n", [1, 5, 60])
def test_ergotropy_is_that_of_the_density_matrix(n):
    model = tb.Battery(n, 1.87, 1.0, gamma_plus=10.0).charge()
    state = tb.steady_state(model)
    turn = spin.rotation_matrix(n, model.theta)
    rho = turn @ np.diag(state.populations) @ turn.T
    levels = np.arange(n + 1.0)
    passive = np.linalg.eigvalsh(rho)[::-1] @ levels
    assert state.ergotropy == pytest.approx(np.diag(rho) @ levels - passive, abs=1e-12 * n)
    assert state.energy == pytest.approx(np.diag(rho) @ levels, rel=1e-12)
    raising = spin.raising_elements(n)[:-1]
    assert state.dipole == pytest.approx((np.diag(rho, 1) * raising).sum(), abs=1e-12 * n)


def test_large_n_limits_11_and_12():
    for r, theta in ((10.0, 1.87), (0.1, 1.87), (0.1, 0.7)):
        battery = tb.Battery(10**6, theta, 1.0, gamma_plus=r)
        state = tb.steady_state(battery.charge())
        limit = tb.asymptotics.final_charge(battery)
        assert state.ergotropy / limit == pytest.approx(1.0, abs=1e-5)
        sign = 1.0 if battery.x < 1 else -1.0
        assert limit / 1e6 == pytest.approx(1 / (1 + (r / battery.x) ** (sign / 2)), rel=1e-12)


def test_ends():
    ground = tb.steady_state(tb.Battery(5, 0.0, 1.0).charge())
    assert ground.energy == 0.0
    assert ground.ergotropy == 0.0
    assert ground.energy_variance == 0.0
    assert tb.steady_state(tb.Battery(5, math.pi, 1.0).charge()).energy == pytest.approx(
        0, abs=1e-14
    )
    with pytest.raises(ValueError, match="`model` must have a unique steady state"):
        tb.steady_state(tb.Battery(5, 1.0, 1.0, 1.0, 0.0, 0.0).charge())


def test_logarithms_that_are_none():
    for log_x in (np.nan, 3.0):
        with pytest.raises(ValueError, match="`log_x` must"):
            tb.SteadyState(6, 1.0, 0.5, log_x=log_x)
