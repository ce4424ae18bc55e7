"""All coherence orders at once, on windows of levels, against matrix exponentials of everything."""

import numpy as np
import pytest

import trajbatt as tb
from trajbatt.exact import ladder, windows

N = 60
BATTERY = tb.Battery(n_atoms=N, theta=1.87, omega_p=3.0 * N)
TIMES = BATTERY.charging_time * np.array([0.0, 0.02, 0.1, 0.7, 5.0, 80.0])


def cat():
    """Return a superposition of both ends of the ladder, whose coherences lie far out."""
    ket = np.zeros(N + 1, dtype=complex)
    ket[[0, -1]] = 0.6, 0.8j
    return ket


@pytest.mark.parametrize("initial", [None, np.eye(N + 1, dtype=complex)[N], cat()])
def test_distribution_is_that_of_matrix_exponentials(monkeypatch, initial):
    found = tb.mesolve(BATTERY.charge(), TIMES, initial=initial)
    p, work = found.energy_distribution, found.ergotropy
    monkeypatch.setattr(ladder, "DENSE_WORK", np.inf)
    monkeypatch.setattr(ladder, "DENSE_STIFFEST", np.inf)
    exact = tb.mesolve(BATTERY.charge(), TIMES, initial=initial)
    np.testing.assert_allclose(p, exact.energy_distribution, atol=2e-11)
    np.testing.assert_allclose(work, exact.ergotropy, atol=1e-8)


def test_windows_that_do_not_look_ahead_lose_the_coherences(monkeypatch):
    battery = tb.Battery(n_atoms=300, theta=1.87, omega_p=900.0)
    times = battery.charging_time * np.array([0.1, 0.7])
    p = tb.mesolve(battery.charge(), times).energy_distribution
    monkeypatch.setattr(windows, "_reached", lambda before, after: np.abs(before))
    wrong = tb.mesolve(battery.charge(), times).energy_distribution
    assert np.abs(p - wrong).max() > 1e-6


def test_flow_is_seen_between_two_times():
    before, after = np.zeros((2, 9))
    before[2] = after[6] = 1.0
    assert windows._reached(before, after).tolist() == [0, 0, 1, 1, 1, 1, 1, 0, 0]
