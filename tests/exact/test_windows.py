"""All coherence orders at once, on windows of levels, against matrix exponentials of everything."""

import numpy as np
import pytest

import trajbatt as tb
from trajbatt.exact import ladder, orders, windows

N = 60
BATTERY = tb.Battery(n_atoms=N, theta=1.87, omega_p=3.0 * N)
TIMES = BATTERY.charging_time * np.array([0.0, 0.02, 0.1, 0.7, 5.0, 80.0])


def cat():
    """Return a superposition of both ends of the ladder, whose coherences lie far out."""
    ket = np.zeros(N + 1, dtype=complex)
    ket[[0, -1]] = 0.6, 0.8j
    return ket


@pytest.mark.parametrize("most_climbs", [0.0, np.inf])  # rational steps, or uniformization
@pytest.mark.parametrize("initial", [None, np.eye(N + 1, dtype=complex)[N], cat()])
def test_distribution_is_that_of_matrix_exponentials(monkeypatch, initial, most_climbs):
    monkeypatch.setattr(windows, "MOST_CLIMBS", most_climbs)
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


def test_distribution_is_found_far_from_the_energy():
    # Eight deviations of the energy do not reach the few batteries that are full.
    state = np.diag([1.0 - 1e-7, *np.zeros(N - 1), 1e-7]).astype(complex)
    p = tb.mesolve(BATTERY.charge(), [0.0], initial=state).energy_distribution[0]
    np.testing.assert_allclose(p, state.diagonal().real, atol=1e-13)
    assert next(orders._outwards(8e-6, 4.0, N + 1)) == [slice(0, 5)]


@pytest.mark.parametrize(
    ("center", "distance", "n"), [(3.2, 1.0, 9), (0.0, 0.5, 5), (4.0, 0.5, 5), (7.0, 100.0, 9)]
)
def test_places_come_from_a_center_outwards(center, distance, n):
    found = []
    for i, places in enumerate(orders._outwards(center, distance, n)):
        new = [k for one in places for k in range(one.start, one.stop)]
        assert all(abs(k - center) <= distance * 2**i for k in new)
        found += new
    assert sorted(found) == list(range(n))


def test_flow_is_seen_between_two_times():
    before, after = np.zeros((2, 9))
    before[2] = after[6] = 1.0
    assert windows._reached(before, after).tolist() == [0, 0, 1, 1, 1, 1, 1, 0, 0]


def test_windows_hold_every_pair_of_levels_that_matters():
    rng = np.random.default_rng(6)
    for n in (2, 3, 17, 40):
        for _ in range(30):
            p = 10.0 ** rng.uniform(-35.0, 0.0, n) * rng.integers(0, 2, n)
            p[rng.integers(n)] = 1.0
            k, j = np.nonzero(np.outer(p, p) > windows.EMPTY**2)
            found = windows._windows(p, n + 2)
            for q in range(n + 2):
                inside = k[j - k >= q]  # the furthest level decides how many orders a level has
                expected = [inside.min(), inside.max() + 1] if inside.size else [0, 0]
                assert found[q].tolist() == expected
