"""Estimates and their standard errors, as functions of the moments of an ensemble's samples.

The target of a run, its result, the tables and the sweeps all ask here, so they agree.
"""

from typing import NamedTuple

import numpy as np

from trajbatt.base.types import FloatArray
from trajbatt.numerics.moments import Moments
from trajbatt.states.quoted import EMPTY
from trajbatt.trajectories.records import COUNTS, ROW

CONSTANT = 1e-12  # of N^2: a variance below is rounding, and its root has no error


class Quantity(NamedTuple):
    """A function of the means of the samples.

    Attributes
    ----------
    value : ndarray (nt,), float64
    gradient : ndarray (nv, nt), float64
        Its derivatives by the means, for the delta method.
    beyond : ndarray (nt,) or float
        A part of the standard error that the derivatives do not know.
    """

    value: FloatArray
    gradient: FloatArray
    beyond: FloatArray | float = 0.0


class Statistics:
    """What the moments of an ensemble say, at every time.

    Parameters
    ----------
    moments : Moments
        Of the samples of `trajbatt.trajectories.records`.
    n_atoms : int
    """

    def __init__(self, moments: Moments, n_atoms: int) -> None:
        self._moments, self._n_atoms = moments, n_atoms

    def sem(self, quantity: Quantity) -> FloatArray:
        """Return the standard error of a `Quantity`, float64 (nt,)."""
        return np.hypot(self._moments.sem(quantity.gradient), quantity.beyond)

    def mean(self, row: int) -> Quantity:
        """Return the mean of one row of the samples as a `Quantity`."""
        return Quantity(self._moments.mean[row], self._slopes({row: 1.0}))

    @property
    def energy(self) -> Quantity:
        """<E>."""
        mean = self.mean(ROW["jz"])
        return mean._replace(value=mean.value + self._n_atoms / 2)

    @property
    def quantum_variance(self) -> Quantity:
        """The mean over trajectories of the quantum variance of E."""
        return self.mean(ROW["jz_variance"])

    @property
    def trajectory_variance(self) -> Quantity:
        """The variance over trajectories of the conditional <E>; nan for one."""
        covariance = self._moments.covariance[ROW["jz"], ROW["jz"]]
        return self._variance(covariance, {ROW["jz_square"]: 1.0, ROW["jz_variance"]: -1.0})

    @property
    def energy_variance(self) -> Quantity:
        """Delta E^2 of the ensemble state, quantum plus trajectory variance."""
        value = self.quantum_variance.value + self.trajectory_variance.value
        return self._variance(value, {ROW["jz_square"]: 1.0})

    @property
    def dipole(self) -> tuple[Quantity, Quantity]:
        """The real and the imaginary part of the bare dipole <J_+>."""
        return self.mean(ROW["jx"]), self.mean(ROW["jy"])

    @property
    def counts(self) -> list[Quantity]:
        """The mean photons in each channel, a list of `Quantity`."""
        return [self.mean(row) for row in range(COUNTS, len(self._moments.mean))]

    def relative_fluctuation(self, variance: Quantity | None = None) -> Quantity:
        """Return Delta E/E, or the root of another of the variances over E.

        nan for an empty battery; without an error where the variance is rounding.
        """
        variance, energy = variance or self.energy_variance, self.energy
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.sqrt(variance.value) / energy.value
            slopes = ratio * (
                variance.gradient / (2.0 * variance.value) - energy.gradient / energy.value
            )
        slopes[:, variance.value <= CONSTANT * self._n_atoms**2] = np.nan
        ratio = np.where(energy.value < EMPTY * self._n_atoms, np.nan, ratio)
        return Quantity(ratio, slopes)

    def waste(self, energies: FloatArray, stored: Quantity | None = None) -> Quantity:
        """Return the energy of the photons for each stored quantum; `energies` (nc,) of one each.

        `stored` is another energy than that at the time. nan for an empty battery.
        """
        stored, emitted = stored or self.energy, self.heat(energies)
        with np.errstate(divide="ignore", invalid="ignore"):
            is_empty = stored.value < EMPTY * self._n_atoms
            waste = np.where(is_empty, np.nan, emitted.value / stored.value)
            slopes = (emitted.gradient - waste * stored.gradient) / stored.value
            return Quantity(waste, slopes, np.abs(waste) * stored.beyond / np.abs(stored.value))

    def swing(
        self, theta: FloatArray | float, given_theta: FloatArray | float = 0.0
    ) -> tuple[Quantity, Quantity, Quantity]:
        """Return the least, the mean and the largest energy in a period of Omega, a tuple.

        In the basis of H = Omega J'_z the mean is N/2 + cos(theta) <J'_z>, and the energy swings
        about it by abs(sin(theta) <J'_+>).

        Parameters
        ----------
        theta : float or ndarray (nt,)
            The angle of the basis.
        given_theta : float or ndarray (nt,)
            By how much the components of the samples are turned to it.
        """
        cos, sin = np.cos(given_theta), np.sin(given_theta)
        jz, (jx, y) = self.mean(ROW["jz"]), self.dipole
        z = Quantity(cos * jz.value - sin * jx.value, cos * jz.gradient - sin * jx.gradient)
        x = Quantity(sin * jz.value + cos * jx.value, sin * jz.gradient + cos * jx.gradient)
        turning, across = self.length(x, y), np.abs(np.sin(theta))
        middle = Quantity(self._n_atoms / 2 + np.cos(theta) * z.value, np.cos(theta) * z.gradient)

        def side(sign):
            return Quantity(
                middle.value + sign * across * turning.value,
                middle.gradient + sign * across * turning.gradient,
                across * turning.beyond,
            )

        return side(-1.0), middle, side(1.0)

    def length(self, *parts: Quantity) -> Quantity:
        """Return the length of the vector of some means.

        The square of a mean is too large by the square of its error, which is taken off.
        """
        noise = sum(self.sem(part) ** 2 for part in parts)
        length = np.sqrt(sum(part.value**2 for part in parts))
        slopes = sum(part.value * part.gradient for part in parts) / np.maximum(length, 1e-300)
        unsure = np.where(length**2 < 4.0 * noise, np.sqrt(noise), 0.0)
        return Quantity(np.sqrt(np.maximum(length**2 - noise, 0.0)), slopes, unsure)

    @property
    def rotation_work(self) -> Quantity:
        """The energy that one classical pulse can extract, <J_z> + abs(<J>)."""
        jz = self.mean(ROW["jz"])
        length = self.length(jz, *self.dipole)
        work = Quantity(jz.value + length.value, jz.gradient + length.gradient, length.beyond)
        return work._replace(value=np.maximum(work.value, 0.0))

    def efficiency(self, photons: FloatArray) -> Quantity:
        """Return the stored quanta of all that were stored or emitted; `photons` as a model's."""
        stored, emitted = self.energy, self.heat(photons)
        total = stored.value + emitted.value
        with np.errstate(divide="ignore", invalid="ignore"):
            share = np.where(total < EMPTY * self._n_atoms, np.nan, stored.value / total)
            slopes = stored.gradient - share * (stored.gradient + emitted.gradient)
            return Quantity(share, slopes / total)

    def heat(self, energies: FloatArray) -> Quantity:
        """Return the energy of the photons; `energies` (nc,) of one each."""
        slopes = self._slopes({COUNTS + i: one for i, one in enumerate(energies)})
        return Quantity(energies @ self._moments.mean[COUNTS:], slopes)

    def pump_work(self, energies: FloatArray, at_start: float) -> Quantity:
        """Return the gain of energy since it was `at_start`, and the energy of the photons."""
        energy, heat = self.energy, self.heat(energies)
        return Quantity(energy.value - at_start + heat.value, energy.gradient + heat.gradient)

    def _slopes(self, slopes):
        """Return the gradient (nv, nt) that has `slopes` {row: number} and zeros."""
        gradient = np.zeros_like(self._moments.mean)
        for row, slope in slopes.items():
            gradient[row] = slope
        return gradient

    def _variance(self, value, slopes):
        """Return a variance whose gradient is `slopes`, minus that of the square of <J_z>."""
        gradient = self._slopes({**slopes, ROW["jz"]: -2.0 * self._moments.mean[ROW["jz"]]})
        # The square of the error of <J_z>, of variance 2 sem^4, matters where <J_z> is near 0.
        beyond = np.sqrt(2.0) * self._moments.sem(self.energy.gradient) ** 2
        return Quantity(value, gradient, beyond)
