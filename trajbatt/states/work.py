r"""Work that unitaries can extract from a state, in every definition that is in use.

- `subspace_work`: all unitaries on the symmetric subspace (Eq. 10 of the paper). The passive state
  has its eigenvalues on the levels k = 0..N, the largest on the lowest.
- `rotation_work`: all rotations of the collective spin, one classical pulse: the mean spin <J> is
  turned down, so <J_z> + abs(<J>) comes out.
- `global_work`: all unitaries on the 2^N states of the atoms. Of a symmetric state at most N + 1
  eigenvalues are not zero, and N states have one atom excited; so the passive state has the
  largest on the ground state and all others on those: its energy is 1 - p_max.
- `capacity`: what the symmetric unitaries can change the energy by, from the least to the most.
"""

import numpy as np

NOTHING = 1e-16  # of N: work that is rounding


def rotation_work(energy, dipole, n_atoms):
    """Return <J_z> + abs(<J>) for energies and bare dipoles of one shape, float64."""
    z, across = np.asarray(energy - n_atoms / 2), np.abs(dipole)
    length = np.hypot(z, across)
    # The sum of two numbers of opposite signs, without cancellation.
    with np.errstate(divide="ignore", invalid="ignore", under="ignore"):
        small = np.where(length > z, across**2 / (length - z), 0.0)
    return np.where(z > 0.0, z + length, np.where(small > NOTHING * n_atoms, small, 0.0))


def subspace_work(energy, eigenvalues):
    """Return the ergotropy on the symmetric subspace, float64 (...).

    Parameters
    ----------
    energy : float64 (...)
    eigenvalues : ndarray (..., n), float64
        Of the density matrix, ascending; those that are not there are zero.
    """
    passive = eigenvalues[..., ::-1] @ np.arange(eigenvalues.shape[-1])
    return np.maximum(energy - passive, 0.0)


def global_work(energy, largest):
    """Return the ergotropy under all unitaries; `largest` is the largest eigenvalue, (...)."""
    return np.maximum(energy - (1.0 - largest), 0.0)


def capacity(eigenvalues, n_atoms):
    """Return the largest less the least energy that symmetric unitaries lead to, float64 (...).

    `eigenvalues` as for `subspace_work`.
    """
    levels = np.arange(eigenvalues.shape[-1])
    return np.maximum(eigenvalues[..., ::-1] @ (n_atoms - 2.0 * levels), 0.0)
