"""Energy that an ensemble emits coherently, with its standard error.

W = gamma int abs(m)^2 dt with m the mean dipole is no mean over trajectories, so it takes two
readings of them at the nodes of the quadrature: the first gives m, the second the trajectories'
contributions to the error of W, gamma int 2 Re(conj(m) J_i) dt with J_i the dipole of one.
"""

from dataclasses import replace

import numpy as np

from trajbatt.chunks import blocks
from trajbatt.coherent import CoherentEmission
from trajbatt.dispatch import ordered
from trajbatt.moments import Moments
from trajbatt.records import DIPOLE_IMAG, DIPOLE_REAL
from trajbatt.run import run


def coherent_energy(plan, ntraj):
    """Return the energy emitted coherently until each of the plan's times and its standard error.

    The square of the mean dipole is freed of its bias, the variance of the mean.

    Parameters
    ----------
    plan : Plan
    ntraj : int

    Returns
    -------
    energy, sem : ndarray (nt,), float64; None where Eq. (5) does not rule
    """
    emission = CoherentEmission.of(plan.model, plan.times)
    if emission is None:
        return None, None
    if emission.nodes.size == 0:
        return np.zeros((2, plan.times.size))
    # The clicks are those of the run only up to the same last time.
    reading = replace(plan, times=np.append(emission.nodes, plan.times[-1]), keep_clicks=False)
    moments = run(reading, ntraj).moments
    parts = moments.mean[[DIPOLE_REAL, DIPOLE_IMAG], :-1]
    variance = moments.second[[DIPOLE_REAL, DIPOLE_IMAG], :-1] / max(1, ntraj - 1)
    energy = emission.energy((parts**2 - variance / ntraj).sum(axis=0))

    pieces = ((reading, emission, parts, *piece) for piece in reading.pieces(ntraj))
    shares = None
    for share in ordered(_shares, pieces, None, None):
        shares = shares + share if shares else share
    return energy, shares.sem([1.0])


def _shares(plan, emission, parts, chunk, size):
    """Return the `Moments` of the contributions of a chunk's trajectories."""
    total = None
    for rng, n in blocks(plan, chunk, size):
        samples = plan.engine.run(rng, n, plan.times)[1].samples
        dipoles = samples[:, [DIPOLE_REAL, DIPOLE_IMAG], :-1]
        shares = emission.energy(2.0 * (parts * dipoles).sum(axis=1))
        moments = Moments.side_by_side(np.ascontiguousarray(shares[:, None, :]))
        total = total + moments if total else moments
    return total
