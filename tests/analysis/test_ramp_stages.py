"""How many stages a ramp needs."""

import numpy as np
import pytest

import trajbatt as tb

BATTERY = tb.Battery(n_atoms=6, theta=1.87, omega_p=60.0, gamma_plus=10.0)


@pytest.mark.parametrize("secular", [True, False])
@pytest.mark.parametrize("tolerance", [1e-2, 1e-4])
def test_they_are_enough_and_half_of_them_are_not(tolerance, secular):
    battery = BATTERY if secular else tb.Battery(6, 1.87, 60.0)
    duration, knots = 0.1, {"theta": (0.6, 2.4), "secular": secular}
    stages = tb.ramp_stages(battery, duration, tolerance, **knots)
    times = np.linspace(0, duration, 25)[1:]

    def energy(n):
        return tb.mesolve(battery.ramp(duration, stages=n, **knots), times).energy / 6

    finest = energy(8 * stages)
    assert np.abs(energy(stages) - finest).max() <= 1.1 * tolerance
    # Negative control: fewer would not do.
    assert np.abs(energy(max(stages // 4, 2)) - finest).max() > tolerance


def test_bad_input():
    with pytest.raises(TypeError, match="`battery`"):
        tb.ramp_stages(BATTERY.charge(), 1.0, theta=(0.6, 2.4))
    with pytest.raises(ValueError, match="`tolerance`"):
        tb.ramp_stages(BATTERY, 1.0, 0.0, theta=(0.6, 2.4))
    with pytest.raises(ValueError, match="`ramp`"):
        tb.ramp_stages(BATTERY, 1.0)


def test_knots_are_not_passed_over():
    """The middles of five stages would all see 1."""
    knots = [1.0, 2.5] * 10 + [1.0]
    stages = tb.ramp_stages(BATTERY, 0.1, 1e-2, theta=knots)
    assert stages >= 40
    with pytest.raises(ValueError, match="`stages`"):
        tb.ramp_stages(BATTERY, 0.1, theta=(1.0, 2.0), stages=3)
