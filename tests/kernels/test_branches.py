"""Branches of a ladder's ket from click to click."""

import math

import numpy as np
import pytest

from trajbatt.kernels import branches
from trajbatt.numerics import spin

SHIFTS = np.array([1, 0, -1])


def begun(logs, signs, reference):
    """Return the state of the kernel with given logarithms, relative to that of `reference`."""
    return branches.Branches(
        logs=logs,
        signs=signs,
        product=np.ones(logs.size),
        reference=np.array([reference]),
        climbed=np.array([0]),
    )


def ladder_of(n, rates):
    """Return the jump elements (3, n+1) of J'_+, J'_z, J'_-, and R(m) as the kernel eats them."""
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
        state = begun(logs, signs, best)
        table = branches.Ladder(elements, SHIFTS, rate)
        for cut in cuts:
            here = (time > now) & (time <= cut) if now else time <= cut
            total += branches.follow(table, (time[here], channel[here]), now, cut, state)
            now = cut
        reference, climbed = int(state.reference[0]), int(state.climbed[0])
        assert logs[reference] == logs.max() == 0.0
        assert reference + climbed == at_level[reference]
        with np.errstate(under="ignore"):
            found = signs * np.exp(total + logs)
        np.testing.assert_allclose(found, expected, rtol=1e-11, atol=0.0)


def test_branches_that_leave_the_ladder_are_lost():
    elements, rate = ladder_of(4, (0.3, 0.2, 0.5))
    table = branches.Ladder(elements, SHIFTS, rate)
    for channel, left in ((0, [0, 1]), (2, [3, 4])):
        logs = np.zeros(5)
        state = begun(logs, np.ones(5), 2)
        clicks = np.full(3, 0.1), np.full(3, channel)
        assert np.isfinite(branches.follow(table, clicks, 0.0, 0.2, state))
        assert np.flatnonzero(logs > -np.inf).tolist() == left
        # They do not come back, and two more leave none.
        back = np.full(3, 0.1), np.full(3, 2 - channel)
        branches.follow(table, back, 0.2, 0.3, state)
        assert np.flatnonzero(logs > -np.inf).tolist() == left
        assert state.climbed[0] == 0
        more = np.full(5, 0.4), np.full(5, channel)
        assert branches.follow(table, more, 0.3, 0.5, state) == -math.inf


def test_branches_neither_overflow_nor_underflow():
    # As of a million atoms, (N/2)^32, and a decay by more than exp(-1e6).
    n = 40
    elements, rate = ladder_of(n, rates := (3.0, 1.0, 2.0))
    elements, rate = 3e4 * elements, 9e8 * rate
    time, channel = np.full(320, 0.001), np.resize([0, 1, 2], 320)
    logs = np.zeros(n + 1)
    state = begun(logs, np.ones(n + 1), n // 4)
    table = branches.Ladder(elements, SHIFTS, rate)
    change = branches.follow(table, (time, channel), 0.0, 1.0, state)
    assert np.isfinite(change)
    assert np.isneginf(logs).sum() < 5  # two at the ends, and m = 0
    # The change is that of the branch that is the likeliest now; it began like all others.
    expected, now, level = 0.0, 0.0, int(state.reference[0])
    for t, c in [*zip(time, channel, strict=True), (1.0, None)]:
        expected -= 0.5 * (np.array(rates) @ elements[:, level] ** 2) * (t - now)
        now = t
        if c is not None:
            expected += math.log(abs(elements[c, level]))
            level += SHIFTS[c]
    assert change == pytest.approx(expected, rel=1e-10)
