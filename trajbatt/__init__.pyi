from . import counting as counting
from . import exchange as exchange
from . import photons as photons
from . import plots as plots
from .analysis.compare import Comparison as Comparison
from .analysis.compare import compare as compare
from .analysis.daemonic import DaemonicErgotropy as DaemonicErgotropy
from .analysis.daemonic import daemonic_ergotropy as daemonic_ergotropy
from .analysis.first_passage import FirstPassage as FirstPassage
from .analysis.first_passage import first_passage as first_passage
from .analysis.fisher import EnergyFisher as EnergyFisher
from .analysis.fisher import energy_fisher as energy_fisher
from .analysis.information import FisherInformation as FisherInformation
from .analysis.information import fisher_information as fisher_information
from .analysis.information import quantum_information as quantum_information
from .analysis.optimize import OptimizedRamp as OptimizedRamp
from .analysis.optimize import optimize as optimize
from .analysis.ramp_stages import ramp_stages as ramp_stages
from .analysis.secular import SecularCheck as SecularCheck
from .analysis.secular import secular_check as secular_check
from .analysis.stage_ends import stage_ends as stage_ends
from .analysis.sweep import sweep as sweep
from .base.citation import citation as citation
from .base.version import __version__ as __version__
from .ensembles.load import load as load
from .ensembles.mcsolve import mcsolve as mcsolve
from .ensembles.parts import merge as merge
from .ensembles.result import EnsembleResult as EnsembleResult
from .ensembles.trajectory import Trajectory as Trajectory
from .exact.mesolve import mesolve as mesolve
from .exact.result import MasterEquationResult as MasterEquationResult
from .exchange.qutip_problems import to_qutip as to_qutip
from .inference.filter import FilterResult as FilterResult
from .inference.filter import filter as filter
from .inference.fit import FitResult as FitResult
from .inference.fit import fit as fit
from .inference.likelihood import log_likelihood as log_likelihood
from .inference.likelihood import score as score
from .inference.residuals import Residuals as Residuals
from .inference.residuals import residuals as residuals
from .light.clicks import Clicks as Clicks
from .light.currents import HomodyneRecord as HomodyneRecord
from .light.detectors import Detectors as Detectors
from .models import asymptotics as asymptotics
from .models.banded import BandedModel as BandedModel
from .models.battery import Battery as Battery
from .models.channel import Channel as Channel
from .models.driven_dicke import DrivenDicke as DrivenDicke
from .models.homodyne import Heterodyne as Heterodyne
from .models.homodyne import Homodyne as Homodyne
from .models.ladder import LadderModel as LadderModel
from .models.local_ladder import LocalLadderModel as LocalLadderModel
from .models.mixed_light import DiffusiveModel as DiffusiveModel
from .models.mixed_light import HomodyneModel as HomodyneModel
from .models.protocol import Protocol as Protocol
from .models.ramp_model import RampModel as RampModel
from .models.until import until as until
from .states import observables as observables
from .states.initial import (
    coherent_state as coherent_state,
)
from .states.initial import (
    excited_state as excited_state,
)
from .states.initial import (
    ground_state as ground_state,
)
from .states.steady_state import SteadyState as SteadyState
from .states.steady_state import steady_state as steady_state
