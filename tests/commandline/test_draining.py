"""How long a discharge takes by default."""

import numpy as np
import pytest

import trajbatt as tb
from trajbatt.commandline.draining import until_drained, warmth


@pytest.mark.parametrize("local", [0.0, 0.5])
def test_in_warm_light_until_it_is_as_warm(local):
    battery = tb.Battery(12, 1.87, 60.0, gamma_plus=10.0)
    model = battery.discharge(1.0, local=local, thermal=0.2)
    floor = warmth(model, 0.2)
    assert floor == pytest.approx(tb.steady_state(model).energy, rel=1e-9)

    def energies(times):
        return tb.mesolve(model, times).energy

    end = until_drained("time", 12, 1.0, energies, floor)
    start, at_end = energies(np.array([0.0, end]))
    assert (at_end - floor) / (start - floor) == pytest.approx(0.01, rel=0.05)


def test_what_never_drains_is_said():
    model = tb.Battery(3, 1.87, 60.0).discharge(0.0, thermal=0.2)
    assert warmth(model, 0.2) == 0.0
    with pytest.raises(ValueError, match="`time` must be given, because nothing decays"):
        until_drained("time", 3, 0.0, lambda times: np.ones(times.size))
    with pytest.raises(ValueError, match="because the battery is as warm as the light"):
        until_drained("time", 3, 1.0, lambda times: np.ones(times.size), 1.0)
    with pytest.raises(ValueError, match="because the battery is empty"):
        until_drained("time", 3, 1.0, lambda times: np.zeros(times.size))
