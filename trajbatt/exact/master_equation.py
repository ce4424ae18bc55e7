"""The master equation of a model or protocol, solved to a given accuracy."""

import numpy as np

from trajbatt.base.arrays import padded
from trajbatt.exact.driven import share_states
from trajbatt.exact.ladder_tensors import by_tensors
from trajbatt.exact.solution import Solution
from trajbatt.exact.stages import walk
from trajbatt.exact.systems import systems_of


def solve(stages, n_channels, mixture, times, rtol, look=None):
    """Take the density matrix through the stages of a schedule.

    Parameters
    ----------
    stages : sequence of Stage
        Up to the last of `times`, as `trajbatt.exact.weak_drive.start` gives them.
    n_channels : int
        Of the schedule.
    mixture : Mixture
        The initial state in the basis of the first stage.
    times : ndarray (nt,)
    rtol : float
    look : callable, optional
        Called as look(layout, y, phase) with all coherence orders, for each of `times`.

    Returns
    -------
    Solution
    """
    if look is None:
        found = by_tensors(stages, n_channels, mixture, times, rtol)
        if found is not None:
            return found
    means = np.empty((2, times.size)), np.empty(times.size, dtype=complex)
    energy, variance, dipole = *means[0], means[1]  # type: ignore[misc]
    counts, final_counts = np.empty((n_channels, times.size)), np.zeros((len(stages), n_channels))
    so_far, products, looks = np.zeros(n_channels), np.empty((4, times.size)), []
    spins, methods = [], {}

    def system(leg):
        model, following = leg.stage.model, leg.following
        goes_on = following is not None and not share_states(model, following.model)
        return systems_of(model).orders(model, rtol, look is not None or goes_on)

    for passage, final in zip(walk(stages, times, system, mixture), final_counts, strict=True):
        leg = passage.leg
        *observed, counted, lengths = _read(passage, looks, look)
        methods[passage.system.method] = None
        spins.append(lengths[:, : leg.n_wanted])
        for total, row in zip((energy, variance, dipole, products), observed, strict=True):
            total[..., leg.wanted] = row[..., : leg.n_wanted]
        places = list(leg.stage.places)
        counts[:, leg.wanted] = so_far[:, None]
        counts[places, leg.wanted] += counted[:, : leg.n_wanted]
        so_far[places] += counted[:, -1]
        final[:] = so_far
    joined = np.concatenate(padded(spins), axis=1)
    method = " and ".join(methods)
    return Solution(energy, variance, dipole, counts, final_counts, products, joined, looks, method)


def _read(passage, looks, look):
    """Return energy, variance, dipole (n,), products, counts and spins (..., n) of a leg."""
    layout, counted, phases = passage.system.layout, passage.system.counted, passage.phases
    if look is None and isinstance(passage.states, np.ndarray):
        y = passage.states.T
        orders = counted.orders(y)
        return (
            *layout.observables(orders, phases),
            counted.counts(y),
            layout.spin_distribution(orders),
        )
    rows = []
    for i, (y, phase) in enumerate(zip(passage, phases, strict=True)):
        orders = counted.orders(y)
        observed, spins = layout.observables(orders, phase), layout.spin_distribution(orders)
        # A copy, because a view would keep all of y alive.
        rows.append((*observed, counted.counts(y).copy(), spins))
        if look and i < passage.leg.n_wanted:
            looks.append(look(layout, orders, phase))
    return [np.array(row).T for row in zip(*rows, strict=True)]
