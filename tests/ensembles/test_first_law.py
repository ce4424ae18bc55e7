"""The first law: efficiency, heat and the pump's work, of results and of single runs."""

import numpy as np
import pytest

import trajbatt as tb

BATTERY = tb.Battery(10, 1.87, 100.0, gamma_plus=10.0)
MODEL = BATTERY.charge()
TIMES = np.array([0.3, 1.0]) * BATTERY.charging_time


def test_exact_numbers():
    exact = tb.mesolve(MODEL, TIMES)
    photons = exact.counts.sum(axis=0)
    np.testing.assert_allclose(exact.efficiency, exact.energy / (exact.energy + photons))
    np.testing.assert_allclose(exact.heat(), photons)
    np.testing.assert_allclose(exact.pump_work(), exact.energy + photons)
    pump = 1e4 - BATTERY.detuning
    energies = np.array([pump - 100.0, pump, pump + 100.0]) / 1e4
    np.testing.assert_allclose(exact.heat(1e4), energies @ exact.counts)
    np.testing.assert_allclose(exact.pump_work(1e4), exact.energy + energies @ exact.counts)
    # A discharge takes no work: what it loses comes out as light, one photon a quantum.
    discharge = tb.mesolve(BATTERY.discharge(), [0.0, 0.1])
    np.testing.assert_allclose(discharge.pump_work(), 0.0, atol=1e-8)
    late = tb.mesolve(BATTERY.discharge(), [0.1])
    np.testing.assert_allclose(late.pump_work(), 0.0, atol=1e-8)


def test_ensembles_have_them_with_errors():
    exact, runs = tb.mesolve(MODEL, TIMES), tb.mcsolve(MODEL, TIMES, 4000, seed=1)
    pairs = [
        (runs.efficiency, runs.efficiency_sem, exact.efficiency),
        (runs.heat(), runs.heat_sem(), exact.heat()),
        (runs.heat(1e3), runs.heat_sem(1e3), exact.heat(1e3)),
        (runs.pump_work(), runs.pump_work_sem(), exact.pump_work()),
        (runs.pump_work(1e3), runs.pump_work_sem(1e3), exact.pump_work(1e3)),
    ]
    for found, sem, known in pairs:
        assert np.all(np.abs(found - known) < 4 * sem)
        assert np.any(np.abs(1.02 * found - known) > 4 * sem)  # negative control
    # Energies and photons of one run go together: the error is not that of independent parts.
    apart = np.hypot(runs.energy_sem, runs.heat_sem())
    assert np.any(np.abs(runs.pump_work_sem() / apart - 1) > 0.05)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["efficiency", "pump_work", "heat"])
def test_errors_cover(name):
    def of(result, suffix=""):
        value = getattr(result, name + suffix)
        return (value() if callable(value) else value)[-1]

    known = of(tb.mesolve(MODEL, TIMES))
    inside, too_small = [], []
    for seed in range(400):
        runs = tb.mcsolve(MODEL, TIMES, 200, seed=seed, threads=1)
        distance, sem = abs(of(runs) - known), of(runs, "_sem")
        inside.append(distance < 1.96 * sem)
        too_small.append(distance < 1.0 * sem)
    assert 0.92 < np.mean(inside) < 0.98
    assert np.mean(too_small) < 0.8  # negative control


@pytest.mark.parametrize("model", [MODEL, BATTERY.discharge()], ids=["charge", "discharge"])
def test_single_runs_add_up(model):
    runs = tb.mcsolve(model, TIMES, 30, seed=1)
    every = [runs.replay(i) for i in range(30)]
    for name in ("heat", "pump_work"):
        mean = np.mean([getattr(one, name)() for one in every], axis=0)
        # Of a mixture each run begins with an energy of its own.
        slack = np.std([one.energy_at_start for one in every]) + 1e-10
        np.testing.assert_allclose(getattr(runs, name)(), mean, atol=slack)
    one = every[3]
    np.testing.assert_allclose(one.heat(), one.counts.sum(axis=0))
    np.testing.assert_allclose(one.pump_work() - one.heat(), one.energy - one.energy_at_start)
    again = runs.replay(3, [0.0, TIMES[-1]])
    assert again.energy_at_start == pytest.approx(again.energy[0], abs=1e-12)


def test_protocols_know_where_they_began():
    cycle = tb.Protocol([(MODEL, 0.2), (BATTERY.discharge(), 0.1)])
    exact = tb.mesolve(cycle, [0.3])
    runs = tb.mcsolve(cycle, [0.3], 500, seed=2)
    assert abs(runs.pump_work() - exact.pump_work())[0] < 4 * runs.pump_work_sem()[0]
    assert runs.replay(1).energy_at_start == pytest.approx(0.0, abs=1e-12)


def test_an_empty_battery_that_has_emitted_has_no_efficiency():
    model, start = tb.Battery(5, 1.2, 5.0).discharge(), tb.excited_state(5)
    times = [0.0, 1.0, 20.0, 50.0]
    exact, runs = tb.mesolve(model, times, start), tb.mcsolve(model, times, 50, start, seed=1)
    for one in (exact, runs):
        assert one.efficiency[0] == pytest.approx(1.0)
        np.testing.assert_allclose(one.efficiency[2:], 0.0, atol=1e-8)
    dark = tb.mesolve(model, [0.1], tb.ground_state(5))
    assert np.isnan(dark.efficiency[0])
