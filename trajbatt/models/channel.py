"""Channels: kinds of jumps, and the light that they give."""

from dataclasses import dataclass

import numpy as np

from trajbatt.base import checks
from trajbatt.light.checking import TOTAL

SHIFTS = (-1, 0, 1)
ABSORBED = "_absorbed"  # ends the name of the channel that absorbs what another one emits


@dataclass(frozen=True)
class Channel:
    """One kind of jump: its name, its step on the ladder, its rate and its light.

    Attributes
    ----------
    name : str
    shift : int
        +1, 0 or -1: the jump operator is sqrt(rate) times J'_+, J'_z or J'_-.
    rate : float
        In the user's unit of rates.
    local : bool
        Every atom jumps by itself: the jump operators are sqrt(rate) times s'_+, s'_z or s'_- of
        each one, with s_z = sigma_z/2. For a `LocalLadderModel`.
    photons : int
        +1 if a jump emits a photon, -1 if it absorbs one, 0 if there is no light. Only what is
        emitted clicks in a detector.

    Raises
    ------
    ValueError, TypeError
        If there is no such jump operator, the rate is negative, `photons` is another number, or the
        name is empty or "total", which stands for all channels.
    """

    name: str
    shift: int
    rate: float
    local: bool = False
    photons: int = 1

    def __post_init__(self) -> None:
        if not isinstance(self.name, str):
            raise TypeError(f"`name` of a channel must be a str, but is {checks.shown(self.name)}")
        if self.name in ("", TOTAL):
            raise ValueError(f"`name` of a channel must not be {self.name!r}")
        if isinstance(self.shift, bool) or self.shift not in SHIFTS:
            raise ValueError(
                f"`shift` of channel {self.name!r} must be +1, 0 or -1 (J'_+, J'_z or J'_-), "
                f"but is {self.shift!r}"
            )
        object.__setattr__(self, "shift", int(self.shift))
        rate = checks.real(f"rate` of channel `{self.name}", self.rate, 0)
        object.__setattr__(self, "rate", rate)
        checks.boolean("local", self.local)
        if isinstance(self.photons, bool) or self.photons not in (-1, 0, 1):
            raise ValueError(
                f"`photons` of channel {self.name!r} must be +1, 0 or -1 (emitted, none, "
                f"absorbed), but is {self.photons!r}"
            )
        object.__setattr__(self, "photons", int(self.photons))


def photon_energies(model, omega_0=None):
    """Return the energy that a jump of each channel radiates, in hbar omega_0, float64 (nc,).

    Without `omega_0` each photon counts as one quantum. With it, in the unit of the rates, a photon
    whose channel steps by s has the frequency omega_P - s Omega_P: red, center and blue of the
    Mollow triplet, with the pump's frequency omega_P = omega_0 - Delta; one that is absorbed has
    that of the opposite step. What is absorbed counts below zero, and where there is no light,
    nothing.

    Parameters
    ----------
    model : LadderModel, or Protocol of such
    omega_0 : float, optional

    Raises
    ------
    ValueError
        If a photon had no energy.
    """
    photons = model.photons
    if omega_0 is None:
        return photons
    omega_0 = checks.positive("omega_0", omega_0)
    if model.is_staged:
        return _energies_of_stages(model, omega_0)
    if not model.has_lines:
        raise TypeError(f"`model` must be a ladder to have lines, but is {model.name!r}")
    detuning = model.frequency * np.cos(model.theta)
    frequencies = omega_0 - detuning - model.frequency * np.where(photons < 0, -1, 1) * model.shifts
    frequencies = np.where(photons == 0, omega_0, frequencies)
    if frequencies.min(initial=omega_0) <= 0:
        lowest = int(np.argmin(frequencies))
        raise ValueError(
            f"`omega_0` must exceed the detuning plus omega_p, {omega_0 - frequencies[lowest]:g}, "
            f"or {model.channel_names[lowest]} photons have no energy, but is {omega_0:g}"
        )
    return photons * frequencies / omega_0


def _energies_of_stages(model, omega_0):
    """Return the same of a protocol: stages that share a channel must agree on its line."""
    energies = np.full(len(model.channel_names), np.nan)
    for stage in model.latest_stages():
        places = list(stage.places)
        known, own = energies[places], photon_energies(stage.model, omega_0)
        if np.any(np.abs(known - own) > 1e-12):
            raise ValueError("`model` must have one frequency for each channel to have lines")
        energies[places] = own
    return energies
