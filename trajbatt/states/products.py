"""Means of the products of two spin components, from those in a turned basis.

The symmetrised products of J_x, J_y and J_z are six numbers, of which J_x^2 + J_y^2 + J_z^2 is
N/2 (N/2 + 1). J_z^2 is read off in any case; four more give every observable that is a polynomial
of the second degree: squeezing, quantum Fisher information, variances of any component.
"""

import numpy as np

PRODUCTS = ("jz_jx", "jz_jy", "jx_square", "jx_jy")  # symmetrised: jz_jx is (J_z J_x + J_x J_z)/2


def bare_products(theta, turned):
    """Return the means of `PRODUCTS` in the bare basis.

    Parameters
    ----------
    theta : float
        The angle of the basis: J_z = cos(theta) J'_z + sin(theta) J'_x, J_y = J'_y.
    turned : sequence of 5 ndarray (...), float64
        The symmetrised means of J'_z^2, J'_z J'_x, J'_z J'_y, J'_x^2 and J'_x J'_y.

    Returns
    -------
    list of 4 ndarray (...), float64
    """
    cos, sin = np.cos(theta), np.sin(theta)
    zz, zx, zy, xx, xy = turned
    return [
        (cos**2 - sin**2) * zx + cos * sin * (xx - zz),
        cos * zy + sin * xy,
        cos**2 * xx + sin**2 * zz - 2.0 * cos * sin * zx,
        cos * xy - sin * zy,
    ]


def of_covariance(mean, covariance):
    """Return the means of `PRODUCTS` (4, ...) from those of the spin (3, ...) and (3, 3, ...)."""
    x, y, z = mean
    return np.array(
        [
            covariance[2, 0] + z * x,
            covariance[2, 1] + z * y,
            covariance[0, 0] + x * x,
            covariance[0, 1] + x * y,
        ]
    )
