"""Error bars are right: intervals of 1.96 standard errors hold the exact value 95 % of the time."""

import numpy as np
import pytest

import trajbatt as tb

RUNS, NTRAJ = 400, 100


@pytest.mark.slow
def test_intervals_cover_the_exact_value():
    battery = tb.Battery(8, 1.87, 80.0, gamma_plus=10.0)
    times = [0.5 * battery.charging_time, battery.charging_time]
    exact = tb.mesolve(battery.charge(), times)
    inside = {"energy": [], "energy_variance": [], "counts": [], "too_small": []}
    for seed in range(RUNS):
        runs = tb.mcsolve(battery.charge(), times, NTRAJ, seed=seed, threads=1)
        for name in ("energy", "energy_variance", "counts"):
            distance = np.abs(getattr(runs, name) - getattr(exact, name))
            inside[name].append(distance <= 1.96 * getattr(runs, f"{name}_sem"))
        # Negative control: errors 15 % too small.
        distance = np.abs(runs.energy - exact.energy)
        inside["too_small"].append(distance <= 0.85 * 1.96 * runs.energy_sem)
    for name in ("energy", "energy_variance", "counts"):
        coverage = np.mean(inside[name], axis=0)
        assert np.all((coverage > 0.92) & (coverage < 0.98)), (name, coverage)
    assert np.any(np.mean(inside["too_small"], axis=0) < 0.92)
