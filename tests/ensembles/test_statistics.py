"""One standard error of a quantity, whoever states it."""

import numpy as np
import pytest

import trajbatt as tb
from trajbatt.ensembles.statistics import Statistics
from trajbatt.reports.summaries import summarise

BATTERY = tb.Battery(30, 1.87, 300.0, gamma_plus=10.0)


FEW = tb.Battery(3, 1.2, 30.0, gamma_plus=10.0)  # whose energy and variance hang together


def relative_fluctuations(seeds, ntraj=400):
    model, times = FEW.charge(), [FEW.charging_time]
    for seed in seeds:
        found = tb.mcsolve(model, times, ntraj, seed=seed, threads=1).statistics
        quantity = found.relative_fluctuation()
        yield quantity.value[0], found.sem(quantity)[0]


@pytest.mark.slow
def test_the_error_of_the_fluctuation_is_its_scatter():
    values, errors = np.array(list(relative_fluctuations(range(200)))).T
    scatter = values.std(ddof=1)
    assert errors.mean() == pytest.approx(scatter, rel=5 / np.sqrt(400))
    # Negative control: the two errors taken as independent, as sweeps once did, are not it.
    runs = tb.mcsolve(FEW.charge(), [FEW.charging_time], 400, seed=1)
    parts = runs.energy_variance_sem / (2 * runs.energy_variance), runs.energy_sem / runs.energy
    independent = values.mean() * np.hypot(*parts)[0]
    assert abs(independent / scatter - 1) > 5 / np.sqrt(400)


def test_sweeps_and_tables_state_the_same_error():
    pytest.importorskip("xarray")
    data = tb.sweep(n_atoms=30, theta=1.87, ratio=10.0, ntraj=200, seed=1)
    model, times = BATTERY.charge(), [BATTERY.charging_time]
    from trajbatt.analysis.points import SEEDS, digest

    point = {"n_atoms": 30, "theta": 1.87, "ratio": 10.0, "gamma_0": 1.0, "drive": 10.0}
    runs = tb.mcsolve(model, times, 200, seed=int(digest(point, 200, 1, SEEDS)[:16], 16))
    exact = tb.mesolve(model, times)
    _, rows = summarise(runs, exact, tb.compare(runs, exact))
    rows = {one.name: one for one in rows}

    def swept(name):
        return float(data[name].squeeze())

    same = rows["energy_per_atom"]
    assert swept("energy_per_atom_estimate") == pytest.approx(same.ensemble, rel=1e-9)
    assert swept("energy_per_atom_sem") == pytest.approx(same.sem, rel=1e-9)
    # Of Delta E/E a sweep has the mean over a period of Omega_P, the table the value at the end.
    near = rows["relative_fluctuation"]
    assert swept("relative_fluctuation_estimate") == pytest.approx(near.ensemble, rel=0.1)
    assert swept("relative_fluctuation_sem") == pytest.approx(near.sem, rel=0.3)


def test_targets_ask_the_same_statistics():
    model, times = BATTERY.charge(), np.linspace(0, BATTERY.charging_time, 4)[1:]
    runs = tb.mcsolve(model, times, 500, seed=1)
    found = Statistics(runs.moments, 30)
    np.testing.assert_array_equal(found.sem(found.energy), runs.energy_sem)
    np.testing.assert_array_equal(found.sem(found.energy_variance), runs.energy_variance_sem)
    errors = [found.sem(count) for count in found.counts]
    np.testing.assert_array_equal(errors, runs.counts_sem)
    aim = 1.05 * runs.energy_sem.max()
    reached = tb.mcsolve(model, times, 10**5, seed=1, target={"energy": aim})
    assert reached.ended == "target"
    assert reached.energy_sem.max() <= aim


def test_gradients_are_derivatives():
    runs = tb.mcsolve(BATTERY.charge(), [0.01, 0.02], 300, seed=2)
    found = Statistics(runs.moments, 30)
    energies = np.array([1.0, 2.0, 3.0])
    for get in (
        lambda s: s.energy,
        lambda s: s.waste(energies),
        lambda s: s.relative_fluctuation(s.quantum_variance),
    ):
        quantity = get(found)
        for row in range(len(runs.moments.mean)):
            moved = runs.moments.mean.copy()
            moved[row] += 1e-6
            changed = get(Statistics(_with_mean(runs.moments, moved), 30)).value
            slope = (changed - quantity.value) / 1e-6
            np.testing.assert_allclose(slope, quantity.gradient[row], rtol=1e-4, atol=1e-7)


def _with_mean(moments, mean):
    return type(moments)(moments.count, mean, moments.comoment, moments.third, moments.fourth)
