"""The numbers that people quote: beside their exact twins, with errors that cover."""

import numpy as np
import pytest

import trajbatt as tb

BATTERY = tb.Battery(10, 1.87, 100.0, gamma_plus=10.0)
MODEL = BATTERY.charge()
TIMES = np.array([0.0, 0.5, 1.0]) * BATTERY.charging_time
NAMES = ("relative_fluctuation", "waste", "average_power")


def test_exact_numbers_are_what_their_names_say():
    exact = tb.mesolve(MODEL, TIMES)
    late = slice(1, None)
    root = np.sqrt(exact.energy_variance[late])
    np.testing.assert_allclose(exact.relative_fluctuation[late], root / exact.energy[late])
    np.testing.assert_allclose(exact.waste[late], (exact.counts.sum(axis=0) / exact.energy)[late])
    np.testing.assert_allclose(exact.average_power[late], exact.energy[late] / TIMES[late])
    for name in NAMES:
        assert np.isnan(getattr(exact, name)[0])  # an empty battery, at t = 0
    # At its frequency a red photon has less energy: omega_P - Omega_P.
    pump = 1e4 - BATTERY.detuning
    energies = np.array([pump - 100.0, pump, pump + 100.0]) / 1e4
    expected = energies @ exact.counts[:, late] / exact.energy[late]
    np.testing.assert_allclose(exact.waste_energy(1e4)[late], expected)


def test_ensembles_have_them_with_errors():
    exact, runs = tb.mesolve(MODEL, TIMES), tb.mcsolve(MODEL, TIMES, 4000, seed=1)
    for name in NAMES:
        z = (getattr(runs, name) - getattr(exact, name)) / getattr(runs, f"{name}_sem")
        assert np.all(np.abs(z[1:]) < 4), name
    z = (runs.waste_energy(1e4) - exact.waste_energy(1e4)) / runs.waste_energy_sem(1e4)
    assert np.all(np.abs(z[1:]) < 4)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_errors_cover(name):
    known = getattr(tb.mesolve(MODEL, TIMES), name)[-1]
    inside, too_small = [], []
    for seed in range(400):
        runs = tb.mcsolve(MODEL, TIMES, 200, seed=seed, threads=1)
        distance = abs(getattr(runs, name)[-1] - known)
        sem = getattr(runs, f"{name}_sem")[-1]
        inside.append(distance < 1.96 * sem)
        too_small.append(distance < 1.0 * sem)
    assert 0.92 < np.mean(inside) < 0.98
    assert np.mean(too_small) < 0.8  # negative control


def test_lines_are_those_of_ladders():
    cycle = tb.Protocol([(MODEL, 0.1), (BATTERY.discharge(), 0.1)])
    exact = tb.mesolve(cycle, [0.2])
    parts = tb.mesolve(MODEL, [0.1]).heat(1e4) + exact.counts[-1, -1]  # at omega_0
    np.testing.assert_allclose(exact.heat(1e4), parts, rtol=1e-9)
    full = tb.Protocol([(tb.Battery(10, 1.2, 50.0).charge(secular=False), 0.1)])
    with pytest.raises(TypeError, match="`model` must be a ladder to have lines"):
        tb.mesolve(full, [0.1]).waste_energy(100.0)
    other = tb.Battery(10, 1.87, 200.0, gamma_plus=10.0).charge()
    two = tb.Protocol([(MODEL, 0.1), (other, 0.1)])
    if len(two.channel_names) == 3:  # which share their channels, at other frequencies
        with pytest.raises(ValueError, match="one frequency for each channel"):
            tb.mesolve(two, [0.2]).heat(1e4)
    for omega_0 in (np.nan, "x", -1.0):
        with pytest.raises((ValueError, TypeError), match="`omega_0` must be"):
            tb.mesolve(MODEL, [0.1]).waste_energy(omega_0)
