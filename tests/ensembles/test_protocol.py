"""Runs of protocols: sorted, repeatable, the same from any workers."""

import pickle

import numpy as np
import pytest
from oracle.protocols import CYCLE, LONG, STRONG

import trajbatt as tb


@pytest.mark.parametrize("protocol", [CYCLE, LONG], ids=["cycle", "long"])
def test_clicks_are_sorted_and_belong_to_their_stages(protocol):
    runs = tb.mcsolve(protocol, [protocol.duration], ntraj=300, seed=7, keep_clicks=True)
    clicks = runs.clicks
    assert np.all(np.diff(clicks.trajectory) >= 0)
    assert np.all(np.diff(clicks.time)[np.diff(clicks.trajectory) == 0] > 0)
    table = np.zeros_like(runs.final_counts)
    np.add.at(table, (clicks.trajectory, clicks.channel), 1)
    np.testing.assert_array_equal(table, runs.final_counts)
    allowed = 0
    for stage in protocol.stages():
        within = (clicks.time > stage.start) & (clicks.time <= stage.end)
        assert set(clicks.channel[within]) == set(stage.places)
        allowed += within.sum()
    assert allowed == len(clicks)


@pytest.mark.slow
@pytest.mark.parametrize("protocol", [CYCLE, LONG], ids=["cycle", "long"])
def test_replay_is_the_same_trajectory_on_any_grid(protocol):
    end = protocol.duration
    times = np.linspace(0, end, 8)
    runs = tb.mcsolve(protocol, times, ntraj=40, seed=8, keep_clicks=True, rtol=1e-9)
    fine_times = np.union1d(times, [*(stage.end for stage in protocol.stages()), 0.3 * end])
    for trajectory in (0, 23, 39):
        coarse, fine = runs.replay(trajectory), runs.replay(trajectory, tlist=fine_times)
        short = runs.replay(trajectory, tlist=times[:3])  # it ends in an early stage
        kept = runs.clicks.of_trajectory(trajectory)
        for one in (coarse, fine, short):
            np.testing.assert_array_equal(one.clicks.time, kept.time)
            np.testing.assert_array_equal(one.clicks.channel, kept.channel)
        at = np.searchsorted(fine_times, times)
        for name in ("energy", "energy_variance", "dipole"):
            values = getattr(coarse, name)
            np.testing.assert_allclose(getattr(fine, name)[at], values, atol=1e-9)
            np.testing.assert_allclose(getattr(short, name), values[:3], atol=1e-9)
        np.testing.assert_array_equal(fine.counts[:, at], coarse.counts)
        np.testing.assert_array_equal(coarse.counts[:, -1], runs.final_counts[trajectory])
        np.testing.assert_array_equal(
            short.counts[:, -1],
            [np.sum(kept.time[kept.channel == c] <= times[2]) for c in range(len(runs.channels))],
        )
    energy = np.array([runs.replay(i).energy for i in range(40)])
    np.testing.assert_allclose(energy.mean(axis=0), runs.energy, atol=1e-6)


def test_earlier_times_do_not_change_the_clicks():
    # So many times that the trajectories are drawn in several blocks.
    options = dict(ntraj=300, seed=13, keep_clicks=True)
    many = tb.mcsolve(LONG, np.linspace(0, LONG.duration, 101), **options)
    few = tb.mcsolve(LONG, [LONG.duration], **options)
    np.testing.assert_array_equal(many.clicks.time, few.clicks.time)
    np.testing.assert_allclose(many.energy[-1], few.energy[0], rtol=1e-10)


@pytest.mark.slow
@pytest.mark.parametrize("protocol", [CYCLE, LONG], ids=["cycle", "long"])
def test_workers_do_not_change_a_bit(protocol):
    times = [0.1, 0.3, 0.44]
    arguments = dict(ntraj=5000, seed=14, rtol=1e-4)  # more than one chunk
    one, two = (tb.mcsolve(protocol, times, threads=n, **arguments) for n in (1, 2))
    for name in ("energy", "energy_variance", "dipole", "counts", "final_counts"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))
    np.testing.assert_array_equal(one.moments.comoment, two.moments.comoment)
    other = tb.mcsolve(protocol, times, **{**arguments, "seed": 15})
    assert not np.array_equal(one.energy, other.energy)


@pytest.mark.parametrize("protocol", [CYCLE, LONG], ids=["cycle", "long"])
def test_more_trajectories_do_not_change_the_first_ones(protocol):
    few, many = (tb.mcsolve(protocol, [0.4], ntraj=n, seed=20) for n in (50, 80))
    np.testing.assert_array_equal(few.final_counts, many.final_counts[:50])


@pytest.mark.slow
def test_workers_do_not_change_the_coherent_energy():
    one, two = (tb.mcsolve(CYCLE, [0.4], 5000, seed=14, threads=n) for n in (1, 2))
    np.testing.assert_array_equal(one.coherent_energy, two.coherent_energy)
    np.testing.assert_array_equal(one.coherent_energy_sem, two.coherent_energy_sem)


def test_a_protocol_travels_to_other_processes():
    copy = pickle.loads(pickle.dumps(LONG))
    assert copy == LONG
    one, other = (tb.mcsolve(p, [0.2, 0.4], ntraj=20, seed=16) for p in (LONG, copy))
    np.testing.assert_array_equal(one.energy, other.energy)


def test_results_of_different_protocols_cannot_be_compared():
    runs = tb.mcsolve(CYCLE, [0.4], ntraj=20, seed=1)
    for other in (LONG, STRONG.charge()):
        with pytest.raises(ValueError, match="`exact` must solve the same model"):
            tb.compare(runs, tb.mesolve(other, [0.4]))
