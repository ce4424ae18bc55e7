"""Stages forwards and backwards."""

from dataclasses import replace

import numpy as np
import pytest

import trajbatt as tb
from trajbatt.exact.adjoint import Change, backwards, forwards, stage_slopes
from trajbatt.numerics.differences import EIGHTH, slope


@pytest.mark.parametrize("n_atoms", [1, 2, 5, 30])
def test_backwards_is_the_adjoint_of_forwards(n_atoms):
    rng = np.random.default_rng(n_atoms)
    model = tb.Battery(n_atoms, 1.1, 30.0, gamma_plus=3.0, thermal_0=0.2).charge()
    n, duration = n_atoms + 1, 0.3 / n_atoms
    columns = rng.normal(size=(n, 3)) + 1j * rng.normal(size=(n, 3))
    state = columns @ columns.conj().T
    state /= np.trace(state).real
    observable = rng.normal(size=(n, n)) + 1j * rng.normal(size=(n, n))
    observable = observable + observable.conj().T
    weights = rng.normal(size=len(model.channel_names))
    after, counts = forwards(model, state, duration, 1e-12)
    exact = tb.mesolve(model, [duration], state, keep_states=True)
    np.testing.assert_allclose(after, exact.states[0], atol=1e-10)
    np.testing.assert_allclose(counts, exact.counts[:, 0], rtol=1e-9)
    before = backwards(model, observable, weights, duration, 1e-12)
    np.testing.assert_allclose(before, before.conj().T, atol=1e-12 * n)
    found, known = np.trace(before @ state).real, np.trace(observable @ after).real
    assert found == pytest.approx(known + weights @ counts, abs=1e-9 * n)
    assert abs(np.trace(observable @ state).real - known) > 1e-3


def test_what_is_conserved_stays():
    model = tb.Battery(4, 1.1, 30.0, gamma_plus=3.0).charge()
    np.testing.assert_allclose(
        backwards(model, np.eye(5), np.zeros(3), 0.4, 1e-12), np.eye(5), atol=1e-11
    )


@pytest.mark.parametrize("name", ["theta", "omega_p", "gamma_plus", "gamma_0"])
def test_slopes_of_a_stage(name):
    """Against differences of what goes forwards, with photons that count."""
    rng, n = np.random.default_rng(7), 6
    battery, duration = tb.Battery(n, 1.1, 30.0, gamma_plus=3.0), 0.2
    columns = rng.normal(size=(n + 1, 3)) + 1j * rng.normal(size=(n + 1, 3))
    state = columns @ columns.conj().T / np.linalg.norm(columns) ** 2
    observable = rng.normal(size=(n + 1, n + 1))
    observable = observable + observable.T
    weights = np.array([0.3, -0.7, 1.1])

    def model_at(x):
        return replace(battery, **{name: getattr(battery, name) + x}).charge()

    def number(x):
        after, counts = forwards(model_at(x), state, duration, 1e-12)
        return np.trace(observable @ after).real + weights @ counts

    def numbers(x):
        model = model_at(x)
        return np.array([model.theta, model.frequency, *model.rates])

    model = model_at(0.0)
    theta, frequency, *rates = slope(numbers, 1e-3, EIGHTH)
    change = Change(np.array([theta]), np.array([frequency]), np.array([rates]))
    before = backwards(model, observable, weights, duration, 1e-12)
    both = before, observable
    (found,) = stage_slopes(model, change, state, both, weights, duration, 1e-12)
    assert found == pytest.approx(slope(number, 1e-3, EIGHTH), rel=1e-7)
    still = change._replace(theta=np.zeros(1), frequency=np.zeros(1))
    if name in ("theta", "omega_p"):  # the rates alone are not enough
        (less,) = stage_slopes(model, still, state, both, weights, duration, 1e-12)
        assert abs(less - found) > 1e-3 * abs(found)
