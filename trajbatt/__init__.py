"""trajbatt: a stochastic simulator of a dissipatively charged quantum battery.

N two-level atoms, driven by a classical pump and decaying into a common reservoir, charge by
emitting photons (Pokhrel and Gea-Banacloche, 2024). Start with `Battery`, then `mcsolve` for
trajectories, `mesolve` for their exact twin, and `compare` for the verdict.
"""

from trajbatt import asymptotics, counting, exchange, photons
from trajbatt.battery import Battery
from trajbatt.clicks import Clicks
from trajbatt.compare import Comparison, compare
from trajbatt.detectors import Detectors
from trajbatt.ensemble import EnsembleResult, Trajectory
from trajbatt.filtering import FilterResult, filter
from trajbatt.fisher import EnergyFisher, energy_fisher
from trajbatt.fitting import FitResult, fit
from trajbatt.mcsolve import load, mcsolve
from trajbatt.mesolve import MasterEquationResult, mesolve
from trajbatt.models import BandedModel, Channel, LadderModel
from trajbatt.protocol import Protocol
from trajbatt.qutip_bridge import to_qutip
from trajbatt.secular import SecularCheck, secular_check
from trajbatt.states import coherent_state, excited_state, ground_state
from trajbatt.steady_state import SteadyState, steady_state
from trajbatt.sweep import sweep
from trajbatt.version import __version__

__all__ = [
    "BandedModel",
    "Battery",
    "Channel",
    "Clicks",
    "Comparison",
    "Detectors",
    "EnergyFisher",
    "EnsembleResult",
    "FilterResult",
    "FitResult",
    "LadderModel",
    "MasterEquationResult",
    "Protocol",
    "SecularCheck",
    "SteadyState",
    "Trajectory",
    "__version__",
    "asymptotics",
    "coherent_state",
    "compare",
    "counting",
    "energy_fisher",
    "exchange",
    "excited_state",
    "filter",
    "fit",
    "ground_state",
    "load",
    "mcsolve",
    "mesolve",
    "photons",
    "secular_check",
    "steady_state",
    "sweep",
    "to_qutip",
]
