"""A step of the kernel of Eq. (5), against the same method written down with dense matrices."""

import numpy as np
import pytest
from oracle import dense
from scipy.integrate import DOP853

import trajbatt as tb
from trajbatt.exact import flow
from trajbatt.kernels import liouvillian
from trajbatt.numerics import spin

BATTERY = tb.Battery(3, 1.2, 6.0)


def system_of(model):
    """Return the equation of one density matrix, without a count of photons."""
    return flow.system(model.n_levels, model.jump_bands, 1)


def dense_slope(battery):
    """Return d rho/dt as a function of t and rho, dressed, in the interaction picture."""
    n = battery.n_atoms
    turn = spin.rotation_matrix(n, battery.theta)
    jump = turn.T @ dense.driving(battery, np.inf).jumps["all"] @ turn
    k = np.arange(n + 1)

    def slope(t, rho):
        phases = np.exp(1j * battery.omega_p * t * k)
        turning = phases[:, None] * jump * phases.conj()
        square = turning.conj().T @ turning
        return turning @ rho @ turning.conj().T - (square @ rho + rho @ square) / 2

    return slope


@pytest.mark.parametrize("h", [0.02, 0.1, 0.3])
def test_a_step_and_its_error_are_those_of_dormand_and_prince(h):
    # With both error estimates: h e5^2/sqrt((e5^2 + e3^2/100) n), as Hairer, Norsett and Wanner.
    model, t = BATTERY.charge(secular=False), 0.37
    lower = np.tril_indices(BATTERY.n_atoms + 1)
    rho, slope = dense.mixed(BATTERY.n_atoms), dense_slope(BATTERY)
    stages = [slope(t, rho)]
    for a, c in zip(DOP853.A[1:], DOP853.C[1:], strict=True):
        inner = rho + h * sum(w * one for w, one in zip(a, stages, strict=False))
        stages.append(slope(t + c * h, inner))
    after = rho + h * sum(w * one for w, one in zip(DOP853.B, stages, strict=True))
    stages.append(slope(t + h, after))
    fifth, third = (
        np.linalg.norm(sum(w * one[lower] for w, one in zip(weights, stages, strict=True))) ** 2
        for weights in (DOP853.E5, DOP853.E3)
    )
    size = 2 * lower[0].size  # real and imaginary parts
    expected = h * fifth / np.sqrt((fifth + 0.01 * third) * size)

    system, y = system_of(model), rho[lower].view(float).copy()
    slopes, (new, spare) = np.empty((liouvillian.ROWS, y.size)), np.empty((2, y.size))
    system.angles[:] = model.frequency * (t + flow.method().c * h)
    liouvillian.derivative(system, 0, y, slopes[0])
    error = liouvillian.step(system, flow.method(), h, y, slopes, new, spare)
    np.testing.assert_allclose(new.view(complex), after[lower], atol=1e-14)
    np.testing.assert_allclose(
        slopes[liouvillian.STAGES].view(complex), stages[-1][lower], atol=1e-13
    )
    assert error == pytest.approx(expected, rel=1e-5, abs=0.0)
    # The third-order estimate matters here.
    assert error < 0.9 * h * np.sqrt(fifth / size)


@pytest.mark.parametrize("x", [0.0, 0.3, 0.8, 1.0])
def test_between_the_ends_of_a_step(x):
    # As SciPy's dense output of the same method, which is of order 7.
    model, h = BATTERY.charge(secular=False), 0.1
    lower = np.tril_indices(BATTERY.n_atoms + 1)
    rho, slope = dense.mixed(BATTERY.n_atoms), dense_slope(BATTERY)

    def flat(t, y):
        return slope(t, y.reshape(rho.shape)).ravel()

    theirs = DOP853(flat, 0.0, rho.ravel(), h, first_step=h, rtol=1e-3, atol=1e-3)
    theirs.step()
    expected = theirs.dense_output()(x * h).reshape(rho.shape)[lower]

    system, y = system_of(model), rho[lower].view(float).copy()
    slopes, between = np.empty((liouvillian.ROWS, y.size)), np.empty((7, y.size))
    new, spare, found = np.empty((3, y.size))
    system.angles[:] = model.frequency * flow.method().c * h
    liouvillian.derivative(system, 0, y, slopes[0])
    liouvillian.step(system, flow.method(), h, y, slopes, new, spare)
    liouvillian.prepare_between(system, flow.method(), h, y, new, slopes, spare, between)
    liouvillian.read_between(between, y, x, found)
    np.testing.assert_allclose(found.view(complex), expected, atol=1e-13)


@pytest.mark.parametrize("parameter", ["rate", "frequency", "theta"])
def test_tangents_are_derivatives_of_the_liouvillian(parameter):
    """By the rates, Omega and theta of H alone, in the interaction picture at some angle."""
    n, t = BATTERY.n_atoms, 0.37
    model, lower = BATTERY.charge(secular=False), np.tril_indices(n + 1)
    rho, raising = dense.mixed(n), spin.raising_elements(n)
    weights = np.zeros((2, 3))
    weights[1, ("rate", "frequency", "theta").index(parameter)] = 0.7
    turn = 0.5 * model.frequency * raising
    system = flow.system(n + 1, model.jump_bands, 2, tangents=(weights, turn))
    system.angles[:] = model.frequency * t
    y = np.concatenate((rho[lower], np.zeros(lower[0].size))).view(float).copy()
    slope = np.empty_like(y)
    liouvillian.derivative(system, 0, y, slope)
    found = slope.view(complex)[lower[0].size :]

    phases = np.exp(1j * model.frequency * t * np.arange(n + 1))
    j_z, j_plus = dense.spin_operators(n)
    operator = {"frequency": j_z, "theta": -model.frequency * (j_plus + j_plus.T) / 2}
    if parameter == "rate":
        expected = dense_slope(BATTERY)(t, rho)
    else:
        turning = phases[:, None] * operator[parameter] * phases.conj()
        expected = -1j * (turning @ rho - rho @ turning)
    np.testing.assert_allclose(found, 0.7 * expected[lower], atol=1e-12)
    assert np.abs(found).max() > 0.1
