"""The kernel of the ladder. With NUMBA_DISABLE_JIT=1 the same tests run as plain Python."""

import math

import numpy as np
import pytest
from oracle.scripted import Scripted

import trajbatt as tb
from trajbatt.kernels import branch_window, ladder
from trajbatt.kernels.branch_window import Window
from trajbatt.numerics import spin
from trajbatt.states.initial import prepare
from trajbatt.trajectories.clock import Clock
from trajbatt.trajectories.engine import plain
from trajbatt.trajectories.ladder import LadderEngine
from trajbatt.trajectories.records import Records

BATTERY = tb.Battery(6, 1.87, 60.0, gamma_plus=10.0)


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
        tuple(Clock.common(n, t_end, engine._tables.shifts.size)),
        ladder.Progress.fresh(),
        plain(records),
    )
    assert finished
    clicks = slice(0, records.offsets[-1])
    return records._replace(time=records.time[clicks], channel=records.channel[clicks])


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


ONES = np.zeros(branch_window.GROUP, dtype=np.uint64)  # the places of factors that are all one


def decayed(before, window, alpha, beta):
    """Return the amplitudes after a time without clicks."""
    after = before.copy()
    decay, ratio = np.empty((2, before.size))
    if branch_window.is_steep(window, alpha, beta):
        branch_window.write_steep_decay(decay, window, alpha, beta)
    else:
        branch_window.write_decay(decay, ratio, window, alpha, beta)
    branch_window.apply_group_and_decay(after, window, np.ones(before.size), ONES, decay)
    return after


@pytest.mark.parametrize("kind", [float, complex])
def test_decay_is_the_exponential_of_a_quadratic(kind):
    rng = np.random.default_rng(1)
    for low, hidden, blocks, alpha, beta in (
        (0, 0, 1, 0.3, 0.1),
        (2, 5, 1, 0.7, 0.01),
        (3, 50, 10, 3.0, -0.05),
        (3, 150, 50, -0.02, 2e-4),
        (3, 399, 50, 0.05, -1e-5),
        (2, 5, 1, 1.0, 900.0),
    ):
        before = rng.uniform(0.5, 1.5, 411).astype(kind)
        if kind is complex:
            before *= np.exp(1j * rng.uniform(0.0, 6.0, 411))
            before[hidden] = abs(before[hidden])  # as it always is
        after = decayed(before, Window(low, hidden, blocks), alpha, beta)
        inside = np.arange(low, low + 8 * blocks)
        d = inside - hidden
        expected = before[inside] / before[hidden] * np.exp(-(alpha * d + beta * d**2) / 2)
        np.testing.assert_allclose(after[inside], expected, rtol=1e-12)
        outside = np.delete(np.arange(411), inside)
        np.testing.assert_array_equal(after[outside], before[outside])


def test_recurrence_is_used_where_nothing_overflows_only():
    # The steepest that are no exception, upwards and downwards, from both ends of a window.
    for blocks in (1, 2, 9, 60):
        for beyond in (0.999, 1.001):
            reach = 8.0 * (blocks + 1)
            alpha, beta = beyond * 300.0 / reach, beyond * 300.0 / reach**2
            for hidden in (0, 8 * blocks - 1):
                window = Window(0, hidden, blocks)
                for signs in ((1, 1), (1, -1), (-1, 1), (-1, -1)):
                    quadratic = signs[0] * alpha, signs[1] * beta
                    assert branch_window.is_steep(window, *quadratic) == (beyond > 1.0)
                    a = decayed(np.ones(8 * blocks), window, *quadratic)
                    d = np.arange(8.0 * blocks) - hidden
                    exponent = -(quadratic[0] * d + quadratic[1] * d**2) / 2
                    np.testing.assert_allclose(a, np.exp(exponent), rtol=1e-10)


def test_decay_makes_no_nan_of_dead_branches():
    # A long dark time, in which some branches died first.
    a = np.ones(8)
    a[:3] = 0.0
    a = decayed(a, Window(0, 5, 1), -5700.0, -950.0)
    assert np.all(np.isfinite(a))
    assert np.all(a[:3] == 0.0)


@pytest.mark.parametrize("decaying", [False, True])
def test_a_group_multiplies_the_window_by_four_stretches(decaying):
    rng = np.random.default_rng(3)
    elements, before = rng.uniform(0.5, 1.5, (2, 40))
    place = np.array([0, 20, 3, 7], dtype=np.uint64)
    window = Window(5, 9, 2)
    after, decay = before.copy(), rng.uniform(0.5, 1.5, 16)
    expected = before[5:21] * np.prod([elements[at : at + 16] for at in place.tolist()], axis=0)
    if decaying:
        branch_window.apply_group_and_decay(after, window, elements, place, decay)
        expected *= decay
        expected /= expected[4]
    else:
        branch_window.apply_group(after, window, elements, place)
    np.testing.assert_allclose(after[5:21], expected, rtol=1e-14)
    outside = np.r_[0:5, 21:40]
    np.testing.assert_array_equal(after[outside], before[outside])


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

    whole = np.append(psi, np.zeros(16 - psi.size))
    sums = ladder.moments(whole, Window(0, hidden, 2), np.pad(raising, 8), 8)
    mean, variance, real, imag = ladder.read_off(
        sums, hidden - n / 2, n / 2, cos, sin, np.cos(angle), np.sin(angle)
    )
    assert mean == pytest.approx(expect(bare_z).real, abs=1e-12)
    assert variance == pytest.approx(expect(bare_z @ bare_z).real - mean**2, abs=1e-12)
    assert complex(real, imag) == pytest.approx(expect(bare_plus), abs=1e-12)


def test_trim_tells_what_it_drops_at_both_ends():
    # Two negligible blocks below and one above; a negligible one in the middle is kept.
    a = np.zeros(56, dtype=complex)
    a[[3, 9, 15, 40, 55]] = 1e-9, 2e-9j, 3e-9, 1e-3j, 4e-9
    a[[16, 30, 31]] = 0.5, 1.0, 1e-9
    window, dropped = branch_window.trim(a, Window(0, 30, 7), 1e-16)
    assert window == Window(16, 30, 4)
    assert dropped == pytest.approx((1 + 4 + 9 + 16) * 1e-18, rel=1e-12, abs=0.0)
    # What counts is the weight of all the block.
    a = np.r_[np.full(8, 0.9e-8), 1.0, np.zeros(7)]
    assert branch_window.trim(a, Window(0, 8, 2), 1e-16) == (Window(0, 8, 2), 0.0)
    # The hidden branch stays, however narrow the window.
    a = np.r_[np.full(8, 1e-9), 1.0, np.full(7, 1e-9), np.full(8, 1e-9)]
    window, dropped = branch_window.trim(a, Window(0, 8, 3), 1e-16)
    assert window == Window(8, 8, 1)
    assert dropped == pytest.approx(16e-18, rel=1e-12, abs=0.0)
    assert branch_window.trim(a, Window(8, 15, 1), 1e-16) == (Window(8, 15, 1), 0.0)
