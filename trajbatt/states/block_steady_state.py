"""The steady state with noise of single atoms: diagonal in the ladder's basis, in blocks of J.

It is another one than that of collective decay alone, however weak the noise is. Populations of
(J, M) are the null vector of a sparse matrix of rates, from the jumps of
`trajbatt.numerics.spin_blocks`.
"""

import math
from dataclasses import dataclass

import numpy as np

from trajbatt.base.types import FloatArray
from trajbatt.numerics import spin, spin_blocks
from trajbatt.states import block_work, work

LARGEST = 600  # atoms: a hundred thousand levels


@dataclass(frozen=True, eq=False)
class BlockSteadyState:
    """The steady state of a `LocalLadderModel`.

    Attributes
    ----------
    n_atoms : int
    theta : float
        The angle of the basis in which the state is diagonal.
    populations : ndarray (n,), float64
        Of the levels |J, M>, M ascending in each block, J descending from N/2.
    """

    n_atoms: int
    theta: float
    populations: FloatArray

    @property
    def spins(self) -> list[int]:
        """2J of each block."""
        return spin_blocks.lengths(self.n_atoms).tolist()

    @property
    def spin_distribution(self) -> FloatArray:
        """The probability of each J, descending from N/2, float64 (nJ,)."""
        ends = np.cumsum([n + 1 for n in self.spins])
        return np.add.reduceat(self.populations, np.append(0, ends[:-1]))

    @property
    def spin_length(self) -> float:
        """The mean of J."""
        return float(self.spin_distribution @ np.array(self.spins)) / 2

    @property
    def energy(self) -> float:
        """<E> = <J_z> + N/2, in units of hbar omega_0."""
        return self.n_atoms / 2 + math.cos(self.theta) * self._z

    @property
    def energy_variance(self) -> float:
        """The variance of E, cos^2(theta) Var(J'_z) + sin^2(theta) <J'_x^2>."""
        n = np.repeat(self.spins, [one + 1 for one in self.spins])
        square = self.populations @ self._m**2
        across = 0.5 * (self.populations @ spin.casimir(n) - square)
        cos, sin = math.cos(self.theta), math.sin(self.theta)
        return cos**2 * (square - self._z**2) + sin**2 * across

    @property
    def dipole(self) -> complex:
        """The bare dipole <J_+> = -sin(theta) <J'_z>, complex."""
        return complex(-math.sin(self.theta) * self._z)

    @property
    def ergotropy_rotation(self) -> float:
        """The energy that one classical pulse can extract, <J_z> + abs(<J>)."""
        return float(work.rotation_work(self.energy, self.dipole, self.n_atoms))

    @property
    def ergotropy(self) -> float:
        """The energy that unitaries in the blocks of J can extract."""
        return float(block_work.block_work(*self._known)[0])

    @property
    def ergotropy_global(self) -> float:
        """The energy that all unitaries on the 2^N states can extract."""
        return float(block_work.global_work(*self._known)[0])

    @property
    def _known(self):
        ends = np.cumsum([n + 1 for n in self.spins])[:-1]
        ascending = [np.sort(one) for one in np.split(self.populations, ends)]
        energy, rows = np.array([self.energy]), np.concatenate(ascending)[None]
        return energy, rows, self.spins, self.n_atoms

    @property
    def _m(self):
        return np.concatenate([np.arange(n + 1.0) - n / 2 for n in self.spins])

    @property
    def _z(self):
        return float(self.populations @ self._m)


def block_steady_state(model):
    """Return the `BlockSteadyState` of a `LocalLadderModel`.

    Raises
    ------
    ValueError
        If no noise of single atoms flips any: then J'_z is left alone by it. Above 600 atoms.
    """
    from scipy.sparse.linalg import splu

    if model.n_atoms > LARGEST:
        raise ValueError(
            f"`n_atoms` must be at most {LARGEST} for a steady state with noise of single atoms, "
            f"but is {model.n_atoms}"
        )
    flips = model.local_rates[[0, 2]].sum() + model.collective_rates[[0, 2]].sum()
    if flips == 0.0 or not model.local_rates.any():
        raise ValueError("`model` must have a unique steady state, but no jump of it flips an atom")
    matrix = _rates(model).tolil()
    matrix[0] = 1.0  # the sum of all is one; what this equation said follows from the others
    right = np.zeros(matrix.shape[0])
    right[0] = 1.0
    populations = np.maximum(splu(matrix.tocsc()).solve(right), 0.0)
    populations /= populations.sum()
    populations.flags.writeable = False
    return BlockSteadyState(model.n_atoms, model.theta, populations)


def _rates(model):
    """Return the matrix of rates between the levels, a coo_array."""
    from scipy.sparse import coo_array

    lengths = spin_blocks.lengths(model.n_atoms).tolist()
    ends = np.cumsum([n + 1 for n in lengths]).tolist()
    begins = dict(zip(lengths, [0, *ends[:-1]], strict=True))
    rows, columns, values = [], [], []

    def add(source, target, rate):
        rows.extend((source, target))
        columns.extend((source, source))
        values.extend((-rate, rate))

    for n, begin in begins.items():
        u = np.arange(n + 1)
        for shift in (-1, 0, 1):
            for step in (spin_blocks.SAME, spin_blocks.LOWER, spin_blocks.HIGHER):
                rate = model.local_rates[1 + shift] * spin_blocks.weight(model.n_atoms, n, step)
                if step == spin_blocks.SAME:
                    rate += model.collective_rates[1 + shift]
                there = u + shift + step
                lands = n + 2 * step
                if lands not in begins or (step == spin_blocks.SAME and shift == 0):
                    continue
                inside = (there >= 0) & (there <= lands)
                square = spin_blocks.elements(u[inside], n - u[inside], shift, step) ** 2
                add(begin + u[inside], begins[lands] + there[inside], rate * square)
    size = begins[lengths[-1]] + lengths[-1] + 1
    entries = np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))
    return coo_array(entries, shape=(size, size))
