"""Photon statistics against the numbers of another program."""

import numpy as np
import pytest
from oracle import references

import trajbatt as tb


@pytest.mark.slow
@pytest.mark.parametrize("case", references.load()["counts7"], ids=references.name)
def test_charging_oracles(case):
    model = references.battery(case).charge()
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


@pytest.mark.parametrize("case", references.load()["counts7"], ids=references.name)
def test_which_photon_comes_next(case):
    model = references.battery(case).charge()
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


@pytest.mark.parametrize("case", references.load()["counts7"], ids=references.name)
def test_correlations_in_the_steady_state(case):
    model = references.battery(case).charge()
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


@pytest.mark.slow
@pytest.mark.parametrize("case", references.load()["counts5"], ids=references.name)
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


@pytest.mark.parametrize("case", references.load()["countsD"], ids=lambda c: f"N{c['N']}")
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
