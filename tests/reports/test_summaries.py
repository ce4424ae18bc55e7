"""Rows of summaries, and their errors."""

import numpy as np
import pytest

import trajbatt as tb
from trajbatt.reports import summaries

BATTERY = tb.Battery(10, 1.87, 100.0, gamma_plus=10.0)
TIMES = [0.0, BATTERY.charging_time]


def summary(ntraj, seed, battery=BATTERY, times=TIMES):
    model = battery.charge()
    runs = tb.mcsolve(model, times, ntraj=ntraj, seed=seed)
    exact = tb.mesolve(model, times)
    _, rows = summaries.summarise(runs, exact, tb.compare(runs, exact))
    return {row.name: row for row in rows}


@pytest.mark.slow
def test_standard_errors_of_ratios_are_right():
    # Against the scatter of the same row over independent runs.
    rows = [summary(200, seed) for seed in range(200)]
    for name in rows[0]:
        values = np.array([row[name].ensemble for row in rows])
        claimed = np.mean([row[name].sem for row in rows])
        assert values.std(ddof=1) / claimed == pytest.approx(1.0, abs=5 / np.sqrt(400)), name


@pytest.mark.slow
def test_z_scores_of_the_rows_are_standard_normal():
    rows = [summary(200, seed) for seed in range(200)]
    for name, row in rows[0].items():
        if row.exact is not None:
            z = np.array([row[name].z for row in rows])
            assert abs(np.nanmean(z)) < 5 / np.sqrt(200), name
            assert np.nanstd(z) == pytest.approx(1.0, abs=5 / np.sqrt(400)), name


def test_rare_photons_have_no_z_score():
    # 0.3 red photons are expected in the whole ensemble.
    battery = tb.Battery(5, 0.3, 50.0, gamma_plus=10.0)
    rows = summary(1000, 1, battery, [battery.charging_time])
    assert np.isnan(rows["photons_red"].z)


def test_a_discharge_that_is_looked_at_late():
    model, times = BATTERY.discharge(), [0.06, 0.12]
    runs, exact = tb.mcsolve(model, times, 200, seed=1), tb.mesolve(model, times)
    _, rows = summaries.summarise(runs, exact, tb.compare(runs, exact))
    assert rows[0].label == "energy at t = 0.06 per atom, E/N"
