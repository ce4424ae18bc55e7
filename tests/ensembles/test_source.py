"""What is simulated again works where the run worked."""

import pickle
import threading
from concurrent.futures import Executor, Future, ThreadPoolExecutor

import numpy as np
import pytest

import trajbatt as tb

BATTERY = tb.Battery(10, 1.87, 100.0, gamma_plus=10.0)
MODEL = BATTERY.discharge()
TIMES = np.linspace(0.0, 0.2, 5)


class Counting(Executor):
    """Does the work at once, and counts the pieces."""

    def __init__(self):
        self.pieces = 0

    def submit(self, function, *arguments, **options):
        self.pieces += 1
        future = Future()
        future.set_result(function(*arguments, **options))
        return future


def test_coherent_energy_runs_on_the_executor_of_the_run():
    executor = Counting()
    runs = tb.mcsolve(MODEL, TIMES, 100, seed=1, executor=executor)
    before, threads = executor.pieces, threading.active_count()
    energy = runs.coherent_energy
    # Once for the mean dipole, once for the error.
    assert executor.pieces == before + 2
    assert threading.active_count() == threads
    local = tb.mcsolve(MODEL, TIMES, 100, seed=1, threads=1)
    np.testing.assert_array_equal(energy, local.coherent_energy)
    np.testing.assert_array_equal(runs.coherent_energy_sem, local.coherent_energy_sem)


def test_clicks_are_drawn_again_on_the_executor_of_the_run():
    executor = Counting()
    runs = tb.mcsolve(MODEL, TIMES, 100, seed=1, executor=executor)
    before = executor.pieces
    drawn = runs.draw_clicks()
    assert executor.pieces == before + 1
    kept = tb.mcsolve(MODEL, TIMES, 100, seed=1, keep_clicks=True)
    np.testing.assert_array_equal(drawn.time, kept.clicks.time)


def test_results_outlive_their_executor():
    with ThreadPoolExecutor(2) as pool:
        runs = tb.mcsolve(MODEL, TIMES, 100, seed=1, executor=pool)
    with pytest.warns(RuntimeWarning, match="the executor is broken .it is shut down.; threads"):
        energy = runs.coherent_energy
    local = tb.mcsolve(MODEL, TIMES, 100, seed=1)
    np.testing.assert_array_equal(energy, local.coherent_energy)


def test_added_results_work_each_where_it_worked():
    executors = Counting(), Counting()
    one, other = (
        tb.mcsolve(MODEL, TIMES, 50, seed=seed, executor=executor)
        for seed, executor in enumerate(executors)
    )
    both = one + other
    assert both.seed == (0, 1)
    before = [executor.pieces for executor in executors]
    assert np.all(both.coherent_energy_sem[1:] > 0)
    assert [e.pieces - b for e, b in zip(executors, before, strict=True)] == [2, 2]


def test_results_travel_without_their_executor():
    with ThreadPoolExecutor(1) as pool:
        runs = tb.mcsolve(MODEL, TIMES, 20, seed=1, executor=pool)
        there = pickle.loads(pickle.dumps(runs))
    np.testing.assert_array_equal(there.energy, runs.energy)
    np.testing.assert_array_equal(there.replay(3).energy, runs.replay(3).energy)
    assert there.sources[0].executor is None
