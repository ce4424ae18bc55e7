"""Noise in proportion: the same for all lines of a battery, as commands and sweeps take it."""

from dataclasses import replace
from typing import TYPE_CHECKING

from trajbatt.base import checks

if TYPE_CHECKING:
    from trajbatt.models.battery import Battery


def with_noise(
    battery: "Battery",
    local: float = 0.0,
    dephasing: float = 0.0,
    dephasing_omega: float | None = None,
    pump: float = 0.0,
    thermal: float = 0.0,
) -> "Battery":
    """Return a battery with noise that is the same at all three frequencies.

    Parameters
    ----------
    battery : Battery
    local : float
        The decay of single atoms, at so many times the collective rates.
    dephasing, dephasing_omega, pump : float
        As of a `Battery`.
    thermal : float
        Mean number of thermal photons at each frequency.
    """
    local, thermal = checks.real("local", local, 0), checks.real("thermal", thermal, 0)
    return replace(
        battery,
        local_0=local * battery.gamma_0,
        local_plus=local * battery.gamma_plus,
        local_minus=local * battery.gamma_minus,
        dephasing=dephasing,
        dephasing_omega=dephasing_omega,
        pump=pump,
        thermal_0=thermal,
        thermal_plus=thermal,
        thermal_minus=thermal,
    )
