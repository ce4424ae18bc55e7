"""The distribution of the energy of an ensemble, with its standard error.

The probability of k excited atoms is the mean of abs(<k|psi>)^2 over the trajectories, whose states
are simulated again when it is asked for.
"""

from functools import reduce
from operator import add

import numpy as np

from trajbatt.ensembles.chunks import blocks
from trajbatt.numerics.moments import Moments


def energy_distribution(sources):
    """Return the bare populations of some runs together and their standard errors, (nt, N+1) each.

    Parameters
    ----------
    sources : sequence of Source
        That differ by their seeds. Each works on its own executor.
    """
    chunks = (each for one in sources for each in one.each_chunk(_of_chunk, one.plan.times))
    moments = reduce(add, chunks)
    shape = sources[0].plan.times.size, -1
    with np.errstate(divide="ignore", invalid="ignore"):  # of one trajectory
        variance = moments.second[0] / np.subtract(moments.count, 1)
    return moments.mean.reshape(shape), np.sqrt(variance / moments.count).reshape(shape)


def _of_chunk(plan, chunk, size):
    total = None
    for rng, n in blocks(plan, chunk, size, with_kets=True):
        records, _ = plan.engine.run(rng, n, plan.times)
        kets = plan.engine.bare_kets(records, plan.times)
        populations = np.square(kets.real) + np.square(kets.imag)
        moments = Moments.side_by_side(populations.reshape(n, 1, -1))  # without pairs of levels
        total = total + moments if total else moments
    return total
