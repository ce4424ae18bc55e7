"""Stages forwards and backwards."""

import numpy as np
import pytest

import trajbatt as tb
from trajbatt.exact.adjoint import backwards, forwards


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
