"""trajbatt: a stochastic simulator of a dissipatively charged quantum battery.

N two-level atoms, driven by a classical pump and decaying into a common reservoir, charge by
emitting photons (Pokhrel and Gea-Banacloche, 2024). Start with `Battery`, then `mcsolve` for
trajectories, `mesolve` for their exact twin, and `compare` for the verdict.
"""

from trajbatt import counting, exchange, photons
from trajbatt.analysis.compare import Comparison, compare
from trajbatt.analysis.fisher import EnergyFisher, energy_fisher
from trajbatt.analysis.secular import SecularCheck, secular_check
from trajbatt.analysis.sweep import sweep
from trajbatt.base.version import __version__
from trajbatt.ensembles.mcsolve import load, mcsolve
from trajbatt.ensembles.result import EnsembleResult
from trajbatt.ensembles.trajectory import Trajectory
from trajbatt.exact.mesolve import MasterEquationResult, mesolve
from trajbatt.exchange.qutip_problems import to_qutip
from trajbatt.inference.filter import FilterResult, filter
from trajbatt.inference.fit import FitResult, fit
from trajbatt.light.clicks import Clicks
from trajbatt.light.detectors import Detectors
from trajbatt.models import asymptotics
from trajbatt.models.banded import BandedModel
from trajbatt.models.battery import Battery
from trajbatt.models.channel import Channel
from trajbatt.models.ladder import LadderModel
from trajbatt.models.protocol import Protocol
from trajbatt.states.initial import coherent_state, excited_state, ground_state
from trajbatt.states.steady_state import SteadyState, steady_state

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
