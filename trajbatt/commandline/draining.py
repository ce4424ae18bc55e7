"""How long a discharge takes until next to nothing is left."""

import numpy as np

from trajbatt.models import asymptotics

LEFT = 0.01
POINTS = 201


def until_drained(name, n_atoms, gamma, energies, is_warm=False):
    """Return the time at which 1 % of the energy is left.

    Parameters
    ----------
    name : str
        Of the option that gives the time instead.
    n_atoms : int
    gamma : float
        The decay rate.
    energies : callable
        The energies of the discharge at given times, which begin with 0.
    is_warm : bool
        Whether there are thermal photons.

    Raises
    ------
    ValueError
        If there is no energy or no decay, or heat, which leaves more than that.
    """
    if is_warm:
        raise ValueError(f"`{name}` must be given, because thermal light does not let it run empty")
    at_start = energies(np.array([0.0]))[0]
    if at_start < 1e-9 * n_atoms or gamma == 0.0:
        nothing = "nothing decays" if gamma == 0.0 else "the battery is empty"
        raise ValueError(f"`{name}` must be given, because {nothing}")
    end = 1.5 * asymptotics.discharge_time(n_atoms, min(at_start, n_atoms), gamma, LEFT)
    while True:
        times = np.linspace(0.0, end, POINTS)
        left = energies(times) / at_start
        late = np.flatnonzero(left <= LEFT)
        if late.size:
            last = slice(late[0] - 1, late[0] + 1)
            return float(np.interp(-np.log(LEFT), -np.log(left[last]), times[last]))
        end *= 2.0
