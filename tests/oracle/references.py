"""The reference numbers of data/oracles.json, computed independently of the package."""

import functools
import json
from pathlib import Path

import numpy as np

import trajbatt as tb


@functools.cache
def load():
    return json.loads((Path(__file__).parent / "data" / "oracles.json").read_text())


@functools.cache
def load_large():
    """Return the cases of the driven Eq. (5) at N = 100 to 10^4."""
    text = (Path(__file__).parent / "data" / "oracles_eq5_large.json").read_text()
    return json.loads(text)["cases"]


def battery(case):
    r = case.get("gamma_plus", case.get("r"))
    return tb.Battery(
        n_atoms=case["N"],
        theta=case["theta"],
        omega_p=case["Omega_P"],
        gamma_0=case["gamma0"],
        gamma_plus=r,
        gamma_minus=1.0,
    )


def name(case):
    return f"{case['case']}-N{case['N']}"


def of_record(case):
    """Return the model and the initial state of a reference record."""
    n, theta, gamma = case["N"], case["theta"], case["gamma0"]
    if case["model"] == "eq7":
        return battery(case).charge(), None
    if case["model"] == "eq5":
        driven = tb.Battery(n, theta, case["Omega_P"], gamma, gamma, gamma)
        return driven.charge(secular=False), None
    if case["model"] == "dis_coherent":
        model = tb.Battery(n, np.pi / 2, 0.0, gamma).discharge()
        return model, tb.coherent_state(n, np.pi - theta)
    return tb.Battery(n, theta, 0.0, gamma, case["r"]).discharge(), None


def of_discharge(case):
    """Return the model of a `discharge` case and its initial state; H = 0 there."""
    n = case["N"]
    battery = tb.Battery(n, case["theta"], 0.0, case["gamma0"], case["r"] or 1.0, 1.0)
    return battery.discharge(), None if case["init"] == "rho_ss" else tb.excited_state(n)
