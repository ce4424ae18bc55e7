"""What a battery with noise of single atoms is about to go through: its state in blocks of J.

As `trajbatt.counting.course` has it for others. Clicks follow from the populations of all blocks,
so that without another stage nothing else is kept.
"""

import numpy as np

from trajbatt.exact.block_orders import BlockOrders, Elsewhere
from trajbatt.exact.local_ladder import LocalLiouvillian

IMPOSSIBLE = 1e-15  # of the largest rate: less is what rounding leaves of none


def later_blocks(passage, theta):
    """Return the state at the end of a `Passage`, for a stage at the angle `theta`."""
    layout, y, phase = passage.system.layout, passage.at_end(), passage.phases[-1]
    if len(layout.orders) == 1:
        return Elsewhere(layout, y)
    there = BlockOrders(layout.n_atoms, theta, layout.orders, layout.spins.size)
    return Elsewhere(there, there.rows(layout.in_basis(y[None], phase, theta))[0])


def clicked_blocks(model, given, wanted, is_last):
    """Return the state after a jump of one of the channels, and the rate at which it comes.

    Parameters
    ----------
    model : BlockModel
    given : Mixture or Elsewhere
    wanted : ndarray (nc,), bool
    is_last : bool
        No other stage follows.

    Returns
    -------
    state : Elsewhere or None
        None if it cannot come.
    rate : float
    """
    layout = BlockOrders.of(model, [0] if is_last else range(model.n_levels))
    after = (
        LocalLiouvillian(model, layout).jump_matrix(wanted.astype(float)) @ layout.rows(given)[0]
    )
    rate = float(layout.trace(after).real)
    if rate <= IMPOSSIBLE * model.largest_rate:
        return None, 0.0
    return Elsewhere(layout, after / rate), rate


def average_blocks(model, weights, given):
    """Return the average of several states, an `Elsewhere`.

    Parameters
    ----------
    model : BlockModel
    weights : sequence of float
    given : sequence of Mixture or Elsewhere
    """
    only_populations = all(
        isinstance(one, Elsewhere) and len(one.layout.orders) == 1 for one in given
    )
    layout = BlockOrders.of(model, [0] if only_populations else range(model.n_levels))
    total = sum(w * layout.rows(one)[0] for w, one in zip(weights, given, strict=True))
    return Elsewhere(layout, total / sum(weights))


def next_in_blocks(course):
    """Return the probability that the next jump is of each channel, float64 (nc,).

    Without a jump every level |J, M> only decays, so each asks its own rates.
    """
    model = course.stages[0].model
    layout = BlockOrders.of(model, [0])
    rates = LocalLiouvillian(model, layout).jump_rates
    total = rates.sum(axis=0)
    shares = np.divide(rates, total, out=np.zeros_like(rates), where=total > 0.0)
    return shares @ layout.rows(course.mixture)[0].real
