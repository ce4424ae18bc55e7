"""What the Chebyshev polynomials of the tensors count."""

import numpy as np

from trajbatt.kernels import tensors


def test_polynomials_add_up_to_the_exponential():
    # exp(x (i s)) of a number, by polynomials of i s: phi_{n+1} = 2 i s phi_n + phi_{n-1}.
    x, s, damping = np.array([0.0, 0.7, 20.0]), 0.6, 0.1
    weights = np.empty((3, 60))
    tensors.weigh(2.0, damping, x / 2.0, weights)
    phi = [1.0, 1j * s]
    while len(phi) < 60:
        phi.append(2j * s * phi[-1] + phi[-2])
    np.testing.assert_allclose(weights @ phi, np.exp(1j * s * x - 0.5 * damping * x), atol=1e-13)
