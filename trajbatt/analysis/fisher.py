r"""How fast a discharging battery moves in energy space, and what that allows its power to be.

With p_k(t) the populations of the bare levels, the energy-space Fisher information and the bound on
the power of the paper's last section (Julia-Farre et al., 2020) are

    I_E = sum_k (dp_k/dt)^2/p_k,     abs(P) <= sqrt(Delta E^2 I_E),     P = d<E>/dt:

the Cauchy-Schwarz inequality for the score dp_k/p_k and the energy. It is an equality for N = 1.
"""

from dataclasses import dataclass

import numpy as np

from trajbatt.base import checks
from trajbatt.exact.ladder import LadderLiouvillian
from trajbatt.exact.orders import Orders
from trajbatt.models.model import check_model
from trajbatt.numerics.propagators import dense_states
from trajbatt.states.initial import prepare

MOST_DENSE = 1000  # dense exponentials: 8 MB each, seconds
# Populations below this are rounding; they would add at most 1e-15 N^4 rate^2 to the N^3 rate^2.
SMALLEST = 1e-15


@dataclass(frozen=True, eq=False)
class EnergyFisher:
    """The speed of a discharge in energy space, exactly.

    Attributes
    ----------
    times : ndarray (nt,), float64
    power : ndarray (nt,), float64
        d<E>/dt, in hbar omega_0 times a rate; negative.
    energy_variance : ndarray (nt,), float64
        Delta E^2.
    information : ndarray (nt,), float64
        I_E, in rate^2.
    """

    times: np.ndarray
    power: np.ndarray
    energy_variance: np.ndarray
    information: np.ndarray

    @property
    def bound(self):
        """sqrt(Delta E^2 I_E), which abs(`power`) cannot exceed, float64 (nt,)."""
        return np.sqrt(self.energy_variance * self.information)


def energy_fisher(model, tlist, initial=None):
    """Return power, variance and Fisher information of the energy during a discharge.

    Parameters
    ----------
    model : LadderModel
        A model in the bare basis: `battery.discharge()`, or trivially `battery.store()`.
    tlist : array_like (nt,)
        Strictly increasing times >= 0. Populations must not vanish and move at once: at t = 0 from
        a Dicke state I_E is infinite, and what is given there leaves out the empty levels.
    initial : optional
        As in `mesolve`.

    Returns
    -------
    EnergyFisher

    Raises
    ------
    ValueError, TypeError
        For a model whose energies are not the levels of its own basis, or above 1000 atoms.
    """
    check_model(model)
    if model.is_staged or not model.clicks_from_populations or model.theta != 0.0:
        raise ValueError(
            "`model` must be that of a discharge, in the bare basis, "
            f"but is a {type(model).__name__}: {model.name}"
        )
    if model.n_atoms > MOST_DENSE:
        raise ValueError(f"`n_atoms` must be at most {MOST_DENSE} here, but is {model.n_atoms}")
    times = checks.times("tlist", tlist)
    layout = Orders(model.n_atoms, model.theta, [0])
    generator = LadderLiouvillian(model, layout).block(layout.populations)
    start = layout.of_mixture(prepare(model, initial)).real
    (p,) = dense_states(generator[None], start[None], times)
    p = p / p.sum(axis=0)
    slope = generator @ p
    k = np.arange(float(model.n_levels))
    populated = p > SMALLEST
    score_squared = np.divide(slope**2, p, out=np.zeros_like(p), where=populated)
    mean = k @ p
    return EnergyFisher(
        times=times,
        power=k @ slope,
        energy_variance=np.sum((k[:, None] - mean) ** 2 * np.maximum(p, 0.0), axis=0),
        information=score_squared.sum(axis=0),
    )
