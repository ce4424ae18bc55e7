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

    def sample(self, rng, n, t_end):
        """Return the `Records` of the next n trajectories of the generator, up to `t_end`."""
        from trajbatt.kernels.mcwf import Progress, sample_clicks

        progress = Progress.fresh(self.model.n_levels)
        p = np.empty(self.model.n_levels)

        def call(records):
            return sample_clicks(rng, self._start, self._tables, t_end, progress, p, records)

        return fill_records(n, self.model.typical_clicks(t_end), call)

    def _read(self, records, times, n_kets=0):
        from trajbatt.kernels.mcwf import observe
        from trajbatt.kernels.reading import Out

        out = self._out(Out, records.origin.size, times, n_kets)
        work = np.empty((2, self.model.n_levels), dtype=complex)
        observe(self._start, self._tables, times, plain(records), work, out)
        kets = out.kets if n_kets else None
        return Observation(out.samples, 0.0, kets, self._products(out))
