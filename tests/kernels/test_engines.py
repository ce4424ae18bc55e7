"""The kernels of ladder and textbook, behind their engines."""

import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

import trajbatt as tb
from trajbatt.ensembles.plan import Plan
from trajbatt.states.initial import prepare
from trajbatt.trajectories import engine as engine_module
from trajbatt.trajectories.ladder import LadderEngine
from trajbatt.trajectories.mcwf import WavefunctionEngine
from trajbatt.trajectories.methods import ENGINES

BATTERY = tb.Battery(6, 1.87, 60.0, gamma_plus=10.0)

RECORDS = """
import hashlib, numpy as np, trajbatt as tb
from trajbatt.ensembles.plan import Plan
from trajbatt.states.initial import prepare
battery = tb.Battery(6, 1.87, 60.0, gamma_plus=10.0)
for method in ("ladder", "mcwf"):
    model = battery.charge()
    plan = Plan(model, prepare(model, None), np.array([0.5]), 7, method, 1e-6, True)
    records = plan.engine.sample(plan.generator(3), 20, 0.5)
    arrays = (records.origin, records.hidden, records.offsets, records.time, records.channel)
    print(hashlib.sha256(b"".join(array.tobytes() for array in arrays)).hexdigest())
"""


@pytest.mark.slow
def test_records_are_the_same_with_the_jit_on_and_off():
    outputs = [
        subprocess.run(
            [sys.executable, "-c", RECORDS],
            env={**os.environ, "NUMBA_DISABLE_JIT": switch},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()
        for switch in ("0", "1")
    ]
    assert len(outputs[0]) == 2
    assert outputs[0] == outputs[1]
    assert outputs[0][0] != outputs[0][1]


@pytest.mark.parametrize("method", [one for one in ENGINES if one != "diffusive"])
def test_draws_do_not_depend_on_the_size_of_the_buffers(method, monkeypatch):
    model = BATTERY.charge()
    if method == "frame":  # of the driven Eq. (5) alone
        model = tb.Battery(6, 1.87, 60.0, 5.0, 5.0, 5.0).charge(secular=False)
    plan = Plan(model, prepare(model, None), np.array([0.5]), 7, method, 1e-6, True)
    roomy = plan.engine.sample(plan.generator(0), 30, 0.5)
    monkeypatch.setattr(engine_module, "MOST_CLICKS", -63)  # one slot to begin with
    cramped = plan.engine.sample(plan.generator(0), 30, 0.5)
    assert roomy.time.size > 64
    for field in ("origin", "hidden", "offsets", "time", "channel"):
        np.testing.assert_array_equal(getattr(roomy, field), getattr(cramped, field))


@pytest.mark.parametrize(
    ("battery", "initial"),
    [
        (BATTERY, None),
        (BATTERY, tb.coherent_state(6, 0.9, 2.0)),
        (tb.Battery(1, 1.2, 3.0, gamma_0=0.3), None),
        (tb.Battery(7, 0.0, 3.0), tb.excited_state(7)),
        (tb.Battery(7, 1.3, 3.0, gamma_0=0.0, gamma_plus=0.0), None),
        (tb.Battery(40, 1.87, 400.0, gamma_plus=10.0), None),
        (tb.Battery(5, 2.0, 5.0, gamma_plus=3.0), np.diag([0.5, 0.2, 0.1, 0.1, 0.05, 0.05])),
    ],
    ids=str,
)
def test_both_engines_read_the_same_state_off_the_same_record(battery, initial):
    model = battery.charge()
    mixture = prepare(model, initial)
    times = np.array([0.0, 0.01, 0.1, 0.4, 1.5]) * 5 / battery.n_atoms
    ladder_engine, textbook = LadderEngine(model, mixture), WavefunctionEngine(model, mixture)
    records = ladder_engine.sample(np.random.default_rng(5), 10, times[-1])
    quick, dropped, *_ = ladder_engine.observe(records, times)
    slow = textbook.observe(records, times).samples
    scale = battery.n_atoms**2
    np.testing.assert_allclose(quick, slow, rtol=1e-10, atol=1e-12 * scale)
    assert dropped < 1e-14
    # Bookkeeping: clicks in order and in time, and counted.
    for i in range(10):
        record = records.one(i)
        assert np.all(np.diff(record.time) >= 0)
        assert np.all((record.time > 0) & (record.time <= times[-1]))
        counts = np.bincount(record.channel, minlength=3)
        np.testing.assert_array_equal(quick[i, 5:, -1], counts)
        levels = record.hidden[0] + np.cumsum(model.shifts[record.channel])
        assert np.all((levels >= 0) & (levels <= battery.n_atoms))


def test_another_model_reads_another_state_off_the_same_record():
    # The negative control of the test above: one rate 5 % off.
    times = np.array([0.02, 0.05])
    model = BATTERY.charge()
    off = replace(BATTERY, gamma_0=1.05).charge()
    mixture = prepare(model, None)
    records = LadderEngine(model, mixture).sample(np.random.default_rng(6), 10, times[-1])
    right = LadderEngine(model, mixture).observe(records, times).samples
    wrong = WavefunctionEngine(off, mixture).observe(records, times).samples
    assert np.abs(right - wrong).max(axis=(1, 2)).min() > 1e-6


def test_many_clicks_between_requested_times_do_not_overflow():
    # 2000 center clicks and more before the only requested time.
    model = tb.Battery(100, 1.87, 1000.0, gamma_plus=10.0).charge()
    mixture = prepare(model, None)
    engine = LadderEngine(model, mixture)
    records = engine.sample(np.random.default_rng(7), 2, 1.0)
    assert np.diff(records.offsets).min() > 2000
    once = engine.observe(records, np.array([1.0])).samples
    often = engine.observe(records, np.linspace(0, 1, 400)).samples
    np.testing.assert_allclose(once[..., 0], often[..., -1], rtol=1e-9, atol=1e-9)
