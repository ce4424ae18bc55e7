"""Waiting times of the textbook kernel."""

import math

import numpy as np
import pytest

from trajbatt.kernels import mcwf


def test_waiting_time_solves_the_survival_to_machine_precision():
    rng = np.random.default_rng(3)
    for _ in range(50):
        rates = rng.uniform(0.1, 50.0, 8)
        p = rng.dirichlet(np.full(8, 0.3))
        for action in (1e-12, 1e-3, 0.7, 5.0, 40.0):
            tau = np.longdouble(mcwf.waiting_time(p, rates, action, np.inf))
            weights = p.astype(np.longdouble) / p.astype(np.longdouble).sum()
            lost = -(weights * np.expm1(-rates * tau)).sum()
            left = (weights * np.exp(-rates * tau)).sum()
            flow = (weights * rates * np.exp(-rates * tau)).sum() / left
            logarithm = np.log1p(-lost) if lost < 0.5 else np.log(left)
            missing = logarithm + np.longdouble(action)
            assert abs(missing / (flow * tau)) < 2e-13


def test_waiting_time_at_the_corners():
    two = np.array([0.5, 0.5])
    assert mcwf.waiting_time(two, np.array([1.0, 2.0]), 0.0, np.inf) == 0.0
    assert math.isinf(mcwf.waiting_time(two, np.zeros(2), 1.0, np.inf))
    assert math.isinf(mcwf.waiting_time(two, np.zeros(2), 0.0, np.inf))
    # Half of the weight is dark: the survival never falls below 1/2.
    half_dark = np.array([0.0, 3.0])
    assert math.isinf(mcwf.waiting_time(two, half_dark, math.log(2) + 1e-9, np.inf))
    assert mcwf.waiting_time(two, half_dark, math.log(4 / 3), np.inf) == pytest.approx(
        math.log(2) / 3, rel=1e-14
    )
    assert math.isinf(mcwf.waiting_time(two, np.array([1.0, 2.0]), 5.0, 1.0))
