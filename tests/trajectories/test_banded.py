"""The engine for models whose jumps mix neighbours: `method="banded"`."""

import dataclasses

import numpy as np
import pytest
from oracle import dense, references
from oracle.runs import plan_of
from oracle.scripted import Scripted

import trajbatt as tb
from trajbatt.kernels import banded
from trajbatt.states.initial import prepare
from trajbatt.trajectories import engine as engine_module
from trajbatt.trajectories.banded import BandedEngine
from trajbatt.trajectories.ladder import LadderEngine
from trajbatt.trajectories.records import COUNTS, ROW, Records

EIGHT = tb.Battery(8, 1.87, 60.0, gamma_0=1.3, gamma_plus=10.0)
DRIVEN = tb.Battery(6, 1.2, 20.0)

INITIAL = {
    "ground": tb.ground_state(8),
    "excited": tb.excited_state(8),
    "coherent": tb.coherent_state(8, 1.1, 0.8),
    "ket": dense.random_states(8)[0],
    "mixed": dense.random_states(8)[1],
}


@pytest.mark.parametrize("initial", INITIAL)
@pytest.mark.parametrize("stage", ["charge", "discharge", "store"])
def test_reads_the_same_state_off_a_record_as_the_ladder_engine(stage, initial):
    model = getattr(EIGHT, stage)()
    mixture = prepare(model, INITIAL[initial])
    times = np.array([0.0, 0.01, 0.05, 0.2, 0.6])
    ladder = LadderEngine(model, mixture)
    records = ladder.sample(np.random.default_rng(5), 12, times[-1])
    exact = ladder.observe(records, times, want_kets=True)
    got = BandedEngine(model, mixture, rtol=1e-12).observe(records, times, want_kets=True)
    np.testing.assert_allclose(got.samples, exact.samples, atol=1e-10)
    overlaps = np.abs(np.einsum("ik,ik->i", got.kets.conj(), exact.kets))
    np.testing.assert_allclose(overlaps, 1.0, atol=1e-12)


@pytest.mark.parametrize("stage", ["charge", "discharge"])
def test_another_model_reads_another_state_off_the_same_record(stage):
    # The negative control of the test above: one rate 1 % off.
    times = np.array([0.05, 0.1])
    model = getattr(EIGHT, stage)()
    mixture = prepare(model, INITIAL["coherent"])
    records = LadderEngine(model, mixture).sample(np.random.default_rng(6), 10, times[-1])
    right = LadderEngine(model, mixture).observe(records, times).samples
    off = getattr(dataclasses.replace(EIGHT, gamma_0=1.3 * 1.01), stage)()
    wrong = BandedEngine(off, mixture, rtol=1e-12).observe(records, times).samples
    assert np.abs(right - wrong).max(axis=(1, 2)).min() > 1e-6


def is_pure(case):
    return case["efficiency"] == 1.0 and case["model"] in ("eq7", "eq5", "dis_coherent")


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, id=f"{case['model']}-N{case['N']}-{len(case['clicks'])}-clicks")
        for case in references.load()["records"]
        if is_pure(case)
    ],
)
def test_conditional_states_of_given_records(case):
    model, initial = references.of_record(case)
    names = {"dis": "all"}
    channels = [names.get(name, name) for _, name in case["clicks"]]
    records = Records(
        origin=np.array([0]),
        hidden=np.array([-1]),
        offsets=np.array([0, len(channels)]),
        time=np.array([t for t, _ in case["clicks"]], dtype=float),
        channel=np.array([model.channel_names.index(c) for c in channels], dtype=np.int8),
    )
    times = np.array([known["t"] for known in case["cond"]])

    def read(model):
        engine = BandedEngine(model, prepare(model, initial), rtol=1e-12)
        return engine.observe(records, times).samples[0]

    expected = [[c["E"] - case["N"] / 2, c["varE"], c["Jp"][0], c["Jp"][1]] for c in case["cond"]]
    rows = read(model)[[ROW["jz"], 2, 3, 4]].T
    np.testing.assert_allclose(rows, expected, atol=2e-10)
    if case["model"] == "eq5":  # negative control
        off = read(dataclasses.replace(model, rate=1.01 * model.rate))[[ROW["jz"], 2, 3, 4]].T
        assert np.abs(off - expected).max() > 1e-4


DENSE_CASES = [
    (tb.Battery(3, 1.2, 6.0), "charge5"),
    (tb.Battery(4, np.pi / 2, 3.0, 0.5, 0.5, 0.5), "charge5"),
    (tb.Battery(6, 2.2, 40.0), "charge5"),
    (tb.Battery(5, 1.87, 15.0, gamma_0=1.3, gamma_plus=4.0), "charge7"),
]

DENSE_TIMES = np.array([0.0, 0.013, 0.2, 0.5, 1.1, 1.5])


def dense_case(battery, kind):
    """Return the model of a case, its dense twin and a complex initial ket."""
    start = tb.coherent_state(battery.n_atoms, 2.0, 0.9)
    if kind == "charge5":
        return battery.charge(secular=False), dense.driving(battery, np.inf), start
    return battery.charge(), dense.charging(battery, np.inf), start


@pytest.mark.parametrize(("battery", "kind"), DENSE_CASES, ids=str)
def test_conditional_states_against_matrix_exponentials(battery, kind):
    model, stage, start = dense_case(battery, kind)
    plan = plan_of(model, DENSE_TIMES, start, rtol=1e-11)
    records, seen = plan.engine.run(plan.generator(0), 5, plan.times)
    assert np.diff(records.offsets).min() > 1
    for i in range(5):
        record, twin = records.one(i), dense.Trajectory(stage, start)
        clicks = [*zip(record.time, record.channel, strict=True), (np.inf, None)]
        counts = np.zeros(len(model.channel_names))
        for j, time in enumerate(DENSE_TIMES):
            while clicks[0][0] <= time:
                at, channel = clicks.pop(0)
                twin.wait_until(at)
                twin.click(channel)
                counts[channel] += 1
            twin.wait_until(time)
            np.testing.assert_allclose(seen.samples[i, :COUNTS, j], twin.sample(), atol=1e-8)
            np.testing.assert_array_equal(seen.samples[i, COUNTS:, j], counts)


@pytest.mark.parametrize(("battery", "kind"), DENSE_CASES, ids=str)
def test_clicks_come_when_the_norm_has_fallen_to_the_draw(battery, kind):
    model, stage, start = dense_case(battery, kind)
    plan = plan_of(model, DENSE_TIMES, start, rtol=1e-11)
    records = plan.engine.sample(plan.generator(0), 5, 1.5)
    rng = plan.generator(0)  # the same stream again
    for i in range(5):
        record, twin = records.one(i), dense.Trajectory(stage, start)
        rng.random()  # the pure state of the mixture
        draw = rng.standard_exponential()
        for time, channel in zip(record.time, record.channel, strict=True):
            assert twin.wait_until(time) == pytest.approx(draw, rel=1e-9, abs=1e-9)
            if len(model.channel_names) > 1:
                rates = twin.rates()
                assert channel == np.searchsorted(np.cumsum(rates), rng.random() * rates.sum())
            twin.click(channel)
            draw = rng.standard_exponential()
        assert twin.wait_until(1.5) < draw


@pytest.fixture
def plain(monkeypatch):
    """Make the kernel's main loop plain Python, to which scripted draws can be given."""
    for name in ("run", "draw_channel"):
        kernel = getattr(banded, name)
        monkeypatch.setattr(banded, name, getattr(kernel, "py_func", kernel))


def test_waiting_times_follow_the_script(plain):
    # From the inverted state at Omega_P = 0 each photon takes one quantum, at known rates.
    model = tb.Battery(4, 0.0, 0.0).charge(secular=False)
    engine = BandedEngine(model, prepare(model, tb.excited_state(4)), rtol=1e-10)
    draws = np.array([0.7, 1e-12, 0.0, 25.0])
    rng = Scripted([0.5], [*draws, 1e300])
    records, seen = engine.run(rng, 1, np.array([1e3]))
    assert rng.used_up  # with one channel, nothing is drawn for it
    k = np.arange(4, 0, -1)
    np.testing.assert_allclose(records.time, np.cumsum(draws / (k * (5 - k))), rtol=1e-14)
    assert seen.samples[0, ROW["jz"], 0] == -2.0


def test_a_dark_state_waits_for_ever(plain):
    # Theta = 0: the drive only precesses, and the ground state is dark.
    model = tb.Battery(4, 0.0, 3.0).charge(secular=False)
    engine = BandedEngine(model, prepare(model, None))
    rng = Scripted([0.5], [1e-9])
    records, _ = engine.run(rng, 1, np.array([1e6]))
    assert rng.used_up
    assert records.time.size == 0


def test_plain_python_and_compiled_kernels_draw_the_same(plain, monkeypatch):
    def run():
        plan = plan_of(DRIVEN.charge(secular=False), [0.3, 1.0], rtol=1e-8)
        return plan.engine.run(plan.generator(0), 3, plan.times)

    records, seen = run()
    monkeypatch.undo()
    compiled_records, compiled_seen = run()
    assert records.time.size > 10
    np.testing.assert_allclose(records.time, compiled_records.time, rtol=1e-11)
    np.testing.assert_allclose(seen.samples, compiled_seen.samples, atol=1e-9)


BOTH_MODELS = pytest.mark.parametrize(
    "model", [DRIVEN.charge(secular=False), EIGHT.charge()], ids=["eq5", "eq7"]
)


@BOTH_MODELS
def test_nothing_depends_on_the_size_of_the_buffers(model, monkeypatch):
    plan = plan_of(model, [0.2, 0.5])
    records, seen = plan.engine.run(plan.generator(0), 30, plan.times)
    monkeypatch.setattr(engine_module, "MOST_CLICKS", -63)  # one slot to begin with
    cramped_records, cramped_seen = plan.engine.run(plan.generator(0), 30, plan.times)
    assert records.time.size > 64
    for a, b in zip(records, cramped_records, strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(seen.samples, cramped_seen.samples)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_the_first_photon_from_the_dark(plain, share):
    # The ground state is dark, so the first coefficient of its series vanishes: the second one,
    # however small, does not say that all the others are. By t comes a photon with the probability
    # gamma (N Omega_R)^2 t^3/12, to lowest order, as <J_+ J_-> = (N Omega_R t/2)^2.
    battery, end = tb.Battery(4, 1.2, 30.0), 1e-4
    model = battery.charge(secular=False)
    probability = (battery.n_atoms * battery.rabi) ** 2 * end**3 / 12
    rng = Scripted([0.5], [share * probability, 1.0])
    records, _ = BandedEngine(model, prepare(model, None)).run(rng, 1, np.array([end]))
    assert records.time == pytest.approx([share ** (1 / 3) * end], rel=0.01)
