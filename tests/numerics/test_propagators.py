"""Propagators, against each other and against what was asked for."""

import math

import numpy as np
import pytest

import trajbatt as tb
from trajbatt.exact.ladder import LadderOrders
from trajbatt.numerics import propagators
from trajbatt.states.initial import prepare


@pytest.mark.parametrize("initial", ["ground", "complex"])
def test_rational_steps_agree_with_dense_exponentials(initial):
    model = tb.Battery(60, 1.87, 600.0, gamma_plus=10.0).charge()
    start = None if initial == "ground" else tb.coherent_state(60, 1.0, 0.7)
    times = np.linspace(0, 0.1, 6)
    system = LadderOrders(model, 1e-10)
    y = system.begin(prepare(model, start))
    dense = system.from_dense(
        propagators.dense_states(system.dense_blocks(), system.dense_state(y), times)
    )
    rational = np.array(list(propagators.rational_states(system, y, times, 1e-12))).T
    phase = model.frequency * times
    for a, b in zip(
        system.layout.observables(dense, phase),
        system.layout.observables(rational, phase),
        strict=True,
    ):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(dense[-3:].real, rational[-3:].real, rtol=1e-9)


def test_uneven_times_agree_with_even_ones():
    model = tb.Battery(20, 1.87, 200.0, gamma_plus=10.0).charge()
    even = tb.mesolve(model, np.linspace(0, 0.3, 13))
    uneven = tb.mesolve(model, np.array([0.05, 0.1, 0.3]))
    np.testing.assert_allclose(uneven.energy, even.energy[[2, 4, 12]], rtol=1e-10)
    np.testing.assert_allclose(uneven.counts, even.counts[:, [2, 4, 12]], rtol=1e-10)


def test_accuracy_is_what_was_asked_for():
    model = tb.Battery(300, 1.87, 3000.0, gamma_plus=10.0).charge()
    times = np.array([0.0, 0.01, 0.02])
    reference = tb.mesolve(model, times, rtol=1e-13)
    for rtol in (1e-4, 1e-7, 1e-10):
        rough = tb.mesolve(model, times, rtol=rtol)
        assert np.abs(rough.energy - reference.energy).max() < rtol * 300
        assert np.abs(rough.energy_variance - reference.energy_variance).max() < rtol * 300
        assert np.abs(rough.counts - reference.counts).max() < rtol * reference.counts.sum()


def test_an_even_grid_that_starts_late():
    model = tb.Battery(50, 1.87, 500.0, gamma_plus=10.0).charge()
    even = tb.mesolve(model, np.linspace(1e6, 1e6 + 0.01, 5))
    single = tb.mesolve(model, [1e6])
    np.testing.assert_allclose(even.counts[:, 0], single.counts[:, 0], rtol=1e-10)


def test_times_on_very_different_scales():
    model = tb.Battery(200, 1.87, 2000.0, gamma_plus=10.0).charge()
    counts = tb.mesolve(model, [1e-9, 1.4e-9, 2.1e-9, 3e-9, 1e3]).counts
    np.testing.assert_allclose(counts[:, :4] / counts[:, :1], [[1.0, 1.4, 2.1, 3.0]] * 3, rtol=1e-3)


class Rotation:
    """dy/dt = i y, as much of a system as rational steps need; it counts how often it is looked at.

    Step after step the two approximants differ by as much.
    """

    timescale, rounding, is_real = 1.0, 0.0, False

    def __init__(self):
        self.looks = 0

    def factor(self, pole, h):
        return lambda y: y / (pole - 1j * h)

    def normalise(self, y):
        """Conserve nothing."""

    def monitor(self, y):
        self.looks += 1
        return np.array([y[0].real, y[0].imag])


def pade(z, m, n):
    """Return the approximant to exp(z) with these degrees, from its closed form."""
    top = sum(
        math.comb(m, j) * math.factorial(m + n - j) / math.factorial(m + n) * z**j
        for j in range(m + 1)
    )
    bottom = sum(
        math.comb(n, j) * math.factorial(m + n - j) / math.factorial(m + n) * (-z) ** j
        for j in range(n + 1)
    )
    return top / bottom


@pytest.mark.parametrize(("better", "compared"), [(2.0, 24), (50.0, 24), (200.0, 6)])
def test_only_steps_that_are_a_hundred_times_better_than_asked_are_trusted(better, compared):
    # Of 24 equal steps each is compared with a second approximant, or every fourth.
    difference = abs(pade(1j, 4, 5) - pade(1j, 3, 4))
    system, times, rtol = Rotation(), np.arange(1.0, 25.0), better * difference
    states = propagators.rational_states(system, np.ones(1, dtype=complex), times, rtol)
    found = np.concatenate([*states])
    np.testing.assert_allclose(found, np.exp(1j * times), rtol=0, atol=rtol)
    assert system.looks == 2 * compared  # at both approximants
