"""The best time to charge a battery with noise of single atoms, whose work is lost again."""

import math
from typing import NamedTuple

import numpy as np

from trajbatt.analysis.phase_free import in_own_basis
from trajbatt.exact.mesolve import mesolve
from trajbatt.models.battery import Battery

LONGEST = 10.0  # times T90, until which it is looked for
POINTS, FINER = 100, 20  # of the first grid, and of that about its best


class BestTime(NamedTuple):
    """When a battery is charged best.

    Attributes
    ----------
    time : float
        In the unit of 1/rate.
    ergotropy_rotation, energy : float
        The work of one classical pulse, and the energy, then: the least in a period of Omega_P.
    """

    time: float
    ergotropy_rotation: float
    energy: float


def best_charging_time(battery: Battery) -> BestTime:
    """Return when one classical pulse can extract most from a charging battery.

    Of the least in a period of Omega_P, by Eq. (7), within ten times T90: at the beginning the
    drive swings the atoms through all energies, but stores nothing.

    Parameters
    ----------
    battery : Battery

    Returns
    -------
    BestTime

    Raises
    ------
    ValueError
        If T90 is infinite.
    """
    if math.isinf(battery.charging_time):
        raise ValueError("`battery` must have a charging time, but has none at x = 1")
    times = np.linspace(0.0, LONGEST * battery.charging_time, POINTS + 1)
    best = int(np.argmax(_least(battery, times)[0]))
    around = times[max(best - 1, 0)], times[min(best + 1, POINTS)]
    finer = np.linspace(*around, FINER + 1)
    work, energy = _least(battery, finer)
    best = int(np.argmax(work))
    return BestTime(float(finer[best]), float(work[best]), float(energy[best]))


def _least(battery, times):
    """Return the least <J_z> + abs(<J>) and <E> in a period, (nt,) each."""
    model, ket = in_own_basis(battery)
    found = mesolve(model, times, ket, rtol=1e-8)
    z, half = found.energy - battery.n_atoms / 2, battery.n_atoms / 2
    turning = np.abs(found.dipole)
    low = math.cos(battery.theta) * z - math.sin(battery.theta) * turning
    return np.maximum(low + np.hypot(z, turning), 0.0), half + low
