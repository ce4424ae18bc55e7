"""The best time to charge a battery with noise of single atoms."""

import numpy as np
import pytest

import trajbatt as tb
from trajbatt.analysis.best_time import best_charging_time


def test_there_is_a_best_time_with_noise_and_none_without():
    clean = tb.Battery(40, 1.87, 400.0, 1.0, 10.0, 1.0)
    noisy = tb.Battery(
        40, 1.87, 400.0, 1.0, 10.0, 1.0, local_0=1.0, local_plus=10.0, local_minus=1.0
    )
    assert best_charging_time(clean).time > 5 * clean.charging_time
    best = best_charging_time(noisy)
    assert 0.5 * clean.charging_time < best.time < 3 * clean.charging_time
    assert best.ergotropy_rotation > 1.3 * tb.steady_state(noisy.charge()).ergotropy_rotation


def test_it_is_the_largest_of_what_a_period_leaves():
    battery = tb.Battery(
        12, 1.87, 1e4, 1.0, 10.0, 1.0, local_0=1.0, local_plus=10.0, local_minus=1.0
    )
    best = best_charging_time(battery)
    period = 2 * np.pi / battery.omega_p

    def least(time):
        times = time + period * np.linspace(-0.5, 0.5, 41)
        return tb.mesolve(battery.charge(), times).ergotropy_rotation.min()

    assert least(best.time) == pytest.approx(best.ergotropy_rotation, rel=5e-3)
    assert least(0.7 * best.time) < best.ergotropy_rotation
    assert least(1.5 * best.time) < best.ergotropy_rotation


def test_without_a_charging_time_there_is_none():
    with pytest.raises(ValueError, match="`battery` must have a charging time"):
        best_charging_time(tb.Battery(4, np.pi / 2, 40.0))
