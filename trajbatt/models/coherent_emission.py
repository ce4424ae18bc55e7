"""Energy emitted coherently: Eq. (19) integrated over time.

Where the light comes from the bare dipole, as under Eq. (5), the coherent part of its power is
gamma abs(<J_+>)^2. In a protocol it is counted from the start of the discharge.
"""

from dataclasses import dataclass

import numpy as np

from trajbatt.models.banded import BandedModel
from trajbatt.models.protocol import Protocol, stages_of
from trajbatt.numerics.quadrature import RunningIntegral


@dataclass(frozen=True, eq=False)
class CoherentEmission:
    """When the dipole must be known, and what follows from it.

    Attributes
    ----------
    start : float
        When it begins.
    nodes : ndarray (n,), float64
        Strictly increasing times after it.
    n_times : int
        The number of requested times.
    """

    start: float
    nodes: np.ndarray
    n_times: int
    _pieces: tuple

    @classmethod
    def of(cls, model, times):
        """Return what a model or protocol emits until each of `times`; None if Eq. (5) never rules.

        None as well if a protocol has no discharge.
        """
        stages = stages_of(model, times[-1])
        if isinstance(model, Protocol):
            names = [stage.model.name for stage in model.stages]
            if "discharge" not in names:
                return None
            stages = stages[names.index("discharge") :]  # none if `times` end before it
        elif model.coherent_rate is None:
            return None
        pieces, nodes = [], [np.empty(0)]
        for i, stage in enumerate(stages):
            wanted, local = stage.select(times, to_end=i < len(stages) - 1)
            rate = stage.model.coherent_rate
            integral = None
            if rate is not None:
                longest = np.inf
                if isinstance(stage.model, BandedModel) and stage.model.frequency > 0:
                    longest = 2.0 / stage.model.frequency
                integral = RunningIntegral(local, stage.model.timescale, longest)
                nodes.append(stage.start + integral.nodes)
            pieces.append((wanted, rate, integral))
        start = stages[0].start if stages else np.inf
        return cls(start, np.concatenate(nodes), times.size, tuple(pieces))

    def energy(self, square):
        """Return the integrals (..., nt) for abs(<J_+>)^2 = `square` (..., n) at the nodes."""
        energy = np.zeros((*square.shape[:-1], self.n_times))
        so_far, used = 0.0, 0
        for wanted, rate, integral in self._pieces:
            energy[..., wanted] = so_far
            if integral is not None:
                emitted = so_far + rate * integral(square[..., used : used + integral.nodes.size])
                used += integral.nodes.size
                energy[..., wanted] = emitted[..., : wanted.stop - wanted.start]
                so_far = emitted[..., -1:]
        return energy
