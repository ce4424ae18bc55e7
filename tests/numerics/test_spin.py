import numpy as np
import pytest
from oracle.dense import spin_operators
from scipy.linalg import expm
from scipy.stats import binom

from trajbatt.numerics import spin


@pytest.mark.parametrize("n", [1, 2, 5, 40])
def test_commutators(n):
    j_z, j_plus = spin_operators(n)
    np.testing.assert_array_equal(spin.raising_elements(n)[:-1], np.diag(j_plus, -1))
    np.testing.assert_array_equal(spin.magnetic_numbers(n), np.diag(j_z))
    commutator = j_plus @ j_plus.T - j_plus.T @ j_plus
    np.testing.assert_allclose(commutator, 2 * j_z, atol=1e-12)


@pytest.mark.parametrize("n", [1, 2, 5, 40])
@pytest.mark.parametrize("theta", [0.0, 0.3, 1.87, np.pi])
def test_rotation_is_the_exponential_of_j_y(n, theta):
    _, j_plus = spin_operators(n)
    exponential = expm(theta * (j_plus - j_plus.T) / 2)
    np.testing.assert_allclose(spin.rotation_matrix(n, theta), exponential, atol=1e-12)


def test_rotation_is_orthogonal_at_large_n():
    turn = spin.rotation_matrix(1000, 1.87)
    assert np.abs(turn @ turn.T - np.eye(1001)).max() < 1e-12


def test_rotations_compose():
    turns = [spin.rotation_matrix(30, theta) for theta in (0.4, 0.9, 1.3)]
    np.testing.assert_allclose(turns[0] @ turns[1], turns[2], atol=1e-12)


@pytest.mark.parametrize("n", [1, 7, 500])
def test_coherent_ket_is_binomial(n):
    ket = spin.coherent_ket(n, np.cos(0.4), -np.sin(0.4))
    k = np.arange(n + 1)
    np.testing.assert_allclose(ket**2, binom.pmf(k, n, np.cos(0.4) ** 2), rtol=1e-10, atol=1e-300)
    assert np.all(np.sign(ket[1:] * ket[:-1])[ket[1:] != 0] <= 0)


def test_coherent_ket_is_normalised_at_a_million_atoms():
    assert abs(np.linalg.norm(spin.coherent_ket(10**6, 0.6, 0.8)) - 1) < 1e-14


@pytest.mark.parametrize("theta", [0.0, 0.7, np.pi])
@pytest.mark.parametrize("direction", [(0.0, 0.0), (np.pi, 0.0), (1.1, 0.0), (1.1, 2.5)])
def test_coherent_states_rotate_as_spinors(theta, direction):
    polar, azimuth = direction
    n = 12
    ket = spin.coherent_ket(n, np.cos(polar / 2), np.exp(1j * azimuth) * np.sin(polar / 2))
    by_spinor = spin.to_dressed(ket, theta)
    by_matrix = spin.rotation_matrix(n, theta).T @ ket
    assert abs(abs(np.vdot(by_spinor, by_matrix)) - 1) < 1e-12


def test_other_kets_are_not_taken_for_coherent():
    ket = np.zeros(8)
    ket[3] = 1.0
    assert spin.coherent_spinor(ket) is None
    expected = spin.rotation_matrix(7, 0.5).T @ ket
    np.testing.assert_allclose(spin.to_dressed(ket, 0.5), expected, atol=1e-14)


def test_a_ket_near_a_coherent_one_is_not_taken_for_it():
    ket = spin.coherent_ket(12, 0.6, 0.8)
    ket[3] *= 1.001
    ket /= np.linalg.norm(ket)
    assert spin.coherent_spinor(ket) is None


def test_too_many_atoms_to_rotate():
    ket = np.zeros(20_001)
    ket[[0, -1]] = np.sqrt(0.5)
    with pytest.raises(ValueError, match="`n_atoms` must be at most 10000 to rotate a state"):
        spin.to_dressed(ket, 1.0)


@pytest.mark.parametrize("amplitude", [1e-11, 1e-7, 1.3e-6, 1e-4])
def test_small_amplitudes_beside_a_coherent_ket_are_kept(amplitude):
    # By its square alone, 1e-12, an amplitude of 1e-6 seemed to be rounding.
    ket = spin.coherent_ket(10, 0.0, 1.0)
    ket[2] = amplitude
    ket /= np.linalg.norm(ket)
    expected = spin.rotation_matrix(10, 1.3).T @ ket
    found = spin.to_dressed(ket, 1.3)
    found *= np.sign(found[0] * expected[0])
    np.testing.assert_allclose(found, expected, atol=1e-14)


@pytest.mark.parametrize("n", [1, 10, 1000, 100_000, 1_000_000])
@pytest.mark.parametrize("angles", [(0.5, 0.0), (1.2, 0.4), (3.0, 2.0)])
def test_coherent_kets_are_known_at_any_size(n, angles):
    theta, phi = angles
    u, v = np.cos(theta / 2), np.sin(theta / 2) * np.exp(1j * phi)
    assert spin.coherent_spinor(spin.coherent_ket(n, u, v)) is not None
