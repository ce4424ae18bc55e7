r"""Large-N results of the paper: Eqs. (11), (12), (14)-(17) and the charging time tau_90.

Functions of a `battery` take anything with the attributes of `trajbatt.Battery`. Energies are
totals in units of hbar omega_0, as everywhere in the package. The paper treats x > 1; with x < 1
the net rate is negative, the final charge is N cos^2(theta/2), and theta becomes pi - theta in
tau_90.
"""

import math
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike

from trajbatt.base import checks
from trajbatt.base.types import FloatArray


class BatteryLike(Protocol):
    """What these functions ask of a battery."""

    @property
    def n_atoms(self) -> int:
        """The number of atoms."""

    @property
    def theta(self) -> float:
        """The dressing angle."""

    @property
    def omega_p(self) -> float:
        """The dressed splitting."""

    @property
    def gamma_net(self) -> float:
        """The net rate."""

    @property
    def dressed_rates(self) -> tuple[float, float, float]:
        """The rates of J'_-, J'_+ and J'_z."""


def _check_battery(battery):
    for name in ("n_atoms", "theta", "omega_p", "gamma_net", "dressed_rates"):
        if not hasattr(battery, name):
            raise TypeError(f"`battery` must be a Battery, but is {checks.shown(battery)}")


def net_rate(theta: float, gamma_plus: float, gamma_minus: float) -> float:
    """Return Gamma = gamma_+ cos^4(theta/2) - gamma_- sin^4(theta/2) (Eq. 15).

    Parameters
    ----------
    theta : float
        In [0, pi].
    gamma_plus : float
    gamma_minus : float

    Returns
    -------
    float

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range or of the wrong kind.
    """
    return gamma_plus * math.cos(theta / 2) ** 4 - gamma_minus * math.sin(theta / 2) ** 4


def balanced(battery: BatteryLike) -> bool:
    """Whether the upward and the downward rate are equal but for rounding: x = 1.

    Parameters
    ----------
    battery : Battery

    Returns
    -------
    bool

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range or of the wrong kind.
    """
    _check_battery(battery)
    down, up, _ = battery.dressed_rates
    return abs(down - up) <= 1e-12 * (down + up)


def final_charge(battery: BatteryLike) -> float:
    """Return the final energy of a large battery: N sin^2(theta/2), or N cos^2(theta/2) for x < 1.

    It is also the ergotropy (Eqs. 11 and 12). nan at x = 1, where the limit jumps.

    Parameters
    ----------
    battery : Battery

    Returns
    -------
    float

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range or of the wrong kind.
    """
    if balanced(battery):
        return math.nan
    half = math.sin if battery.gamma_net > 0 else math.cos
    return battery.n_atoms * half(battery.theta / 2) ** 2


def _phase(battery, t):
    """Return N Gamma t/2 and Omega_P t, float64, shaped as t."""
    _check_battery(battery)
    t = np.asarray(t, dtype=float)
    return 0.5 * battery.n_atoms * battery.gamma_net * t, battery.omega_p * t


def _profile(battery, tau, swing):
    """Return N (1 - cos(theta) tanh(tau + phi_0) - sin(theta) swing/cosh(tau + phi_0))/2."""
    # tanh and 1/cosh of tau + phi_0 with exp(phi_0) = cot(theta/2), finite at theta = 0 and pi.
    c, s = math.cos(battery.theta / 2), math.sin(battery.theta / 2)
    grow = np.exp(np.minimum(tau, 0.0)) * c
    fade = np.exp(-np.maximum(tau, 0.0)) * s
    total = grow**2 + fade**2
    tanh = (grow**2 - fade**2) / total
    sech = 2.0 * grow * fade / total
    cos, sin = math.cos(battery.theta), math.sin(battery.theta)
    return 0.5 * battery.n_atoms * (1.0 - cos * tanh - sin * swing * sech)


def energy(battery: BatteryLike, t: ArrayLike) -> FloatArray:
    """Return the energy at time t for large N (Eq. 14).

    Parameters
    ----------
    battery : Battery
    t : float or array_like (nt,)

    Returns
    -------
    ndarray, float64, shaped as t.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range or of the wrong kind.
    """
    tau, angle = _phase(battery, t)
    return _profile(battery, tau, np.cos(angle))


def energy_lower_bound(battery: BatteryLike, t: ArrayLike) -> FloatArray:
    """Return the envelope of Eq. (14) from below: its cosine replaced by 1.

    Parameters
    ----------
    battery : Battery
    t : float or array_like (nt,)
        In the unit of 1/rate.

    Returns
    -------
    ndarray, float64
        Shaped as t.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range or of the wrong kind.
    """
    tau, _ = _phase(battery, t)
    return _profile(battery, tau, 1.0)


def tau_90(theta: float) -> float:
    r"""Return tau_90, when the lower bound reaches 90 % of N sin^2(theta/2), for x > 1.

    The paper computes it numerically. It has a closed form: with tanh(tau + phi_0) = cos(a), the
    bound is N (1 - cos(theta - a))/2, and 90 % of the final charge is reached at theta - a = b with
    sin(b/2) = sqrt(0.9) sin(theta/2), so

        tau_90 = ln[tan(theta/2)/tan((theta - b)/2)].

    It tends to -ln(1 - sqrt(0.9)) = 2.96974 as theta -> 0 and grows without bound as theta -> pi.

    Parameters
    ----------
    theta : float
        In [0, pi].

    Returns
    -------
    float

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range or of the wrong kind.
    """
    theta = checks.angle("theta", theta)
    if theta < 1e-7:
        return -math.log(1.0 - math.sqrt(0.9))
    b = 2.0 * math.asin(math.sqrt(0.9) * math.sin(theta / 2))
    return math.log(math.tan(theta / 2) / math.tan((theta - b) / 2))


def battery_tau_90(battery: BatteryLike) -> float:
    """Return tau_90 of a battery on either side of x = 1, where theta becomes pi - theta.

    Parameters
    ----------
    battery : Battery

    Returns
    -------
    float

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range or of the wrong kind.
    """
    _check_battery(battery)
    return tau_90(battery.theta if battery.gamma_net >= 0 else math.pi - battery.theta)


def charging_time(battery: BatteryLike) -> float:
    """Return T90 = 2 tau_90/(N abs(Gamma)), in the unit of 1/rate; inf at x = 1.

    Parameters
    ----------
    battery : Battery

    Returns
    -------
    float

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range or of the wrong kind.
    """
    if balanced(battery):
        return math.inf
    return 2.0 * battery_tau_90(battery) / (battery.n_atoms * abs(battery.gamma_net))


def average_power(battery: BatteryLike) -> float:
    """Return the lower bound (16) on the average power until T90, in hbar omega_0 times a rate.

    Parameters
    ----------
    battery : Battery

    Returns
    -------
    float

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range or of the wrong kind.
    """
    time = charging_time(battery)
    return 0.9 * final_charge(battery) / time


def power_bound(charge: float, r: float) -> float:
    """Return the bound (17) on P_av/(N^2 hbar omega_0 gamma_-), for x > 1.

    Parameters
    ----------
    charge : float
        The final charge per atom sin^2(theta/2), in [0, 1].
    r : float
        gamma_+/gamma_-.

    Returns
    -------
    float; negative where x < 1, to which the bound does not apply.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range or of the wrong kind.
    """
    charge = checks.real("charge", charge, 0.0, 1.0)
    r = checks.real("r", r, 0.0)
    theta = 2.0 * math.asin(math.sqrt(charge))
    return 0.9 / (2.0 * tau_90(theta)) * charge * (r * (1.0 - charge) ** 2 - charge**2)


def discharge_time(n_atoms: int, energy: float, gamma: float, left: float = 0.01) -> float:
    """Return when a fraction `left` of `energy` is left in a discharge at the rate `gamma`.

    By the mean of Eq. (5) with the pump off and all correlations left out,
    dE/dt = -gamma E (N - E + 1), which is logistic.

    Parameters
    ----------
    n_atoms : int
    energy : float
        At most N.
    gamma : float
    left : float
        In (0, 1].

    Returns
    -------
    float; inf without decay, and without energy

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range or of the wrong kind.
    """
    n_atoms = checks.integer("n_atoms", n_atoms, 1)
    energy = checks.real("energy", energy, 0.0, n_atoms)
    gamma = checks.real("gamma", gamma, 0.0)
    left = checks.real("left", left, math.ulp(0.0), 1.0, "lie in (0, 1]")
    if energy == 0.0:
        return math.inf
    odds = energy / (n_atoms + 1 - energy) * (n_atoms + 1 - left * energy) / (left * energy)
    return math.log(odds) / ((n_atoms + 1) * gamma) if gamma > 0 else math.inf
