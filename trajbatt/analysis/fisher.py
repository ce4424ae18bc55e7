r"""How fast a discharging battery moves in energy space, and what that allows its power to be.

With p_k(t) the populations of the bare levels, the energy-space Fisher information and the bound on
the power of the paper's last section (Julia-Farre et al., 2020) are

    I_E = sum_k (dp_k/dt)^2/p_k,     abs(P) <= sqrt(Delta E^2 I_E),     P = d<E>/dt:

the Cauchy-Schwarz inequality for the score dp_k/p_k and the energy. It is an equality for N = 1.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from trajbatt.base import checks
from trajbatt.base.types import FloatArray
from trajbatt.exact.ladder import LadderLiouvillian
from trajbatt.exact.orders import Orders
from trajbatt.models.ladder import LadderModel
from trajbatt.models.model import check_model
from trajbatt.states.initial import Initial, prepare

MOST_CLIMBS = 10**10  # products, some seconds


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

    times: FloatArray
    power: FloatArray
    energy_variance: FloatArray
    information: FloatArray

    @property
    def bound(self) -> FloatArray:
        """sqrt(Delta E^2 I_E), which abs(`power`) cannot exceed, float64 (nt,)."""
        return np.sqrt(self.energy_variance) * np.sqrt(self.information)


def energy_fisher(
    model: LadderModel, tlist: ArrayLike, initial: Initial | None = None
) -> EnergyFisher:
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
        For a model whose energies are not the levels of its own basis, or a time for which it would
        take long.
    """
    check_model(model)
    if model.is_staged or not model.clicks_from_populations or model.theta != 0.0:
        raise ValueError(
            "`model` must be that of a discharge, in the bare basis, "
            f"but is a {type(model).__name__}: {model.name}"
        )
    times = checks.times("tlist", tlist)
    climbs = model.largest_rate * times[-1] * model.n_levels
    if climbs > MOST_CLIMBS:
        raise ValueError(
            f"`tlist` must end by t = {MOST_CLIMBS / climbs * times[-1]:.3g} for {model.n_atoms} "
            f"atoms, but ends at {times[-1]:g}"
        )
    layout = Orders(model.n_atoms, model.theta, [0])
    liouvillian = LadderLiouvillian(model, layout)
    p = _populations(liouvillian, layout.of_mixture(prepare(model, initial, 0.0)).real, times)
    below, diagonal, above = (
        rows[0, :, None] for rows in (liouvillian.below, liouvillian.diagonal, liouvillian.above)
    )
    slope = diagonal * p
    slope[1:] += (below * p)[:-1]
    slope[:-1] += (above * p)[1:]
    k = np.arange(float(model.n_levels))
    score = np.divide(slope, p, out=np.zeros_like(p), where=p > 0.0)
    mean = k @ p
    return EnergyFisher(
        times=times,
        power=k @ slope,
        energy_variance=np.sum((k[:, None] - mean) ** 2 * p, axis=0),
        information=(score * slope).sum(axis=0),  # whose squares may underflow,
    )


def _populations(liouvillian, p, times):
    """Return the populations (N+1, nt), each to nearly full relative precision.

    The score divides by them: small ones matter as much as large ones.
    """
    from trajbatt.kernels.uniformization import propagate

    chain, scratch, now = liouvillian.chain(), np.empty((2, p.size)), 0.0
    rows = np.empty((times.size, p.size))
    for row, time in zip(rows, times, strict=True):
        propagate(chain, time - now, p, *scratch)
        row[:], now = p, time
    return rows.T
