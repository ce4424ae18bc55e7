"""How many stages a ramp needs: by halving them until the energy no longer changes."""

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from trajbatt.base import checks
from trajbatt.exact.mesolve import mesolve
from trajbatt.models.battery import Battery

FEWEST, MOST = 5, 5 * 2**9
LOOKS = 24  # times at which energies are compared
FINER = 1e-2  # accuracy of the solver, over the tolerance


def ramp_stages(
    battery: Battery,
    duration: float,
    tolerance: float = 1e-3,
    *,
    interpolation: Literal["linear", "cubic"] = "linear",
    secular: bool = True,
    **knots: ArrayLike,
) -> int:
    """Return how many stages of `battery.ramp` are enough for a tolerance.

    The number is doubled until the exact energy per atom is within the tolerance at all of 24
    times; the error of n stages, which falls as 1/n^2, is taken from the difference to that of 2n.

    Parameters
    ----------
    battery : Battery
    duration : float
    tolerance : float
        Of the energy per atom, in units of hbar omega_0.
    interpolation : {"linear", "cubic"}
    secular : bool
    **knots : array_like
        All as of `battery.ramp`.

    Returns
    -------
    int
        Such as 40: `battery.ramp(duration, stages=40, ...)`.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range or of the wrong kind, or 2560 stages are not enough.
    """
    if not isinstance(battery, Battery):
        raise TypeError(f"`battery` must be a Battery, but is {checks.shown(battery)}")
    duration = checks.positive("duration", duration)
    tolerance = checks.positive("tolerance", tolerance)
    times = np.linspace(0.0, duration, LOOKS + 1)[1:]
    rtol = min(max(FINER * tolerance, 1e-12), 0.1)

    def energies(stages):
        ramp = battery.ramp(
            duration, stages=stages, interpolation=interpolation, secular=secular, **knots
        )
        return mesolve(ramp, times, rtol=rtol).energy / battery.n_atoms

    if "stages" in knots:
        raise ValueError("`stages` must be left out: they are what is asked for")
    # Two for each interval, so that none is passed over.
    intervals = max(
        (np.shape(given)[-1] - 1 for given in knots.values() if np.ndim(given)), default=1
    )
    stages = max(FEWEST, 2 * intervals)
    before = energies(stages)
    while stages < MOST:
        now = energies(2 * stages)
        change = np.abs(now - before).max()
        if 4.0 / 3.0 * change <= tolerance:
            return stages
        stages, before = 2 * stages, now
        if change <= 3.0 * tolerance:
            return stages
    raise ValueError(
        f"`tolerance` must be above what {MOST} stages can do, {change / 3.0:.1e}, but is "
        f"{tolerance:g}"
    )
