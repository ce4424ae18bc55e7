"""Long times: when a ladder has relaxed, its counts go on along straight lines.

With u and d the summed rates of the jumps up and down the ladder, populations relax at least as
fast as exp(-(u + d) t) and coherences as its square root, for any number of atoms: equality holds
for one atom and for u = d. Steps that are much longer than that would lose digits, because the
identity is lost beside the Liouvillian in them, and are not needed.
"""

import numpy as np

from trajbatt.numerics.propagators import rational_states

RELAXATIONS = 80.0  # exp(-40), of the slowest coherence, is below rounding


def relaxed_after(model):
    """Return the time after which a `LadderModel` is in its steady state; inf if it never is."""
    slowest = model.rate_of(1) + model.rate_of(-1)
    return RELAXATIONS / slowest if slowest > 0 else np.inf


def states_until_any_time(system, y, times, rtol):
    """Yield exp(tA) y at each of `times`, however late.

    Parameters
    ----------
    system : object
        As for `rational_states`, with a `model` and `extrapolated(y, duration)`, which goes on from
        the steady state.
    y : ndarray (n,)
    times : ndarray (nt,)
    rtol : float
    """
    horizon = relaxed_after(system.model)
    late = times > horizon
    early = times[~late]
    states = rational_states(system, y, np.append(early, horizon) if late.any() else early, rtol)
    for _ in early:
        yield next(states)
    if late.any():
        relaxed = next(states)
        for time in times[late]:
            yield system.extrapolated(relaxed, time - horizon)
