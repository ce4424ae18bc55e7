"""The filter behind simulated detectors."""

import numpy as np
import pytest

import trajbatt as tb

BATTERY = tb.Battery(4, 1.87, 40.0, gamma_plus=10.0)
TIMES = np.linspace(0.1, 0.6, 3)
EFFICIENCY, DARK = np.array([0.6, 0.3, 0.5]), np.array([0.5, 0.0, 1.0])


@pytest.mark.slow
@pytest.mark.parametrize("case", ["charge", "discharge"])
def test_the_filter_is_unbiased(case):
    if case == "charge":
        model, initial, efficiency, dark = BATTERY.charge(), None, EFFICIENCY, DARK
    else:
        model, initial, efficiency, dark = BATTERY.discharge(), None, 0.5, 1.0
    exact = tb.mesolve(model, TIMES, initial).energy
    runs = tb.mcsolve(model, TIMES, 600, initial, seed=1, keep_clicks=True)
    seen = tb.Detectors(efficiency, dark).see(runs.clicks, seed=2)

    def worst(efficiency, dark):
        energy = np.array(
            [
                tb.filter(
                    model, seen.of_trajectory(i), TIMES, efficiency, initial, dark_rate=dark
                ).energy
                for i in range(600)
            ]
        )
        sem = energy.std(axis=0, ddof=1) / np.sqrt(600)
        return np.abs((energy.mean(axis=0) - exact) / sem).max()

    assert worst(efficiency, dark) < 4
    # Negative control: other detectors than those that saw it.
    assert worst(np.minimum(1.6 * np.asarray(efficiency), 1.0), dark) > 5
    assert worst(efficiency, 4 * np.asarray(dark)) > 5
