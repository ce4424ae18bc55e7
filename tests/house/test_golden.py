"""Nothing that is rearranged changes a run: clicks bit for bit, energies to 1e-13.

`golden/numbers.npz` and `golden/stores` were written by version 0.1.0 before its files were moved
into wings (commit 0746a18), with the functions of `golden/cases.py`; 0.2.0 added `local-noise`, and
changed the last bits of the times of `protocol-mcwf`, whose states are turned by real products now.
"""

import shutil
from pathlib import Path

import numpy as np
import pytest
from golden import cases

import trajbatt as tb

PLACE = Path(__file__).parents[1] / "golden"
KNOWN = np.load(PLACE / "numbers.npz")
CLICKS = ("trajectory", "time", "channel")
STORES = ("ladder", "discharge", "protocol-mixed")


@pytest.mark.parametrize("name", cases.CASES)
def test_a_run_is_what_it_was(name):
    for key, found in cases.numbers(name).items():
        known = KNOWN[f"{name}/{key}"]
        if key in CLICKS:
            np.testing.assert_array_equal(found, known, err_msg=key)
            continue
        model = cases.CASES[name][0]
        scale = model.n_atoms ** (2 if "varian" in key else 1)
        # The exact side may choose other steps; its own tolerance is 1e-10 of the scale.
        tolerance = 1e-12 if key.startswith("exact") else 1e-13
        np.testing.assert_allclose(
            found, known, rtol=tolerance, atol=tolerance * scale, err_msg=key
        )


def test_another_seed_is_another_run():
    model, times, _ = cases.CASES["ladder"]
    other = tb.mcsolve(model, times, cases.NTRAJ, seed=8, keep_clicks=True)
    assert other.clicks.time.shape != KNOWN["ladder/time"].shape


@pytest.mark.parametrize("name", STORES)
def test_an_older_store_opens_and_goes_on(name, tmp_path):
    store = tmp_path / name
    shutil.copytree(PLACE / "stores" / name, store)
    loaded = tb.load(store)
    np.testing.assert_array_equal(loaded.clicks.time, KNOWN[f"{name}/time"])
    np.testing.assert_allclose(loaded.energy, KNOWN[f"{name}/energy"], rtol=1e-13)
    model, times, arguments = cases.CASES[name]
    more = tb.mcsolve(
        model, times, cases.NTRAJ + 5, seed=7, keep_clicks=True, store=store, **arguments
    )
    n = KNOWN[f"{name}/time"].size
    np.testing.assert_array_equal(more.clicks.time[:n], KNOWN[f"{name}/time"])
    assert loaded.model == model
