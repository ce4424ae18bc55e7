"""Observables as bands, against the algebra and against what the engines read."""

import numpy as np
import pytest

import trajbatt as tb
from trajbatt.states.observables import ENERGY, JX, JY, JZ, JZ_SQUARE
from trajbatt.trajectories.records import ROW


@pytest.mark.parametrize("n", [1, 2, 5])
def test_spin_algebra(n):
    x, y, z = (one.matrix(n) for one in (JX, JY, JZ))
    np.testing.assert_allclose(x @ y - y @ x, 1j * z, atol=1e-13)
    np.testing.assert_allclose(y @ z - z @ y, 1j * x, atol=1e-13)
    np.testing.assert_allclose(x @ x + y @ y + z @ z, n / 2 * (n / 2 + 1) * np.eye(n + 1))
    np.testing.assert_allclose(JZ_SQUARE.matrix(n), z @ z)
    np.testing.assert_allclose(ENERGY.matrix(n), z + n / 2 * np.eye(n + 1))


@pytest.mark.parametrize("n", [1, 2, 6])
def test_means_in_a_density_matrix(n):
    rng = np.random.default_rng(n)
    kets = rng.normal(size=(n + 1, 3)) + 1j * rng.normal(size=(n + 1, 3))
    state = kets @ kets.conj().T
    state /= np.trace(state)
    for one in (JX, JY, JZ, JZ_SQUARE, ENERGY):
        assert one.mean(state) == pytest.approx(np.trace(one.matrix(n) @ state).real, abs=1e-12)


def test_rows_of_samples_are_named_by_them():
    assert (ROW[JZ.name], ROW[JY.name]) == (0, 4)
    battery = tb.Battery(5, 1.1, 20.0, gamma_plus=2.0)
    exact = tb.mesolve(battery.charge(), [0.0, 0.3], keep_states=True)
    assert ENERGY.mean(exact.states[-1]) == pytest.approx(exact.energy[-1], abs=1e-9)
    dipole = JX.mean(exact.states[-1]) + 1j * JY.mean(exact.states[-1])
    assert dipole == pytest.approx(exact.dipole[-1], abs=1e-9)
