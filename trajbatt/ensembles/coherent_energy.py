"""Energy that an ensemble emits coherently, with its standard error.

W = gamma int abs(m)^2 dt with m the mean dipole is no mean over trajectories, so it takes two
readings of them at the nodes of the quadrature: the first gives m, the second the trajectories'
contributions to the error of W, gamma int 2 Re(conj(m) J_i) dt with J_i the dipole of one.
"""

from functools import reduce
from operator import add
from typing import NamedTuple

import numpy as np

from trajbatt.base.types import FloatArray
from trajbatt.ensembles.chunks import blocks
from trajbatt.models.coherent_emission import CoherentEmission
from trajbatt.numerics.moments import Moments
from trajbatt.trajectories.records import ROW

DIPOLE = [ROW["jx"], ROW["jy"]]


class CoherentEnergy(NamedTuple):
    """What an ensemble emits coherently.

    Attributes
    ----------
    energy, energy_sem : ndarray (nt,), float64
        W and its standard error.
    fraction, fraction_sem : ndarray (nt,), float64
        Of the energy at the start of the emission.
    """

    energy: FloatArray
    energy_sem: FloatArray
    fraction: FloatArray
    fraction_sem: FloatArray


def coherent_energy(sources):
    """Return the `CoherentEnergy` of some runs together; None if Eq. (5) never rules.

    The square of the mean dipole is freed of its bias, the variance of the mean.

    Parameters
    ----------
    sources : sequence of Source
        That differ by their seeds. Each works on its own executor.
    """
    plan, ntraj = sources[0].plan, sum(source.ntraj for source in sources)
    emission = CoherentEmission.of(plan.model, plan.times)
    if emission is None:
        return None
    if emission.nodes.size == 0:
        return CoherentEnergy(*np.zeros((4, plan.times.size)))
    # The clicks are those of the run only up to the same last time.
    times = np.concatenate(([emission.start], emission.nodes, plan.times[-1:]))
    moments = reduce(add, (source.moments_at(times).moments for source in sources))
    dipole = moments.mean[DIPOLE, 1:-1]
    variance = moments.second[DIPOLE, 1:-1] / max(1, ntraj - 1)
    energy = emission.energy((dipole**2 - variance / ntraj).sum(axis=0))
    at_start = moments.mean[ROW["jz"], 0] + plan.model.n_atoms / 2

    chunks = (each for one in sources for each in one.each_chunk(_shares, times, emission, dipole))
    shares = reduce(add, chunks)
    with np.errstate(divide="ignore", invalid="ignore"):  # a battery may be empty
        fraction = energy / at_start
        slopes = np.array([np.full_like(energy, 1.0 / at_start), -fraction / at_start])
        fraction_sem = shares.sem(slopes)
    return CoherentEnergy(energy, shares.sem(np.array([[1.0], [0.0]])), fraction, fraction_sem)


def _shares(plan, emission, dipole, chunk, size):
    """Return the `Moments` of what a chunk's trajectories contribute, and of their <J_z> before."""
    total = None
    for rng, n in blocks(plan, chunk, size):
        samples = plan.engine.run(rng, n, plan.times)[1].samples
        dipoles = samples[:, DIPOLE, 1:-1]
        variables = np.empty((n, 2, emission.n_times))
        variables[:, 0] = emission.energy(2.0 * (dipole * dipoles).sum(axis=1))
        variables[:, 1] = samples[:, ROW["jz"], :1]
        moments = Moments.side_by_side(variables)
        total = total + moments if total else moments
    return total
