"""The numbers that people quote, of an ensemble at every time, with standard errors."""

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from trajbatt.base.types import ComplexArray, FloatArray, MaybeNone
from trajbatt.ensembles.plan import Plan
from trajbatt.ensembles.statistics import Statistics
from trajbatt.exact.block_orders import BlockOrders
from trajbatt.exact.orders import Orders
from trajbatt.models.channel import photon_energies
from trajbatt.models.model import Model, stays_symmetric
from trajbatt.models.swing import angles
from trajbatt.numerics import spin
from trajbatt.numerics.moments import Moments
from trajbatt.states import observables, spin_noise
from trajbatt.states.quoted import average_power

SURE = 5.0  # standard errors: a mean spin that has a direction
STEP = 1e-6  # of N: of the derivatives of what is no simple function of the means


class Quoted:
    """What follows from a result's `statistics`, `expected`, `model` and `plan`."""

    if TYPE_CHECKING:  # what its heirs have

        @property
        def statistics(self) -> Statistics:
            """Estimates with their gradients."""

        @property
        def expected(self) -> Moments | MaybeNone:
            """Of the `e_ops`."""

        @property
        def model(self) -> Model:
            """The model that was solved."""

        @property
        def plan(self) -> Plan:
            """What fixes the trajectories."""

        @property
        def times(self) -> FloatArray:
            """The requested times."""

        @property
        def energy(self) -> FloatArray:
            """<E>."""

        @property
        def energy_sem(self) -> FloatArray:
            """Standard error of `energy`."""

        @property
        def dipole(self) -> ComplexArray:
            """Bare <J_+>."""

        @property
        def dipole_sem(self) -> ComplexArray:
            """Standard errors of `dipole`."""

        @property
        def counts(self) -> FloatArray:
            """Mean photons since t = 0."""

    @property
    def relative_fluctuation(self) -> FloatArray:
        """Delta E/E, float64 (nt,); nan for an empty battery."""
        return self.statistics.relative_fluctuation().value

    @property
    def relative_fluctuation_sem(self) -> FloatArray:
        """Standard error of `relative_fluctuation`, float64 (nt,)."""
        return self.statistics.sem(self.statistics.relative_fluctuation())

    @property
    def waste(self) -> FloatArray:
        """Photons so far for each quantum that is stored now, float64 (nt,); nan if none is."""
        return self.statistics.waste(self.model.photons).value

    @property
    def waste_sem(self) -> FloatArray:
        """Standard error of `waste`, float64 (nt,)."""
        return self.statistics.sem(self.statistics.waste(self.model.photons))

    @property
    def average_power(self) -> FloatArray:
        """E/t, float64 (nt,), in hbar omega_0 times the unit of rates; nan at t = 0."""
        return average_power(self.energy, self.times)

    @property
    def average_power_sem(self) -> FloatArray:
        """Standard error of `average_power`, float64 (nt,)."""
        return average_power(self.energy_sem, self.times)

    def waste_energy(self, omega_0: float) -> FloatArray:
        """Return the energy of the photons so far for each stored quantum, float64 (nt,).

        Parameters
        ----------
        omega_0 : float
            The transition frequency, in the unit of rates: photons have the frequencies of their
            lines, see `trajbatt.models.channel.photon_energies`. A ladder model.
        """
        return self.statistics.waste(photon_energies(self.model, omega_0)).value

    def waste_energy_sem(self, omega_0: float) -> FloatArray:
        """Return the standard error of `waste_energy`, float64 (nt,)."""
        return self.statistics.sem(self.statistics.waste(photon_energies(self.model, omega_0)))

    @property
    def energy_in_period(self) -> FloatArray:
        """The least, the mean and the largest <E> in the period of Omega_P now, float64 (3, nt).

        They do not hang on the phase at which a charging ends. Under Eq. (7) they are exact; under
        Eq. (5) as far as Omega_P is large beside the collective rates.
        """
        return np.array([one.value for one in self._swing])

    @property
    def energy_in_period_sem(self) -> FloatArray:
        """Standard errors of `energy_in_period`, float64 (3, nt)."""
        return np.array([self.statistics.sem(one) for one in self._swing])

    @property
    def waste_in_period(self) -> FloatArray:
        """Photons so far for each quantum of `energy_in_period`, float64 (3, nt).

        In that order: the first, of the least energy, is the most waste.
        """
        return np.array([one.value for one in self._waste_in_period])

    @property
    def waste_in_period_sem(self) -> FloatArray:
        """Standard errors of `waste_in_period`, float64 (3, nt)."""
        return np.array([self.statistics.sem(one) for one in self._waste_in_period])

    @property
    def _swing(self):
        theta = angles(self.model, self.times)
        return self.statistics.swing(theta, theta)

    @property
    def _waste_in_period(self):
        quanta = self.model.photons
        return [self.statistics.waste(quanta, one) for one in self._swing]

    @property
    def ergotropy_rotation(self) -> FloatArray:
        """Energy that one classical pulse can extract, <J_z> + abs(<J>), float64 (nt,).

        Of the ensemble state; more can be extracted from one whose record is known, see
        `daemonic_ergotropy`.
        """
        return self.statistics.rotation_work.value

    @property
    def ergotropy_rotation_sem(self) -> FloatArray:
        """Standard error of `ergotropy_rotation`, float64 (nt,)."""
        return self.statistics.sem(self.statistics.rotation_work)

    @property
    def efficiency(self) -> FloatArray:
        """Stored quanta of all quanta that were stored or emitted, float64 (nt,); nan if none."""
        return self.statistics.efficiency(self.model.photons).value

    @property
    def efficiency_sem(self) -> FloatArray:
        """Standard error of `efficiency`, float64 (nt,)."""
        return self.statistics.sem(self.statistics.efficiency(self.model.photons))

    def heat(self, omega_0: float | None = None) -> FloatArray:
        """Return the energy of the photons so far, float64 (nt,).

        Parameters
        ----------
        omega_0 : float, optional
            As in `waste_energy`; without it each photon is one quantum.
        """
        return self.statistics.heat(photon_energies(self.model, omega_0)).value

    def heat_sem(self, omega_0: float | None = None) -> FloatArray:
        """Return the standard error of `heat`, float64 (nt,)."""
        return self.statistics.sem(self.statistics.heat(photon_energies(self.model, omega_0)))

    def pump_work(self, omega_0: float | None = None) -> FloatArray:
        """Return the work of the pump so far, float64 (nt,): what was gained, and the `heat`."""
        return self._pump_work(omega_0).value

    def pump_work_sem(self, omega_0: float | None = None) -> FloatArray:
        """Return the standard error of `pump_work`, float64 (nt,)."""
        return self.statistics.sem(self._pump_work(omega_0))

    def _pump_work(self, omega_0):
        energies = photon_energies(self.model, omega_0)
        return self.statistics.pump_work(energies, self.energy_at_start)

    @cached_property
    def energy_at_start(self) -> float:
        """<E> at t = 0, exactly."""
        model = self.model.latest_stages()[0].model
        mixture, orders = self.plan.mixture, range(min(3, model.n_levels))
        layout = Orders(model.n_atoms, model.theta, orders)
        if mixture.spins is not None:
            n_blocks = (model.n_atoms - int(mixture.spins.min())) // 2 + 1
            layout = BlockOrders(model.n_atoms, model.theta, orders, n_blocks)
        return float(layout.observables(layout.of_mixture(mixture), 0.0)[0])

    @property
    def mean_spin(self) -> FloatArray:
        """<J_x>, <J_y>, <J_z>, float64 (3, nt)."""
        return spin_noise.mean_spin(self.model.n_atoms, self.energy, self.dipole)

    @property
    def mean_spin_sem(self) -> FloatArray:
        """Standard errors of `mean_spin`, float64 (3, nt)."""
        return np.array([self.dipole_sem.real, self.dipole_sem.imag, self.energy_sem])

    @property
    def spin_squeezing(self) -> FloatArray:
        """Wineland's xi_R^2 of the ensemble state, float64 (nt,); nan where <J> may be zero.

        It needs `e_ops=trajbatt.observables.second_moments` in `mcsolve`; see
        `trajbatt.states.spin_noise`.
        """
        found = spin_noise.wineland(self.model.n_atoms, *self._noise(self._second_moments))
        return self._known(found)

    @property
    def spin_squeezing_sem(self) -> FloatArray:
        """Standard error of `spin_squeezing`, float64 (nt,)."""
        return self._sem_of(spin_noise.wineland)

    @property
    def spin_squeezing_kitagawa(self) -> FloatArray:
        """Kitagawa's and Ueda's xi_S^2, float64 (nt,), likewise."""
        found = spin_noise.kitagawa_ueda(self.model.n_atoms, *self._noise(self._second_moments))
        return self._known(found)

    def _known(self, squeezing: FloatArray) -> FloatArray:
        """Return it with nan where the mean spin may be zero, and so has no direction."""
        length = np.linalg.norm(self.mean_spin, axis=0)
        noise = np.linalg.norm(self.mean_spin_sem, axis=0)
        return np.where(length > SURE * noise, squeezing, np.nan)

    @property
    def spin_squeezing_kitagawa_sem(self) -> FloatArray:
        """Standard error of `spin_squeezing_kitagawa`, float64 (nt,)."""
        return self._sem_of(spin_noise.kitagawa_ueda)

    @property
    def _second_moments(self):
        """The means of `observables.second_moments`, float64 (n, nt), in their order.

        In the symmetric subspace without the last, <J^2>, which is known.
        """
        places = self._places
        return self.expected.mean[places]

    @property
    def _places(self):
        """Where `expected` has the second moments."""
        names = [one.name for one in self.plan.expectations]
        needed = list(observables.second_moments)
        needed = needed[:-1] if stays_symmetric(self.model) else needed
        if any(name not in names for name in needed):
            raise ValueError(
                "`e_ops` of the run must hold the second moments for spin squeezing: "
                "mcsolve(..., e_ops=trajbatt.observables.second_moments)"
            )
        return [names.index(name) for name in needed]

    def _noise(self, moments):
        """Return the mean spin and its covariances from `_second_moments`."""
        mean, square, products, others = moments[:3], moments[3], moments[4:8], moments[8:]
        spin_square = others[0] if len(others) else spin.casimir(self.model.n_atoms)
        return mean, spin_noise.spin_covariance(spin_square, mean, square, products)

    def _sem_of(self, squeezing):
        """Return the standard error of a squeezing parameter, by the delta method."""
        n_atoms, moments, places = self.model.n_atoms, self._second_moments, self._places
        gradient = np.zeros_like(self.expected.mean)
        for i, place in enumerate(places):
            step = STEP * n_atoms ** (1 if i < 3 else 2)
            sides = [moments.copy(), moments.copy()]
            sides[0][i] += step
            sides[1][i] -= step
            above, below = (squeezing(n_atoms, *self._noise(side)) for side in sides)
            gradient[place] = (above - below) / (2.0 * step)
        return self._known(self.expected.sem(gradient))
