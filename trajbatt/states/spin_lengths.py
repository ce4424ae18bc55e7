"""What follows from the distribution of J, the length of the collective spin."""

from typing import TYPE_CHECKING

import numpy as np

from trajbatt.base.types import FloatArray
from trajbatt.models.model import Model


class SpinLengths:
    """Of anything with a `model` and a `spin_distribution` (nt, nJ), from J = N/2 down by ones."""

    if TYPE_CHECKING:  # what its heirs have

        @property
        def model(self) -> Model:
            """The model that was solved."""

        @property
        def spin_distribution(self) -> FloatArray:
            """The probability of each J, (nt, nJ)."""

    @property
    def spin_length(self) -> FloatArray:
        """The mean of J, float64 (nt,): N/2 without noise of single atoms."""
        return self.spin_distribution @ self._lengths

    @property
    def spin_square(self) -> FloatArray:
        """<J^2>, float64 (nt,): N/2 (N/2 + 1) without noise of single atoms."""
        return self.spin_distribution @ self._squares

    @property
    def _lengths(self):
        return self.model.n_atoms / 2 - np.arange(self.spin_distribution.shape[1])

    @property
    def _squares(self):
        return self._lengths * (self._lengths + 1.0)
