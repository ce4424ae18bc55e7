"""Pairs of photons at two times, in windows and in bins."""

from itertools import pairwise

import numpy as np
import pytest
from oracle import dense
from oracle.windows import GAUSS, MIDDLES, gauss
from scipy.integrate import quad

import trajbatt as tb

CLOSE = 1e-9
CASES = dense.parameters()
TIMES = np.array([0.0, 0.0625, 0.25, 0.375, 0.5, 0.75, 1.0])  # and so boundaries of stages


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_pairs_of_photons_against_the_dense_twin(case):
    twin = case.twin
    for at in case.moments:
        before = twin.evolve(case.rho, 0.0, at)
        delays = TIMES[at + TIMES <= case.end]
        options = dict(initial=case.initial, at=at)
        for a in case.channels:
            now = twin.clicked(before, at, a, later=True)
            for b in case.channels:
                expected, product = (
                    np.array(
                        [
                            twin.rate(twin.evolve(rho, at, at + tau), at + tau, b, later=tau == 0.0)
                            for tau in delays
                        ]
                    )
                    for rho in (now, before * np.trace(now).real)
                )
                found = tb.counting.correlation(case.model, delays, (a, b), **options)
                np.testing.assert_allclose(found, expected, atol=CLOSE)
                found = tb.counting.g2(case.model, delays, (a, b), **options)
                np.testing.assert_array_equal(np.isnan(found[product == 0.0]), True)
                known = product > 1e-12
                np.testing.assert_allclose(
                    found[known], expected[known] / product[known], rtol=1e-7, atol=CLOSE
                )


# And so that in no cycle a stage ends while the second photon may come.
WINDOWS = [(0.0625, 0.1875, 0.0), (0.5, 0.6, 0.125), (0.9, 1.0, 0.35)]


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_windows_against_the_dense_twin(case):
    twin, names = case.twin, case.channels
    for start, stop, delay in WINDOWS:
        for a, b in {(names[0], names[-2]), (names[-2], names[0]), ("total", "total")}:
            sums = np.zeros(5)
            for t, weight in zip(*gauss(start, stop), strict=True):
                rho = twin.evolve(case.rho, 0.0, t)
                now = twin.clicked(rho, t, a)
                rate, end = np.trace(now).real, t + delay
                dark = twin.evolve(now, t, end, **twin.none())
                later = twin.rate(twin.evolve(rho, t, end), end, b)
                pairs = twin.rate(twin.evolve(now, t, end), end, b)
                waits = twin.rate(dark, end, b)
                sums += weight * np.array([rate, pairs, rate * later, np.trace(dark).real, waits])
            rate, pairs, product, dark, waits = sums
            options = dict(initial=case.initial, at=(start, stop))
            found = tb.counting.correlation(case.model, [delay], (a, b), **options)
            assert found[0] == pytest.approx(pairs, abs=CLOSE)
            if product > 1e-10:
                found = tb.counting.g2(case.model, [delay], (a, b), **options)
                assert found[0] == pytest.approx(pairs / product, rel=1e-7)
            if rate > 1e-10:
                found = tb.counting.waiting_time(case.model, [delay], (a, b), **options)
                assert found[0] == pytest.approx(waits / rate, abs=CLOSE)
                found = tb.counting.survival(case.model, [delay], a, **options)
                assert found[0] == pytest.approx(dark / rate, abs=CLOSE)
            if rate == 0.0:
                assert np.isnan(tb.counting.survival(case.model, [delay], a, **options)[0])
                assert np.all(np.isnan(tb.counting.next_channel(case.model, a, **options)))


@pytest.mark.slow
def test_a_window_of_a_fast_drive():
    # 25 turns of the drive in the window.
    battery, delay = tb.Battery(1, 1.2, 300.0), 0.05
    model, twin = battery.charge(secular=False), dense.Twin([dense.driving(battery, np.inf)])
    pairs, product = 0.0, 0.0
    for start, stop in pairwise(np.linspace(0.1, 0.6, 51)):
        for t, weight in zip(*gauss(start, stop), strict=True):
            rho = twin.evolve(np.diag([1.0, 0.0]), 0.0, t)
            now, later = twin.clicked(rho, t, "all"), twin.evolve(rho, t, t + delay)
            pairs += weight * twin.rate(twin.evolve(now, t, t + delay), t + delay, "all")
            product += weight * np.trace(now).real * twin.rate(later, t + delay, "all")
    options = dict(channels=("all", "all"), at=(0.1, 0.6))
    found = tb.counting.correlation(model, [delay], **options)
    assert found[0] == pytest.approx(pairs, rel=1e-9)
    found = tb.counting.g2(model, [delay], **options)
    assert found[0] == pytest.approx(pairs / product, rel=1e-9)


@pytest.mark.slow
def test_bins_against_the_dense_twin():
    cases = {case.name: case for case in dense.cases()}
    for name, channels, edges in [
        ("eq7", ("red", "blue"), [0.0, 0.1, 0.15, 0.3]),
        ("eq7", ("center", "total"), [0.1, 0.3]),
        ("eq5", ("all", "all"), [0.0, 0.05, 0.1]),
        ("cycle", ("red", "dis"), [0.125, 0.25, 0.3125, 0.375]),
    ]:
        case, twin, edges = cases[name], cases[name].twin, np.array(edges)
        found = tb.counting.g2_matrix(case.model, edges, channels, case.initial)
        size = edges.size - 1
        pairs, means = np.zeros((size, size)), np.zeros((2, size))
        for i, j in np.ndindex(size, size):
            for t, weight in zip(*gauss(edges[i], edges[i + 1]), strict=True):
                rho = twin.evolve(case.rho, 0.0, t)
                if i == j:
                    means[:, i] += [weight * twin.rate(rho, t, channel) for channel in channels]
                # The rest of this bin, or a later bin; in either order of the channels.
                for s, w in zip(*gauss(max(t, edges[j]), edges[j + 1]), strict=True):
                    for (a, b), place in [(channels, (i, j)), (channels[::-1], (j, i))]:
                        if j >= i:
                            now = twin.clicked(rho, t, a)
                            pairs[place] += weight * w * twin.rate(twin.evolve(now, t, s), s, b)
        with np.errstate(divide="ignore", invalid="ignore"):
            expected = pairs / np.outer(*means)
        np.testing.assert_allclose(found, expected, rtol=1e-7)
        current = tb.counting.photocurrent(case.model, edges, case.initial)
        rows = np.array([name in (channels[0], "total") for name in case.model.channel_names])
        np.testing.assert_allclose(current[rows].sum(axis=0) * np.diff(edges), means[0], atol=CLOSE)


@pytest.mark.slow
def test_trajectories_come_in_these_pairs():
    # In the steady state: next photons and pairs, per trajectory, with the errors of their ratios.
    battery = tb.Battery(5, 1.6, 50.0, gamma_plus=1.5)
    model, ntraj = battery.charge(), 20_000
    steady = tb.steady_state(model)
    opened, tau, width = 0.5, 0.1, 0.1
    clicks = tb.mcsolve(
        model, [opened + tau + width], ntraj, initial=steady, seed=12, keep_clicks=True
    ).clicks
    counted = np.zeros((3, ntraj))
    for k, (start, stop) in enumerate(zip(clicks.offsets[:-1], clicks.offsets[1:], strict=True)):
        time, blue = clicks.time[start:stop], clicks.channel[start:stop] == 2
        since = time[blue & (time < opened)]
        following = np.searchsorted(time, since + tau) - np.searchsorted(time, since, "right")
        red = time[clicks.channel[start:stop] == 0]
        between = np.searchsorted(red, since + tau + width) - np.searchsorted(red, since + tau)
        counted[:, k] = since.size, np.sum(following == 0), between.sum()

    def scores(model):
        steady = tb.steady_state(model)
        survival = tb.counting.survival(model, [tau], "blue", steady)[0]
        rate = tb.counting.intensity(model, [0.0], steady)[2, 0]
        pairs = tb.counting.correlation(model, tau + width * MIDDLES, ("blue", "red"), steady)
        ratios = survival, pairs @ GAUSS * width / rate
        n = counted[0]
        off = [
            part.sum() / n.sum() - ratio for part, ratio in zip(counted[1:], ratios, strict=True)
        ]
        sem = [
            np.std(part - ratio * n) * np.sqrt(ntraj) / n.sum()
            for part, ratio in zip(counted[1:], ratios, strict=True)
        ]
        return np.abs(off) / sem

    assert np.all(scores(model) < 5)
    # Negative control: all rates 10 % off.
    off = tb.Battery(5, 1.6, 50.0, 1.1, 1.65, 1.1)
    assert np.all(scores(off.charge()) > 5)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("after", "window", "delay", "cuts"),
    [
        ("total", (0.0, 1.0), 0.0, [0.25, 0.375, 0.625, 0.875]),  # over the ends of stages
        ("total", (1.0, 1.5), 0.0, [1.125, 1.375]),  # into the last one
        ("total", (0.0625, 0.1875), 0.3, [0.075]),  # t + delay over the end of one
        ("dis", (0.25, 0.375), 0.6, [0.275]),
    ],
)
def test_windows_over_the_ends_of_stages(after, window, delay, cuts):
    (case,) = (case for case in dense.cases() if case.name == "cycle")
    twin, names = case.twin, case.model.channel_names
    sums, following = np.zeros(4), np.zeros(len(names))
    for start, stop in pairwise([window[0], *cuts, window[1]]):
        for t, weight in zip(*gauss(start, stop), strict=True):
            now, end = twin.clicked(twin.evolve(case.rho, 0.0, t), t, after), t + delay
            dark = twin.evolve(now, t, end, **twin.none())
            pairs = twin.rate(twin.evolve(now, t, end), end, "total")
            waits = twin.rate(dark, end, "total")
            sums += weight * np.array([np.trace(now).real, pairs, np.trace(dark).real, waits])
            if after == "dis":
                following += [weight * twin.first(now, t, case.end, name) for name in names]
    rate, pairs, dark, waits = sums
    options = dict(initial=case.initial, at=window)
    found = tb.counting.correlation(case.model, [delay], (after, "total"), **options)
    assert found[0] == pytest.approx(pairs, rel=1e-7)
    found = tb.counting.waiting_time(case.model, [delay], (after, "total"), **options)
    assert found[0] == pytest.approx(waits / rate, rel=1e-7)
    found = tb.counting.survival(case.model, [delay], after, **options)
    assert found[0] == pytest.approx(dark / rate, rel=1e-7)
    if after == "dis":
        found = tb.counting.next_channel(case.model, after, **options)
        np.testing.assert_allclose(found, following / rate, rtol=1e-7, atol=CLOSE)


@pytest.mark.slow
@pytest.mark.parametrize("secular", [False, True])
def test_windows_from_a_slow_stage_into_a_fast_one(secular):
    slow = tb.Battery(2, 1.2, 300.0).discharge()
    fast = tb.Battery(2, 1.2, 300.0, 200.0, 200.0, 200.0) if secular else tb.Battery(2, 1.2, 300.0)
    model = tb.Protocol([(slow, 0.2), (fast.charge(secular=secular), 0.2)])
    start = tb.excited_state(2)
    last = "red" if secular else "all"
    window, delay = (0.05, 0.19), 0.1
    found = tb.counting.correlation(model, [delay], ("dis", last), start, window)

    def at_one_time(time):
        return tb.counting.correlation(model, [delay], ("dis", last), start, time)[0]

    expected, _ = quad(at_one_time, 0.1, window[1], epsabs=1e-11, epsrel=1e-10, limit=300)
    assert found[0] == pytest.approx(expected, rel=1e-8)
