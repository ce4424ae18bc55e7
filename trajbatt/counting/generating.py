"""The generating function E[prod_c z_c^{n_c}] of the photon numbers, at many complex fields.

Fields are worked on in batches that fit into memory. Within one stage of a ladder model populations
suffice; else pairs of Hermitian matrices pass from stage to stage.
"""

from itertools import pairwise

import numpy as np

from trajbatt.counting.course import populations
from trajbatt.exact.fields import LadderFields, turned
from trajbatt.exact.orders import Orders
from trajbatt.models.ladder import LadderModel

UNKNOWNS, BATCH = 200_000, 32  # of one system, and fields; more are solved in turn
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
    is_ladder = isinstance(last, LadderModel)
    largest = last.n_atoms + 1 if len(course.stages) == 1 and is_ladder else (last.n_atoms + 1) ** 2
    batch = max(1, min(BATCH, UNKNOWNS // largest))
    found = np.zeros(len(fields), dtype=complex)
    for start in range(0, len(fields), batch):
        part = slice(start, start + batch)
        found[part] = _of_batch(course, duration, fields[part])
        if may_stop and np.abs(found[part]).max() < SPENT:
            break
    return found


def _of_batch(course, duration, fields):
    *early, last = course.stages
    own_fields, rest = fields[:, list(last.tags)], duration - last.start
    is_ladder = isinstance(last.model, LadderModel)
    if not early and is_ladder:
        y = np.tile(populations(course), (len(fields), 1))
    else:
        orders, pairs = _pairs(course, len(fields))
        for stage, following in pairwise(course.stages):
            pairs = turned(stage.model, pairs, fields[:, list(stage.tags)], stage.duration)
            phase = stage.model.frequency * stage.duration
            matrices = orders.in_basis(pairs.reshape(-1, orders.stop), phase, following.model.theta)
            orders = _all_orders(following.model)
            pairs = np.array([orders.of_matrix(matrix) for matrix in matrices])
            pairs = pairs.reshape(len(fields), 2, orders.stop)
        if not is_ladder:
            pairs = turned(last.model, pairs, own_fields, rest)
        a, b = np.moveaxis(pairs[:, :, orders.slices[0]].real, 1, 0)
        y = a + 1j * b
    if is_ladder:
        (y,) = LadderFields(last.model, [0], own_fields).states(y, np.array([rest]))
    return y.sum(axis=1)


def _pairs(course, n):
    """Return the layout of the first stage's orders, and n pairs of the state and zero."""
    orders = _all_orders(course.stages[0].model)
    pairs = np.zeros((n, 2, orders.stop), dtype=complex)
    pairs[:, 0] = orders.of_mixture(course.mixture)
    return orders, pairs


def _all_orders(model):
    return Orders(model.n_atoms, model.theta, range(model.n_atoms + 1))
