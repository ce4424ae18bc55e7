"""The averages of an ensemble at every time, with standard errors."""

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from trajbatt.base.types import ComplexArray, FloatArray, MaybeNone
from trajbatt.ensembles.plan import Plan
from trajbatt.ensembles.quoted import Quoted
from trajbatt.ensembles.statistics import Statistics
from trajbatt.numerics.moments import Moments
from trajbatt.trajectories.records import COUNTS


class Averages(Quoted):
    """What follows from the moments of a result: its `moments`, `expected`, `model` and `plan`."""

    if TYPE_CHECKING:  # what its heirs have

        @property
        def moments(self) -> Moments:
            """Of the samples, at every time."""

        @property
        def plan(self) -> Plan:
            """What fixes the trajectories."""

    @cached_property
    def statistics(self) -> Statistics:
        """Estimates with their gradients, the `Statistics` of the moments."""
        return Statistics(self.moments, self.model.n_atoms)

    @property
    def energy(self) -> FloatArray:
        """<E>, float64 (nt,)."""
        return self.statistics.energy.value

    @property
    def energy_sem(self) -> FloatArray:
        """Standard error of `energy`, float64 (nt,)."""
        return self.statistics.sem(self.statistics.energy)

    @property
    def energy_variance(self) -> FloatArray:
        """Delta E^2 of the ensemble state, quantum plus trajectory variance, float64 (nt,)."""
        return self.statistics.energy_variance.value

    @property
    def energy_variance_sem(self) -> FloatArray:
        """Standard error of `energy_variance`, float64 (nt,)."""
        return self.statistics.sem(self.statistics.energy_variance)

    @property
    def quantum_variance(self) -> FloatArray:
        """The mean over trajectories of the quantum variance of E, float64 (nt,)."""
        return self.statistics.quantum_variance.value

    @property
    def quantum_variance_sem(self) -> FloatArray:
        """Standard error of `quantum_variance`, float64 (nt,)."""
        return self.statistics.sem(self.statistics.quantum_variance)

    @property
    def trajectory_variance(self) -> FloatArray:
        """The variance over trajectories of the conditional <E>, float64 (nt,); nan for one."""
        return self.statistics.trajectory_variance.value

    @property
    def trajectory_variance_sem(self) -> FloatArray:
        """Standard error of `trajectory_variance`, float64 (nt,)."""
        return self.statistics.sem(self.statistics.trajectory_variance)

    @property
    def dipole(self) -> ComplexArray:
        """Bare dipole <J_+>, complex128 (nt,)."""
        real, imag = self.statistics.dipole
        return real.value + 1j * imag.value

    @property
    def dipole_sem(self) -> ComplexArray:
        """Standard errors of the real and the imaginary part of `dipole`, complex128 (nt,)."""
        real, imag = (self.statistics.sem(part) for part in self.statistics.dipole)
        return real + 1j * imag

    @property
    def counts(self) -> FloatArray:
        """Mean photons since t = 0, float64 (nc, nt)."""
        return self.moments.mean[COUNTS:]

    @property
    def current(self) -> FloatArray | MaybeNone:
        """Mean homodyne currents (N_+ - N_-)/beta between the times, float64 (nd, nt-1).

        None without a local oscillator. For their errors, keep_samples=("current",).
        """
        return self.model.current(self.plan.times, self.counts)

    @property
    def counts_sem(self) -> FloatArray:
        """Standard errors of `counts`, float64 (nc, nt)."""
        errors = [self.statistics.sem(mean) for mean in self.statistics.counts]
        return np.array(errors).reshape(self.counts.shape)

    @property
    def counts_covariance(self) -> FloatArray:
        """Sample covariances of the photon counts, float64 (nc, nc, nt)."""
        return self.moments.covariance[COUNTS:, COUNTS:]

    @property
    def _expected_names(self):
        return [one.name for one in self.plan.expectations]

    @property
    def expect(self) -> dict[str, FloatArray]:
        """The means of the `e_ops`, a dict of str to float64 (nt,)."""
        rows = self.expected.mean if self.expected else ()
        return dict(zip(self._expected_names, rows, strict=True))

    @property
    def expect_sem(self) -> dict[str, FloatArray]:
        """Their standard errors, a dict of str to float64 (nt,)."""
        rows = self.expected.mean_sem if self.expected else ()
        return dict(zip(self._expected_names, rows, strict=True))
