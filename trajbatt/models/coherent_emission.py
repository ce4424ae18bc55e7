"""Energy emitted coherently: Eq. (19) integrated over time.

Where the light comes from the bare dipole, as under Eq. (5), the coherent part of its power is
gamma abs(<J_+>)^2. In a protocol it is counted from the start of the discharge.
"""

from dataclasses import dataclass

import numpy as np

from trajbatt.models.schedule import legs
from trajbatt.numerics.quadrature import RunningIntegral

SMOOTH_DIPOLE = 2.0  # radians at Omega_P for which a panel of the quadrature is exact to rounding


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

        None as well if a protocol has no discharge, or stages that end by what is seen.
        """
        if model.is_steered:
            return None
        stages = model.stages(times[-1])
        if model.is_staged:
            discharges = [one.start for one in model.stages() if one.model.is_discharge]
            if not discharges:
                return None
            # None of them if `times` end before it.
            stages = tuple(one for one in stages if one.start >= discharges[0])
        elif model.coherent_rate is None:
            return None
        pieces, nodes = [], [np.empty(0)]
        for leg in legs(stages, times):
            stage_model, integral = leg.stage.model, None
            rate, oscillation = stage_model.coherent_rate, stage_model.oscillates_at
            if rate is not None:
                longest = SMOOTH_DIPOLE / oscillation if oscillation > 0 else np.inf
                integral = RunningIntegral(leg.local, stage_model.timescale, longest)
                nodes.append(leg.stage.start + integral.nodes)
            pieces.append((leg.wanted, rate, integral))
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
