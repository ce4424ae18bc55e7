"""Turns of the frame by a drive that moves, against an integrator."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from trajbatt.kernels import frame_turns
from trajbatt.kernels.frame_turns import drive_at, turned

THETAS, OMEGAS = (0.6, 1.5, -0.3, 0.7), (30.0, 20.0, -5.0, 8.0)
DRIVE = True, 0.0, 1.0, 0.0, THETAS, OMEGAS, 80.0


def frame():
    axes = np.linalg.qr(np.random.default_rng(3).standard_normal((3, 3)))[0]
    return axes * np.sign(np.linalg.det(axes))


def integrated(axes, start, duration):
    def slope(t, y):
        u, v, d = y.reshape(3, 3)
        omega, theta = (np.polyval(one[::-1], t) for one in (OMEGAS, THETAS))
        cos, sin = omega * np.cos(theta), omega * np.sin(theta)
        return np.array([-cos * v, cos * u + sin * d, -sin * v]).ravel()

    span = start, start + duration
    return solve_ivp(slope, span, axes.ravel(), "DOP853", rtol=1e-12, atol=1e-13).y[:6, -1]


@pytest.mark.parametrize(("start", "duration"), [(0.0, 0.9), (0.5, -0.3), (0.2, 0.001), (0.1, 0.0)])
def test_turns_of_a_ramp(start, duration):
    axes, out = frame(), np.zeros(9)
    turned(DRIVE, axes.ravel(), start, 0.5, 2.0 * duration, out)
    np.testing.assert_allclose(out[:6], integrated(axes, start, duration), atol=1e-10)


@pytest.mark.skipif(hasattr(frame_turns.turn_by, "py_func"), reason="compiled code stays as it is")
def test_turns_need_the_commutator(monkeypatch):
    """The negative control: without it they are of second order."""
    whole = frame_turns.turn_by
    monkeypatch.setattr(frame_turns, "turn_by", lambda a, b, _, out: whole(a, b, 0.0, out))
    axes, out = frame(), np.zeros(9)
    turned(DRIVE, axes.ravel(), 0.0, 1.0, 0.9, out)
    assert np.abs(out[:6] - integrated(axes, 0.0, 0.9)).max() > 1e-6


def test_a_ramp_that_rests():
    resting = False, 30.0, np.cos(0.6), np.sin(0.6), (0.0,) * 4, (0.0,) * 4, 30.0
    moving = True, 0.0, 1.0, 0.0, (0.6, 0.0, 0.0, 0.0), (30.0, 0.0, 0.0, 0.0), 30.0
    one, other, axes = np.zeros(9), np.zeros(9), frame().ravel()
    turned(resting, axes, 0.3, 1.0, 0.2, one)
    turned(moving, axes, 0.3, 1.0, 0.2, other)
    np.testing.assert_allclose(one[:6], other[:6], atol=1e-14)
    np.testing.assert_allclose(drive_at(resting, 0.1), drive_at(moving, 0.1), atol=1e-15)
