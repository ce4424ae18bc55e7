"""Turns of the basis of spherical tensors."""

import numpy as np
import pytest

from trajbatt.exact.ladder_tensors import _shapes
from trajbatt.kernels import ladder_tensors
from trajbatt.numerics import spin

RANK = 12


def test_quarter_turns_are_those_of_spins():
    table, begin = _shapes(RANK, RANK)[-1].quarter, 0
    for k in range(1, RANK + 1):
        begin += k**2
        turn = spin.change_of_basis(2 * k, 0.0, np.pi / 2)
        for q in range(k + 1):
            for m in range(k + 1):
                found = table[begin + ladder_tensors.place(k, q, m)]
                assert found == pytest.approx((1.0 if q == 0 else 2.0) * turn[k + q, k + m])


@pytest.mark.parametrize("angle", [0.0, 0.3, -2.1, np.pi])
def test_each_rank_turns_as_a_ket_of_that_spin(angle):
    k, q, shapes = _shapes(RANK, RANK)
    rng, phase = np.random.default_rng(4), 0.7
    y = np.zeros((2, k.size + 2))
    y[:, 1:-1] = rng.normal(size=(2, k.size))
    y[1, 1:-1][q == 0] = 0.0
    whole = {}
    for one in range(1, RANK + 1):
        half = y[0, 1:-1][k == one] + 1j * y[1, 1:-1][k == one]
        signs = (-1.0) ** np.arange(one, 0, -1)
        ket = np.append(signs * half[:0:-1].conj(), half)
        ket *= np.exp(-1j * phase * np.arange(-one, one + 1))
        # A turn by a negative angle is the inverse of that by its modulus.
        turn = spin.change_of_basis(2 * one, 0.0, abs(angle))
        whole[one] = (turn.T if angle >= 0.0 else turn) @ ket
    ladder_tensors.turn_basis(shapes, phase, angle, y, np.empty((3, 2, RANK + 1)))
    for one, ket in whole.items():
        found = y[0, 1:-1][k == one] + 1j * y[1, 1:-1][k == one]
        np.testing.assert_allclose(found, ket[one:], atol=1e-12)
