"""Products of matrices take one thread while chunks are at work, and as many as before after."""

import multiprocessing
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import pytest
from threadpoolctl import ThreadpoolController

import trajbatt as tb
from trajbatt.ensembles import chunks
from trajbatt.ensembles.blas import one_blas_thread


@pytest.fixture(autouse=True)
def two_threads():
    with ThreadpoolController().limit(limits=2, user_api="blas"):
        yield


def threads():
    known = ThreadpoolController().info()
    return max(one["num_threads"] for one in known if one["user_api"] == "blas")


def test_as_many_as_before_after_it():
    assert threads() == 2
    with one_blas_thread():
        assert threads() == 1
        with one_blas_thread():
            assert threads() == 1
        assert threads() == 1
    assert threads() == 2
    with pytest.raises(KeyError), one_blas_thread():
        raise KeyError
    assert threads() == 2


@pytest.mark.parametrize("workers", [1, 3])
def test_chunks_take_one(workers, monkeypatch):
    seen, run = [], chunks._run_block

    def spied(*arguments):
        seen.append(threads())
        return run(*arguments)

    monkeypatch.setattr(chunks, "_run_block", spied)
    model = tb.Battery(200, 1.87, 4000.0).charge()  # of 256 trajectories a chunk
    tb.mcsolve(model, [1e-3], 1500, seed=1, threads=workers)
    assert len(seen) > 5
    assert np.all(np.array(seen) == 1)
    assert threads() == 2


def test_a_process_takes_one():
    model = tb.Battery(4, 1.87, 40.0).charge()
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        (found,) = pool.map(_threads_in_a_chunk, [tb.mcsolve(model, [0.1], 10, seed=1).plan])
    assert found == 1


def _threads_in_a_chunk(plan):
    seen = []
    chunks._run_block, run = lambda *a: seen.append(threads()) or run(*a), chunks._run_block
    chunks.run_chunk(plan, 0, 5)
    return max(seen)
