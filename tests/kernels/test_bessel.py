"""Bessel functions by the recurrence of Miller."""

import numpy as np
import pytest
from scipy.special import jv

from trajbatt.kernels.bessel import bessel


@pytest.mark.parametrize("x", [0.0, 1e-9, 1e-3, 0.5, 3.0, 50.0, 230.0])
def test_bessel_functions(x):
    orders = np.arange(int(x + 14.0 * max(x, 1.0) ** (1 / 3) + 30.0))
    found = np.empty(orders.size)
    bessel(x, found)
    np.testing.assert_allclose(found, jv(orders, x), rtol=0.0, atol=1e-14)
