"""Channels: kinds of photons."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Channel:
    """One kind of photon: its name, its step on the ladder and its rate.

    Attributes
    ----------
    name : str
    shift : int
        +1, 0 or -1: the jump operator is sqrt(rate) times J'_+, J'_z or J'_-.
    rate : float
        In the user's unit of rates.
    """

    name: str
    shift: int
    rate: float


def photon_energies(battery, omega_0=None):
    """Return the energy of a photon of each channel, in units of hbar omega_0, float64 (3,).

    Without `omega_0` each photon counts as one quantum. With it, in the unit of the rates, a photon
    of `red`, `center` and `blue` has the frequency omega_P - Omega_P, omega_P and omega_P + Omega_P
    of the Mollow triplet, with the pump's frequency omega_P = omega_0 - Delta.
    """
    if omega_0 is None:
        return np.ones(3)
    pump = omega_0 - battery.detuning
    frequencies = pump + battery.omega_p * np.array([-1.0, 0.0, 1.0])
    if frequencies[0] <= 0:
        raise ValueError(
            f"`omega_0` must exceed the detuning plus omega_p, "
            f"{battery.detuning + battery.omega_p:g}, or red photons have no energy, "
            f"but is {omega_0:g}"
        )
    return frequencies / omega_0
