"""When the n-th photon comes: clicks beside their exact twin."""

import numpy as np
import pytest

import trajbatt as tb
from trajbatt import counting, photons

BATTERY = tb.Battery(12, 1.87, 120.0, gamma_plus=10.0)
CYCLE = tb.Protocol([(BATTERY.charge(), 0.4), (BATTERY.discharge(), 0.3)])
MODELS = {"charge": (BATTERY.charge(), "blue", 5), "cycle": (CYCLE, "dis", 4)}


@pytest.mark.parametrize("name", MODELS)
def test_clicks_agree_with_the_exact_law(name):
    model, channel, n = MODELS[name]
    end = 0.7 if name == "cycle" else 0.5
    times = np.linspace(0.0, end, 8)
    clicks = tb.mcsolve(model, [end], 4000, seed=1, keep_clicks=True).clicks
    found, known = (
        photons.arrival(clicks, n, times, channel),
        counting.arrival(model, n, times, channel),
    )
    assert known[0] == pytest.approx(1.0)
    assert np.all(np.diff(known) <= 1e-12)
    sure = np.sqrt(known * (1 - known) / 4000)
    assert np.all(np.abs(found.value - known) < 4.5 * sure + 1e-12)
    np.testing.assert_allclose(found.sem, sure, atol=2e-3)
    # Negative control: another photon.
    other = counting.arrival(model, n + 1, times, channel)
    assert np.abs((found.value - other) / np.maximum(sure, 1e-3)).max() > 8


def test_the_first_photon_is_the_survival():
    times = np.linspace(0.0, 0.1, 5)
    model = BATTERY.charge()
    survival = counting.survival(model, times)
    np.testing.assert_allclose(counting.arrival(model, 1, times, "total"), survival, atol=1e-10)


def test_photons_of_a_discharge_are_energy():
    # From inversion a photon is a quantum: the last one has come when the battery is empty.
    model = tb.Battery(4, 1.0, 0.0).discharge()
    times = np.array([0.1, 0.5, 1.0, 3.0])
    states = tb.mesolve(model, times, tb.excited_state(4), keep_states=True).states
    empty = states[:, 0, 0].real
    later = counting.arrival(model, 4, times, "all", tb.excited_state(4))
    np.testing.assert_allclose(later, 1.0 - empty, atol=1e-9)
    np.testing.assert_allclose(
        counting.arrival(model, 5, times, "all", tb.excited_state(4)), 1.0, atol=1e-12
    )


def test_by_hand():
    clicks = tb.Clicks(
        [0, 0, 1, 2, 2, 2],
        [0.1, 0.4, 0.2, 0.0, 0.3, 0.5],
        [0, 1, 0, 0, 0, 1],
        ("a", "b"),
        ntraj=4,
        duration=1.0,
    )
    np.testing.assert_array_equal(photons.arrivals(clicks, 1, "a"), [0.1, 0.2, 0.0, np.inf])
    np.testing.assert_array_equal(photons.arrivals(clicks, 2, "a"), [np.inf, np.inf, 0.3, np.inf])
    np.testing.assert_array_equal(
        photons.arrivals(clicks, 3, "total"), [np.inf] * 2 + [0.5, np.inf]
    )
    found = photons.arrival(clicks, 1, [0.1, 0.2, 1.0], "a")
    np.testing.assert_array_equal(found.value, [0.5, 0.25, 0.25])
    np.testing.assert_allclose(found.sem, np.sqrt([0.0625, 0.1875 / 4, 0.1875 / 4]))
    part = clicks.of_trajectory(2)
    np.testing.assert_array_equal(photons.arrivals(part, 2, "a"), [0.3])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, [0.1], "blue"), "`n` must be a positive integer"),
        ((1.5, [0.1], "blue"), "`n` must be a positive integer"),
        ((1, [0.2, 0.1], "blue"), "`tlist` must hold finite"),
        ((1, [0.1], "green"), "`channel` must be"),
        ((1, [9.0], "blue"), "`tlist` must end by the end of the record"),
    ],
)
def test_bad_input(arguments, message):
    clicks = tb.mcsolve(BATTERY.charge(), [0.1], 5, seed=1, keep_clicks=True).clicks
    with pytest.raises((ValueError, TypeError), match=message):
        photons.arrival(clicks, *arguments)
    if "record" not in message:
        with pytest.raises((ValueError, TypeError), match=message):
            counting.arrival(BATTERY.charge(), *arguments)


@pytest.mark.parametrize("n", [10**6, 2**63 - 1, 2**63])
def test_photons_that_nobody_has(n):
    clicks = tb.mcsolve(BATTERY.charge(), [0.1], 5, seed=1, keep_clicks=True).clicks
    assert np.all(photons.arrivals(clicks, n, "total") == np.inf)
