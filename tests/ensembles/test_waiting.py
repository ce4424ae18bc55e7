"""Nobody waits: not for chunks that will not be needed, and not after Ctrl-C."""

import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from oracle.runs import solve

import trajbatt as tb
from trajbatt.ensembles import chunks, executors

MANY = 10**12


@pytest.mark.parametrize("where", ["memory", "store"])
def test_a_cap_costs_nothing(tmp_path, where):
    start = time.perf_counter()
    store = tmp_path if where == "store" else None
    capped = solve(MANY, target={"energy": 1.0}, store=store)
    assert capped.ended == "target"
    assert everything_like(capped, solve(10**4, target={"energy": 1.0}))
    assert time.perf_counter() - start < 20


def everything_like(one, other):
    return one.ntraj == other.ntraj and one.energy.tolist() == other.energy.tolist()


def asleep(seconds, chunk, size):
    time.sleep(seconds)
    return chunk


@pytest.mark.parametrize("threads", [1, 2])
def test_ctrl_c_does_not_wait_for_running_pieces(threads):
    pieces = ((i, (5.0, i, 0)) for i in range(MANY))
    timer = threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        list(executors.finished(asleep, pieces, threads=threads))
    took = time.perf_counter()
    timer.join()
    start = time.perf_counter()
    assert start - took < 0.3


def test_what_nobody_wants_stops_between_blocks(monkeypatch):
    begun = []

    def slow(plan, rng, n):
        begun.append(n)
        time.sleep(0.02)
        if len(begun) == 2:
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(chunks, "_run_block", slow)
    monkeypatch.setattr(chunks, "BLOCK_CLICKS", 1)
    monkeypatch.setattr("trajbatt.ensembles.tally.Total.add", lambda *_: None)
    with pytest.raises(KeyboardInterrupt):
        solve(threads=2)
    time.sleep(0.1)
    n = len(begun)
    time.sleep(0.2)
    assert len(begun) == n


SCRIPT = """
import time, numpy as np, trajbatt as tb
model = tb.Battery(1, 1.87, 10.0, gamma_plus=10.0).charge()
tb.mcsolve(model, [1.0], ntraj=2, seed=1)
print("ready", flush=True)
try:
    tb.mcsolve(model, [1e7], ntraj=10**6, seed=1, threads=2)  # a block takes seconds
except KeyboardInterrupt:
    print(time.time(), flush=True)
"""


@pytest.mark.slow
def test_ctrl_c_ends_a_run_whose_blocks_are_long():
    child = subprocess.Popen(
        [sys.executable, "-c", SCRIPT], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert child.stdout.readline() == "ready\n"
    time.sleep(1.0)
    sent = time.time()
    child.send_signal(signal.SIGINT)
    shown, errors = child.communicate(timeout=60)
    ended = time.time()
    assert float(shown) - sent < 0.5
    assert ended - sent < 2.0
    assert not errors


def test_many_times_cost_what_few_cost_for_each(tmp_path):
    model = tb.Battery(3, 1.87, 10.0, gamma_plus=10.0).charge()
    blocks = []
    for times in (10, 10**5):
        plan = tb.ensembles.plan.Plan.of(
            model,
            None,
            np.linspace(0.0, 1.0, times),
            seed=1,
            method="ladder",
            rtol=1e-6,
            keep_clicks=False,
        )
        blocks.append([n for _, n in chunks.blocks(plan, 0, 64)])
    assert max(map(len, blocks)) <= 8
