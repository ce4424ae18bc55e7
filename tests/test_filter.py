"""The filter against the reference records, and against the trajectories' own states."""

from types import SimpleNamespace

import numpy as np
import oracles
import pytest

import trajbatt as tb


def record(*clicks):
    return SimpleNamespace(
        time=np.array([time for time, _ in clicks]), channel=[name for _, name in clicks]
    )


def setting(case):
    """Return the model and the initial state of a reference record."""
    n, theta, gamma = case["N"], case["theta"], case["gamma0"]
    if case["model"] == "eq7":
        return oracles.battery(case).charge(), None
    if case["model"] == "eq5":
        battery = tb.Battery(n, theta, case["Omega_P"], gamma, gamma, gamma)
        return battery.charge(secular=False), None
    if case["model"] == "dis_coherent":
        model = tb.Battery(n, np.pi / 2, 0.0, gamma).discharge()
        return model, tb.coherent_state(n, np.pi - theta)
    return tb.Battery(n, theta, 0.0, gamma, case["r"]).discharge(), None


@pytest.mark.parametrize(
    "case",
    oracles.load()["records"],
    ids=lambda c: f"{c['model']}-N{c['N']}-{c['efficiency']}-{len(c['clicks'])}",
)
def test_reference_records(case):
    model, initial = setting(case)
    at = case["cond"]
    times = [one["t"] for one in at]
    found = tb.filter(model, record(*case["clicks"]), times, case["efficiency"], initial)
    for name, key in [
        ("energy", "E"),
        ("energy_variance", "varE"),
        ("purity", "purity"),
        ("ergotropy", "ergotropy"),
        ("log_likelihood", "loglik_so_far"),
    ]:
        np.testing.assert_allclose(getattr(found, name), [one[key] for one in at], atol=1e-10)
    dipole = [complex(*one["Jp"]) for one in at]
    np.testing.assert_allclose(found.dipole, dipole, atol=1e-10)
    rates = [[one["rates"][name] for one in at] for name in model.channel_names]
    np.testing.assert_allclose(found.rates, rates, atol=1e-10)
    assert found.log_likelihood[-1] == pytest.approx(case["loglik"], abs=1e-10)
