"""The kernels of noise of single atoms: where jumps lead, and by what factors."""

import numpy as np
import pytest
from oracle.scripted import Scripted

import trajbatt as tb
from trajbatt.kernels import local_ladder as kernels
from trajbatt.numerics import spin_blocks
from trajbatt.states.initial import prepare
from trajbatt.trajectories.clock import Clock
from trajbatt.trajectories.engine import plain
from trajbatt.trajectories.local_ladder import LocalLadderEngine
from trajbatt.trajectories.records import Records

N = 7
STEPS = {kernels.SAME: 0, kernels.LOWER: -1, kernels.HIGHER: 1}
MODEL = tb.LocalLadderModel(
    "any",
    N,
    0.7,
    1.0,
    [
        tb.Channel("up", 1, 0.3),
        tb.Channel("one up", 1, 0.2, local=True),
        tb.Channel("one flat", 0, 0.4, local=True),
        tb.Channel("one down", -1, 0.5, local=True),
        tb.Channel("another down", -1, 0.25, local=True),
    ],
)


def engine():
    return LocalLadderEngine(MODEL, prepare(MODEL, None))


def levels():
    return [(u, n - u) for n in spin_blocks.lengths(N).tolist() for u in range(n + 1)]


@pytest.mark.parametrize("step", [kernels.DOWN, kernels.FLAT, kernels.UP])
def test_jumps_of_single_atoms_go_where_their_weights_say(step):
    for u, v in levels():
        m, known = (u - v) / 2, {}
        for where, change in STEPS.items():
            element = spin_blocks.elements(float(u), float(v), step - 1, change)
            known[where] = spin_blocks.weight(N, u + v, change) * element**2
        total = {kernels.DOWN: N / 2 + m, kernels.FLAT: N / 4, kernels.UP: N / 2 - m}[step]
        assert sum(known.values()) == pytest.approx(total, abs=1e-12)
        if total == 0.0:
            continue
        edges = np.cumsum([known[kernels.SAME], known[kernels.LOWER]]) / total
        for uniform in (edges[0] - 1e-9, edges[0] + 1e-9, edges[1] - 1e-9, edges[1] + 1e-9):
            if 0.0 <= uniform < 1.0:
                found = kernels.where_to(N, u, v, step, uniform)
                wanted = 0 if uniform < edges[0] else 1 if uniform < edges[1] else 2
                assert found == wanted or known[found] > 0.0 == known[wanted]
                after = kernels.moved(u, v, step, found)
                assert min(after) >= 0
                assert sum(after) <= N


@pytest.mark.parametrize("step", [kernels.DOWN, kernels.FLAT, kernels.UP])
@pytest.mark.parametrize("where", STEPS)
def test_factors_are_the_elements(step, where):
    factors = engine()._tables.factors
    for u, v in levels():
        first, at, second, there = kernels.stretches(u, v, step, where)
        for d in range(-u, v + 1):
            places = kernels.place_of(first, at, N, d), kernels.place_of(second, there, N, d)
            known = spin_blocks.elements(float(u + d), float(v - d), step - 1, STEPS[where])
            found = np.prod(factors[list(places)])
            assert abs(found) == pytest.approx(abs(known), abs=1e-12)


def test_a_scripted_record():
    one = engine()
    # Which branch is hidden, which channel, where J goes; and two waits.
    rng = Scripted(uniforms=[0.0, 0.999999, 0.0], exponentials=[0.1, 1e9])
    records = Records(
        origin=np.empty(1, dtype=np.int64),
        hidden=np.full(1, -1, dtype=np.int64),
        offsets=np.empty(2, dtype=np.int64),
        time=np.empty(8),
        channel=np.empty(8, dtype=np.int8),
        spin=np.empty(8, dtype=np.int32),
    )
    progress = kernels.Progress.fresh()
    sample = getattr(kernels.sample_clicks, "py_func", kernels.sample_clicks)
    clock = tuple(Clock.common(1, 5.0, len(MODEL.channel_names)))
    assert sample(rng, one._start, one._tables, clock, progress, plain(records))
    assert rng.used_up
    # From the lowest branch all local rates are those of u = 0: the last that has one is "one up".
    hidden = records.hidden[0]
    total = MODEL.jump_rates(N).sum(axis=0)[hidden]
    assert records.time[0] == pytest.approx(0.1 / total)
    assert records.offsets.tolist() == [0, 1]
    last = [c for c, rate in enumerate(MODEL.jump_rates(N)[:, hidden]) if rate > 0.0]
    assert MODEL.channel_names[records.channel[0]] == "one up"
    assert records.channel[0] in last
