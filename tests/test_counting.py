"""Photon-number distributions against the reference numbers, and against trajectories."""

import numpy as np
import oracles
import pytest
from scipy import stats

import trajbatt as tb


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
