"""Batteries: derived numbers, limits, bad input."""

import doctest
import math

import numpy as np
import pytest

import trajbatt as tb
from trajbatt.models import battery as module

GOOD = dict(n_atoms=100, theta=1.87, omega_p=1000.0, gamma_0=1.0, gamma_plus=10.0, gamma_minus=1.0)


def test_derived_numbers():
    battery = tb.Battery(**GOOD)
    assert battery.r == 10.0
    assert battery.x == pytest.approx(10.0 / math.tan(0.935) ** 4)
    assert battery.gamma_net == pytest.approx(
        10.0 * math.cos(0.935) ** 4 - math.sin(0.935) ** 4, rel=1e-14
    )
    assert battery.rabi**2 + battery.detuning**2 == pytest.approx(1e6)
    assert math.atan2(battery.rabi, battery.detuning) == pytest.approx(1.87)


def test_from_drive_is_the_inverse():
    battery = tb.Battery(**GOOD)
    again = tb.Battery.from_drive(
        100, battery.rabi, battery.detuning, gamma_0=1.0, gamma_plus=10.0, gamma_minus=1.0
    )
    assert again.theta == pytest.approx(battery.theta, rel=1e-14)
    assert again.omega_p == pytest.approx(battery.omega_p, rel=1e-14)


def test_it_is_frozen_hashable_and_comparable():
    battery = tb.Battery(**GOOD)
    assert battery == tb.Battery(**{**GOOD, "n_atoms": np.int32(100)})
    assert len({battery, tb.Battery(**GOOD)}) == 1
    with pytest.raises(AttributeError):
        battery.theta = 1.0


def test_ratios_of_zero_rates():
    assert math.isinf(tb.Battery(3, 1.0, 1.0, gamma_minus=0.0).x)
    assert tb.Battery(3, 1.0, 1.0, gamma_plus=0.0).x == 0.0
    dead = tb.Battery(3, 1.0, 1.0, 0.0, 0.0, 0.0)
    assert math.isnan(dead.x)
    assert math.isnan(dead.r)
    assert math.isinf(dead.charging_time)


def test_secular_ratio_minds_every_rate():
    for rates in ({"gamma_0": 50.0}, {"gamma_plus": 50.0}, {"gamma_minus": 50.0}):
        battery = tb.Battery(10, 1.3, 1000.0, **rates)
        largest = max(
            battery.gamma_plus * math.cos(0.65) ** 4,
            battery.gamma_minus * math.sin(0.65) ** 4,
            battery.gamma_0 * math.sin(1.3) ** 2,
        )
        assert battery.secular_ratio == pytest.approx(1000.0 / (10 * largest))


def test_docstring_example():
    assert doctest.testmod(module).failed == 0


def test_rates_that_overflow():
    with pytest.raises(ValueError, match=r"must leave N\^2 \(A \+ B \+ C\) finite"):
        tb.Battery(100, 1.0, 1.0, gamma_0=1e308)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_atoms": 0}, "`n_atoms` must be a positive integer, but is 0"),
        ({"n_atoms": -3}, "`n_atoms` must be a positive integer, but is -3"),
        ({"n_atoms": 3.5}, "`n_atoms` must be a positive integer, but is 3.5"),
        ({"n_atoms": 3.0}, "`n_atoms` must be a positive integer, but is 3.0"),
        ({"n_atoms": True}, "`n_atoms` must be a positive integer, but is True"),
        ({"n_atoms": "9"}, "`n_atoms` must be a positive integer, but is '9'"),
        ({"theta": 4.2}, r"`theta` must lie in \[0, pi\], but is 4.2"),
        ({"theta": -0.1}, r"`theta` must lie in \[0, pi\], but is -0.1"),
        ({"theta": math.nan}, r"`theta` must lie in \[0, pi\], but is nan"),
        ({"theta": None}, r"`theta` must lie in \[0, pi\], but is None"),
        ({"gamma_0": -1.0}, "`gamma_0` must be a finite number, zero or positive, but is -1.0"),
        ({"gamma_plus": math.inf}, "`gamma_plus` must be a finite number, .* but is inf"),
        ({"gamma_minus": math.nan}, "`gamma_minus` must be a finite number, .* but is nan"),
        ({"omega_p": 1j}, "`omega_p` must be a finite number, .* but is 1j"),
    ],
)
def test_bad_input_gets_one_sentence(change, message):
    with pytest.raises((ValueError, TypeError), match=message):
        tb.Battery(**{**GOOD, **change})


def test_arguments_of_the_wrong_kind():
    battery = tb.Battery(3, 1.0, 1.0)
    with pytest.raises(TypeError, match="`secular` must be True or False, but is 'no'"):
        battery.charge(secular="no")
    with pytest.raises(TypeError, match=r"`model` must be a model such as battery\.charge"):
        tb.Battery.from_model(battery)
    with pytest.raises(ValueError, match=r"`ntraj` must be at most 2\^53"):
        tb.mcsolve(battery.charge(), [0.1], 10**400)


def test_states_in_single_precision():
    ket = tb.coherent_state(50, 1.0, 0.3).astype(np.complex64)
    model, matrix = tb.Battery(50, 1.0, 1.0).charge(), np.outer(ket, ket.conj())
    energies = [tb.mesolve(model, [0.01], initial=state).energy[0] for state in (ket, matrix)]
    assert energies[0] == pytest.approx(energies[1], rel=1e-5)


def test_slow_noise_is_not_white_noise():
    slow = tb.Battery(4, 1.4, 25.0, dephasing=3.0, dephasing_omega=0.0)
    white = tb.Battery(4, 1.4, 25.0, dephasing=3.0)
    assert "dephasing_up" not in slow.charge().channel_names
    assert "dephasing_up" in white.charge().channel_names
    for battery in (slow, white):
        assert tb.Battery(**battery.arguments()) == battery
        assert tb.Battery.from_model(battery.charge()) == battery
        changed = battery.charge().with_parameters(theta=1.3)
        assert changed.channel_names == battery.charge().channel_names
