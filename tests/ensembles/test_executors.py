"""The same bits from threads, processes, Dask and MPI; and what happens when workers die."""

import multiprocessing
import os
import shutil
import subprocess
import sys
import threading
import time
from concurrent.futures import Future, ProcessPoolExecutor

import numpy as np
import pytest
from oracle.deadly import die_once
from oracle.runs import CHUNK, MODEL, TIMES, everything

import trajbatt as tb
from trajbatt.ensembles import chunks, executors
from trajbatt.ensembles.plan import Plan
from trajbatt.states.mixture import Mixture

NTRAJ = 6 * CHUNK + 10

IN_A_SCRIPT = """
import hashlib, sys
import numpy as np
import trajbatt as tb

def digest(runs):
    arrays = [runs.moments.mean, runs.moments.comoment, runs.checkpoints.comoment,
              runs.final_counts, runs.clicks.time, runs.clicks.channel]
    return hashlib.sha256(b"".join(array.tobytes() for array in arrays)).hexdigest()

def solve(executor):
    model = tb.Battery(200, 1.87, 2000.0, gamma_plus=10.0).charge()
    return tb.mcsolve(model, np.linspace(0, 0.02, 5), int(sys.argv[1]), seed=7, keep_clicks=True,
                      executor=executor)
"""
WITH_MPI = (
    IN_A_SCRIPT
    + """
if __name__ == "__main__":
    from mpi4py.futures import MPIPoolExecutor
    with MPIPoolExecutor() as executor:
        print(executor.num_workers, digest(solve(executor)))
"""
)
WITHOUT = IN_A_SCRIPT + "\nprint(digest(solve(None)))\n"


def solve(**options):
    return tb.mcsolve(MODEL, TIMES, NTRAJ, seed=7, keep_clicks=True, **options)


@pytest.fixture(scope="module")
def reference():
    return everything(solve(threads=1))


class Backwards:
    """An executor whose last piece is finished first."""

    def __init__(self):
        self.waiting = []

    def submit(self, function, *arguments):
        future = Future()
        future.set_running_or_notify_cancel()
        self.waiting.append((future, function, arguments))
        if len(self.waiting) == NTRAJ // CHUNK + 1:
            for future, function, arguments in reversed(self.waiting):
                future.set_result(function(*arguments))
        return self.waiting[-1][0] if future is not self.waiting[-1][0] else future


def test_two_threads(reference):
    assert everything(solve(threads=2)) == reference


def test_any_order_of_completion(reference, tmp_path):
    assert everything(solve(executor=Backwards())) == reference
    assert everything(solve(executor=Backwards(), store=tmp_path)) == reference


@pytest.mark.parametrize("method", [pytest.param("spawn", marks=pytest.mark.slow), "fork"])
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_processes(method, reference):
    context = multiprocessing.get_context(method)
    with ProcessPoolExecutor(2, mp_context=context) as executor:
        assert everything(solve(executor=executor)) == reference


class Deadly:
    """An executor whose worker is killed in the middle of the third chunk."""

    def __init__(self, executor, path):
        self.executor, self.path = executor, str(path)

    def submit(self, function, *arguments):
        if arguments[-2] == 2:
            return self.executor.submit(die_once, self.path, function, *arguments)
        return self.executor.submit(function, *arguments)


@pytest.mark.slow
def test_a_killed_process_does_not_lose_the_run(reference, tmp_path):
    context = multiprocessing.get_context("spawn")
    with (
        ProcessPoolExecutor(2, mp_context=context) as executor,
        pytest.warns(RuntimeWarning, match="the executor is broken .*; threads in this process"),
    ):
        runs = solve(executor=Deadly(executor, tmp_path / "died"), store=tmp_path / "run")
    assert (tmp_path / "died").exists()
    assert everything(runs) == reference
    assert everything(tb.load(tmp_path / "run")) == reference


class Failing:
    """An executor on which one piece fails some times."""

    def __init__(self, failures):
        self.failures = failures
        self.attempts = 0

    def submit(self, function, *arguments):
        future = Future()
        future.set_running_or_notify_cancel()
        if arguments[-2] == 3 and self.attempts < self.failures:
            self.attempts += 1
            future.set_exception(OSError("the network is down"))
        else:
            future.set_result(function(*arguments))
        return future


def test_a_chunk_that_fails_is_tried_again(reference):
    executor = Failing(executors.ATTEMPTS - 1)
    assert everything(solve(executor=executor)) == reference
    assert executor.attempts == executors.ATTEMPTS - 1


def test_a_chunk_that_keeps_failing_ends_the_run_and_the_rest_is_kept(tmp_path):
    with pytest.raises(
        RuntimeError, match=r"chunk 3 failed 3 times: OSError\('the network is down'\)"
    ):
        solve(executor=Failing(99), store=tmp_path)
    assert tb.load(tmp_path).ntraj == 3 * CHUNK


def test_ctrl_c_keeps_what_is_finished():
    def interrupt(done, _):
        if done == 2 * CHUNK:
            raise KeyboardInterrupt

    with pytest.warns(RuntimeWarning, match=f"interrupted; the result holds the {2 * CHUNK} of"):
        runs = solve(threads=2, progress=interrupt)
    assert runs.ended == "interrupted"
    shorter = tb.mcsolve(MODEL, TIMES, 2 * CHUNK, seed=7, keep_clicks=True)
    assert everything(runs) == everything(shorter)


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_dask(reference, tmp_path):
    distributed = pytest.importorskip("distributed")
    dask = pytest.importorskip("dask")
    with (
        dask.config.set({"distributed.deploy.lost-worker-timeout": "300s"}),
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        assert everything(solve(executor=client.get_executor())) == reference
        # A worker that dies in the middle of a chunk.
        deadly = Deadly(client.get_executor(), tmp_path / "died")
        assert everything(solve(executor=deadly)) == reference
        assert (tmp_path / "died").exists()


@pytest.mark.slow
def test_mpi(tmp_path):
    pytest.importorskip("mpi4py")
    beside = os.path.join(os.path.dirname(sys.executable), "mpiexec")
    mpiexec = beside if os.path.exists(beside) else shutil.which("mpiexec")
    if mpiexec is None:
        pytest.skip("there is no mpiexec")
    (tmp_path / "mpi.py").write_text(WITH_MPI)
    (tmp_path / "alone.py").write_text(WITHOUT)
    command = [sys.executable, "-m", "mpi4py.futures", str(tmp_path / "mpi.py"), str(NTRAJ)]
    shown = subprocess.run(
        [mpiexec, "-n", "3", *command], capture_output=True, text=True, timeout=120, check=True
    ).stdout.split()
    alone = subprocess.run(
        [sys.executable, str(tmp_path / "alone.py"), str(NTRAJ)],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert shown == ["2", *alone]


def wait_for(seconds, plan, chunk, size):
    time.sleep(seconds)
    return chunk


def test_overhead_of_a_chunk_in_process():
    n = 200
    start = time.perf_counter()
    pieces = {i: (0.0, None, i, 0) for i in range(n)}
    assert list(executors.ordered(wait_for, pieces, threads=2)) == list(range(n))
    assert (time.perf_counter() - start) / n < 2e-3


PLAN = Plan(MODEL, Mixture.of_kets([1.0], np.eye(1, 201)), TIMES, 1, "ladder", 1e-6, False)


def busy(repeats, chunk, size):
    """Work for about a tenth of a second."""
    for _ in range(repeats):
        chunks.run_chunk(PLAN, chunk, size)
    return chunk


@pytest.mark.slow
def test_dispatch_is_as_parallel_as_bare_threads():
    busy(1, 0, CHUNK)
    start = time.perf_counter()
    busy(4, 0, CHUNK)
    repeats = max(1, round(4 * 0.1 / (time.perf_counter() - start)))
    pieces = {i: (repeats, i, CHUNK) for i in range(8)}

    def bare(first):
        for i in range(first, 8, 2):
            busy(*pieces[i])

    def seconds_bare():
        start = time.perf_counter()
        threads = [threading.Thread(target=bare, args=(first,)) for first in (0, 1)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return time.perf_counter() - start

    def seconds():
        start = time.perf_counter()
        list(executors.ordered(busy, pieces, threads=2))
        return time.perf_counter() - start

    # In turn, since other programs may take a core at any time; the best of some counts.
    assert max(seconds_bare() / seconds() for _ in range(5)) > 0.8
