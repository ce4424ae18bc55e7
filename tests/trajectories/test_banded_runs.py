"""Runs by the banded engine: repeatable, sorted, and right where the answer is known on paper."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

import trajbatt as tb

EIGHT = tb.Battery(8, 1.87, 60.0, gamma_0=1.3, gamma_plus=10.0)
DRIVEN = tb.Battery(6, 1.2, 20.0)

BOTH_MODELS = pytest.mark.parametrize(
    "model", [DRIVEN.charge(secular=False), EIGHT.charge()], ids=["eq5", "eq7"]
)


@BOTH_MODELS
def test_clicks_do_not_depend_on_the_requested_times(model):
    end = 0.8
    options = dict(ntraj=40, seed=3, keep_clicks=True, method="banded")
    few = tb.mcsolve(model, [end], **options)
    many = tb.mcsolve(model, np.linspace(0, end, 333), **options)
    assert len(few.clicks) > 100
    np.testing.assert_array_equal(few.clicks.time, many.clicks.time)
    np.testing.assert_array_equal(few.clicks.channel, many.clicks.channel)
    np.testing.assert_allclose(few.energy[-1], many.energy[-1], rtol=1e-12)


@pytest.mark.slow
@BOTH_MODELS
def test_replay_is_the_same_trajectory_on_any_grid(model):
    times = np.linspace(0, 0.8, 9)
    options = dict(ntraj=30, seed=4, keep_clicks=True, method="banded", rtol=1e-10)
    runs = tb.mcsolve(model, times, **options)
    fine_times = np.unique(np.concatenate((times[:7], np.linspace(0.01, 0.6, 57))))
    for trajectory in (0, 11, 29):
        coarse, fine = runs.replay(trajectory), runs.replay(trajectory, tlist=fine_times)
        for one in (coarse, fine):
            kept = runs.clicks.of_trajectory(trajectory)
            np.testing.assert_array_equal(one.clicks.time, kept.time)
            np.testing.assert_array_equal(one.clicks.channel, kept.channel)
        at = np.searchsorted(fine_times, times[:7])
        np.testing.assert_allclose(fine.energy[at], coarse.energy[:7], atol=1e-9)
        np.testing.assert_allclose(fine.energy_variance[at], coarse.energy_variance[:7], atol=1e-9)
        np.testing.assert_allclose(fine.dipole[at], coarse.dipole[:7], atol=1e-9)
        np.testing.assert_array_equal(fine.counts[:, at], coarse.counts[:, :7])
    everyone = np.array([runs.replay(i).energy for i in range(30)])
    np.testing.assert_allclose(everyone.mean(axis=0), runs.energy, atol=1e-7)
    assert np.ptp(everyone[:, -1]) > 0.1


@BOTH_MODELS
def test_clicks_are_sorted_and_counted(model):
    runs = tb.mcsolve(model, [0.4, 0.8], ntraj=100, seed=5, keep_clicks=True, method="banded")
    clicks = runs.clicks
    assert np.all((clicks.time > 0) & (clicks.time <= 0.8))
    assert np.all(np.diff(clicks.trajectory) >= 0)
    assert np.all(np.diff(clicks.time)[np.diff(clicks.trajectory) == 0] > 0)
    table = np.zeros((100, len(model.channel_names)), dtype=int)
    np.add.at(table, (clicks.trajectory, clicks.channel), 1)
    np.testing.assert_array_equal(table, runs.final_counts)
    early = [np.sum(clicks.of_trajectory(i).time <= 0.4) for i in range(100)]
    assert runs.counts[:, 0].sum() == pytest.approx(np.mean(early), rel=1e-12)


@BOTH_MODELS
def test_workers_do_not_change_a_bit(model):
    arguments = dict(ntraj=9000, seed=3, method="banded", rtol=1e-4)
    times = [0.05, 0.1]
    one = tb.mcsolve(model, times, threads=1, **arguments)
    two = tb.mcsolve(model, times, threads=2, **arguments)
    np.testing.assert_array_equal(one.moments.comoment, two.moments.comoment)
    np.testing.assert_array_equal(one.checkpoints.comoment, two.checkpoints.comoment)
    np.testing.assert_array_equal(one.energy, two.energy)
    np.testing.assert_array_equal(one.final_counts, two.final_counts)
    other = tb.mcsolve(model, times, threads=2, **{**arguments, "seed": 4})
    assert not np.array_equal(one.energy, other.energy)


def test_without_decay_there_are_no_clicks():
    battery = tb.Battery(40, 1.1, 7.0, 0.0, 0.0, 0.0)
    times = np.linspace(0, 5, 13)
    swing = 40 * np.sin(1.1) ** 2 / 2 * (1 - np.cos(7.0 * times))
    for model in (battery.charge(), battery.charge(secular=False)):
        runs = tb.mcsolve(model, times, ntraj=2, seed=1, method="banded")
        np.testing.assert_allclose(runs.energy, swing, atol=1e-10)
        assert not runs.final_counts.any()


def test_storage_keeps_the_energy_and_precesses():
    battery = tb.Battery(30, 1.87, 40.0, gamma_plus=10.0)
    times, start = np.linspace(0, 3, 7), tb.coherent_state(30, 1.1, 0.4)
    runs = tb.mcsolve(battery.store(), times, ntraj=3, initial=start, seed=1, method="banded")
    np.testing.assert_allclose(runs.energy, 30 * np.cos(0.55) ** 2, rtol=1e-12)
    np.testing.assert_allclose(runs.energy_variance, 30 * np.sin(1.1) ** 2 / 4, rtol=1e-11)
    phase = np.exp(1j * (battery.detuning * times + 0.4))
    np.testing.assert_allclose(runs.dipole, 15 * np.sin(1.1) * phase, atol=1e-10)
    assert runs.final_counts.shape == (3, 0)


def classical_energy(battery, times):
    """Return E/N of the classical spin that Eq. (5) describes at large N, without fluctuations."""
    detuning, rabi = (part / battery.n_atoms for part in (battery.detuning, battery.rabi))

    def slope(_, spin):
        lower, z = spin
        rise = -1j * detuning * lower - 1j * rabi * z + battery.gamma_0 * z * lower
        return [rise, rabi * lower.imag - battery.gamma_0 * abs(lower) ** 2]

    scaled = np.array(times) * battery.n_atoms
    found = solve_ivp(slope, (0, scaled[-1]), [0j, -0.5 + 0j], t_eval=scaled, rtol=1e-9, atol=1e-9)
    return found.y[1].real + 0.5


@pytest.mark.slow
def test_a_large_battery_is_a_classical_spin():
    n = 20_000
    battery = tb.Battery(n, 1.2, 3.0 * n)
    times = np.array([0.1, 0.3, 0.7, 1.0]) / n
    runs = tb.mcsolve(battery.charge(secular=False), times, ntraj=10, seed=1)
    assert runs.dropped < 1e-13
    np.testing.assert_allclose(runs.energy / n, classical_energy(battery, times), atol=0.003)
    off = tb.Battery(n, 1.2, 3.1 * n)
    assert np.abs(runs.energy / n - classical_energy(off, times)).max() > 0.01
