"""Chunks and blocks of trajectories, and their sums."""

import numpy as np

import trajbatt as tb
from trajbatt.ensembles import chunks
from trajbatt.ensembles.plan import chunk_size

BATTERY = tb.Battery(20, 1.87, 200.0, gamma_plus=10.0)
TIMES = np.linspace(0, BATTERY.charging_time, 12)


def test_more_trajectories_are_more_chunks():
    model = BATTERY.charge()
    size = chunk_size(model)
    few = tb.mcsolve(model, TIMES, ntraj=size + 10, seed=3)
    many = tb.mcsolve(model, TIMES, ntraj=3 * size, seed=3)
    np.testing.assert_array_equal(few.final_counts, many.final_counts[: size + 10])


def test_chunk_size_depends_on_the_model_only():
    sizes = [chunk_size(tb.Battery(n, 1.0, 1.0).charge()) for n in (1, 20, 100, 10**4, 10**6)]
    assert sizes == [4096, 2048, 512, 4, 1]


def test_every_chunk_has_its_own_stream():
    model = tb.Battery(10**4, 1.87, 1e5, gamma_plus=10.0).charge()
    size = chunk_size(model)
    runs = tb.mcsolve(model, [1e-7], ntraj=10 * size, seed=3, keep_clicks=True)
    first_of_chunk = [runs.clicks.of_trajectory(i * size).time for i in range(10)]
    first_of_chunk = [times[0] for times in first_of_chunk if times.size]
    assert len(first_of_chunk) > 5
    assert len(set(first_of_chunk)) == len(first_of_chunk)


def test_blocks_do_not_change_the_trajectories(monkeypatch):
    model = BATTERY.charge()
    whole = tb.mcsolve(model, TIMES, ntraj=40, seed=3, keep_clicks=True)
    monkeypatch.setattr(chunks, "BLOCK_CLICKS", 100)
    parts = tb.mcsolve(model, TIMES, ntraj=40, seed=3, keep_clicks=True)
    np.testing.assert_array_equal(whole.clicks.time, parts.clicks.time)
    np.testing.assert_array_equal(whole.clicks.trajectory, parts.clicks.trajectory)
    np.testing.assert_allclose(whole.moments.comoment, parts.moments.comoment, atol=1e-9)
    np.testing.assert_array_equal(parts.replay(37).clicks.time, whole.replay(37).clicks.time)
