"""Ensembles: shapes, statistics, workers, bad input."""

import concurrent.futures

import numpy as np
import pytest
from oracle.runs import everything

import trajbatt as tb

BATTERY = tb.Battery(20, 1.87, 200.0, gamma_plus=10.0)
TIMES = np.linspace(0, BATTERY.charging_time, 12)


@pytest.fixture(scope="module")
def runs():
    return tb.mcsolve(BATTERY.charge(), TIMES, ntraj=5000, seed=1, keep_clicks=True)


def test_shapes_and_names(runs):
    nt, nc = TIMES.size, 3
    assert runs.channels == ("red", "center", "blue")
    assert runs.ntraj == 5000
    assert runs.seed == 1
    assert runs.coherent_energy is None
    for quantity in ("energy", "energy_variance", "quantum_variance", "trajectory_variance"):
        for name in (quantity, f"{quantity}_sem"):
            assert getattr(runs, name).shape == (nt,), name
            assert getattr(runs, name).dtype == np.float64
    assert runs.dipole.shape == (nt,)
    assert runs.dipole.dtype == np.complex128
    assert runs.counts.shape == runs.counts_sem.shape == (nc, nt)
    assert runs.counts_covariance.shape == (nc, nc, nt)
    assert runs.final_counts.shape == (5000, nc)
    assert str(runs).count("\n") == 4


def test_statistics_are_those_of_the_replayed_trajectories(runs):
    few = tb.mcsolve(BATTERY.charge(), TIMES, ntraj=300, seed=1)
    one_by_one = [few.replay(i) for i in range(300)]
    energy = np.array([one.energy for one in one_by_one])
    variance = np.array([one.energy_variance for one in one_by_one])
    counts = np.array([one.counts for one in one_by_one])
    np.testing.assert_allclose(few.energy, energy.mean(axis=0), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(few.quantum_variance, variance.mean(axis=0), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(
        few.trajectory_variance, energy.var(axis=0, ddof=1), rtol=1e-9, atol=1e-12
    )
    np.testing.assert_allclose(
        few.energy_sem, energy.std(axis=0, ddof=1) / np.sqrt(300), rtol=1e-9, atol=1e-12
    )
    influence = variance + (energy - energy.mean(axis=0)) ** 2
    first_order = influence.std(axis=0, ddof=1) / np.sqrt(300)
    second_order = np.sqrt(2) * few.energy_sem**2
    np.testing.assert_allclose(
        few.energy_variance_sem, np.hypot(first_order, second_order), rtol=1e-6, atol=1e-9
    )
    np.testing.assert_allclose(few.counts, counts.mean(axis=0))
    np.testing.assert_array_equal(few.final_counts, counts[:, :, -1])
    np.testing.assert_array_equal(few.final_counts, runs.final_counts[:300])


def test_replay_is_the_same_trajectory_on_any_grid(runs):
    for trajectory in (0, 17, 2047, 2048, 4999):
        coarse = runs.replay(trajectory)
        fine_times = np.unique(np.concatenate((TIMES, np.linspace(0, TIMES[-1] / 2, 101))))
        fine = runs.replay(trajectory, tlist=fine_times)
        kept = runs.clicks.of_trajectory(trajectory)
        for one in (coarse, fine):
            np.testing.assert_array_equal(one.clicks.time, kept.time)
            np.testing.assert_array_equal(one.clicks.channel, kept.channel)
            np.testing.assert_array_equal(one.clicks.trajectory, kept.trajectory)
        at = np.searchsorted(fine_times, TIMES)
        np.testing.assert_allclose(fine.energy[at], coarse.energy, rtol=1e-10)
        np.testing.assert_allclose(fine.energy_variance[at], coarse.energy_variance, atol=1e-10)
        np.testing.assert_array_equal(fine.counts[:, at], coarse.counts)


def test_clicks_are_sorted_and_counted(runs):
    clicks = runs.clicks
    assert len(clicks) == runs.final_counts.sum()
    assert np.all(np.diff(clicks.trajectory) >= 0)
    within = np.diff(clicks.trajectory) == 0
    assert np.all(np.diff(clicks.time)[within] >= 0)
    table = np.zeros((5000, 3), dtype=int)
    np.add.at(table, (clicks.trajectory, clicks.channel), 1)
    np.testing.assert_array_equal(table, runs.final_counts)


@pytest.mark.parametrize("method", ["ladder", "mcwf"])
def test_workers_do_not_change_a_bit(method):
    arguments = dict(ntraj=5000 if method == "ladder" else 2500, seed=3, method=method)
    model = BATTERY.charge()
    serial = tb.mcsolve(model, TIMES[[5, 11]], threads=1, **arguments)
    threads = tb.mcsolve(model, TIMES[[5, 11]], threads=3, **arguments)
    assert everything(serial) == everything(threads)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        elsewhere = tb.mcsolve(model, TIMES[[5, 11]], executor=pool, **arguments)
    assert everything(serial) == everything(elsewhere)
    other = tb.mcsolve(model, TIMES[[5, 11]], threads=1, **{**arguments, "seed": 4})
    assert not set(everything(serial)) & set(everything(other))


def test_earlier_times_do_not_change_the_clicks():
    model = BATTERY.charge()
    a = tb.mcsolve(model, TIMES, ntraj=50, seed=3, keep_clicks=True)
    b = tb.mcsolve(model, TIMES[-1:], ntraj=50, seed=3, keep_clicks=True)
    np.testing.assert_array_equal(a.clicks.time, b.clicks.time)
    np.testing.assert_allclose(a.energy[-1:], b.energy, rtol=1e-11)


def test_a_drawn_seed_repeats_the_run():
    model = BATTERY.charge()
    first = tb.mcsolve(model, TIMES, ntraj=20)
    again = tb.mcsolve(model, TIMES, ntraj=20, seed=first.seed)
    assert everything(first) == everything(again)


def test_progress_ends_at_ntraj():
    seen = []
    tb.mcsolve(BATTERY.charge(), TIMES, ntraj=5000, seed=1, progress=lambda *at: seen.append(at))
    assert seen == [(2048, 5000), (4096, 5000), (5000, 5000)]


def test_one_trajectory_has_no_standard_error():
    runs = tb.mcsolve(BATTERY.charge(), TIMES, ntraj=1, seed=1)
    assert np.all(np.isnan(runs.energy_sem))
    assert np.all(np.isnan(runs.trajectory_variance))
    assert np.isnan(tb.compare(runs, tb.mesolve(BATTERY.charge(), TIMES)).p_value)
    str(tb.compare(runs, tb.mesolve(BATTERY.charge(), TIMES)))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"ntraj": 0}, "`ntraj` must be a positive integer, but is 0"),
        ({"ntraj": 1.5}, "`ntraj` must be a positive integer, but is 1.5"),
        ({"seed": -1}, "`seed` must be a non-negative integer, but is -1"),
        ({"seed": 1.0}, "`seed` must be a non-negative integer, but is 1.0"),
        (
            {"method": "euler"},
            "`method` must be 'ladder', 'mcwf', 'banded' or 'frame', but is 'euler'",
        ),
        ({"threads": 0}, "`threads` must be a positive integer, but is 0"),
        ({"executor": 3}, r"`executor` must have the interface of concurrent\.futures\.Executor"),
        ({"progress": 3}, r"`progress` must be true, or a function of \(done, ntraj\), but is 3"),
        ({"target": 0.1}, r"`target` must be a dict such as \{'energy': 0.01\}, but is 0.1"),
        ({"target": {}}, r"`target` must be a dict"),
        (
            {"target": {"charge": 1.0}},
            "`target` must be 'energy', 'energy_variance' or 'counts', but is 'charge'",
        ),
        (
            {"target": {"energy": 0.0}},
            "`target energy` must be a finite number above zero, but is 0.0",
        ),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises((ValueError, TypeError), match=message):
        tb.mcsolve(BATTERY.charge(), TIMES, **arguments)


def test_bad_replays(runs):
    with pytest.raises(ValueError, match="`trajectory` must be below the 5000 of this run"):
        runs.replay(5000)
    with pytest.raises(ValueError, match="`trajectory` must be a non-negative integer, but is -1"):
        runs.replay(-1)
    with pytest.raises(ValueError, match="`tlist` must end by the last time of the run"):
        runs.replay(0, [0.0, 1e3])
