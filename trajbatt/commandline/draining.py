"""How long a discharge takes until next to nothing is left of what heat does not hold."""

import numpy as np

from trajbatt.models import asymptotics
from trajbatt.states.steady_state import steady_state

LEFT = 0.01
POINTS = 201


def until_drained(name, n_atoms, gamma, energies, floor=0.0):
    """Return the time at which 1 % of the energy is left, over that which always stays.

    Parameters
    ----------
    name : str
        Of the option that gives the time instead.
    n_atoms : int
    gamma : float
        The decay rate.
    energies : callable
        The energies of the discharge at given times, which begin with 0.
    floor : float
        What thermal light does not let it go below.

    Raises
    ------
    ValueError
        If there is no energy or no decay.
    """
    at_start = energies(np.array([0.0]))[0]
    if abs(at_start - floor) < 1e-9 * n_atoms or gamma == 0.0:
        nothing = "nothing decays" if gamma == 0.0 else "the battery is empty"
        if floor and gamma:
            nothing = "the battery is as warm as the light"
        raise ValueError(f"`{name}` must be given, because {nothing}")
    # Little energy is a guess, too, of how long it takes to warm up.
    guess = min(max(at_start, 1e-9 * n_atoms), n_atoms)
    end = 1.5 * asymptotics.discharge_time(n_atoms, guess, gamma, LEFT)
    while True:
        times = np.linspace(0.0, end, POINTS)
        left = (energies(times) - floor) / (at_start - floor)
        late = np.flatnonzero(left <= LEFT)
        if late.size:
            last = slice(late[0] - 1, late[0] + 1)
            return float(np.interp(-np.log(LEFT), -np.log(left[last]), times[last]))
        end *= 2.0


def warmth(model, thermal):
    """Return the energy that thermal light of a mean number `thermal` of photons always leaves.

    Noise of single atoms makes their states independent in the end: it couples all lengths of the
    spin.
    """
    if thermal == 0.0 or model.coherent_rate == 0.0:
        return 0.0
    if not model.is_symmetric:
        return model.n_atoms * thermal / (1.0 + 2.0 * thermal)
    return steady_state(model).energy
