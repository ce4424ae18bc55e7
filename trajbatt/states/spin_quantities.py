"""What follows from energy, dipole and second moments, of exact results and of single runs."""

from typing import Any

from trajbatt.base.types import ComplexArray, FloatArray, MaybeNone
from trajbatt.models.channel import photon_energies
from trajbatt.models.model import Model
from trajbatt.states import spin_noise, work


class SpinQuantities:
    """Of anything with `model`, `energy`, `energy_variance`, `dipole`, `counts` and `products`."""

    model: Model
    counts: Any
    energy_at_start: Any
    energy: FloatArray
    energy_variance: FloatArray
    dipole: ComplexArray
    products: FloatArray
    times: FloatArray

    @property
    def spin_square(self) -> FloatArray:
        """<J^2>, float64 (nt,): N/2 (N/2 + 1) in the symmetric subspace."""
        raise NotImplementedError

    @property
    def ergotropy_rotation(self) -> FloatArray:
        """Energy that one classical pulse can extract, <J_z> + abs(<J>), float64 (nt,).

        From the pure state of a trajectory all unitaries extract all of `energy`.
        """
        return work.rotation_work(self.energy, self.dipole, self.model.n_atoms)

    @property
    def current(self) -> FloatArray | MaybeNone:
        """Homodyne currents (N_+ - N_-)/beta between the times, float64 (nd, nt-1), or None."""
        return self.model.current(self.times, self.counts)

    def heat(self, omega_0: float | None = None) -> FloatArray:
        """Return the energy of the photons so far, float64 (nt,), as `EnsembleResult.heat`."""
        return photon_energies(self.model, omega_0) @ self.counts

    def pump_work(self, omega_0: float | None = None) -> FloatArray:
        """Return the work of the pump so far, float64 (nt,): what was gained, and the `heat`.

        The first law; of a single run, whose energy is that of the conditional state, too.
        """
        return self.energy - self.energy_at_start + self.heat(omega_0)

    @property
    def mean_spin(self) -> FloatArray:
        """<J_x>, <J_y>, <J_z>, float64 (3, nt)."""
        return spin_noise.mean_spin(self.model.n_atoms, self.energy, self.dipole)

    @property
    def spin_covariance(self) -> FloatArray:
        """Symmetrised covariances of J_x, J_y and J_z, float64 (3, 3, nt)."""
        mean = self.mean_spin
        square = self.energy_variance + mean[2] ** 2
        return spin_noise.spin_covariance(self.spin_square, mean, square, self.products)

    @property
    def spin_squeezing(self) -> FloatArray:
        """Wineland's xi_R^2, float64 (nt,), see `trajbatt.states.spin_noise`; nan without <J>."""
        return spin_noise.wineland(self.model.n_atoms, self.mean_spin, self.spin_covariance)

    @property
    def spin_squeezing_kitagawa(self) -> FloatArray:
        """Kitagawa's and Ueda's xi_S^2, float64 (nt,)."""
        return spin_noise.kitagawa_ueda(self.model.n_atoms, self.mean_spin, self.spin_covariance)
