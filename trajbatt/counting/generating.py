"""The generating function E[prod_c z_c^{n_c}] of the photon numbers, at many complex fields.

Fields are worked on in batches that fit into memory; and in small ones where nothing is gained by
more, so that not many are in vain once it is spent.
"""

import numpy as np

from trajbatt.exact.stages import walk
from trajbatt.exact.systems import systems_of

UNKNOWNS, BATCH = 200_000, 32  # of one system, and fields; more are solved in turn
FEW = 4  # fields of a model that takes them one after the other
SPENT = 1e-15  # of the generating function, beyond which it stays zero


def generating_function(course, duration, fields, may_stop=False):
    """Return the generating function of the photons of `duration`, complex128 (nf,).

    Parameters
    ----------
    course : Course or None
        None if there are no photons.
    duration : float
    fields : ndarray (nf, nc), complex128
    may_stop : bool
        Let a batch in which it is nowhere above `SPENT` be the last; those beyond get zeros.
    """
    if course is None or duration == 0.0:
        return np.ones(len(fields), dtype=complex)
    last = course.stages[-1].model
    only_populations = len(course.stages) == 1 and last.clicks_from_populations
    largest = last.n_levels if only_populations else last.n_levels**2
    side_by_side = len(course.stages) > 1 or last.clicks_from_populations
    batch = max(1, min(BATCH if side_by_side else FEW, UNKNOWNS // largest))
    found = np.zeros(len(fields), dtype=complex)
    for start in range(0, len(fields), batch):
        part = slice(start, start + batch)
        found[part] = _of_batch(course, duration, fields[part])
        if may_stop and np.abs(found[part]).max() < SPENT:
            break
    return found


def _of_batch(course, duration, fields):
    def system(leg):
        own = fields[:, list(leg.stage.places)]
        return systems_of(leg.stage.model).fields(leg.stage.model, own, leg.following is not None)

    times = np.array([min(duration, course.stages[-1].end)])
    *_, last = walk(course.stages, times, system, course.mixture)
    return last.system.generating(last.at_end())
