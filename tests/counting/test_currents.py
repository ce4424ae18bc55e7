"""Rates of photons at a time."""

import numpy as np
import pytest
from oracle import dense

import trajbatt as tb

CLOSE = 1e-9
CASES = dense.parameters()
TIMES = np.array([0.0, 0.0625, 0.25, 0.375, 0.5, 0.75, 1.0])  # and so boundaries of stages


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
