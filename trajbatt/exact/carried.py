"""Density matrices that others join and leave on the way through a stage, and what is read off."""

import numpy as np

from trajbatt.exact.banded import BandedLiouvillian
from trajbatt.exact.solution import Solution

NOTHING = 1e-13  # probability of a stage that is as good as empty


class Seen:
    """What is read off the density matrices of all stages, summed up.

    Parameters
    ----------
    times : ndarray (nt,)
    n_channels : int
    """

    def __init__(self, times, n_channels):
        self.times, self.counts = times, np.zeros((n_channels, times.size))
        self._means, self._weight = np.zeros((8, times.size)), np.zeros(times.size)

    def add(self, i, layout, y, phase):
        """Add an unnormalised state y (stop,) at the time number i."""
        weight = float(layout.trace(y).real)
        if weight > 0.0:
            energy, variance, dipole, products = layout.observables(y / weight, phase)
            jz = energy - layout.n_atoms / 2
            first = jz, variance + jz**2, dipole.real, dipole.imag
            self._means[:, i] += weight * np.array([*first, *products])
            self._weight[i] += weight

    def count(self, places, so_far):
        """Add the counts of a stage: `so_far` is a list of times and counts (nc,) until then."""
        knots = np.array([time for time, _ in so_far])
        counts = np.array([np.zeros(len(places)), *(counts for _, counts in so_far)])
        self.counts[places] += counts[np.searchsorted(knots, self.times, side="right")].T

    @property
    def missed(self):
        """By how much the probability of all stages together is off 1, at the worst time."""
        return np.abs(self._weight - 1.0).max()

    def solution(self, n_stages, n_atoms):
        """Return the `Solution`."""
        jz, square, jx, jy, *products = self._means / self._weight
        return Solution(
            energy=jz + n_atoms / 2,
            energy_variance=np.maximum(square - jz**2, 0.0),
            dipole=jx + 1j * jy,
            counts=self.counts,
            final_counts=np.zeros((n_stages, len(self.counts))),
            products=np.array(products),
            spins=np.ones((1, self.times.size)),
            looks=[],
            method="banded",
        )


class Still:
    """In place of a `BandedFlow` without channels: nothing but phases changes."""

    def begin(self, t, matrices, scalars=()):
        """Set the matrices."""
        self._given = matrices, scalars

    def advance(self, target, end=None):
        """Return them."""
        return self._given


class Picture:
    """The orders of matrices in the interaction picture of a stage, whose clock is the protocol's.

    Parameters
    ----------
    model : Model
        A plain one.
    rtol : float
    n : int
        How many matrices go together.
    **couplings
        As for `BandedLiouvillian.flow`.
    """

    def __init__(self, model, rtol, n=1, **couplings):
        liouvillian = BandedLiouvillian(model)
        self.layout, self._frequency = liouvillian.layout, model.frequency
        self._k, self._q = self.layout.elements
        self.flow = liouvillian.flow(n, rtol, **couplings) if model.channel_names else Still()

    def phase(self, time):
        """Return Omega t."""
        return self._frequency * time

    def orders(self, matrices, time):
        """Return the orders (..., stop) of Hermitian matrices (..., N+1, N+1) at a time."""
        turned = np.exp(1j * self.phase(time) * self._q)
        return matrices[..., self._k + self._q, self._k] * turned

    def matrix(self, y, time):
        """Return the matrices (..., N+1, N+1) of orders (..., stop) at a time."""
        n_levels = self.layout.n_atoms + 1
        found = np.zeros((*y.shape[:-1], n_levels, n_levels), dtype=complex)
        elements = y * np.exp(-1j * self.phase(time) * self._q)
        found[..., self._k, self._k + self._q] = elements.conj()
        found[..., self._k + self._q, self._k] = elements
        return found


def carry(picture, changes, places, seen):
    """Carry one density matrix through a stage, with `changes` of its orders at some times.

    A boundary belongs to the stage that ends there: so changes come after what is read, but for
    those at the very start.
    """
    y = np.zeros(picture.layout.stop, dtype=complex)
    nothing, emitted = np.zeros(len(places)), np.zeros(len(places))
    points = [(time, -1 if time == 0.0 else 1, change) for time, change in changes]
    points += [(time, 0, i) for i, time in enumerate(seen.times)]
    points.sort(key=lambda point: point[:2])
    weight = 0.0
    for time, kind, what in points:
        now, counted = y, emitted
        if weight > NOTHING:
            (rows,), scalars = picture.flow.advance(time)
            now, counted = weight * rows, emitted + weight * scalars
        if kind == 0:
            seen.counts[places, what] += counted
            if weight > NOTHING:
                seen.add(what, picture.layout, now, picture.phase(time))
            continue
        y, emitted = now + what, counted
        weight = float(picture.layout.trace(y).real)
        if weight > NOTHING:
            picture.flow.begin(time, y[None] / weight, nothing)
