"""The banded engine is as accurate as it is asked to be."""

import dataclasses

import numpy as np
import pytest
from oracle.runs import plan_of

import trajbatt as tb
from trajbatt.states.initial import prepare
from trajbatt.trajectories.banded import BandedEngine
from trajbatt.trajectories.records import ROW

SIZES = [(30, 0.2), pytest.param(100, 0.06, marks=pytest.mark.slow)]


@pytest.mark.parametrize(("n", "end"), SIZES)
@pytest.mark.parametrize("theta", [1.2, np.pi / 2])
def test_states_read_off_a_record_are_good_to_rtol(n, end, theta):
    # The clicks are given, so nothing is ill-conditioned: all trajectories, at all times.
    model = tb.Battery(n, theta, 5.0 * n).charge(secular=False)
    times = np.linspace(0, end, 61)
    mixture = prepare(model, None)
    fine = BandedEngine(model, mixture, rtol=1e-11)
    records, exact = fine.run(np.random.default_rng(1), 60, times)
    errors = {}
    for rtol in (1e-4, 1e-6, 1e-8):
        rough = BandedEngine(model, mixture, rtol=rtol).observe(records, times).samples
        errors[rtol] = np.abs(rough[:, ROW["jz"]] - exact.samples[:, ROW["jz"]]).max(axis=1)
        assert errors[rtol].max() < 3.0 * rtol * n
    assert np.median(errors[1e-4]) > 10.0 * np.median(errors[1e-6])
    assert np.median(errors[1e-6]) > 10.0 * np.median(errors[1e-8])


def energies(battery, rtol, times, n):
    plan = plan_of(battery.charge(secular=False), times, rtol=rtol)
    return plan.engine.run(plan.generator(0), n, plan.times)[1].samples[:, ROW["jz"]]


@pytest.mark.parametrize(("n", "end"), SIZES)
def test_halving_rtol_changes_little(n, end):
    # Not for all trajectories: the time of a click out of a nearly dark state is ill-conditioned.
    battery, times = tb.Battery(n, 1.2, 5.0 * n), np.linspace(0, end, 61)
    exact = energies(battery, 1e-11, times, 60)
    medians = []
    for rtol in (1e-4, 1e-6):
        rough = energies(battery, rtol, times, 60)
        halved = energies(battery, rtol / 2, times, 60)
        change = np.abs(rough - halved).max(axis=1)
        assert np.mean(change < rtol * n) > 0.75
        error = np.abs(rough - exact).max(axis=1)
        assert np.mean(error < 2.0 * rtol * n) > 0.75
        medians.append(np.median(error))
    assert medians[0] > 10.0 * medians[1]


@pytest.mark.slow
@pytest.mark.parametrize("theta", [1.2, np.pi / 2])
def test_rtol_matters_less_than_as_much_in_the_rate(theta):
    # At resonance the times of the clicks are ill-conditioned throughout, so the error of a
    # trajectory is judged by what a relative change `rtol` of gamma does to it.
    battery, times = tb.Battery(30, theta, 150.0), np.linspace(0, 0.2, 61)
    exact = energies(battery, 1e-12, times, 100)
    for rtol in (1e-5, 1e-7):
        error = np.abs(energies(battery, rtol, times, 100) - exact).max(axis=1)
        rate = 1.0 + rtol
        off = dataclasses.replace(battery, gamma_0=rate, gamma_plus=rate, gamma_minus=rate)
        moved = np.abs(energies(off, 1e-12, times, 100) - exact).max(axis=1)
        for quantile in (0.25, 0.5, 0.75):
            assert np.quantile(error, quantile) < np.quantile(moved, quantile)
