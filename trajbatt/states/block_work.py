r"""Work that unitaries can extract from a state in blocks of J, beyond the symmetric subspace.

- `block_work`: unitaries U_J in each block, the same on all d_J ways in which the atoms add up to
  J. In the symmetric subspace it is `trajbatt.states.work.subspace_work`.
- `global_work`: all unitaries on the 2^N states. Every eigenvalue p of a block is one of
  multiplicity d_J, of p/d_J each; in descending order they fill the levels of k = 0..N excited
  atoms, of which there are binomial(N, k).

Rotations are among the unitaries of the blocks, and those among all: rotation <= block <= global.
"""

import math

import numpy as np


def block_work(energy, eigenvalues, spins, n_atoms):
    """Return the ergotropy under unitaries in the blocks, float64 (nt,).

    Parameters
    ----------
    energy : ndarray (nt,), float64
    eigenvalues : ndarray (nt, sum of 2J + 1), float64
        Of the blocks one after the other, ascending in each.
    spins : sequence of int
        2J of each block.
    n_atoms : int
    """
    passive = [(n_atoms - n) / 2 + np.arange(n, -1.0, -1.0) for n in spins]
    return np.maximum(energy - eigenvalues @ np.concatenate(passive), 0.0)


def block_capacity(eigenvalues, spins):
    """Return the largest less the least energy that these unitaries lead to, float64 (nt,)."""
    weights = [2.0 * np.arange(n + 1.0) - n for n in spins]
    return np.maximum(eigenvalues @ np.concatenate(weights), 0.0)


def global_work(energy, eigenvalues, spins, n_atoms):
    """Return the ergotropy under all unitaries, float64 (nt,); arguments as of `block_work`."""
    ways = [_multiplicity(n_atoms, n) for n in spins for _ in range(n + 1)]
    logs = np.array([math.log(one) for one in ways])
    passive = [_passive_energy(np.maximum(one, 0.0), ways, logs, n_atoms) for one in eigenvalues]
    return np.maximum(energy - np.array(passive), 0.0)


def _multiplicity(n_atoms, n):
    """Return d_J, in how many ways the atoms add up to 2J = n, an int."""
    k = (n_atoms - n) // 2
    return math.comb(n_atoms, k) * (n + 1) // (n_atoms - k + 1)


def _passive_energy(probabilities, ways, logs, n_atoms):
    """Return the energy of the passive state of probabilities, each spread evenly over its ways."""
    with np.errstate(divide="ignore"):
        order = np.argsort(logs - np.log(probabilities), kind="stable")
    energy, k, room = 0.0, 0, 1
    for i in order.tolist():
        if probabilities[i] == 0.0:
            break
        left = ways[i]
        while left:
            taken = min(left, room)
            energy += k * probabilities[i] * (taken / ways[i])
            left, room = left - taken, room - taken
            if not room and k < n_atoms:
                k += 1
                room = math.comb(n_atoms, k)
            elif not room:
                left = 0  # rounding: all levels are full
    return energy
