r"""The steady state of Eq. (7) in closed form, Eqs. (8)-(10) and (18), stable at any N and x.

Detailed balance makes the dressed populations geometric, p_m ~ x^(-m) (Eq. 8), with x the ratio of
the downward to the upward rate. Let i = 0..N count the levels from the fuller end and
s = abs(ln x): p_i ~ exp(-s i), a Boltzmann distribution, and with z = s/2, n = N + 1

    N/2 - <i> = (n coth(n z) - coth z)/2           (the Brillouin function)
    Var(i)    = (1/sinh^2 z - n^2/sinh^2(n z))/4.

Near x = 1 both are small differences of large terms. There coth z - 1/z and 1/z^2 - 1/sinh^2 z,
whose series start at z/3 and 1/3, take their place: the 1/z terms cancel exactly.
"""

import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import overload

import numpy as np

from trajbatt.base import checks
from trajbatt.base.types import FloatArray
from trajbatt.models.banded import BandedModel
from trajbatt.models.channelled import ChannelledModel
from trajbatt.models.ladder import LadderModel
from trajbatt.models.local_ladder import LocalLadderModel
from trajbatt.models.mixed_light import HomodyneModel
from trajbatt.models.model import Model, check_plain, of_kind
from trajbatt.states import work
from trajbatt.states.block_steady_state import BlockSteadyState, block_steady_state
from trajbatt.states.driven_steady_state import (
    MOST_STEADY,
    DrivenSteadyState,
    driven_steady_state,
)
from trajbatt.states.frame_steady_state import FrameSteadyState, frame_steady_state

NEAR_ONE = 0.01  # what x - 1 may be for ln x to lose digits

# Below this argument the series of the two functions below are exact to 1e-16 with these terms,
# and above it the closed forms lose no more than two digits.
_SERIES_BELOW = 0.3
_COTH_SERIES = (
    1 / 3, -1 / 45, 2 / 945, -1 / 4725, 2 / 93555, -1382 / 638512875, 4 / 18243225,
)  # fmt: skip
_CSCH2_SERIES = (
    1 / 3, -1 / 15, 2 / 189, -1 / 675, 2 / 10395, -1382 / 58046625, 4 / 1403325,
)  # fmt: skip


def _coth_excess(z):
    """Return coth z - 1/z for z >= 0."""
    if z < _SERIES_BELOW:
        return z * sum(c * z ** (2 * i) for i, c in enumerate(_COTH_SERIES))
    return 1.0 / math.tanh(z) - 1.0 / z


def _csch2_deficit(z):
    """Return 1/z^2 - 1/sinh^2 z for z >= 0."""
    if z < _SERIES_BELOW:
        return sum(c * z ** (2 * i) for i, c in enumerate(_CSCH2_SERIES))
    return 1.0 / z**2 - _csch2(z)


def _csch2(z):
    """Return 1/sinh^2 z for z > 0, without overflow."""
    return 4.0 * math.exp(-2.0 * z) / math.expm1(-2.0 * z) ** 2


def _boltzmann_moments(n_levels, s):
    """Return (<i>, N/2 - <i>, Var(i)) of p_i ~ exp(-s i), i = 0..N, N = n_levels - 1."""
    top = n_levels - 1
    if math.isinf(s):
        return 0.0, top / 2, 0.0
    z = s / 2
    if n_levels * z < 1.0:
        offset = 0.5 * (n_levels * _coth_excess(n_levels * z) - _coth_excess(z))
        variance = 0.25 * (n_levels**2 * _csch2_deficit(n_levels * z) - _csch2_deficit(z))
        return top / 2 - offset, offset, variance
    decay = math.exp(-n_levels * s)
    mean = math.exp(-s) / -math.expm1(-s) - n_levels * decay / -math.expm1(-n_levels * s)
    return mean, top / 2 - mean, 0.25 * (_csch2(z) - n_levels**2 * _csch2(n_levels * z))


@dataclass(frozen=True)
class SteadyState:
    """The steady state of a ladder model: diagonal in its basis, with geometric populations.

    Attributes
    ----------
    n_atoms : int
    theta : float
        The angle of the basis in which the state is diagonal.
    x : float
        The ratio of neighbouring populations p_k/p_{k+1}; 0 and inf are the two pure ends.
    log_x : float or None
        Its logarithm, where it is known better than from x itself, near x = 1.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range or of the wrong kind.
    """

    n_atoms: int
    theta: float
    x: float
    log_x: float | None = field(default=None, repr=False)
    _moments: tuple[float, float, float] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "n_atoms", checks.integer("n_atoms", self.n_atoms, 1))
        object.__setattr__(self, "theta", checks.angle("theta", self.theta))
        if self.x != math.inf:
            object.__setattr__(self, "x", checks.real("x", self.x, 0))
        if self.log_x is not None:
            log_x = checks.real("log_x", self.log_x)
            logarithm = {0.0: -math.inf, math.inf: math.inf}.get(self.x)
            logarithm = math.log(self.x) if logarithm is None else logarithm
            if not math.isclose(log_x, logarithm, rel_tol=1e-9, abs_tol=1e-9):
                raise ValueError(f"`log_x` must be the logarithm of x, {self.x}, but is {log_x}")
        moments = _boltzmann_moments(self.n_atoms + 1, self._log_ratio)
        object.__setattr__(self, "_moments", moments)

    @property
    def _log_ratio(self):
        if self.log_x is not None:
            return abs(self.log_x)
        return math.inf if self.x in (0.0, math.inf) else abs(math.log(self.x))

    @property
    def _sign(self):
        """The sign of <J'_z>: the dressed state at the top (+1) or the bottom (-1) is fuller."""
        low = self.x < 1.0 if self.log_x is None else self.log_x < 0.0
        return 1.0 if low else -1.0

    @cached_property
    def populations(self) -> FloatArray:
        """Populations of the dressed levels, ascending, float64 (N+1,) (Eq. 8)."""
        i = np.arange(self.n_atoms + 1.0)
        s = self._log_ratio
        if s == 0.0:
            weights = np.ones_like(i)
        elif math.isinf(s):
            weights = (i == 0).astype(float)
        else:
            with np.errstate(under="ignore"):
                weights = np.exp(-s * i)
        weights /= weights.sum()
        weights = weights if self._sign < 0 else weights[::-1]
        weights.flags.writeable = False
        return weights

    @property
    def energy(self) -> float:
        """<E> = <J_z> + N/2, in units of hbar omega_0 (Eq. 9)."""
        # From the energy of the fuller end, which may be nearly zero, and <i> levels from there.
        half = math.cos(self.theta / 2) if self._sign > 0 else math.sin(self.theta / 2)
        return self.n_atoms * half**2 - self._sign * math.cos(self.theta) * self._moments[0]

    @property
    def energy_variance(self) -> float:
        """The variance of E, cos^2(theta) Var(J'_z) + sin^2(theta) <J'_x^2>."""
        mean, _, variance = self._moments
        # <J'_x^2> = (j(j+1) - <m^2>)/2 with m = -(N/2 - i), written without cancellation.
        transverse = 0.5 * (self.n_atoms / 2 + self.n_atoms * mean - variance - mean**2)
        return math.cos(self.theta) ** 2 * variance + math.sin(self.theta) ** 2 * transverse

    @property
    def ergotropy(self) -> float:
        """The energy that unitaries on the symmetric subspace can extract (Eq. 10)."""
        # 1 + cos(theta) = 2 cos^2(theta/2) and 1 - cos(theta) = 2 sin^2(theta/2).
        half = math.cos(self.theta / 2) if self._sign > 0 else math.sin(self.theta / 2)
        return 2.0 * half**2 * self._moments[1]

    @property
    def ergotropy_global(self) -> float:
        """The energy that all unitaries on the 2^N states can extract, E - (1 - p_max)."""
        return float(work.global_work(self.energy, self.populations.max()))

    @property
    def ergotropy_rotation(self) -> float:
        """The energy that one classical pulse can extract, <J_z> + abs(<J>): `ergotropy` here.

        The levels are those of a rotated J_z and their populations monotonic, so that a rotation
        leads to the passive state.
        """
        return self.ergotropy

    @property
    def dipole(self) -> complex:
        """The bare dipole <J_+> = -sin(theta) <J'_z>, complex (Eq. 18)."""
        return complex(-self._sign * math.sin(self.theta) * self._moments[1])


@overload
def steady_state(model: LadderModel) -> SteadyState: ...


@overload
def steady_state(model: LocalLadderModel) -> BlockSteadyState: ...


@overload
def steady_state(model: ChannelledModel) -> SteadyState | BlockSteadyState: ...


@overload
def steady_state(model: BandedModel) -> DrivenSteadyState | FrameSteadyState: ...


@overload
def steady_state(
    model: Model,
) -> SteadyState | BlockSteadyState | DrivenSteadyState | FrameSteadyState: ...


def steady_state(
    model: Model,
) -> SteadyState | BlockSteadyState | DrivenSteadyState | FrameSteadyState:
    """Return the steady state of a model.

    Parameters
    ----------
    model : LadderModel, LocalLadderModel or BandedModel
        E.g. `battery.charge()`.

    Returns
    -------
    SteadyState, BlockSteadyState, DrivenSteadyState or FrameSteadyState
        With `populations` (N+1,) in the dressed basis, `energy`, `energy_variance`, `ergotropy` and
        `dipole`. That of a ladder model is in closed form (Eqs. 8-10 and 18), with relative errors
        near 1e-14 from N = 1 to 10^6 and through x = 1. That of the driven Eq. (5) is in
        closed form, too, but a matrix: half a second at N = 1000. Above 2000 atoms it is that in a
        frame at the mean spin, to 1e-12 where the state is near it. That with noise of single atoms
        is a sparse solution, up to 600 atoms: another state than without noise, however little
        there is.

    Raises
    ------
    TypeError
        For a protocol, which has none.
    ValueError
        If there is no unique steady state: if neither the upward nor the downward jumps have a
        rate, every dressed population is conserved. For the driven Eq. (5) above 2000 atoms, if it
        is not near its mean spin: on resonance above the critical drive.
    """
    check_plain(model)
    return of_kind(SOLVERS, model)(model)


def _of_ladder(model):
    up, down = model.rate_of(1), model.rate_of(-1)
    if up == 0.0 and down == 0.0:
        raise ValueError(
            "`model` must have a unique steady state, but its upward and downward rates are zero"
        )
    x = math.inf if up == 0.0 else down / up
    # Near x = 1 the rates do not tell ln x well; the battery does.
    log_x = model.log_ratio if abs(x - 1.0) < NEAR_ONE else None
    return SteadyState(n_atoms=model.n_atoms, theta=model.theta, x=x, log_x=log_x)


def _of_driven(model):
    few = model.n_atoms <= MOST_STEADY and not model.is_warm
    return driven_steady_state(model) if few else frame_steady_state(model)


def _without_oscillators(model):
    return steady_state(model.source)  # which change no state


SOLVERS = {
    LadderModel: _of_ladder,
    LocalLadderModel: block_steady_state,
    BandedModel: _of_driven,
    HomodyneModel: _without_oscillators,
}
