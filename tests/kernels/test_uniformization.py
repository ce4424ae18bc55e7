"""Exponentials of chains by uniformization."""

import math

import numpy as np
import pytest
from scipy import stats
from scipy.linalg import expm

from trajbatt.kernels import uniformization


def chain(n, rng):
    """Return a tridiagonal A (n, n) that loses more on its diagonal than it gains beside it."""
    down, up = rng.uniform(0.0, 2.0, (2, n))
    down[0] = up[-1] = 0.0
    a = np.diag(-(down + up) * rng.uniform(1.0, 1.5, n))
    a[np.arange(n - 1), np.arange(1, n)] = down[1:]
    a[np.arange(1, n), np.arange(n - 1)] = up[:-1]
    return a


def steps_of(a, rate, levels):
    """Return P = 1 + A/rate as the kernel eats it."""
    diagonals = [np.diagonal(a, i).copy() / rate + (i == 0) for i in (-1, 0, 1)]
    return uniformization.Chain(*diagonals, float(rate), levels)


def uniformized(a, rate, duration, y, levels):
    """Return exp(duration A) y of trace 1, and the logarithm of its trace."""
    y = y.copy()
    scratch = np.empty((2, y.size), dtype=y.dtype)
    log = uniformization.propagate(steps_of(a, rate, levels), duration, y, *scratch)
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
@pytest.mark.parametrize("duration", [0.0, 0.3, 60.0])
def test_pieces_know_nothing_of_each_other(kind, duration):
    rng = np.random.default_rng(5)
    sizes = (4, 1, 2, 7)
    ends = np.cumsum(sizes)
    whole = np.zeros((ends[-1], ends[-1]))
    for size, end in zip(sizes, ends, strict=True):
        whole[end - size : end, end - size : end] = chain(size, rng)
    y = rng.uniform(0.1, 1.0, ends[-1]).astype(kind)
    if kind is complex:
        y *= np.exp(1j * rng.normal(size=y.size))
    found, scratch = y.copy(), np.empty((2, y.size), dtype=kind)
    steps = steps_of(whole, 1.2 * -whole.diagonal().min(), 1)
    uniformization.propagate_pieces(steps, ends, duration, found, *scratch)
    np.testing.assert_allclose(found, expm(whole * duration) @ y, rtol=1e-10, atol=1e-15)
    # What couples neighbours is not looked at.
    again = y.copy()
    between = steps._replace(above=steps.above + (steps.above == 0.0))
    uniformization.propagate_pieces(between, ends, duration, again, *scratch)
    np.testing.assert_array_equal(again, found)


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
        times = np.array([time for time, _ in clicks])
        detectors = np.array([channel for _, channel in clicks], dtype=np.int64)
        log, n = uniformization.follow(
            steps_of(a, 5.0, 3),
            uniformization.Detection(jumps, shifts, np.eye(2), dark),
            (times, detectors),
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
        steps_of(loss, 2.0, 3),
        uniformization.Detection(jumps, shifts, np.eye(2), np.zeros(2)),
        (times, channels),
        0.0,
        0.5,
        y,
        *np.empty((2, 5), dtype=kind),
    )
    assert log == -math.inf
    assert n == 3


@pytest.mark.parametrize("kind", [float, complex])
def test_a_click_may_be_of_several_channels(kind):
    # Detectors that share photons: a click is a sum of jumps, each with its probability.
    rng = np.random.default_rng(4)
    a = chain(4, rng)
    up, down = rng.uniform(0.5, 1.0, (2, 4))
    up[3] = down[0] = 0.0
    jumps, shifts = np.array([up, down]), np.array([1, -1])
    shares, dark = np.array([[0.6, 0.1, 0.0], [0.2, 0.5, 0.3]]), np.array([0.0, 0.4, 0.0])
    start = rng.uniform(0.2, 1.0, 4).astype(kind)
    start /= start.sum()
    for detector in range(3):
        expected = dark[detector] * start
        for share, jump, shift in zip(shares[:, detector], jumps, shifts, strict=True):
            expected = expected + share * np.roll(jump * start, shift)
        found = start.copy()
        log, n = uniformization.follow(
            steps_of(a, 5.0, 4),
            uniformization.Detection(jumps, shifts, shares, dark),
            (np.zeros(1), np.array([detector])),
            0.0,
            0.0,
            found,
            *np.empty((2, 4), dtype=kind),
        )
        assert n == 1
        assert log == pytest.approx(math.log(expected.sum().real), abs=1e-13)
        np.testing.assert_allclose(found, expected / expected.sum(), rtol=1e-13)


@pytest.mark.parametrize("kind", [float, complex])
def test_states_and_dwelling_times_on_the_way(kind):
    rng = np.random.default_rng(3)
    n, levels = 7, 4
    a = np.zeros((n, n))  # two chains that conserve their sums
    for part in (slice(0, levels), slice(levels, n)):
        block = chain(part.stop - part.start, rng)
        np.fill_diagonal(block, 0.0)
        a[part, part] = block - np.diag(block.sum(axis=0))
    y = rng.uniform(size=n).astype(kind)
    y[:levels] /= y[:levels].sum()
    if kind is complex:
        y[levels:] *= np.exp(1j * rng.uniform(size=n - levels))
    rate, times = -np.diagonal(a).min(), np.array([0.0, 0.3, 5.0])
    parts = np.array([y.real, y.imag] if kind is complex else [y])
    found, dwell = np.empty((3, *parts.shape)), np.empty((3, levels))
    steps = steps_of(a, rate, levels)
    uniformization.visit(steps, times, parts, *np.empty((2, n)), found, dwell)
    states = found[:, 0] + (1j * found[:, 1] if kind is complex else 0.0)
    points, weights = np.polynomial.legendre.leggauss(40)
    for j, t in enumerate(times):
        np.testing.assert_allclose(states[j], expm(a * t) @ y, atol=1e-14)
        course = [expm(a * t * (x + 1) / 2) @ y for x in points]
        np.testing.assert_allclose(dwell[j], 0.5 * t * (weights @ course)[:levels].real, atol=1e-13)
