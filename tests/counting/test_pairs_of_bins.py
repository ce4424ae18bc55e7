"""Pairs of photons in bins: one way through all bins beside one walk from every node."""

import time

import numpy as np
import pytest

import trajbatt as tb
from trajbatt.counting import correlations


def by_walks(course, edges, chosen, _):
    forth = correlations._pairs_of_bins(course, edges, *chosen)
    return forth + correlations._pairs_of_bins(course, edges, *chosen[::-1]).T


@pytest.mark.parametrize("n", [1, 2, 7])
@pytest.mark.parametrize(
    "pair", [("blue", "blue"), ("red", "blue"), ("total", "center"), ("total", "total")]
)
def test_both_ways_agree(monkeypatch, n, pair):
    battery = tb.Battery(n, 1.87, 10.0 * n, gamma_plus=10.0)
    initial = tb.coherent_state(n, 2.0, 0.3)
    for edges in (np.linspace(0.0, battery.charging_time, 5), [0.02, 0.021, 0.5]):
        found = tb.counting.g2_matrix(battery.charge(), edges, pair, initial)
        monkeypatch.setattr(correlations, "_both_ways", by_walks)
        expected = tb.counting.g2_matrix(battery.charge(), edges, pair, initial)
        monkeypatch.undo()
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-10)


def test_the_last_stage_of_a_protocol_alone(monkeypatch):
    battery = tb.Battery(4, 1.87, 40.0, gamma_plus=10.0)
    model = tb.Protocol([(battery.charge(), 0.3), (battery.discharge(), 0.5)])
    edges = [0.3, 0.4, 0.7]
    found = tb.counting.g2_matrix(model, edges, ("dis", "dis"))
    monkeypatch.setattr(correlations, "_both_ways", by_walks)
    expected = tb.counting.g2_matrix(model, edges, ("dis", "dis"))
    np.testing.assert_allclose(found, expected, rtol=1e-8)


def test_many_atoms_in_a_moment():
    battery = tb.Battery(900, 1.87, 9000.0, gamma_plus=10.0)
    edges = np.linspace(0.0, battery.charging_time, 21)
    began = time.perf_counter()
    found = tb.counting.g2_matrix(battery.charge(), edges, ("blue", "blue"))
    assert time.perf_counter() - began < 20  # minutes, by a walk from every node
    np.testing.assert_allclose(found, found.T, rtol=1e-12)
    numbers = tb.counting.fano(battery.charge(), edges[[1]], "blue")[0]
    mean = tb.mesolve(battery.charge(), edges[[1]]).counts[-1, -1]
    assert found[0, 0] == pytest.approx(1 + (numbers - 1) / mean, rel=1e-8)
