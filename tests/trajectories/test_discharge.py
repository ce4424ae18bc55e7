"""Trajectories of a discharge: Eq. (5) with the pump off."""

import dataclasses

import numpy as np
import pytest
from oracle import references

import trajbatt as tb

CASES = [pytest.param(case, id=references.name(case)) for case in references.load()["discharge"]]


def worst_score(model, case, initial):
    # The first three times: later hardly any trajectory is not in the ground state.
    times, obs = case["t"][:3], case["obs"][:3]
    runs = tb.mcsolve(model, times, ntraj=10_000, initial=initial, seed=3)
    z_energy = (runs.energy - [o["E"] for o in obs]) / runs.energy_sem
    z_counts = (runs.counts[0] - [o["mean"]["all"] for o in obs]) / runs.counts_sem[0]
    return max(np.abs(z_energy).max(), np.abs(z_counts).max())


@pytest.mark.parametrize("case", CASES)
def test_trajectories_against_oracles(case):
    model, initial = references.of_discharge(case)
    assert worst_score(model, case, initial) < 5
    # Negative control: the rate 5 % off.
    channel = dataclasses.replace(model.channels[0], rate=1.05)
    off = dataclasses.replace(model, channels=(channel,))
    if case["N"] > 1:
        assert worst_score(off, case, initial) > 4


@pytest.mark.parametrize("case", references.load()["cond"]["discharge_exact"], ids=lambda c: c["N"])
@pytest.mark.parametrize("method", ["ladder", "mcwf"])
def test_variance_over_trajectories(case, method):
    n = case["N"]
    model = tb.Battery(n, 1.0, 0.0).discharge(case["gamma0"])
    # The charged pure state: the Bloch vector of the lowest dressed state of theta.
    start = tb.coherent_state(n, np.pi - case["theta"])
    runs = tb.mcsolve(model, case["t"], ntraj=20_000, initial=start, seed=4, method=method)
    # At late times hardly any trajectory is left that is not in the ground state.
    known = slice(0, 3)
    pure = case["pure"]
    score = (runs.trajectory_variance - pure["var"]) / runs.trajectory_variance_sem
    assert np.abs(score[known]).max() < 4.5
    assert np.abs((runs.energy - pure["mean"]) / runs.energy_sem)[known].max() < 4.5


def test_the_photons_are_the_energy_lost():
    # From a Dicke state every photon takes one quantum, trajectory by trajectory.
    n = 12
    dicke = np.zeros(n + 1)
    dicke[9] = 1.0
    model = tb.Battery(n, 1.87, 30.0).discharge()
    runs = tb.mcsolve(model, np.linspace(0, 1, 8), ntraj=50, initial=dicke, seed=1)
    for i in range(50):
        one = runs.replay(i)
        np.testing.assert_allclose(one.energy, 9 - one.counts[0], atol=1e-12)
        np.testing.assert_allclose(one.energy_variance, 0, atol=1e-12)
