"""The engine for ladder models: exact sampling and filtering."""

import math
from functools import cached_property

import numpy as np

from trajbatt.numerics import spin
from trajbatt.trajectories.engine import Engine, fill_records, plain
from trajbatt.trajectories.records import Observation


class LadderEngine(Engine):
    """The arrays around `trajbatt.kernels.ladder`."""

    reads_end_apart = True

    @cached_property
    def _start(self):
        """The pure states in which trajectories begin."""
        from trajbatt.kernels.ladder import Start

        _, first, offsets, amplitudes, _ = self.mixture
        # Real amplitudes remain real: that is faster.
        return Start(self._edges, first, offsets, amplitudes, self.assigned)

    @cached_property
    def _tables(self):
        from trajbatt.kernels.ladder import PADDING, Tables

        cumulative = np.cumsum(self.model.click_rates, axis=0).T
        total = self.model.click_rates.sum(axis=0)
        with np.errstate(divide="ignore", over="ignore"):
            mean_waits = 1.0 / total
        lit = cumulative[:, -1:] > 0
        thresholds = np.ones_like(cumulative)
        np.divide(cumulative, cumulative[:, -1:], out=thresholds, where=lit)
        elements = np.pad(self.model.jump_elements, ((0, 1), (PADDING, PADDING)))
        elements[-1] = 1.0
        _, slope, curvature = self.model.rate_polynomial
        return Tables(
            shifts=self.model.shifts,
            mean_waits=mean_waits,
            thresholds=np.ascontiguousarray(thresholds),
            elements=elements.ravel(),
            raising=np.pad(spin.raising_elements(self.model.n_atoms), PADDING),
            slope=slope,
            curvature=curvature,
            cos_theta=math.cos(self.model.theta),
            sin_theta=math.sin(self.model.theta),
        )

    def sample(self, rng, n, t_end, clock=None):
        """Return the `Records` of the next n trajectories, up to `t_end` or as the clock says."""
        from trajbatt.kernels.ladder import Progress, sample_clicks

        progress, clock = Progress.fresh(), self._clock(clock, n, t_end)

        def call(records):
            return sample_clicks(rng, self._start, self._tables, clock, progress, records)

        return fill_records(n, self._typical_clicks(clock), call)

    def _read(self, records, times, n_kets=0, clock=None):
        from trajbatt.kernels.ladder import Grid, Workspace, observe
        from trajbatt.kernels.reading import Out

        out = self._out(Out, records.origin.size, times, n_kets, clock)
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
        return Observation(out.samples, dropped, kets, self._products(out))
