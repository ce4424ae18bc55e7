"""Ensembles that add, and ensembles with a target."""

import numpy as np
import pytest
from oracle.runs import CHUNK, MODEL, TIMES, everything, solve

import trajbatt as tb


def test_ensembles_add():
    a, b = (tb.mcsolve(MODEL, TIMES, 100, seed=seed, keep_clicks=True) for seed in (1, 2))
    both = a + b
    assert both.ntraj == 200
    assert both.seed == (1, 2)
    np.testing.assert_allclose(both.energy, (a.energy + b.energy) / 2, rtol=1e-13)
    finals = np.concatenate((a.final_counts, b.final_counts))
    np.testing.assert_allclose(both.counts[:, -1], finals.mean(axis=0))
    np.testing.assert_allclose(both.counts_sem[:, -1], finals.std(axis=0, ddof=1) / np.sqrt(200))
    assert len(both.clicks) == len(a.clicks) + len(b.clicks)
    assert both.replay(130).energy.tolist() == b.replay(30).energy.tolist()
    np.testing.assert_array_equal(
        both.clicks.of_trajectory(130).time, b.clicks.of_trajectory(30).time
    )
    with pytest.raises(ValueError, match=r"must have different seeds to be added, but have \[1, 1"):
        _ = a + a
    with pytest.raises(ValueError, match="must be of the same run to be added, but differ"):
        _ = a + tb.mcsolve(MODEL, TIMES[:3], 100, seed=3, keep_clicks=True)


def test_target_is_reached_and_does_not_depend_on_the_workers(tmp_path):
    target = {"energy": 0.35, "counts": 0.8}
    runs = solve(200 * CHUNK, keep_clicks=False, target=target, threads=1)
    assert runs.ended == "target"
    assert runs.energy_sem.max() <= 0.35
    assert runs.counts_sem.max() <= 0.8
    assert runs.ntraj < 50 * CHUNK
    other = solve(200 * CHUNK, keep_clicks=False, target=target, threads=2, store=tmp_path)
    assert everything(other) == everything(runs)
    capped = solve(CHUNK, keep_clicks=False, target={"energy": 1e-6})
    assert capped.ended == "complete"
    assert capped.ntraj == CHUNK


def test_a_sum_with_a_part_is_a_part():
    from dataclasses import replace

    model = tb.Battery(4, 1.0, 3.0).charge()
    runs = [tb.mcsolve(model, [0.1], 20, seed=seed) for seed in (1, 2)]
    for ended in ("target", "interrupted"):
        for one, other in (runs, runs[::-1]):
            assert (replace(one, ended=ended) + other).ended == ended
