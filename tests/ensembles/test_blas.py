"""Products of matrices take one thread while chunks are at work, and as many as before after."""

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


def test_one_thread_while_any_lasts():
    assert threads() == 2
    first, second = one_blas_thread(), one_blas_thread()
    with first:
        assert threads() == 1
        second.__enter__()
    assert threads() == 1  # the second has not ended
    second.__exit__(None, None, None)
    assert threads() == 2


def test_an_error_restores_them():
    with pytest.raises(KeyError), one_blas_thread():
        raise KeyError
    assert threads() == 2


def test_chunks_take_one(monkeypatch):
    seen, run = [], chunks._run_block

    def spied(*arguments):
        seen.append(threads())
        return run(*arguments)

    monkeypatch.setattr(chunks, "_run_block", spied)
    battery = tb.Battery(4, 1.87, 40.0)
    tb.mcsolve(battery.ramp(0.3, theta=(1.0, 2.0), stages=3), [0.3], 100, seed=1)
    assert np.all(np.array(seen) == 1)
    assert threads() == 2
