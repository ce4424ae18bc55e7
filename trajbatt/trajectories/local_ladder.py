"""The engine for ladders with noise of single atoms."""

import math
from functools import cached_property

import numpy as np

from trajbatt.numerics import spin, spin_blocks
from trajbatt.trajectories.engine import Engine, fill_records, plain
from trajbatt.trajectories.records import Observation


class LocalLadderEngine(Engine):
    """The arrays around `trajbatt.kernels.local_ladder`."""

    reads_end_apart = True

    @cached_property
    def _start(self):
        """The pure states in which trajectories begin."""
        from trajbatt.kernels.local_ladder import Start

        weights, first, offsets, amplitudes, spins = self.mixture
        if spins is None:
            spins = np.full(weights.size, self.model.n_atoms)
        return Start(self._edges, first, offsets, amplitudes, self.assigned, spins)

    @cached_property
    def _tables(self):
        from trajbatt.kernels.local_ladder import PADDING, Tables

        model, n_atoms = self.model, self.model.n_atoms
        collective, local = model.collective_rates, model.local_rates
        kinds = 3 * model.is_local + 1 + model.shifts
        of_kind = kinds == np.arange(6)[:, None]
        shares = np.cumsum(np.where(of_kind, model.rates, 0.0), axis=1)
        totals = shares[:, -1:] if shares.size else shares
        np.divide(shares, totals, out=shares, where=totals > 0.0)
        roots = np.sqrt(np.arange(n_atoms + 3.0))
        levels = np.append(spin.magnetic_numbers(n_atoms), [0.0, 0.0])
        rows = [np.pad(row, PADDING) for row in (roots, roots[::-1], levels)]
        return Tables(
            n_atoms=n_atoms,
            steps=1 + model.shifts,
            is_local=model.is_local,
            rates=np.concatenate((collective, local)),
            shares=shares,
            factors=np.concatenate((*rows, np.ones_like(rows[0]))),
            slope=float(collective[0] - collective[2] + local[0] - local[2]),
            curvature=float(collective[1] - collective[0] - collective[2]),
            cos_theta=math.cos(model.theta),
            sin_theta=math.sin(model.theta),
        )

    def sample(self, rng, n, t_end, clock=None):
        """Return the `Records` of the next n trajectories, up to `t_end` or as the clock says."""
        from trajbatt.kernels.local_ladder import Progress, sample_clicks

        progress, clock = Progress.fresh(), self._clock(clock, n, t_end)

        def call(records):
            return sample_clicks(rng, self._start, self._tables, clock, progress, records)

        return fill_records(n, self._typical_clicks(clock), call, with_spins=True)

    def bare_kets(self, records, times, clock=None):
        """Return the states as the other engines do, with zeros where their J has no level."""
        seen = self._read(records, times, n_kets=times.size, clock=clock)
        n_atoms, found = self.model.n_atoms, np.zeros_like(seen.kets)
        turned = spin_blocks.turned(seen.kets, seen.spins, self.model.theta, 0.0)
        for n in np.unique(seen.spins).tolist():
            rows = seen.spins == n
            found[rows, spin_blocks.excited(n_atoms, n)] = turned[rows, : n + 1]
        return found

    def _read(self, records, times, n_kets=0, clock=None):
        from trajbatt.kernels.local_ladder import Grid, Out, Workspace, observe

        spins = np.zeros((records.origin.size, times.size), dtype=np.int64)
        out = self._out(Out, records.origin.size, times, n_kets, clock, spins=spins)
        grid, rows = (
            self._grid(Grid, times, clock),
            self._clock(clock, records.origin.size, times[-1]),
        )
        work = Workspace.fresh(
            self.model.n_levels, len(self.model.channel_names), self.mixture.amplitudes.dtype
        )
        dropped = observe(
            self._start, self._tables, grid, rows, self.negligible, plain(records), work, out
        )
        kets = self._turned(out.kets, times, clock) if n_kets else None
        return Observation(out.samples, dropped, kets, self._products(out), spins)
