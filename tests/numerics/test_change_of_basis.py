"""From the dressed basis of one angle to that of another."""

import numpy as np
import pytest
from oracle.dense import spin_operators
from scipy.linalg import expm

from trajbatt.numerics import spin


def test_change_of_basis_is_a_rotation():
    _, j_plus = spin_operators(5)
    i_j_y = (j_plus - j_plus.T) / 2
    for before, after in ((0.0, 1.87), (1.87, 0.0), (0.4, 1.1), (2.0, 0.3), (0.0, np.pi)):
        # The dressed kets of an angle are the columns of exp(i angle J_y).
        expected = expm(before * i_j_y).T @ expm(after * i_j_y)
        got = spin.change_of_basis(5, before, after)
        np.testing.assert_allclose(got, expected, atol=1e-13)
    np.testing.assert_array_equal(spin.change_of_basis(5, 0.7, 0.7), np.eye(6))


@pytest.mark.parametrize("n", [1, 300, pytest.param(2000, marks=pytest.mark.slow)])
def test_change_of_basis_is_orthogonal(n):
    there, back = (spin.change_of_basis(n, *angles) for angles in ((0.4, 1.87), (1.87, 0.4)))
    np.testing.assert_allclose(there @ there.T, np.eye(n + 1), atol=1e-12)
    np.testing.assert_array_equal(back, there.T)
    if n <= 300:
        whole = spin.change_of_basis(n, 0.4, 1.1) @ spin.change_of_basis(n, 1.1, 1.87)
        np.testing.assert_allclose(whole, there, atol=1e-11)
