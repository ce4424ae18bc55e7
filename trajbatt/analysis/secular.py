"""How well the secular Eq. (7) stands for the full Eq. (5)."""

from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import ArrayLike

from trajbatt.base import checks
from trajbatt.base.cards import Card
from trajbatt.exact.mesolve import mesolve
from trajbatt.exact.result import MasterEquationResult
from trajbatt.models.battery import Battery
from trajbatt.numerics import spin
from trajbatt.states.driven_steady_state import DrivenSteadyState, check_size
from trajbatt.states.steady_state import SteadyState, steady_state


@dataclass(frozen=True, eq=False, repr=False)
class SecularCheck(Card):
    """Equation (5) beside Eq. (7), from the ground state and in the steady state.

    Attributes
    ----------
    battery : Battery
    full, secular : MasterEquationResult
        Of charging by Eq. (5) and by Eq. (7).
    full_steady : DrivenSteadyState
    secular_steady : SteadyState
    trace_distance : float
        Of the two steady states, 0 (the same) to 1 (told apart for certain).
    """

    battery: Battery
    full: MasterEquationResult
    secular: MasterEquationResult
    full_steady: DrivenSteadyState
    secular_steady: SteadyState
    trace_distance: float

    @property
    def drive(self) -> float:
        """Omega_P/(N gamma)."""
        return self.battery.omega_p / (self.battery.n_atoms * self.battery.gamma_0)

    @property
    def energy_difference(self) -> float:
        """The steady-state energy of Eq. (7) minus that of Eq. (5), per atom."""
        return (self.secular_steady.energy - self.full_steady.energy) / self.battery.n_atoms

    @property
    def transient_difference(self) -> float:
        """The largest difference of the energies per atom at the requested times."""
        difference = np.abs(self.secular.energy - self.full.energy)
        return float(difference.max()) / self.battery.n_atoms

    def __repr__(self) -> str:
        """Return a card of five lines."""
        return (
            f"SecularCheck: N = {self.battery.n_atoms}, Omega_P/(N gamma) = {self.drive:.6g}\n"
            f"  steady energy by Eq. (5)   {self.full_steady.energy:.9g}\n"
            f"  steady energy by Eq. (7)   {self.secular_steady.energy:.9g}\n"
            f"  trace distance             {self.trace_distance:.4g}\n"
            f"  transient difference       {self.transient_difference:.4g} per atom"
        )


def secular_check(battery: Battery, tlist: ArrayLike, rtol: float = 1e-8) -> SecularCheck:
    """Solve Eq. (5) and Eq. (7) and compare them.

    Parameters
    ----------
    battery : Battery
        With three equal rates and at most 2000 atoms.
    tlist : array_like (nt,)
        For the transient: strictly increasing times >= 0, in the unit of 1/rate.
    rtol : float
        Of `mesolve`.

    Returns
    -------
    SecularCheck

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range or of the wrong kind, or the rates differ.
    """
    if not isinstance(battery, Battery):
        raise TypeError(f"`battery` must be a Battery, but is a {type(battery).__name__}")
    times = checks.times("tlist", tlist)
    check_size(battery.n_atoms)
    full_model, model = battery.charge(secular=False), battery.charge()
    full_steady = cast(DrivenSteadyState, steady_state(full_model))
    secular_steady = cast(SteadyState, steady_state(model))  # there is no noise of single atoms
    turn = spin.change_of_basis(battery.n_atoms, battery.theta, 0.0)
    difference = full_steady.matrix - turn.T * secular_steady.populations @ turn
    return SecularCheck(
        battery=battery,
        full=mesolve(full_model, times, rtol=rtol),
        secular=mesolve(model, times, rtol=rtol),
        full_steady=full_steady,
        secular_steady=secular_steady,
        trace_distance=0.5 * float(np.abs(np.linalg.eigvalsh(difference)).sum()),
    )
