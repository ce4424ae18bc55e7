"""First passages of functions that are known."""

import math

import numpy as np
import pytest

from trajbatt.numerics.passage import first_passage


def looks(end, jumps=()):
    before = np.array(jumps) - 1e-13
    return np.unique(np.concatenate((np.linspace(0.0, end, 41), jumps, before)))


@pytest.mark.parametrize("level", [-0.5, 0.3, 0.999])
def test_a_sine_passes_where_it_should(level):
    found = first_passage(np.sin, looks(10.0), level, scale=1.0, sudden=2e-13)
    assert found == pytest.approx(max(math.asin(level), 0.0), abs=1e-11)
    assert np.sin(found) >= level


def test_what_touches_the_level_between_two_looks_is_seen():
    times = np.array([0.0, 1.0, 1.4, 1.74, 2.2, 3.0, 4.0])  # 1.5708 is between
    level = np.sin(1.5708) - 1e-3
    assert np.sin(times).max() < level
    found = first_passage(np.sin, times, level, scale=1.0, sudden=1e-9)
    assert found == pytest.approx(math.asin(level), abs=1e-9)


def test_never():
    assert first_passage(np.sin, looks(10.0), 1.001, scale=1.0, sudden=2e-13) == math.inf


def test_a_jump_over_the_level_is_a_passage_at_the_jump():
    def stairs(times):
        return np.where(times >= 2.34, 3.0, 0.1 * times)

    assert first_passage(stairs, looks(10.0, [2.34]), 1.0, scale=3.0, sudden=2e-13) == 2.34


def test_a_passage_that_a_jump_undoes_is_seen():
    def saw(times):
        return times % 2.0

    found = first_passage(saw, looks(10.0, [2.0, 4.0, 6.0]), 1.99, scale=2.0, sudden=4e-13)
    assert found == pytest.approx(1.99, abs=1e-10)
