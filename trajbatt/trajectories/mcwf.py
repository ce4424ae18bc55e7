"""The textbook Monte Carlo wavefunction for ladder models: slow, and an independent check."""

import math
from functools import cached_property

import numpy as np

from trajbatt.trajectories.engine import Engine, fill_records, plain
from trajbatt.trajectories.records import Observation


class WavefunctionEngine(Engine):
    """The arrays around `trajbatt.kernels.mcwf`."""

    @cached_property
    def _start(self):
        """The pure states in which trajectories begin."""
        from trajbatt.kernels.mcwf import Start

        weights = self.mixture.cumulative_weights
        _, first, offsets, amplitudes, _ = self.mixture
        return Start(weights, first, offsets, amplitudes.astype(complex), self.assigned)

    @cached_property
    def _tables(self):
        from trajbatt.kernels.mcwf import Tables

        return Tables(
            shifts=self.model.shifts,
            jump_elements=self.model.jump_elements,
            click_rates=self.model.click_rates,
            total_rates=self.model.click_rates.sum(axis=0),
            frequency=self.model.frequency,
            cos_theta=math.cos(self.model.theta),
            sin_theta=math.sin(self.model.theta),
        )

    def sample(self, rng, n, t_end, clock=None):
        """Return the `Records` of the next n trajectories, up to `t_end` or as the clock says."""
        from trajbatt.kernels.mcwf import Progress, sample_clicks

        progress = Progress.fresh(self.model.n_levels)
        p, clock = np.empty(self.model.n_levels), self._clock(clock, n, t_end)

        def call(records):
            return sample_clicks(rng, self._start, self._tables, clock, progress, p, records)

        return fill_records(n, self._typical_clicks(clock), call)

    def _read(self, records, times, n_kets=0, clock=None):
        from trajbatt.kernels.mcwf import observe
        from trajbatt.kernels.reading import Out

        out = self._out(Out, records.origin.size, times, n_kets, clock)
        work = np.empty((2, self.model.n_levels), dtype=complex)
        clock = self._clock(clock, records.origin.size, times[-1])
        observe(self._start, self._tables, times, clock, plain(records), work, out)
        kets = out.kets if n_kets else None
        return Observation(out.samples, 0.0, kets, self._products(out))
