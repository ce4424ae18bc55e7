"""What the engines of all kinds have in common.

Kernels are handed tuples of classes of their own file, and records as plain tuples: compiled code
that knew the fields of a class in another file would not notice an edit there.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar

import numpy as np

from trajbatt.models.banded import BandedModel
from trajbatt.models.ladder import LadderModel
from trajbatt.numerics import spin
from trajbatt.states.mixture import NEGLIGIBLE, Mixture
from trajbatt.states.products import bare_products
from trajbatt.trajectories.clock import Clock
from trajbatt.trajectories.records import COUNTS, ROW, Records

MOST_CLICKS = 2**21  # first size of a click buffer; it is doubled when it is full


@dataclass(frozen=True)
class Engine:
    """What all engines for one model have in common.

    Attributes
    ----------
    model : LadderModel or BandedModel
    mixture : Mixture
        The initial state in the basis of the model.
    assigned : bool
        Trajectory i begins in pure state i of the mixture; else each draws its own.
    negligible : float
        Levels of less weight may be dropped.
    products : bool
        Whether products of spin components are read off, too.
    """

    # Whether the kernel reads a last ket by itself, if it is the only one.
    reads_end_apart: ClassVar[bool] = False

    model: LadderModel | BandedModel
    mixture: Mixture
    assigned: bool = False
    negligible: float = NEGLIGIBLE
    products: bool = False

    def run(self, rng, n, times, want_kets=False, clock=None):
        """Return the `Records` of n trajectories and the `Observation` of them at `times`.

        The ends in the `Clock`, if there is one, become those at which clicks have ended them.
        """
        records = self.sample(rng, n, times[-1], clock)
        return records, self.observe(records, times, want_kets, clock)

    def observe(self, records, times, want_kets=False, clock=None):
        """Return the `Observation` of the conditional states at `times`."""
        if not want_kets:
            return self._read(records, times, clock=clock)
        if self.reads_end_apart:
            seen = self._read(records, times, n_kets=1, clock=clock)
            return seen._replace(kets=seen.kets[:, 0])
        # Read by itself, so that not a bit of the kets depends on the times before the last.
        end = self._read(records, times[-1:], n_kets=1, clock=clock)
        end = end._replace(kets=end.kets[:, 0])
        return self._read(records, times[:-1], clock=clock).then(end) if times.size > 1 else end

    def kets(self, records, times, clock=None):
        """Return the normalised states in the model's basis, complex128 (n, nt, N+1)."""
        return self._read(records, times, n_kets=times.size, clock=clock).kets

    def bare_kets(self, records, times, clock=None):
        """Return the normalised states in the bare basis, complex128 (n, nt, N+1)."""
        kets = self.kets(records, times, clock)
        return kets if self.model.theta == 0.0 else kets @ self._to_bare

    def _clock(self, clock, n, t_end):
        """Return a `Clock` as kernels take it, a plain tuple: from 0 to `t_end` if there is none.

        The begins have no effect while clicks are drawn.
        """
        return tuple(clock or Clock.common(n, t_end, len(self.model.channel_names)))

    def _typical_clicks(self, clock):
        """Return a rough number of clicks in a trajectory by the ends in a plain clock."""
        _, ends, _, quota = clock
        return min(self.model.typical_clicks(float(ends.max())), float(quota))

    def _grid(self, kind, times, clock):
        """Return the `Grid` of a kernel file, which is `kind`."""
        phase = self.model.frequency * (times[None] if clock is None else clock.local(times))
        return kind(times, np.stack((np.cos(phase), np.sin(phase)), axis=1))

    def _turned(self, kets, times, clock):
        """Give kets (n, nk, N+1) at the last of `times` their phases and the norm 1, in place.

        Kernels of ladders leave out the phases of the levels, up to one that is common to all.
        """
        from trajbatt.kernels.windows import give_phases

        last = times[times.size - kets.shape[1] :]
        phase = self.model.frequency * (last[None] if clock is None else clock.local(last))
        give_phases(kets, np.exp(-1j * phase[..., None] * np.arange(self.model.n_levels)))
        return kets

    def beginning_in(self, mixture):
        """Return the same engine for other initial states; its tables remain."""
        other = replace(self, mixture=mixture)
        if hasattr(type(self), "_tables"):
            vars(other)["_tables"] = self._tables
        return other

    @cached_property
    def _edges(self):
        """The cumulative probabilities of the mixture's levels, back to back, float64 (M,).

        None, an array (0,), where no pure state is drawn.
        """
        if self.assigned:
            return np.zeros(0)
        weights, _, offsets, amplitudes, _ = self.mixture
        edges = np.cumsum(np.repeat(weights, np.diff(offsets)) * np.abs(amplitudes) ** 2)
        return edges / edges[-1]

    @cached_property
    def _to_bare(self):
        return spin.change_of_basis(self.model.n_atoms, self.model.theta, 0.0)

    def _out(self, kind, n, times, n_kets, clock, **others):
        """Return the `Out` of a kernel file, which is `kind`, for n trajectories at `times`.

        With room for the states at the last `n_kets` of them; `others` are fields of its own. On a
        clock there are times at which nothing is read: there remain zeros.
        """
        room = np.empty if clock is None else np.zeros
        return kind(
            samples=room((n, COUNTS + len(self.model.channel_names), times.size)),
            **ROW,
            counts=COUNTS,
            kets=np.zeros((n, n_kets, self.model.n_levels), dtype=complex),
            products=np.zeros((n, 5 * self.products, times.size)),
            **others,
        )

    def _products(self, out):
        """Return the bare `PRODUCTS` that a kernel has written, (n, 4, nt), or None."""
        if not self.products:
            return None
        return np.stack(bare_products(self.model.theta, np.moveaxis(out.products, 1, 0)), axis=1)


def fill_records(n, clicks_per_trajectory, call, with_spins=False):
    """Return what a sampling kernel records, with larger buffers each time it finds them full.

    Parameters
    ----------
    n : int
        Trajectories.
    clicks_per_trajectory : float
        A guess.
    call : callable
        Called as `call(records)` with a plain tuple; goes on where it stopped, and is true when all
        is done.
    with_spins : bool
        Whether J after each click is recorded, too.
    """
    capacity = int(min(1.5 * n * clicks_per_trajectory, MOST_CLICKS)) + 64
    records = Records(
        origin=np.empty(n, dtype=np.int64),
        hidden=np.full(n, -1, dtype=np.int64),
        offsets=np.empty(n + 1, dtype=np.int64),
        time=np.empty(capacity),
        channel=np.empty(capacity, dtype=np.int8),
        spin=np.empty(capacity, dtype=np.int32) if with_spins else None,
    )
    of_clicks = ("time", "channel", "spin") if with_spins else ("time", "channel")
    while not call(plain(records)):
        longer = {name: getattr(records, name) for name in of_clicks}
        longer = {name: np.concatenate((one, np.empty_like(one))) for name, one in longer.items()}
        records = records._replace(**longer)
    n_clicks = records.offsets[-1]
    return records._replace(**{name: getattr(records, name)[:n_clicks] for name in of_clicks})


def plain(records):
    """Return `Records` as kernels take them: a plain tuple, without what is not there."""
    return tuple(one for one in records if one is not None)
