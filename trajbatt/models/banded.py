"""The driven Eq. (5), whose jumps mix neighbouring levels."""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from trajbatt.models.model import WithoutTables
from trajbatt.numerics import spin


@dataclass(frozen=True)
class BandedModel(WithoutTables):
    """The driven Eq. (5): all photons leave by J_-, which is tridiagonal in the dressed basis.

    Attributes
    ----------
    name : str
    n_atoms : int
    theta : float
        The angle of the dressed basis.
    frequency : float
        Omega_P: H = Omega_P J'_z.
    rate : float
        gamma, the rate of J_-.
    """

    name: str
    n_atoms: int
    theta: float
    frequency: float
    rate: float
    start: None = None

    @property
    def channel_names(self):
        """The one channel, `all`."""
        return ("all",)

    @property
    def coherent_rate(self):
        """The rate of Eq. (19)."""
        return self.rate

    @cached_property
    def jump_bands(self):
        """<k + s|L|k> for s = -1, 0, 1, float64 (1, 3, N+1), L = sqrt(gamma) J_-.

        J_- = (1 + cos(theta))/2 J'_- - sin(theta) J'_z - (1 - cos(theta))/2 J'_+.
        """
        raising = spin.raising_elements(self.n_atoms)
        down, up = math.cos(self.theta / 2) ** 2, math.sin(self.theta / 2) ** 2
        level = math.sin(self.theta) * spin.magnetic_numbers(self.n_atoms)
        return math.sqrt(self.rate) * np.array([[down * raising[::-1], -level, -up * raising]])

    @property
    def timescale(self):
        """The shortest time in which collective means change; inf if never."""
        fastest = self.rate * (self.n_atoms + 2.0) + self.frequency
        return 1.0 / fastest if fastest > 0 else np.inf

    def typical_clicks(self, duration):
        """Return a rough number of clicks in a trajectory: the mean rate of all levels at work."""
        return float((self.jump_bands**2).sum(axis=(0, 1)).mean() * duration)


def no_click_bands(jump_bands):
    """Return the bands of M = sum_c L_c+ L_c, whose half damps a wavefunction without a click.

    Parameters
    ----------
    jump_bands : ndarray (nc, 3, N+1), float64

    Returns
    -------
    ndarray (3, N+1), float64
        <k + q|M|k> for q = 0, 1, 2. In the interaction picture of H they carry
        exp(i q Omega t); M is Hermitian.
    """
    bands = np.zeros(jump_bands.shape[1:])
    levels = bands.shape[1]
    for step in (-1, 0, 1):
        for back in (-1, 0, 1):
            q = step - back
            if q >= 0:
                # L takes k to k + step, where L+ comes from k + q, which L takes there too.
                pairs = jump_bands[:, 1 + step, : levels - q] * jump_bands[:, 1 + back, q:]
                bands[q, : levels - q] += pairs.sum(axis=0)
    return bands
