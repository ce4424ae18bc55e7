"""Distributions of photon numbers: the dense twin, closed forms, trajectories."""

import numpy as np
import pytest
from oracle import dense
from oracle.statistics import p_of_numbers

import trajbatt as tb

CLOSE = 1e-9


@pytest.mark.slow
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
        return p_of_numbers(runs.final_counts[:, 1], pmf)

    assert p_value(battery.charge()) > 1e-3
    # Negative control: another rate of this channel.
    off = tb.Battery(15, 1.87, 150.0, gamma_0=1.05, gamma_plus=10.0)
    assert p_value(off.charge()) < 1e-6


@pytest.mark.slow
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


@pytest.mark.slow
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


CASES = dense.parameters()


def padded(probabilities, size):
    """Return the first probabilities; those beyond must be nothing."""
    index = tuple(slice(size) for _ in range(probabilities.ndim))
    rest = probabilities.copy()
    rest[index] = 0.0
    assert rest.sum() < 1e-10
    return np.pad(probabilities[index], [(0, max(0, size - n)) for n in probabilities.shape])


@pytest.mark.parametrize("case", CASES)
def test_numbers_against_the_dense_twin(case):
    size = 24
    n = np.arange(size)
    for start, t in [(0.0, 1.0), (0.25, case.end), (0.375, 0.5), (0.5, 0.5)]:
        rho = case.twin.evolve(case.rho, 0.0, start)
        for channel in case.channels:
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


@pytest.mark.parametrize(
    ("name", "pairs"),
    [
        ("eq7", [("red", "blue"), ("blue", "center"), ("center", "center"), ("total", "red")]),
        pytest.param(
            "cycle", [("red", "dis"), ("all", "dis"), ("dis", "total")], marks=pytest.mark.slow
        ),
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


def test_nothing_has_come_at_once():
    for case in dense.cases():
        for channel in case.channels:
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


@pytest.mark.slow
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
