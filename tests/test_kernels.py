"""Kernel by kernel. With NUMBA_DISABLE_JIT=1 the same tests run as plain Python."""

import math
import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats
from scipy.linalg import expm
from scripted import Scripted

import trajbatt as tb
from trajbatt.ensembles.plan import Plan
from trajbatt.kernels import branches, comoments, ladder, mcwf, uniformization
from trajbatt.numerics import spin
from trajbatt.states.initial import prepare
from trajbatt.trajectories import engine as engine_module
from trajbatt.trajectories.ladder import LadderEngine
from trajbatt.trajectories.mcwf import WavefunctionEngine
from trajbatt.trajectories.methods import ENGINES
from trajbatt.trajectories.records import Records

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


def python(function):
    """Return the plain Python function of a kernel, compiled or not."""
    return getattr(function, "py_func", function)


def sample_scripted(rng, t_end, initial=None, n=1, capacity=50, battery=BATTERY):
    """Run the ladder's sampling kernel in plain Python on scripted draws."""
    model = battery.charge()
    engine = LadderEngine(model, prepare(model, initial))
    records = Records(
        origin=np.zeros(n, dtype=np.int64),
        hidden=np.zeros(n, dtype=np.int64),
        offsets=np.zeros(n + 1, dtype=np.int64),
        time=np.zeros(capacity),
        channel=np.zeros(capacity, dtype=np.int8),
    )
    finished = python(ladder.sample_clicks)(
        rng,
        engine._start,
        engine._tables,
        t_end,
        ladder.Progress.fresh(),
        tuple(records),
    )
    assert finished
    clicks = slice(0, records.offsets[-1])
    return records._replace(time=records.time[clicks], channel=records.channel[clicks])


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


@pytest.mark.parametrize("method", ENGINES)
def test_draws_do_not_depend_on_the_size_of_the_buffers(method, monkeypatch):
    model = BATTERY.charge()
    plan = Plan(model, prepare(model, None), np.array([0.5]), 7, method, 1e-6, True)
    roomy = plan.engine.sample(plan.generator(0), 30, 0.5)
    monkeypatch.setattr(engine_module, "MOST_CLICKS", -63)  # one slot to begin with
    cramped = plan.engine.sample(plan.generator(0), 30, 0.5)
    assert roomy.time.size > 64
    for field in ("origin", "hidden", "offsets", "time", "channel"):
        np.testing.assert_array_equal(getattr(roomy, field), getattr(cramped, field))


def test_waiting_times_and_channels_follow_the_script():
    model = BATTERY.charge()
    rates = model.click_rates
    # A steady state is a mixture of dressed levels: x = inf starts in level 0.
    start = tb.SteadyState(6, 1.87, math.inf)
    rng = Scripted(uniforms=[0.0, 0.0, 1 - 1e-9], exponentials=[0.3, 0.2, 1e9])
    records = sample_scripted(rng, 10.0, initial=start)
    assert rng.used_up
    assert records.hidden.tolist() == [0]
    # Level 0 cannot go down; u = 0 takes the first channel that can click, red.
    assert [model.channel_names[c] for c in records.channel] == ["red", "blue"]
    first = 0.3 / rates[:, 0].sum()
    second = first + 0.2 / rates[:, 1].sum()
    np.testing.assert_allclose(records.time, [first, second], rtol=1e-15)


def test_an_empty_record_and_a_survival_of_exactly_one():
    records = sample_scripted(Scripted([0.5], [1e9]), 1.0)
    assert records.offsets.tolist() == [0, 0]
    assert records.time.size == 0
    # A draw of 0 clicks at once: two photons at the same time, in order.
    records = sample_scripted(Scripted([0.5, 0.5, 0.5], [0.0, 0.0, 1e9]), 1.0)
    assert records.time.tolist() == [0.0, 0.0]


def test_a_dark_state_asks_for_no_more_draws():
    # Without gamma_+ and gamma_0 the upper dressed state is dark: one red click, then nothing.
    battery = tb.Battery(1, 1.0, 1.0, gamma_0=0.0, gamma_plus=0.0)
    rng = Scripted([0.0, 0.5], [1.0])
    records = sample_scripted(rng, 1e300, battery=battery)
    assert rng.used_up
    assert records.hidden.tolist() == [0]
    assert records.channel.tolist() == [0]
    assert np.all(np.isfinite(records.time))


def test_a_channel_without_rate_is_never_drawn():
    battery = tb.Battery(6, 1.87, 60.0, gamma_0=0.0, gamma_plus=10.0)
    for u in (0.0, 0.5, 1 - 2**-53):
        records = sample_scripted(Scripted([0.5, u], [0.1, 1e9]), 1.0, battery=battery)
        assert records.channel[0] != 1


def test_damp_is_the_exponential_of_a_quadratic():
    rng = np.random.default_rng(1)
    for low, hidden, high, alpha, beta in (
        (0, 0, 0, 0.3, 0.1),
        (2, 5, 9, 0.7, 0.01),
        (3, 150, 399, -0.02, 2e-4),
        (3, 399, 399, 0.05, -1e-5),
        (2, 5, 9, 1.0, 900.0),
    ):
        before = rng.uniform(0.5, 1.5, 403)
        after = before.copy()
        ladder.damp(after, low, hidden, high, alpha, beta)
        d = np.arange(low, high + 1) - hidden
        expected = before[low : high + 1] / before[hidden] * np.exp(-(alpha * d + beta * d**2) / 2)
        np.testing.assert_allclose(after[low : high + 1], expected, rtol=1e-12)
        outside = np.r_[0:low, high + 1 : 403]
        np.testing.assert_array_equal(after[outside], before[outside])


def test_damp_makes_no_nan_of_dead_branches():
    # A long dark time, in which some branches died first.
    a = np.ones(10)
    a[:3] = 0.0
    ladder.damp(a, 0, 5, 5, -5700.0, -950.0)
    assert np.all(np.isfinite(a))
    assert np.all(a[:3] == 0.0)


@pytest.mark.parametrize("kind", [float, complex])
@pytest.mark.parametrize("theta", [0.0, 1.87])
@pytest.mark.parametrize("angle", [0.0, 1.1])
def test_moments_against_matrices(kind, theta, angle):
    n, hidden = 9, 4
    rng = np.random.default_rng(2)
    psi = rng.normal(size=n + 1).astype(kind)
    if kind is complex:
        psi += 1j * rng.normal(size=n + 1)
    raising = spin.raising_elements(n)
    j_z = np.diag(spin.magnetic_numbers(n))
    j_plus = np.exp(1j * angle) * np.diag(raising[:-1], -1)
    j_x, i_j_y = (j_plus + j_plus.conj().T) / 2, (j_plus - j_plus.conj().T) / 2
    cos, sin = np.cos(theta), np.sin(theta)
    bare_z = cos * j_z + sin * j_x
    bare_plus = cos * j_x - sin * j_z + i_j_y

    def expect(operator):
        return np.vdot(psi, operator @ psi) / np.vdot(psi, psi).real

    sums = ladder.moments(
        np.append(psi, [0, 0]), 0, hidden, n, np.pad(raising, ladder.PADDING), ladder.PADDING
    )
    mean, variance, real, imag = ladder.read_off(
        sums, hidden - n / 2, n / 2, cos, sin, np.cos(angle), np.sin(angle)
    )
    assert mean == pytest.approx(expect(bare_z).real, abs=1e-12)
    assert variance == pytest.approx(expect(bare_z @ bare_z).real - mean**2, abs=1e-12)
    assert complex(real, imag) == pytest.approx(expect(bare_plus), abs=1e-12)


def test_waiting_time_solves_the_survival_to_machine_precision():
    rng = np.random.default_rng(3)
    for _ in range(50):
        rates = rng.uniform(0.1, 50.0, 8)
        p = rng.dirichlet(np.full(8, 0.3))
        for action in (1e-12, 1e-3, 0.7, 5.0, 40.0):
            tau = np.longdouble(mcwf.waiting_time(p, rates, action, np.inf))
            weights = p.astype(np.longdouble) / p.astype(np.longdouble).sum()
            lost = -(weights * np.expm1(-rates * tau)).sum()
            left = (weights * np.exp(-rates * tau)).sum()
            flow = (weights * rates * np.exp(-rates * tau)).sum() / left
            logarithm = np.log1p(-lost) if lost < 0.5 else np.log(left)
            missing = logarithm + np.longdouble(action)
            assert abs(missing / (flow * tau)) < 2e-13


def test_waiting_time_at_the_corners():
    two = np.array([0.5, 0.5])
    assert mcwf.waiting_time(two, np.array([1.0, 2.0]), 0.0, np.inf) == 0.0
    assert math.isinf(mcwf.waiting_time(two, np.zeros(2), 1.0, np.inf))
    assert math.isinf(mcwf.waiting_time(two, np.zeros(2), 0.0, np.inf))
    # Half of the weight is dark: the survival never falls below 1/2.
    half_dark = np.array([0.0, 3.0])
    assert math.isinf(mcwf.waiting_time(two, half_dark, math.log(2) + 1e-9, np.inf))
    assert mcwf.waiting_time(two, half_dark, math.log(4 / 3), np.inf) == pytest.approx(
        math.log(2) / 3, rel=1e-14
    )
    assert math.isinf(mcwf.waiting_time(two, np.array([1.0, 2.0]), 5.0, 1.0))


def test_comoments_are_those_of_numpy():
    samples = np.random.default_rng(4).normal(size=(50, 3, 4))
    mean, comoment = np.empty((3, 4)), np.empty((3, 3, 4))
    third, fourth = np.empty((3, 4)), np.empty((3, 4))
    comoments.comoments(samples, mean, comoment, third, fourth, np.empty((3, 4)))
    deviation = samples - samples.mean(axis=0)
    np.testing.assert_allclose(third, (deviation**3).sum(axis=0), atol=1e-12)
    np.testing.assert_allclose(fourth, (deviation**4).sum(axis=0))
    np.testing.assert_allclose(mean, samples.mean(axis=0), atol=1e-14)
    for t in range(4):
        np.testing.assert_allclose(comoment[:, :, t] / 49, np.cov(samples[:, :, t].T), atol=1e-14)
    flat = samples.reshape(50, 12)
    mean, comoment = np.empty(12), np.empty((12, 12))
    comoments.cross_comoments(flat, mean, comoment, np.empty(12))
    np.testing.assert_allclose(comoment / 49, np.cov(flat.T), atol=1e-14)


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
    quick, dropped, _ = ladder_engine.observe(records, times)
    slow, _, _ = textbook.observe(records, times)
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
    right, _, _ = LadderEngine(model, mixture).observe(records, times)
    wrong, _, _ = WavefunctionEngine(off, mixture).observe(records, times)
    assert np.abs(right - wrong).max(axis=(1, 2)).min() > 1e-6


def test_many_clicks_between_requested_times_do_not_overflow():
    # 2000 center clicks and more before the only requested time.
    model = tb.Battery(100, 1.87, 1000.0, gamma_plus=10.0).charge()
    mixture = prepare(model, None)
    engine = LadderEngine(model, mixture)
    records = engine.sample(np.random.default_rng(7), 2, 1.0)
    assert np.diff(records.offsets).min() > 2000
    once, _, _ = engine.observe(records, np.array([1.0]))
    often, _, _ = engine.observe(records, np.linspace(0, 1, 400))
    np.testing.assert_allclose(once[..., 0], often[..., -1], rtol=1e-9, atol=1e-9)


SHIFTS = np.array([1, 0, -1])


def ladder_of(n, rates):
    """Return the jump elements (3, n+1) of J'_+, J'_z, J'_-, and R(m) as `branches.follow` eats."""
    raising = spin.raising_elements(n)
    elements = np.array([raising, spin.magnetic_numbers(n), raising[::-1]])
    up, flat, down = rates
    j = n / 2
    return elements, np.array([(up + down) * j * (j + 1), down - up, flat - up - down])


def branches_by_hand(elements, rates, amplitudes, clicks, end):
    """Return the amplitudes of all branches, without the rates of the clicks."""
    n = amplitudes.size
    a, at, now = amplitudes.astype(float), np.arange(n), 0.0
    total = rates @ elements**2
    for time, channel in [*clicks, (end, None)]:
        inside = (at >= 0) & (at < n)
        a[inside] *= np.exp(-0.5 * total[at[inside]] * (time - now))
        now = time
        if channel is not None:
            a[inside] *= elements[channel][at[inside]]
            at = at + SHIFTS[channel]
    return a, at


@pytest.mark.parametrize("n", [1, 6, 7])
@pytest.mark.parametrize("n_clicks", [0, 1, 31, 32, 33, 100])
def test_branches_go_on_by_one_factor_each(n, n_clicks):
    rates = np.array([0.3, 0.2, 0.5])
    elements, rate = ladder_of(n, rates)
    rng = np.random.default_rng(n_clicks)
    amplitudes = rng.uniform(0.5, 1.0, n + 1) * rng.choice([-1.0, 1.0], n + 1)
    time = np.sort(rng.uniform(0.0, 1.0, n_clicks))
    # Not higher than one level, so that most branches live on; the first are lost.
    channel = np.resize([0, 1, 2, 1] if n % 2 else [0, 2], n_clicks)
    expected, at_level = branches_by_hand(
        elements, rates, amplitudes, zip(time, channel, strict=True), 1.3
    )
    for cuts in ([1.3], [0.0, 0.2, 0.2, 0.9, 1.3]):  # at once, and piece by piece
        logs, signs = np.log(np.abs(amplitudes)), np.sign(amplitudes)
        best = int(np.argmax(logs))
        total, now = logs[best], 0.0
        logs -= logs[best]
        at = np.array([best, 0])
        for cut in cuts:
            here = (time > now) & (time <= cut) if now else time <= cut
            total += branches.follow(
                elements,
                SHIFTS,
                rate,
                time[here],
                channel[here],
                now,
                cut,
                logs,
                signs,
                np.ones(n + 1),
                at,
            )
            now = cut
        assert logs[at[0]] == logs.max() == 0.0
        assert at[0] + at[1] == at_level[at[0]]
        with np.errstate(under="ignore"):
            found = signs * np.exp(total + logs)
        np.testing.assert_allclose(found, expected, rtol=1e-11, atol=0.0)


def test_branches_that_leave_the_ladder_are_lost():
    elements, rate = ladder_of(4, (0.3, 0.2, 0.5))
    for channel, left in ((0, [0, 1]), (2, [3, 4])):
        logs, signs, at = np.zeros(5), np.ones(5), np.array([2, 0])
        click_time, click_channel = np.full(3, 0.1), np.full(3, channel)
        arguments = elements, SHIFTS, rate, click_time, click_channel, 0.0, 0.2
        change = branches.follow(*arguments, logs, signs, np.ones(5), at)
        assert np.isfinite(change)
        assert np.flatnonzero(logs > -np.inf).tolist() == left
        # They do not come back, and two more leave none.
        back = np.full(3, 2 - channel)
        branches.follow(
            *(elements, SHIFTS, rate, click_time, back, 0.2, 0.3), logs, signs, np.ones(5), at
        )
        assert np.flatnonzero(logs > -np.inf).tolist() == left
        assert at[1] == 0
        change = branches.follow(
            *(elements, SHIFTS, rate, np.full(5, 0.4), np.full(5, channel), 0.3, 0.5),
            *(logs, signs, np.ones(5), at),
        )
        assert change == -math.inf


def test_branches_neither_overflow_nor_underflow():
    # As of a million atoms, (N/2)^32, and a decay by more than exp(-1e6).
    n = 40
    elements, rate = ladder_of(n, rates := (3.0, 1.0, 2.0))
    elements, rate = 3e4 * elements, 9e8 * rate
    time, channel = np.full(320, 0.001), np.resize([0, 1, 2], 320)
    logs, signs, at = np.zeros(n + 1), np.ones(n + 1), np.array([n // 4, 0])
    change = branches.follow(
        *(elements, SHIFTS, rate, time, channel, 0.0, 1.0), logs, signs, np.ones(n + 1), at
    )
    assert np.isfinite(change)
    assert np.isneginf(logs).sum() < 5  # two at the ends, and m = 0
    # The change is that of the branch that is the likeliest now; it began like all others.
    expected, now, level = 0.0, 0.0, at[0]
    for t, c in [*zip(time, channel, strict=True), (1.0, None)]:
        expected -= 0.5 * (np.array(rates) @ elements[:, level] ** 2) * (t - now)
        now = t
        if c is not None:
            expected += math.log(abs(elements[c, level]))
            level += SHIFTS[c]
    assert change == pytest.approx(expected, rel=1e-10)


def chain(n, rng):
    """Return a tridiagonal A (n, n) that loses more on its diagonal than it gains beside it."""
    down, up = rng.uniform(0.0, 2.0, (2, n))
    down[0] = up[-1] = 0.0
    a = np.diag(-(down + up) * rng.uniform(1.0, 1.5, n))
    a[np.arange(n - 1), np.arange(1, n)] = down[1:]
    a[np.arange(1, n), np.arange(n - 1)] = up[:-1]
    return a


def steps_of(a, rate):
    """Return P = 1 + A/rate as three diagonals."""
    return [np.diagonal(a, i).copy() / rate + (i == 0) for i in (-1, 0, 1)]


def uniformized(a, rate, duration, y, levels):
    """Return exp(duration A) y of trace 1, and the logarithm of its trace."""
    y = y.copy()
    scratch = np.empty((2, y.size), dtype=y.dtype)
    log = uniformization.propagate(*steps_of(a, rate), rate, duration, levels, y, *scratch)
    return y, log


@pytest.mark.parametrize("kind", [float, complex])
@pytest.mark.parametrize("duration", [0.0, 1e-9, 0.3, 3.0, 20.0])
def test_uniformization_against_the_exponential(kind, duration):
    rng = np.random.default_rng(1)
    for n in (1, 2, 9):
        a = chain(n, rng)
        y = rng.uniform(0.1, 1.0, n).astype(kind)
        if kind is complex:
            y *= 1.0 + 1j * rng.normal(size=n)
        for levels in (n, (n + 1) // 2):
            y /= y[:levels].real.sum()
            expected = expm(a * duration) @ y
            trace = expected[:levels].real.sum()
            for slack in (1.0, 1.7):
                rate = slack * max(-np.diagonal(a).min(), 0.5)
                found, log = uniformized(a, rate, duration, y, levels)
                np.testing.assert_allclose(found, expected / trace, rtol=1e-11)
                assert log == pytest.approx(math.log(trace), abs=1e-11)


def test_uniformization_knows_small_elements():
    # Independent deaths: binomials, with all digits however small they are.
    n = 30
    k = np.arange(n + 1)
    a = np.diag(-1.0 * k) + np.diag(1.0 * k[1:], 1)
    for t, rate, levels in ((0.001, 40.0, k[-5:]), (5.0, 30.0, k)):
        found, log = uniformized(a, rate, t, (k == n).astype(float), n + 1)
        expected = stats.binom.pmf(k, n, math.exp(-t))
        np.testing.assert_allclose(found[levels], expected[levels], rtol=1e-10)
        assert np.all(found >= 0.0)
        assert log == pytest.approx(0.0, abs=1e-13)


def test_uniformization_lasts():
    # exp(-3000) is zero; a chain that conserves comes to its steady state.
    a = chain(6, np.random.default_rng(3))
    np.fill_diagonal(a, 0.0)
    np.fill_diagonal(a, -a.sum(axis=0))
    found, log = uniformized(a, 6.0, 500.0, np.eye(6)[0], 6)
    values, vectors = np.linalg.eig(a)
    steady = vectors[:, np.argmax(values.real)].real
    np.testing.assert_allclose(found, steady / steady.sum(), rtol=1e-11)
    assert log == pytest.approx(0.0, abs=1e-11)
    # One that loses everywhere is normalised before nothing is left.
    found, log = uniformized(a - 3.0 * np.eye(6), 9.0, 500.0, np.eye(6)[0], 6)
    np.testing.assert_allclose(found, steady / steady.sum(), rtol=1e-11)
    assert log == pytest.approx(-1500.0, rel=1e-11)


@pytest.mark.parametrize("kind", [float, complex])
def test_clicks_between_uniformized_steps(kind):
    # Populations of three levels, and behind them a coherence order of two.
    rng = np.random.default_rng(2)
    a = np.zeros((5, 5))
    a[:3, :3], a[3:, 3:] = chain(3, rng), chain(2, rng)
    up, flat = rng.uniform(0.5, 1.0, (2, 5))
    up[[2, 4]] = 0.0
    jumps, shifts = np.array([up, flat]), np.array([1, 0])
    y = rng.uniform(0.2, 1.0, 5).astype(kind)
    if kind is complex:
        y[3:] *= np.exp(2j)
    y /= y[:3].sum()
    dark = np.array([0.0, 0.6])
    for clicks in ([], [(0.1, 0)], [(0.1, 1), (0.4, 0), (0.4, 1), (0.9, 0)]):
        expected, now = y.copy(), 0.0
        for time, channel in [*clicks, (0.9, None)]:
            expected, now = expm(a * (time - now)) @ expected, time
            if channel is not None:
                jumped = np.roll(jumps[channel] * expected, shifts[channel])
                expected = jumped + dark[channel] * expected
        found = y.copy()
        log, n = uniformization.follow(
            *steps_of(a, 5.0),
            5.0,
            jumps,
            shifts,
            dark,
            3,
            np.array([time for time, _ in clicks]),
            np.array([channel for _, channel in clicks], dtype=np.int64),
            0.0,
            0.9,
            found,
            *np.empty((2, 5), dtype=kind),
        )
        trace = expected[:3].sum().real
        assert n == len(clicks)
        assert log == pytest.approx(math.log(trace), abs=1e-12)
        np.testing.assert_allclose(found, expected / trace, rtol=1e-11)
    # The third click upwards finds no level below the top.
    y = np.array([0.5, 0.3, 0.2, 0.1, 0.1], dtype=kind)
    times, channels = np.array([0.1, 0.2, 0.2, 0.3]), np.array([1, 0, 0, 0])
    loss = -np.eye(5)
    log, n = uniformization.follow(
        *(*steps_of(loss, 2.0), 2.0, jumps, shifts, np.zeros(2), 3, times, channels, 0.0, 0.5),
        *(y, *np.empty((2, 5), dtype=kind)),
    )
    assert log == -math.inf
    assert n == 3
