"""The kernel of the ladder. With NUMBA_DISABLE_JIT=1 the same tests run as plain Python."""

import math

import numpy as np
import pytest
from oracle.scripted import Scripted

import trajbatt as tb
from trajbatt.kernels import ladder
from trajbatt.numerics import spin
from trajbatt.states.initial import prepare
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
        t_end,
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


def test_trim_tells_what_it_drops_at_both_ends():
    # Three negligible levels below and two above; one in the middle is kept.
    a = np.array([1e-9, 2e-9j, 3e-9, 0.5, 1e-10, 1.0, 0.7, 4e-9, 5e-9j, 9.0])
    low, high, dropped = ladder.trim(a, 0, 5, 8, 1e-16)
    assert (low, high) == (3, 6)
    assert dropped == pytest.approx((1 + 4 + 9 + 16 + 25) * 1e-18, rel=1e-12, abs=0.0)
    # The hidden branch stays, however narrow the window.
    low, high, dropped = ladder.trim(np.array([1e-9, 1e-9, 1.0, 0.0]), 0, 2, 2, 1e-16)
    assert (low, high) == (2, 2)
    assert dropped == pytest.approx(2e-18, rel=1e-12, abs=0.0)
    low, high, dropped = ladder.trim(np.array([1.0, 1e-9, 0.0, 0.0]), 0, 0, 1, 1e-16)
    assert (low, high) == (0, 0)
    assert dropped == pytest.approx(1e-18, rel=1e-12, abs=0.0)
