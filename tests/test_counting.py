"""Photon statistics against the reference numbers, a dense twin, and trajectories."""

import math
from itertools import pairwise

import dense
import numpy as np
import oracles
import pytest
from scipy import stats
from scipy.integrate import quad

import trajbatt as tb

CLOSE = 1e-9
MIDDLES, GAUSS = (np.polynomial.legendre.leggauss(8) + np.array([[1.0], [0.0]])) / 2


@pytest.mark.parametrize("case", oracles.load()["counts7"], ids=oracles.name)
def test_charging_oracles(case):
    model = oracles.battery(case).charge()
    for entry in case["T"]:
        for channel in (*model.channel_names, "total"):
            pmf = entry["pmf"][channel]
            found = tb.counting.distribution(model, entry["T"], channel)
            n = min(len(pmf), found.size)
            np.testing.assert_allclose(found[:n], pmf[:n], atol=1e-10)
            assert found[n:].sum() < 1e-10
            assert sum(pmf[n:]) < 1e-10
        if "joint_blue_red" in entry["pmf"]:
            joint = tb.counting.joint_distribution(model, entry["T"], ("blue", "red"))
            expected = np.array(entry["pmf"]["joint_blue_red"])
            rows, columns = (min(a, b) for a, b in zip(joint.shape, expected.shape, strict=True))
            np.testing.assert_allclose(
                joint[:rows, :columns], expected[:rows, :columns], atol=1e-10
            )
    first = case["first_photon"]
    np.testing.assert_allclose(tb.counting.first_click(model, first["t"]), first["cdf"], atol=1e-11)


@pytest.mark.parametrize("case", oracles.load()["counts7"], ids=oracles.name)
def test_which_photon_comes_next(case):
    model = oracles.battery(case).charge()
    names, steady = model.channel_names, tb.steady_state(model)
    first = case["first_click_channel"]
    np.testing.assert_allclose(
        tb.counting.next_channel(model), [first[name] for name in names], atol=1e-12
    )
    two = tb.counting.first_channels(model)
    after = {name: tb.counting.next_channel(model, name, steady) for name in names}
    for i, a in enumerate(names):
        for j, b in enumerate(names):
            assert two[i, j] == pytest.approx(case["first_two_channels"][f"{a},{b}"], abs=1e-12)
            assert after[a][j] == pytest.approx(case["steady_next_click"][f"{a}->{b}"], abs=1e-12)


@pytest.mark.parametrize("case", oracles.load()["counts7"], ids=oracles.name)
def test_correlations_in_the_steady_state(case):
    model = oracles.battery(case).charge()
    steady, tau = tb.steady_state(model), case["steady_g2"]["tau"]
    for pair, expected in case["steady_g2"]["g2"].items():
        channels = tuple(end.partition("@")[0] for end in pair.split(","))
        found = tb.counting.g2(model, tau, channels, steady)
        np.testing.assert_allclose(found, expected, atol=1e-10)
    for name, expected in case["steady_wait_survival"].items():
        found = tb.counting.survival(model, tau, name, steady)
        np.testing.assert_allclose(found, expected, atol=1e-12)
    rates = tb.counting.intensity(model, [0.0, 1.0], steady)
    for rate, name in zip(rates, model.channel_names, strict=True):
        np.testing.assert_allclose(rate, case["steady_rates"][name], rtol=1e-10)


@pytest.mark.parametrize("case", oracles.load()["counts5"], ids=oracles.name)
def test_driven_oracles(case):
    battery = tb.Battery(case["N"], case["theta"], case["Omega_P"])
    model = battery.charge(secular=False)
    steady = tb.steady_state(model)
    for entry in case["T"]:
        found = tb.counting.distribution(model, entry["T"], "all")
        pmf = np.array(entry["pmf"])
        n = min(found.size, pmf.size)
        np.testing.assert_allclose(found[:n], pmf[:n], atol=1e-11)
        assert found[n:].sum() + pmf[n:].sum() < 1e-11
    first, wait, pairs = (
        case[name] for name in ("first_photon", "steady_wait_survival", "steady_g2")
    )
    found = tb.counting.first_click(model, first["t"])
    np.testing.assert_allclose(found, first["cdf"], atol=1e-11)
    found = tb.counting.survival(model, wait["tau"], "all", steady)
    np.testing.assert_allclose(found, wait["S"], atol=1e-11)
    found = tb.counting.g2(model, pairs["tau"], ("all", "all"), steady)
    np.testing.assert_allclose(found, pairs["g2"], atol=1e-10)
    found = tb.counting.intensity(model, [0.0], steady)
    np.testing.assert_allclose(found, case["steady_rate"], rtol=1e-10)


@pytest.mark.parametrize("case", oracles.load()["countsD"], ids=lambda c: f"N{c['N']}")
def test_discharge_oracles(case):
    if case["init"] == "rho_ss":
        battery = tb.Battery(case["N"], case["theta"], 1.0, case["gamma0"], case["r"])
        model, initial = battery.discharge(), None
    else:
        model = tb.Battery(case["N"], 1.0, 1.0).discharge()
        initial = tb.excited_state(case["N"])
    for entry in case["T"]:
        found = tb.counting.distribution(model, entry["T"], "all", initial)
        pmf = np.array(entry["pmf"])
        np.testing.assert_allclose(found[: pmf.size], pmf, atol=1e-10)
        assert found[pmf.size :].sum() < 1e-10


def test_moments_and_marginals():
    battery = tb.Battery(40, 1.87, 400.0, gamma_plus=10.0)
    model, t = battery.charge(), 0.1
    exact = tb.mesolve(model, [t], covariances=True)
    joint = tb.counting.joint_distribution(model, t, ("center", "blue"))
    a, b = (np.arange(size) for size in joint.shape)
    covariance = a @ joint @ b - (a @ joint.sum(axis=1)) * (joint.sum(axis=0) @ b)
    assert covariance == pytest.approx(exact.counts_covariance[1, 2, 0], rel=1e-8)
    blue = tb.counting.distribution(model, t, "blue")
    n = min(blue.size, joint.shape[1])
    np.testing.assert_allclose(joint.sum(axis=0)[:n], blue[:n], atol=1e-11)
    total = tb.counting.distribution(model, t, "total")
    assert total.sum() == pytest.approx(1.0, abs=1e-11)
    assert total @ np.arange(total.size) == pytest.approx(exact.counts.sum(), rel=1e-10)
    # By the time 0 there is no photon.
    np.testing.assert_allclose(tb.counting.distribution(model, 0.0, "red")[:2], [1.0, 0.0])


def test_trajectories_have_this_distribution():
    battery = tb.Battery(15, 1.87, 150.0, gamma_plus=10.0)
    t = battery.charging_time
    runs = tb.mcsolve(battery.charge(), [t], 20_000, seed=3)

    def p_value(model):
        pmf = tb.counting.distribution(model, t, "center")
        seen = np.bincount(runs.final_counts[:, 1], minlength=pmf.size)[: pmf.size]
        common = pmf * runs.ntraj > 10
        rest = max(1e-12, 1 - pmf[common].sum()), runs.ntraj - seen[common].sum()
        expected = np.append(pmf[common], rest[0])
        return stats.chisquare(np.append(seen[common], rest[1]), runs.ntraj * expected).pvalue

    assert p_value(battery.charge()) > 1e-3
    # Negative control: another rate of this channel.
    off = tb.Battery(15, 1.87, 150.0, gamma_0=1.05, gamma_plus=10.0)
    assert p_value(off.charge()) < 1e-6


def test_a_narrow_window_far_from_zero():
    battery = tb.Battery(300, 1.87, 3000.0, gamma_plus=10.0)
    model, t = battery.charge(), battery.charging_time
    exact = tb.mesolve(model, [t], covariances=True)
    pmf = tb.counting.distribution(model, t, "blue")
    n = np.arange(pmf.size)
    assert np.all(pmf[:50] == 0.0)
    assert pmf.sum() == pytest.approx(1.0, abs=1e-10)
    assert pmf @ n == pytest.approx(exact.counts[2, 0], rel=1e-9)
    variance = pmf @ (n - pmf @ n) ** 2
    assert variance == pytest.approx(exact.counts_covariance[2, 2, 0], rel=1e-6)


def test_numbers_of_one_parity():
    # A cat of even levels emits even numbers; its generating function comes back at z = -1.
    n = 400
    ket = tb.coherent_state(n, 1.2).copy()
    ket[1::2] = 0.0
    ket /= np.linalg.norm(ket)
    model = tb.Battery(n, 1.0, 1.0).discharge()
    pmf = tb.counting.distribution(model, 0.3, "all", initial=ket)
    assert np.abs(pmf[1::2]).max() < 1e-10
    np.testing.assert_allclose(pmf[: n + 1], ket[: pmf.size] ** 2, atol=1e-10)


def test_bad_input():
    battery = tb.Battery(3, 1.0, 1.0)
    model = battery.charge()
    with pytest.raises(ValueError, match="`channel` must be 'red', 'center', 'blue' or 'total'"):
        tb.counting.distribution(model, 1.0, "green")
    with pytest.raises(ValueError, match="`t` must be a finite number, zero or positive"):
        tb.counting.distribution(model, -1.0, "red")
    with pytest.raises(TypeError, match="`channels` must be a pair"):
        tb.counting.joint_distribution(model, 1.0, "red")
    with pytest.raises(ValueError, match="`model` must have a channel"):
        tb.counting.distribution(battery.store(), 1.0, "total")


CASES = [pytest.param(case, id=case.name) for case in dense.cases()]
TIMES = np.array([0.0, 0.0625, 0.25, 0.375, 0.5, 0.75, 1.0])  # and so boundaries of stages


def moments_of(case):
    """Return times at which to ask: the beginning, and in a protocol boundaries and in between."""
    return [0.0, 0.125] if case.end == 1.0 else [0.0, 0.125, 0.25, 0.5, case.end - 0.125]


def names_of(case):
    return (*case.model.channel_names, "total")


def padded(probabilities, size):
    """Return the first probabilities; those beyond must be nothing."""
    index = tuple(slice(size) for _ in range(probabilities.ndim))
    rest = probabilities.copy()
    rest[index] = 0.0
    assert rest.sum() < 1e-10
    return np.pad(probabilities[index], [(0, max(0, size - n)) for n in probabilities.shape])


@pytest.mark.parametrize("case", CASES)
def test_intensity_and_first_click_against_the_dense_twin(case):
    times = np.append(TIMES, case.end) if case.end > 1.0 else TIMES
    states = [case.twin.evolve(case.rho, 0.0, t) for t in times]
    names = case.model.channel_names
    expected = [
        [case.twin.rate(rho, t, name) for rho, t in zip(states, times, strict=True)]
        for name in names
    ]
    found = tb.counting.intensity(case.model, times, case.initial)
    np.testing.assert_allclose(found, expected, atol=CLOSE)
    dark = [np.trace(case.twin.evolve(case.rho, 0.0, t, **case.twin.none())).real for t in times]
    found = tb.counting.first_click(case.model, times, case.initial)
    np.testing.assert_allclose(found, 1.0 - np.array(dark), atol=CLOSE)


@pytest.mark.parametrize("case", CASES)
def test_numbers_against_the_dense_twin(case):
    size = 24
    n = np.arange(size)
    for start, t in [(0.0, 1.0), (0.25, case.end), (0.375, 0.5), (0.5, 0.5)]:
        rho = case.twin.evolve(case.rho, 0.0, start)
        for channel in names_of(case):
            expected = case.twin.distribution(rho, start, t, [channel], size)
            options = dict(initial=case.initial, start=start)
            found = tb.counting.distribution(case.model, t, channel, **options)
            assert np.all(found >= 0.0)
            np.testing.assert_allclose(padded(found, size), expected, atol=CLOSE)
            moments = [expected @ np.prod([n - i for i in range(k)], axis=0) for k in (1, 2, 3)]
            found = tb.counting.factorial_moments(case.model, t, channel, 3, **options)
            np.testing.assert_allclose(found, moments, atol=CLOSE)
            mean, second, _ = moments
            if mean > 1e-12:
                found = tb.counting.fano(case.model, [t], channel, **options)
                assert found[0] == pytest.approx(1.0 + second / mean - mean, abs=CLOSE)


@pytest.mark.parametrize("case", CASES)
def test_next_photons_against_the_dense_twin(case):
    twin, names = case.twin, case.model.channel_names
    lasting = isinstance(case.model, tb.Protocol)
    for at in moments_of(case):
        before = twin.evolve(case.rho, 0.0, at)
        delays = TIMES[at + TIMES <= case.end]
        for after in (None, *names, "total"):
            rho = before if after is None else twin.clicked(before, at, after, later=True)
            options = dict(initial=case.initial, at=at)
            survival = tb.counting.survival(case.model, delays, after, **options)
            following = tb.counting.next_channel(case.model, after, **options)
            rate = np.trace(rho).real
            if rate == 0.0:
                assert np.all(np.isnan([*survival, *following]))
                continue
            if rate < 1e-20:  # zero but for the rounding of pi
                continue
            rho = rho / rate
            later = [twin.evolve(rho, at, at + tau, **twin.none()) for tau in delays]
            expected = [np.trace(state).real for state in later]
            np.testing.assert_allclose(survival, expected, atol=CLOSE)
            end = case.end if lasting else 1000.0
            expected = [twin.first(rho, at, end, name) for name in names]
            if case.name != "eq7-theta-pi":  # there sin(theta) is not quite zero
                np.testing.assert_allclose(following, expected, atol=CLOSE)
            for channel in names_of(case) if after else ():
                expected = [
                    twin.rate(state, at + tau, channel, later=tau == 0.0)
                    for state, tau in zip(later, delays, strict=True)
                ]
                found = tb.counting.waiting_time(case.model, delays, (after, channel), **options)
                np.testing.assert_allclose(found, expected, atol=CLOSE)


@pytest.mark.parametrize("case", CASES)
def test_pairs_of_photons_against_the_dense_twin(case):
    twin = case.twin
    for at in moments_of(case):
        before = twin.evolve(case.rho, 0.0, at)
        delays = TIMES[at + TIMES <= case.end]
        options = dict(initial=case.initial, at=at)
        for a in names_of(case):
            now = twin.clicked(before, at, a, later=True)
            for b in names_of(case):
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


def gauss(start, stop):
    """Return times in a window and their weights."""
    return start + (stop - start) * MIDDLES, (stop - start) * GAUSS


# And so that in no cycle a stage ends while the second photon may come.
WINDOWS = [(0.0625, 0.1875, 0.0), (0.5, 0.6, 0.125), (0.9, 1.0, 0.35)]


@pytest.mark.parametrize("case", CASES)
def test_windows_against_the_dense_twin(case):
    twin, names = case.twin, names_of(case)
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


def test_next_channels_after_a_window():
    cases = {case.name: case for case in dense.cases()}
    for name, after, (start, stop) in [
        ("eq7", "red", (0.1, 0.6)),
        ("discharge", "all", (0.1, 0.6)),
    ]:
        case, twin = cases[name], cases[name].twin
        expected, total = np.zeros(len(case.model.channel_names)), 0.0
        for t, weight in zip(*gauss(start, stop), strict=True):
            rho = twin.clicked(twin.evolve(case.rho, 0.0, t), t, after)
            total += weight * np.trace(rho).real
            for i, channel in enumerate(case.model.channel_names):
                expected[i] += weight * twin.first(rho, t, 1000.0, channel)
        found = tb.counting.next_channel(case.model, after, case.initial, at=(start, stop))
        np.testing.assert_allclose(found, expected / total, atol=CLOSE)


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


@pytest.mark.parametrize("secular", [True, False])
def test_what_comes_next_in_a_protocol_that_lasts(secular):
    # Many times as long as it takes.
    model = tb.Battery(2, 1.3, 5.0).charge(secular=secular)
    lasting = tb.Protocol([(model, 1.0), (model, 300.0 if secular else 8.0)])
    for after in (None, model.channel_names[-1]):
        found = tb.counting.next_channel(lasting, after, at=0.3)
        left = tb.counting.survival(model, [lasting.duration - 0.3], after, at=0.3)
        assert found.sum() == pytest.approx(1.0 - left[0], abs=1e-9)
        if secular:
            expected = tb.counting.next_channel(model, after, at=0.3)
            np.testing.assert_allclose(found, expected, atol=1e-5)


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


@pytest.mark.parametrize(
    ("name", "pairs"),
    [
        ("eq7", [("red", "blue"), ("blue", "center"), ("center", "center"), ("total", "red")]),
        ("cycle", [("red", "dis"), ("all", "dis"), ("dis", "total")]),
    ],
)
def test_joint_numbers_against_the_dense_twin(name, pairs):
    (case,) = (case for case in dense.cases() if case.name == name)
    size, start, t = 16, 0.125, 0.375 if name == "eq7" else case.end
    rho = case.twin.evolve(case.rho, 0.0, start)
    for channels in pairs:
        expected = case.twin.distribution(rho, start, t, channels, size)
        found = tb.counting.joint_distribution(case.model, t, channels, case.initial, start)
        np.testing.assert_allclose(padded(found, size), expected, atol=CLOSE)


def test_covariances_of_joint_numbers_are_those_of_the_master_equation():
    first = tb.Battery(4, 1.87, 20.0, gamma_plus=6.0)
    second = tb.Battery(4, 1.2, 20.0)
    protocol = tb.Protocol(
        [
            (first.charge(), 0.1),
            (first.store(), 0.05),
            (second.charge(secular=False), 0.1),
            (first.discharge(2.0), 0.2),
        ]
    )
    times = [0.3, 0.45]
    exact = tb.mesolve(protocol, times, covariances=True)
    for i, t in enumerate(times):
        for a, b in [("red", "blue"), ("blue", "all"), ("all", "dis")]:
            joint = tb.counting.joint_distribution(protocol, t, (a, b))
            n, m = (np.arange(size) for size in joint.shape)
            covariance = n @ joint @ m - (n @ joint.sum(axis=1)) * (joint.sum(axis=0) @ m)
            places = [exact.channels.index(name) for name in (a, b)]
            assert covariance == pytest.approx(exact.counts_covariance[*places, i], abs=1e-8)
        for channel, means, variances in zip(
            exact.channels, exact.counts, exact.counts_covariance.diagonal().T, strict=True
        ):
            first, second = tb.counting.factorial_moments(protocol, t, channel, 2)
            assert first == pytest.approx(means[i], abs=1e-9)
            assert second + first - first**2 == pytest.approx(variances[i], abs=1e-8)
            found = tb.counting.fano(protocol, [t], channel)
            assert found[0] == pytest.approx(variances[i] / means[i], abs=1e-8)


def panels(end, n=12):
    """Return Gauss nodes and weights on [0, end], denser near 0."""
    points, weights = np.polynomial.legendre.leggauss(16)
    edges = np.append(0.0, end * 0.5 ** np.arange(n)[::-1])
    half = np.diff(edges)[:, None] / 2
    return (edges[:-1, None] + half * (points + 1)).ravel(), (half * weights).ravel()


def settings():
    """Return models of some more atoms, a time to look at, and how long to wait."""
    battery, driven = tb.Battery(12, 1.87, 60.0, gamma_plus=5.0), tb.Battery(6, 1.2, 5.0)
    cycle = [(battery.charge(), 0.06), (battery.store(), 0.02), (battery.discharge(), 0.1)]
    return [
        pytest.param(battery.charge(), 0.05, 12.0, id="eq7"),
        pytest.param(battery.discharge(), 0.02, 60.0, id="discharge"),
        pytest.param(driven.charge(secular=False), 0.3, 16.0, id="eq5"),
        pytest.param(tb.Protocol(cycle), 0.03, 0.15, id="cycle"),
    ]


@pytest.mark.parametrize(("model", "at", "wait"), settings())
def test_waiting_times_integrate_to_the_next_channel(model, at, wait):
    if isinstance(model, tb.Protocol):
        edges = [0.0, 0.03, 0.05, 0.15]  # delays; the rates jump where a stage ends
        points, weights = np.polynomial.legendre.leggauss(24)
        half = np.diff(edges)[:, None] / 2
        delays = (np.array(edges[:-1])[:, None] + half * (points + 1)).ravel()
        weights = (half * weights).ravel()
    else:
        delays, weights = panels(wait)
    names = model.channel_names
    for after in (*names[:2], "total"):
        density = [tb.counting.waiting_time(model, delays, (after, name), at=at) for name in names]
        following = tb.counting.next_channel(model, after, at=at)
        if after == "dis":
            assert np.all(np.isnan(density))
            assert np.all(np.isnan(following))
            continue
        np.testing.assert_allclose(np.array(density) @ weights, following, atol=1e-9)
        total = tb.counting.waiting_time(model, delays, (after, "total"), at=at)
        np.testing.assert_allclose(np.sum(density, axis=0), total, rtol=1e-9, atol=1e-12)
        left = tb.counting.survival(model, [wait], after, at=at)[0]
        assert total @ weights == pytest.approx(1.0 - left, abs=1e-9)


@pytest.mark.parametrize("secular", [True, False])
def test_variances_are_integrals_of_correlations(secular):
    # In the steady state cov(n_a, n_b) is the integral of (T - tau)(G_ab + G_ba - 2 I_a I_b).
    n = 12 if secular else 6
    battery = tb.Battery(n, 1.3, 6.0, *((0.5, 2.0, 1.0) if secular else (1.0, 1.0, 1.0)))
    model, end = battery.charge(secular=secular), 0.8
    steady = tb.steady_state(model)
    nodes, weights = panels(end)
    names = model.channel_names
    rates = tb.counting.intensity(model, [0.0, 1.0], steady)
    np.testing.assert_allclose(rates[:, 1], rates[:, 0], rtol=1e-9)
    exact = tb.mesolve(model, [end], initial=steady, covariances=True).counts_covariance[..., 0]
    kernel = weights * (end - nodes)
    every = 0.0
    for i, a in enumerate(names):
        for j, b in enumerate(names):
            ab, ba = (
                tb.counting.correlation(model, nodes, pair, steady) for pair in ((a, b), (b, a))
            )
            every += ab
            covariance = kernel @ (ab + ba - 2.0 * rates[i, 0] * rates[j, 0])
            covariance += (i == j) * rates[i, 0] * end
            assert covariance == pytest.approx(exact[i, j], rel=1e-8)
        found = tb.counting.fano(model, [end], a, steady)
        assert found[0] == pytest.approx(exact[i, i] / (rates[i, 0] * end), rel=1e-8)
    total = tb.counting.correlation(model, nodes, ("total", "total"), steady)
    np.testing.assert_allclose(total, every, rtol=1e-10)
    found = tb.counting.g2(model, nodes, ("total", "total"), steady)
    np.testing.assert_allclose(found, every / rates[:, 0].sum() ** 2, rtol=1e-9)


def test_one_atom_dephases_like_a_poissonian_source():
    # J_z^2 = 1/4: `center` clicks at a constant rate and tells nothing.
    battery = tb.Battery(1, 1.3, 7.0, gamma_0=3.0, gamma_plus=0.0, gamma_minus=0.0)
    model = battery.charge()
    rate, times = 0.75 * np.sin(1.3) ** 2, np.array([0.0, 0.4, 2.0])
    found = tb.counting.distribution(model, 2.0, "center")
    np.testing.assert_allclose(
        found, stats.poisson.pmf(np.arange(found.size), 2 * rate), atol=1e-12
    )
    moments = tb.counting.factorial_moments(model, 2.0, "center", 4, start=0.5)
    np.testing.assert_allclose(moments, (1.5 * rate) ** np.arange(1, 5), rtol=1e-7)
    np.testing.assert_allclose(tb.counting.fano(model, times[1:], "center"), 1.0, rtol=1e-9)
    pair = ("center", "center")
    np.testing.assert_allclose(tb.counting.g2(model, times, pair, at=0.3), 1.0, rtol=1e-11)
    found = tb.counting.waiting_time(model, times, pair, at=0.3)
    np.testing.assert_allclose(found, rate * np.exp(-rate * times), rtol=1e-11)
    np.testing.assert_allclose(tb.counting.next_channel(model, "center"), [0.0, 1.0, 0.0])


def test_inverted_atoms_emit_one_by_one():
    n, gamma = 6, 1.5
    model, start = tb.Battery(n, 1.0, 2.0).discharge(gamma), tb.excited_state(n)
    times = np.array([0.0, 0.1, 0.5])
    found = tb.counting.survival(model, times, initial=start)
    np.testing.assert_allclose(found, np.exp(-n * gamma * times), rtol=1e-12)
    # After one photon the atoms are superradiant: k(N - k + 1) of level k = N - 1.
    pair = ("all", "all")
    found = tb.counting.waiting_time(model, times, pair, start)
    rate = 2 * (n - 1) * gamma
    np.testing.assert_allclose(found, rate * np.exp(-rate * times), rtol=1e-12)
    assert tb.counting.g2(model, [0.0], pair, start)[0] == pytest.approx(2 - 2 / n, rel=1e-12)
    assert tb.counting.first_channels(model, n, start).item() == pytest.approx(1.0)
    assert tb.counting.first_channels(model, n + 1, start).item() == 0.0
    found = tb.counting.distribution(model, 200.0, "all", start)
    np.testing.assert_allclose(found[: n + 2], np.arange(n + 2) == n, atol=1e-11)
    atom = tb.Battery(1, 1.0, 2.0)
    antibunched = tb.counting.g2(atom.discharge(), [0.0], pair, tb.excited_state(1))
    assert antibunched[0] == 0.0
    model = tb.Battery(1, 1.2, 5.0).charge(secular=False)
    assert tb.counting.g2(model, [0.0], pair, at=0.7)[0] == pytest.approx(0.0, abs=1e-12)


def test_the_order_of_the_first_photons():
    # On an empty record of one channel after the other, J'_+ then J'_- weigh each level.
    case = dense.cases()[0]
    twin, names = case.twin, case.model.channel_names
    found = tb.counting.first_channels(case.model, 3, case.initial)
    assert found.shape == (3, 3, 3)
    assert found.sum() == pytest.approx(1.0, abs=1e-12)
    for first, second, third in [(0, 0, 2), (2, 0, 1), (1, 1, 0), (2, 2, 2)]:
        rho = case.rho
        for channel in (first, second):
            rho = waited(twin, rho, names[channel])
        expected = twin.first(rho, 0.0, 1000.0, names[third])
        assert found[first, second, third] == pytest.approx(expected, abs=CLOSE)
    one = tb.counting.first_channels(case.model, 1, case.initial)
    np.testing.assert_allclose(one, tb.counting.next_channel(case.model, None, case.initial))


def waited(twin, rho, channel):
    """Return the state after the first photon, if that is of `channel`, over all its times."""
    (stage,) = twin.stages
    whole = -np.linalg.solve(stage.generator(twin.none()), rho.ravel())
    return twin.clicked(whole.reshape(rho.shape), 0.0, channel)


def test_trajectories_wait_like_this():
    battery = tb.Battery(5, 1.87, 50.0, gamma_plus=4.0)
    model, end = battery.charge(), 3.0
    clicks = tb.mcsolve(model, [end], 20_000, seed=11, keep_clicks=True).clicks
    first = clicks.offsets[:-1]
    assert np.all(np.diff(clicks.offsets) >= 2)
    pairs = clicks.channel[first], clicks.channel[first + 1]
    seen = np.zeros((3, 3))
    np.add.at(seen, pairs, 1)

    def p_values(model):
        two = tb.counting.first_channels(model).ravel()
        possible = two > 1e-12
        assert seen.ravel()[~possible].sum() == 0
        fit = stats.chisquare(seen.ravel()[possible], 20_000 * two[possible] / two.sum())
        times = np.linspace(0, end, 2001)
        cdf = tb.counting.first_click(model, times)
        waits = stats.kstest(clicks.time[first], lambda t: np.interp(t, times, cdf))
        return fit.pvalue, waits.pvalue

    assert min(p_values(model)) > 1e-3
    # Negative controls: one rate 15 % off, and all 10 %, which does not change the order.
    assert p_values(tb.Battery(5, 1.87, 50.0, gamma_0=1.15, gamma_plus=4.0).charge())[0] < 1e-6
    assert p_values(tb.Battery(5, 1.87, 50.0, 1.1, 4.4, 1.1).charge())[1] < 1e-6


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


def test_nothing_comes_of_a_channel_without_rate():
    model, start = tb.Battery(3, 0.0, 2.0, 1.0, 2.0, 3.0).charge(), tb.excited_state(3)
    nothing = np.arange(17) == 0
    for channel in ("red", "center"):
        np.testing.assert_allclose(
            tb.counting.distribution(model, 1.0, channel, start), nothing, atol=1e-13
        )
        assert np.all(np.isnan(tb.counting.fano(model, [0.5, 1.0], channel, start)))
        assert np.all(tb.counting.correlation(model, [0.0, 1.0], (channel, "blue"), start) == 0.0)
        assert np.all(np.isnan(tb.counting.g2(model, [0.0, 1.0], (channel, "blue"), start)))
        assert np.all(np.isnan(tb.counting.g2(model, [0.0, 1.0], ("blue", channel), start)))
        for pair in ((channel, "blue"), (channel, channel)):
            assert np.all(np.isnan(tb.counting.waiting_time(model, [0.0, 1.0], pair, start)))
        assert np.all(np.isnan(tb.counting.next_channel(model, channel, start)))
        assert np.all(np.isnan(tb.counting.survival(model, [0.0, 1.0], channel, start)))
    # The ground state is dark, and so is a charge without a drive or without a rate.
    for dark_model in (
        model,
        tb.Battery(3, 1.0, 0.0).charge(secular=False),
        tb.Battery(3, 0.0, 2.0).charge(secular=False),
        tb.Battery(3, 1.0, 2.0, 0.0, 0.0, 0.0).charge(secular=False),
        tb.Battery(3, 1.0, 2.0, 0.0, 0.0, 0.0).charge(),
    ):
        dark = dict(initial=tb.ground_state(3))
        assert np.all(tb.counting.next_channel(dark_model, **dark) < 1e-12)
        np.testing.assert_allclose(
            tb.counting.survival(dark_model, [0.0, 2.0], **dark), 1.0, rtol=1e-12
        )
        found = tb.counting.distribution(dark_model, 2.0, "total", **dark)
        np.testing.assert_allclose(found, np.arange(found.size) == 0, atol=1e-12)
        assert np.all(np.abs(tb.counting.intensity(dark_model, [0.0, 2.0], **dark)) < 1e-12)
    # Without a drive the inverted state empties, and the ground state stays dark.
    undriven = tb.Battery(3, 1.0, 0.0).charge(secular=False)
    half = np.diag([0.25, 0.0, 0.0, 0.75])
    for model in (undriven, tb.Battery(3, 1.0, 2.0).discharge()):
        for initial, expected in [(tb.excited_state(3), 1.0), (half, 0.75)]:
            following = tb.counting.next_channel(model, initial=initial)
            assert following[0] == pytest.approx(expected, abs=1e-12)


def test_nothing_has_come_at_once():
    for case in dense.cases():
        for channel in names_of(case):
            for t in (0.0, 0.25):
                found = tb.counting.distribution(case.model, t, channel, case.initial, start=t)
                assert found[0] == 1.0
                assert np.all(found[1:] == 0.0)
        joint = tb.counting.joint_distribution(case.model, 0.0, ("total", "total"), case.initial)
        assert joint[0, 0] == joint.sum() == 1.0
        assert tb.counting.first_click(case.model, [0.0], case.initial)[0] < 1e-12
        assert np.isnan(tb.counting.fano(case.model, [0.0], "total", case.initial)[0])


def test_stages_without_the_channel_do_not_count():
    battery = tb.Battery(4, 1.87, 9.0, gamma_plus=3.0)
    charge, store, discharge = (battery.charge(), 0.25), (battery.store(), 0.5), battery.discharge()
    whole = tb.Protocol([charge, store, (discharge, 0.25), store])
    short = tb.Protocol([charge, store, (discharge, 0.25)])
    for channel, early in [("red", 0.25), ("total", 1.0), ("dis", 1.0)]:
        found = tb.counting.distribution(whole, 1.5, channel)
        expected = tb.counting.distribution(short, early, channel)
        n = min(found.size, expected.size)
        np.testing.assert_allclose(found[:n], expected[:n], atol=1e-11)
    nothing = tb.counting.distribution(whole, 1.5, "red", start=0.25)
    assert nothing[0] == nothing.sum() == 1.0
    assert tb.counting.distribution(whole, 0.75, "dis")[0] == 1.0
    # At a boundary the stage that ends there rules; from it on, the next one.
    rates = tb.counting.intensity(whole, [0.25, 0.75, 1.0])
    assert np.all(rates[:3, 0] > 0)
    assert np.all(rates[3, :2] == 0)
    assert rates[3, 2] > 0
    assert np.all(tb.counting.next_channel(whole, at=1.0) == 0.0)
    left = tb.counting.survival(whole, [0.0, 0.125], at=1.0)
    np.testing.assert_allclose(left, 1.0, rtol=1e-12)
    later = tb.counting.next_channel(whole, at=0.25)
    np.testing.assert_allclose(later, tb.counting.next_channel(whole, at=0.75), atol=1e-12)
    assert later[3] > 0.5
    assert np.all(later[:3] == 0.0)


def test_more_bad_input():
    battery = tb.Battery(3, 1.0, 1.0)
    model, driven = battery.charge(), battery.charge(secular=False)
    cycle = tb.Protocol([(model, 0.5), (battery.discharge(), 0.5)])
    counting = tb.counting
    for call, error, message in [
        (
            lambda: counting.distribution(model, 1.0, "red", start=2.0),
            ValueError,
            "`start` must",
        ),
        (lambda: counting.distribution(cycle, 1.5, "red"), ValueError, "end of the protocol, 1.0"),
        (lambda: counting.distribution(cycle, 1.0, "all"), ValueError, "'dis' or 'total', but"),
        (lambda: counting.joint_distribution(model, 1.0, ("red",)), TypeError, "must be a pair"),
        (
            lambda: counting.joint_distribution(model, 1.0, ("red", "x")),
            ValueError,
            "`channels` must",
        ),
        (lambda: counting.distribution(cycle, 1.5, "red"), ValueError, "`t` must end by the end"),
        (lambda: counting.distribution(model, 1e300, "red"), ValueError, "`t` must leave fewer"),
        (lambda: counting.distribution(model, 1.0, np.array(["red"])), ValueError, "`channel` mus"),
        (
            lambda: counting.factorial_moments(model, 1.0, "red", 33),
            ValueError,
            "`order` must be a",
        ),
        (
            lambda: counting.survival(cycle, [0.5], at=0.6),
            ValueError,
            "`tlist` after `at` must end",
        ),
        (lambda: counting.waiting_time(model, [0.5], ("x", "red")), ValueError, "`channels` must"),
        (
            lambda: counting.g2(model, [0.5], ("red", "red"), at=(1.0, 0.5)),
            ValueError,
            r"`at` must be a pair \(start, stop\) in this order",
        ),
        (lambda: counting.photocurrent(cycle, [0.0, 2.0]), ValueError, "`edges` must end by"),
        (lambda: counting.photocurrent(model, [1.0]), ValueError, "`edges` must hold two times"),
        (lambda: counting.photocurrent(battery.store(), [0.0, 1.0]), ValueError, "have a channel"),
        (
            lambda: counting.g2_matrix(model, [1.0], ("red", "red")),
            ValueError,
            "`edges` must hold two",
        ),
        (lambda: counting.first_channels(model, 40), ValueError, "`length` must leave fewer than"),
        (
            lambda: counting.next_channel(cycle, until=1.5),
            ValueError,
            "`until` must end by the end",
        ),
        (lambda: counting.next_channel(model, until=-1.0), ValueError, "`until` must be"),
        (
            lambda: counting.next_channel(model, "red", at=1.0, until=0.5),
            ValueError,
            "`at` must be before the end",
        ),
        (lambda: counting.factorial_moments(model, 1.0, "red", 0), ValueError, "`order` must"),
        (lambda: counting.fano(model, [1.0, 0.5], "red"), ValueError, "`tlist` must"),
        (lambda: counting.fano(model, [1.0], "red", start=2.0), ValueError, "`start` must"),
        (lambda: counting.intensity(battery, [1.0]), TypeError, "`model` must be a model"),
        (lambda: counting.intensity(model, []), ValueError, "`tlist` must .* is empty"),
        (lambda: counting.intensity(model, [1.0], np.ones(3)), ValueError, "`initial` must have"),
        (lambda: counting.survival(model, [1.0], "x"), ValueError, "`after` must be 'red'"),
        (
            lambda: counting.survival(model, [1.0], at=(0.1, 0.2)),
            ValueError,
            "be one time",
        ),
        (
            lambda: counting.survival(model, [1.0], "red", at=(0.2, 0.1)),
            ValueError,
            "`at` must",
        ),
        (
            lambda: counting.survival(model, [1.0], "red", at=(0.2,)),
            ValueError,
            "or a pair",
        ),
        (lambda: counting.survival(cycle, [0.5], at=0.6), ValueError, "end of the protocol, 1.0"),
        (lambda: counting.survival(model, [0.5], at=-1.0), ValueError, "`at` must"),
        (lambda: counting.first_click(model, [-1.0]), ValueError, "`tlist` must"),
        (
            lambda: counting.waiting_time(model, [1.0], "red"),
            TypeError,
            "`channels` must be a pair",
        ),
        (lambda: counting.waiting_time(model, [1.0], ("red", "x")), ValueError, "`channels` must"),
        (lambda: counting.next_channel(model, "x"), ValueError, "`after` must be 'red'"),
        (lambda: counting.next_channel(battery.store()), ValueError, "must have a channel"),
        (lambda: counting.first_channels(driven), TypeError, "must be a ladder model .* Banded"),
        (lambda: counting.first_channels(cycle), TypeError, "must be a ladder model .* Protocol"),
        (lambda: counting.first_channels(model, 0), ValueError, "`length` must be a positive"),
        (lambda: counting.g2(model, [1.0], ("x", "red")), ValueError, "`channels` must be 'red'"),
        (
            lambda: counting.correlation(model, [1.0], ("red",) * 2, at="a"),
            TypeError,
            "`at` must",
        ),
        (
            lambda: counting.g2_matrix(model, [0.0, 1.0], "red"),
            TypeError,
            "`channels` must be a pair",
        ),
        (lambda: counting.photocurrent(model, [1.0, 0.0]), ValueError, "`edges` must"),
    ]:
        with pytest.raises(error, match=message) as caught:
            call()
        assert "\n" not in str(caught.value)


def test_delays_up_to_the_end_of_a_protocol():
    # at + delay is the end but for rounding.
    battery = tb.Battery(2, 1.87, 9.0)
    cycle = tb.Protocol([(battery.charge(), 0.3), (battery.discharge(), 0.4)])
    pair = ("total", "total")
    for at in np.round(np.arange(0.01, 0.7, 0.03), 2):
        delay = round(0.7 - at, 2)
        for function, argument in [
            (tb.counting.survival, None),
            (tb.counting.waiting_time, pair),
            (tb.counting.g2, pair),
        ]:
            near = function(cycle, [0.9999999 * delay], argument, at=at)
            for delays in ([delay], [0.0, delay]):
                found = function(cycle, delays, argument, at=at)
                assert found[-1] == pytest.approx(near[0], abs=1e-5)


def test_a_photon_at_a_boundary():
    # The stage that begins there rules, whatever the delays.
    battery = tb.Battery(3, 1.0, 1.0)
    cycle = tb.Protocol([(battery.charge(), 0.5), (battery.discharge(), 0.25)])
    for delays in ([0.0], [0.0, 0.1]):
        assert np.all(np.isnan(tb.counting.survival(cycle, delays, "red", at=0.5)))
        assert tb.counting.survival(cycle, delays, "dis", at=0.5)[0] == pytest.approx(1.0)
    np.testing.assert_array_equal(tb.counting.next_channel(cycle, at=0.75), 0.0)
    for at in (0.8, (0.7, 0.8)):
        with pytest.raises(ValueError, match="must"):
            tb.counting.next_channel(cycle, "dis", at=at)


def test_nobody_waits_for_long():
    model = tb.Battery(100, 1.87, 1000.0, gamma_plus=10.0).charge()
    assert tb.counting.survival(model, [0.0, 1e3])[1] == 0.0
    assert tb.counting.waiting_time(model, [0.0, 1e3], ("red", "blue"))[1] == 0.0
    assert tb.counting.first_click(model, [1e3])[0] == 1.0


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


@pytest.mark.parametrize("weight", [1e-2, 1e-3, 1e-6])
def test_two_peaks_far_apart(weight):
    n = 100
    model = tb.Battery(n, 1.0, 1.0).discharge()
    ket = np.zeros(n + 1)
    ket[0], ket[n] = np.sqrt(1 - weight), np.sqrt(weight)
    found = tb.counting.distribution(model, 100.0, "all", ket)
    expected = np.zeros(found.size)
    expected[[0, n]] = 1 - weight, weight
    np.testing.assert_allclose(found, expected, atol=1e-11)


def test_a_dark_ladder_at_theta_pi():
    # The sine of the rounded pi is not zero.
    model = tb.Battery(3, np.pi, 9.0).charge()
    assert tb.counting.survival(model, [1e3])[0] == pytest.approx(1.0)
    np.testing.assert_array_equal(tb.counting.next_channel(model), 0.0)


def test_rounding_is_no_photon():
    # The ground state is dark: amplitudes of 1e-16 must not be taken for a photon.
    for n_atoms in (1, 3, 10, 100):
        model = tb.Battery(n_atoms, 1.2, 5.0).charge(secular=False)
        counting = tb.counting
        assert np.all(np.isnan(counting.survival(model, [0.0, 0.1], "all")))
        assert np.all(np.isnan(counting.next_channel(model, "all")))
        assert np.all(np.isnan(counting.g2(model, [0.0], ("all", "all"))))
    # But a photon soon after is one.
    model = tb.Battery(2, 1.2, 5.0).charge(secular=False)
    assert tb.counting.survival(model, [0.0], "all", at=1e-3)[0] == pytest.approx(1.0)


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


@pytest.mark.parametrize("n_atoms", [1, 10, 300])
def test_long_after_everything_has_settled(n_atoms):
    model = tb.Battery(n_atoms, 1.87, 1000.0, gamma_plus=10.0).charge()
    steady = tb.counting.intensity(model, [0.0], tb.steady_state(model))
    for end in (1e3, 1e6, 1e15, 1e17):
        found = tb.counting.intensity(model, [end])
        np.testing.assert_allclose(found, steady, rtol=1e-12)
    late = tb.counting.survival(model, [1e-3], "blue", at=1e9)
    soon = tb.counting.survival(model, [1e-3], "blue", tb.steady_state(model))
    np.testing.assert_allclose(late, soon, rtol=1e-10)


@pytest.mark.parametrize("mean", [1e-6, 1e-3, 0.1, 1.0, 30.0])
def test_factorial_moments_of_poissonian_light(mean):
    # One atom at theta = pi/2: the center line is Poissonian, of rate gamma_0/4.
    model = tb.Battery(1, np.pi / 2, 10.0).charge()
    found = tb.counting.factorial_moments(model, 4 * mean, "center", 8)
    np.testing.assert_allclose(found, mean ** np.arange(1.0, 9.0), rtol=1e-10)


def test_factorial_moments_of_rare_bursts():
    # Nothing at all, or, once in a million times, thirty photons.
    model = tb.Battery(30, 1.87, 1000.0).discharge()
    rho = np.diag([1 - 1e-6, *np.zeros(29), 1e-6])
    found = tb.counting.factorial_moments(model, 5.0, "all", 4, rho)
    np.testing.assert_allclose(found, [1e-6 * math.perm(30, k) for k in range(1, 5)], rtol=1e-9)
    # Driven, and over two stages: those of the distribution.
    battery = tb.Battery(4, 1.2, 30.0)
    cycle = tb.Protocol([(battery.charge(secular=False), 0.3), (battery.discharge(), 0.5)])
    probabilities = tb.counting.distribution(cycle, 0.8, "total")
    expected = [sum(p * math.perm(n, k) for n, p in enumerate(probabilities)) for k in range(1, 5)]
    found = tb.counting.factorial_moments(cycle, 0.8, "total")
    np.testing.assert_allclose(found, expected, rtol=1e-9)
    assert tb.counting.factorial_moments(cycle, 0.0, "total").tolist() == [0.0] * 4


def test_the_next_photon_by_the_end_of_a_record():
    counting = tb.counting
    battery = tb.Battery(6, 1.87, 60.0, gamma_plus=10.0)
    model, driven = battery.charge(), tb.Battery(3, 1.2, 30.0).charge(secular=False)
    for one, end in ((model, 0.02), (battery.discharge(), 0.1), (driven, 0.2)):
        found = counting.next_channel(one, until=end)
        assert found.sum() == pytest.approx(counting.first_click(one, [end])[0], rel=1e-9)
    # It is that of a protocol that ends there.
    short = tb.Protocol([(model, 0.02)])
    for after, at in ((None, 0.0), ("blue", 0.01), ("total", (0.005, 0.015))):
        np.testing.assert_allclose(
            counting.next_channel(model, after, at=at, until=0.02),
            counting.next_channel(short, after, at=at),
            rtol=1e-12,
        )
    np.testing.assert_allclose(
        counting.next_channel(model, until=50.0), counting.next_channel(model), rtol=1e-9
    )
    # A protocol keeps the channels that it has not come to.
    cycle = tb.Protocol([(model, 0.1), (battery.discharge(), 0.1)])
    found = counting.next_channel(cycle, until=0.02)
    np.testing.assert_allclose(found, [*counting.next_channel(short), 0.0], rtol=1e-12)
    assert counting.next_channel(model, until=0.0).tolist() == [0.0] * 3
    # Trajectories say the same; a negative control forgets the end.
    runs = tb.mcsolve(model, [0.02], 20_000, seed=4, keep_clicks=True)
    estimate = tb.photons.next_channel(runs.clicks)
    exact = counting.next_channel(model, until=0.02)
    assert np.all(np.abs(estimate.value - exact) < 4 * estimate.sem)
    assert np.all(np.abs(estimate.value - counting.next_channel(model)) > 5 * estimate.sem)
