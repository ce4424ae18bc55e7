"""The engine for the driven Eq. (5) in a frame that turns with the mean spin of each trajectory.

Like the banded engine it has a tolerance, and reads the states while it draws the clicks. As it
works on a few levels only, its cost for a click does not depend on N.
"""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from trajbatt.numerics import frame, spin
from trajbatt.trajectories.banded import IntegratingEngine

CRITICAL_ANGLE = 0.2  # Omega h at which energies are wrong by `OF_ENERGY` of N, as h^4
OF_ENERGY = 1e-6
SHORT = 0.5  # the longest step is this over gamma N


@dataclass(frozen=True)
class FrameEngine(IntegratingEngine):
    """The arrays around `trajbatt.kernels.frame`."""

    @cached_property
    def _most(self):
        """How many levels there are room for."""
        from trajbatt.kernels.frame import FEWEST
        from trajbatt.kernels.frame_rows import BLOCK, MOST, whole_blocks

        return max(min(whole_blocks(self.model.n_levels), MOST), FEWEST * BLOCK)

    @cached_property
    def _start(self):
        """The pure states in which trajectories begin, each in its own frame."""
        from trajbatt.kernels.frame import Start
        from trajbatt.kernels.frame_rows import whole_blocks

        n_atoms, theta = self.model.n_atoms, self.model.theta
        entered = [
            frame.enter_ket(ket, n_atoms, theta, self.negligible)
            for ket in self.mixture.rows(self.model.n_levels)
        ]
        levels = whole_blocks(max(len(ket) for _, ket in entered))
        return Start(
            weights=self.mixture.cumulative_weights,
            axes=np.array([axes for axes, _ in entered]),
            amplitudes=np.array([np.pad(ket, (0, levels - len(ket))) for _, ket in entered]),
            assigned=self.assigned,
        )

    @property
    def _raising(self):
        """<n+1|J_+|n>, zero from n = N on, (most,)."""
        raising = np.zeros(self._most)
        there = min(self._most, self.model.n_levels)
        raising[:there] = spin.raising_elements(self.model.n_atoms, there)
        return raising

    @cached_property
    def _tables(self):
        from trajbatt.kernels.frame import Tables
        from trajbatt.kernels.frame_rows import BLOCK

        return Tables(
            most=self._most // BLOCK,
            n_atoms=self.model.n_atoms,
            rate=self._driven.rate,
            fastest=self._drive[-1],
            drive=self._drive,
            background=float((np.abs(self.model.oscillators) ** 2).sum()),
        )

    @property
    def _drive(self):
        """The drive, as `trajbatt.kernels.frame_turns` has it."""
        model = self.model
        if model.moves:
            return True, 0.0, 1.0, 0.0, model.thetas, model.omegas, model.fastest
        at_rest = model.frequency, math.cos(model.theta), math.sin(model.theta)
        return False, *at_rest, (0.0,) * 4, (0.0,) * 4, model.frequency

    @cached_property
    def _channels(self):
        from trajbatt.kernels.frame import Channels

        oscillators = self.model.oscillators
        mixed = oscillators.any()
        amplitudes = np.sqrt(self.model.rates) if mixed else np.ones(oscillators.size)
        return Channels(amplitudes, oscillators)

    @property
    def _driven(self):
        """The `BandedModel`, without oscillators."""
        return getattr(self.model, "source", self.model)

    @property
    def _negligible(self):
        """The weight of the highest levels that asks for more of them."""
        return (300.0 * self.rtol) ** 2

    def _call(self, rng, n, times, n_kets, given, clock):
        from trajbatt.kernels.frame import Out, Progress, Task, Workspace, run

        angle = CRITICAL_ANGLE * (self.rtol / OF_ENERGY) ** 0.25
        fastest = max(self._tables.fastest / angle, self._driven.rate * self.model.n_atoms / SHORT)
        task = Task(
            longest=1.0 / fastest if fastest > 0.0 else math.inf,
            tolerance=max(0.1 * self.rtol, 1e-14),
            missed=max(0.1 * self.rtol, 1e-13),
            negligible=self._negligible,
            replay=given is not None,
        )
        out = self._out(Out, n, times, n_kets, clock, axes=np.zeros((n, n_kets, 6)))
        out = out._replace(
            kets=np.zeros((n, n_kets, self._most), dtype=complex),
            products=np.zeros((n, 4 * self.products, times.size)),
        )
        progress, work = (
            Progress.fresh(len(self.model.channel_names)),
            Workspace.fresh(self.model.n_atoms, self._raising),
        )
        clock = self._clock(clock, n, times[-1])

        def call(records):
            return run(
                rng,
                self._start,
                times,
                clock,
                self._tables,
                self._channels,
                task,
                progress,
                work,
                records,
                out,
            )

        records = self._recorded(n, clock, given, call)
        return records, self._observed(out, progress)

    def _products(self, out):
        """Return the bare `PRODUCTS` that the kernel has written, (n, 4, nt), or None."""
        return out.products if self.products else None

    def _kets(self, out):
        """Return the kets in the model's basis, (n, nk, N+1)."""
        found = np.empty((*out.kets.shape[:2], self.model.n_levels), dtype=complex)
        for place in np.ndindex(found.shape[:2]):
            ket = out.kets[place]
            if not ket.any():  # before its begin, or after its end
                found[place] = 0.0
                continue
            levels = min(np.flatnonzero(ket)[-1] + 1, self.model.n_levels)
            matrix = frame.in_basis(frame.rows_of(out.axes[place]), self.model.theta)
            found[place] = frame.kets(self.model.n_atoms, matrix, levels) @ ket[:levels]
        return found
