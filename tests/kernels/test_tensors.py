"""What the Chebyshev polynomials of the tensors count."""

import numpy as np
import pytest
from scipy.special import jv

from trajbatt.kernels import tensors


@pytest.mark.parametrize("x", [0.0, 1e-9, 1e-3, 0.5, 3.0, 50.0, 230.0])
def test_bessel_functions(x):
    orders = np.arange(int(x + 14.0 * max(x, 1.0) ** (1 / 3) + 30.0))
    found = np.empty(orders.size)
    tensors.bessel(x, found)
    np.testing.assert_allclose(found, jv(orders, x), rtol=0.0, atol=1e-14)


def test_polynomials_add_up_to_the_exponential():
    # exp(x (i s)) of a number, by polynomials of i s: phi_{n+1} = 2 i s phi_n + phi_{n-1}.
    x, s, damping = np.array([0.0, 0.7, 20.0]), 0.6, 0.1
    weights = np.empty((3, 60))
    tensors.weigh(2.0, damping, x / 2.0, weights)
    phi = [1.0, 1j * s]
    while len(phi) < 60:
        phi.append(2j * s * phi[-1] + phi[-2])
    np.testing.assert_allclose(weights @ phi, np.exp(1j * s * x - 0.5 * damping * x), atol=1e-13)
