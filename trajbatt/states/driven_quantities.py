"""What both steady states of the driven Eq. (5) tell of their light and their work."""

import math
from functools import cached_property
from typing import TYPE_CHECKING

from trajbatt.base.types import FloatArray
from trajbatt.states import work


class DrivenQuantities:
    """Of the energy, the dipole, the eigenvalues and two moments of the light."""

    if TYPE_CHECKING:  # what each of them has
        n_atoms: int

        @property
        def energy(self) -> float:
            """<E>."""

        @property
        def dipole(self) -> complex:
            """<J_+>."""

        @property
        def _eigenvalues(self) -> FloatArray:
            """Of the density matrix, ascending; zeros may be missing."""

        @property
        def _light(self) -> FloatArray:
            """<J_+ J_-> and <J_+^2 J_-^2>."""

    @property
    def emission(self) -> float:
        """<J_+ J_->: the rate of photons over gamma."""
        return float(self._light[0])

    @property
    def g2_zero(self) -> float:
        """g2(0) of the light; nan if there is none."""
        once, twice = self._light
        return float(twice / once**2) if once > 0.0 else math.nan

    @cached_property
    def ergotropy(self) -> float:
        """The energy that unitaries on the symmetric subspace can extract."""
        return float(work.subspace_work(self.energy, self._eigenvalues))

    @property
    def ergotropy_global(self) -> float:
        """The energy that all unitaries on the 2^N states can extract, E - (1 - p_max)."""
        return float(work.global_work(self.energy, self._eigenvalues[-1]))

    @property
    def ergotropy_rotation(self) -> float:
        """The energy that one classical pulse can extract, <J_z> + abs(<J>)."""
        return float(work.rotation_work(self.energy, self.dipole, self.n_atoms))
