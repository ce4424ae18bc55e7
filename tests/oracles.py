"""The reference numbers of tests/data/oracles.json, computed independently of the package."""

import functools
import json
from pathlib import Path

import trajbatt as tb


@functools.cache
def load():
    return json.loads((Path(__file__).parent / "data" / "oracles.json").read_text())


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
