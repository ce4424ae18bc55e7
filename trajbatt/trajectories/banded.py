"""The engine for the driven Eq. (5), and for any model whose jumps mix neighbours.

Between clicks it integrates the wavefunction, so unlike the others it has a tolerance. And it reads
the states while it draws the clicks: to read them off the record again costs as much.
"""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from trajbatt.models.banded import no_click_bands
from trajbatt.numerics import spin
from trajbatt.trajectories.engine import Engine, fill_records, plain
from trajbatt.trajectories.records import Observation, Records


@dataclass(frozen=True)
class IntegratingEngine(Engine):
    """What engines that integrate wavefunctions have in common.

    Attributes
    ----------
    rtol : float
        Local tolerance: what is neglected of the state in a step.
    """

    rtol: float = 1e-6

    def sample(self, rng, n, t_end, clock=None):
        """Return the `Records` of the next n trajectories, up to `t_end` or as the clock says."""
        return self.run(rng, n, np.array([t_end]), clock=clock)[0]

    def run(self, rng, n, times, want_kets=False, clock=None):
        """Return the `Records` of n trajectories and the `Observation` of them at `times`.

        The ends in the `Clock`, if there is one, become those at which clicks have ended them.
        """
        records, seen = self._call(rng, n, times, int(want_kets), None, clock)
        return records, seen._replace(kets=seen.kets[:, 0] if want_kets else None)

    def observe(self, records, times, want_kets=False, clock=None):
        """Return the `Observation` of the conditional states at `times`."""
        seen = self._read(records, times, int(want_kets), clock)
        return seen._replace(kets=seen.kets[:, 0] if want_kets else None)

    def _read(self, records, times, n_kets=0, clock=None):
        unused = np.random.default_rng(0)  # a replay draws nothing
        return self._call(unused, records.origin.size, times, n_kets, records, clock)[1]

    def _recorded(self, n, clock, given, call):
        """Return the `Records` that a kernel draws, or those that it follows."""
        if given is None:
            return fill_records(n, self._typical_clicks(clock), call)
        call(plain(given))
        return given

    def _observed(self, out, progress):
        """Return the `Observation` of what a kernel has written."""
        return Observation(out.samples, progress.worst[0], self._kets(out), self._products(out))

    def _kets(self, out):
        """Return the kets in the model's basis, (n, nk, N+1)."""
        return out.kets


@dataclass(frozen=True)
class BandedEngine(IntegratingEngine):
    """The arrays around `trajbatt.kernels.banded`."""

    @cached_property
    def _start(self):
        """The pure states in which trajectories begin."""
        from trajbatt.kernels.banded import Start

        weights = self.mixture.cumulative_weights
        _, first, offsets, amplitudes, _ = self.mixture
        return Start(weights, first, offsets, amplitudes.astype(complex), self.assigned)

    @cached_property
    def _tables(self):
        return tables_of(self.model)

    def _call(self, rng, n, times, n_kets, given: Records | None, clock):
        from trajbatt.kernels.banded import Progress, Task, Workspace, run
        from trajbatt.kernels.reading import Out

        task = Task(
            times,
            tolerance=self.rtol,
            # Levels of this weight must not spoil a finer tolerance.
            negligible=min(self.negligible, 1e-4 * self.rtol**2),
            replay=given is not None,
        )
        work = Workspace.fresh(self._tables.raising.size)
        out = self._out(Out, n, times, n_kets, clock)
        progress = Progress.fresh(len(self.model.channel_names))
        clock = self._clock(clock, n, times[-1])

        def call(records):
            return run(rng, self._start, self._tables, task, clock, progress, work, records, out)

        records = self._recorded(n, clock, given, call)
        return records, self._observed(out, progress)


def tables_of(model):
    """Return the `Tables` of the kernel for a plain model."""
    from trajbatt.kernels.banded import Tables
    from trajbatt.kernels.reading import MARGIN

    def cells(table):
        """Pad a table of levels, and double it for real and imaginary parts."""
        margins = [(0, 0)] * (table.ndim - 1) + [(MARGIN, MARGIN)]
        return np.repeat(np.pad(table, margins), 2, axis=-1)

    bands, picture = model.jump_bands, 0.0 if model.jumps_turn else model.frequency
    return Tables(
        jumps=cells(bands.real),
        decay=cells(no_click_bands(bands).real),
        raising=cells(spin.raising_elements(model.n_atoms)),
        oscillators=bands[:, 1, 0].imag.copy(),
        frequency=model.frequency - picture,
        cos_theta=math.cos(model.theta),
        sin_theta=math.sin(model.theta),
        picture=picture,
    )
