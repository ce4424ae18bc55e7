"""Memory stays flat."""

import os
import subprocess
import sys

import pytest

import trajbatt as tb


def test_memory_does_not_grow_with_the_clicks_of_a_chunk():
    # 4096 trajectories of some 20 000 clicks would take 700 MB at once.
    import tracemalloc

    model = tb.Battery(1, 1.87, 10.0, gamma_plus=10.0).charge()
    tb.mcsolve(model, [1.0], ntraj=2, seed=1)
    tracemalloc.start()
    tb.mcsolve(model, [20_000.0], ntraj=200, seed=1, threads=1)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 60e6


MEMORY = """
import re, sys, trajbatt as tb
battery = tb.Battery(20, 1.87, 200.0, gamma_plus=10.0)
ntraj, store = int(sys.argv[1]), sys.argv[2] or None
keep = sys.argv[3] == "keep"
tb.mcsolve(battery.charge(), [battery.charging_time], ntraj, seed=1, keep_clicks=keep, store=store)
# Not ru_maxrss, which remembers the process before exec.
print(int(re.search(r"VmHWM:\\s*(\\d+)", open("/proc/self/status").read())[1]) // 1024)
"""


@pytest.mark.slow
@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="needs Linux")
def test_memory_stays_flat(tmp_path):
    def megabytes(ntraj, store, keep):
        done = subprocess.run(
            [sys.executable, "-c", MEMORY, str(ntraj), str(store), keep],
            capture_output=True,
            text=True,
            check=True,
        )
        return int(done.stdout)

    assert megabytes(1_000_000, "", "none") < 500
    # 200 MB of clicks go to disk; without a store they are in memory.
    spilled = megabytes(400_000, tmp_path, "keep")
    assert megabytes(400_000, "", "keep") > spilled + 100
