"""The battery: its parameters, checked, the numbers derived from them, and its models."""

import math
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal, Self, overload

from numpy.typing import ArrayLike

from trajbatt.base import checks
from trajbatt.models.banded import BandedModel, angle_and_splitting
from trajbatt.models.channelled import ChannelledModel
from trajbatt.models.dressed_quantities import DressedQuantities
from trajbatt.models.ladder import LadderModel
from trajbatt.models.lines import bare_channels, charging_channels
from trajbatt.models.local_ladder import LocalLadderModel
from trajbatt.models.model import Model, check_model
from trajbatt.models.origin import NOISE, RATES, THERMAL, Origin
from trajbatt.models.protocol import Protocol
from trajbatt.models.ramp import ramped


@dataclass(frozen=True)
class Battery(DressedQuantities):
    """N two-level atoms, driven by a classical pump and decaying into a common reservoir.

    Rates and angular frequencies share one unit, chosen by the user; times are in its inverse.
    The pump frame is used throughout: H = Delta J_z - Omega_R J_x = Omega_P J'_z (Eqs. 1-3).

    Parameters
    ----------
    n_atoms : int
        N, at least 1.
    theta : float
        The dressing angle atan2(Omega_R, Delta), in [0, pi].
    omega_p : float
        The dressed splitting Omega_P = sqrt(Delta^2 + Omega_R^2), not the pump's own frequency.
    rabi, detuning : float
        In place of these two, by name: the Rabi frequency Omega_R >= 0 and the detuning Delta.
    gamma_0, gamma_plus, gamma_minus : float, optional
        Decay rates at the frequencies of the pump, and Omega_P above and below it.
    local_0, local_plus, local_minus : float, optional
        The same of every single atom into modes of its own.
    dephasing : float, optional
        gamma_phi of every atom, (gamma_phi/2) sum D[sigma_z] in the bare basis: the coherence of
        one atom decays at this rate.
    dephasing_omega : float, optional
        gamma_phi of the noise at the frequency Omega_P, which flips dressed atoms: as large as
        `dephasing` by default (white noise), 0 if the noise is slow.
    pump : float, optional
        The rate of sum D[sigma_+], a pumping of single atoms.
    thermal_0, thermal_plus, thermal_minus : float, optional
        Mean numbers of thermal photons at the three frequencies.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range, or not a number; if there is `dephasing_omega` without
        `dephasing`.

    Examples
    --------
    >>> round(Battery(n_atoms=100, theta=1.87, omega_p=1000.0, gamma_plus=10.0).x, 6)
    2.966857
    """

    n_atoms: int
    theta: float
    omega_p: float
    gamma_0: float = 1.0
    gamma_plus: float = 1.0
    gamma_minus: float = 1.0
    local_0: float = 0.0
    local_plus: float = 0.0
    local_minus: float = 0.0
    dephasing: float = 0.0
    dephasing_omega: float | None = None
    pump: float = 0.0
    thermal_0: float = 0.0
    thermal_plus: float = 0.0
    thermal_minus: float = 0.0

    def __init__(
        self,
        n_atoms: int,
        theta: float | None = None,
        omega_p: float | None = None,
        gamma_0: float = 1.0,
        gamma_plus: float = 1.0,
        gamma_minus: float = 1.0,
        *noise: float | None,
        local_0: float = 0.0,
        local_plus: float = 0.0,
        local_minus: float = 0.0,
        dephasing: float = 0.0,
        dephasing_omega: float | None = None,
        pump: float = 0.0,
        thermal_0: float = 0.0,
        thermal_plus: float = 0.0,
        thermal_minus: float = 0.0,
        rabi: float | None = None,
        detuning: float | None = None,
    ) -> None:
        given = {name: value for name, value in locals().items() if name != "self"}
        del given["rabi"], given["detuning"], given["noise"]
        by_place = [field.name for field in fields(self)][-len(NOISE) :]  # as they came before
        if len(noise) > len(by_place):
            raise TypeError(f"a Battery takes at most {len(given)} arguments by place")
        given |= dict(zip(by_place, noise, strict=False))
        if rabi is not None or detuning is not None:
            both = rabi is not None and detuning is not None
            if not both or theta is not None or omega_p is not None:
                raise TypeError("`theta` and `omega_p`, or `rabi` and `detuning`, must be given")
            given["theta"], given["omega_p"] = angle_and_splitting(rabi, detuning)
        for name, value in given.items():
            object.__setattr__(self, name, value)
        self.__post_init__()

    def __post_init__(self) -> None:
        checked = {
            "n_atoms": checks.integer("n_atoms", self.n_atoms, 1),
            "theta": checks.angle("theta", self.theta),
            **{
                name: checks.real(name, getattr(self, name), 0)
                for name in ("omega_p", *RATES, *NOISE)
                if getattr(self, name) is not None or name != "dephasing_omega"
            },
        }
        if checked.get("dephasing_omega") and not checked["dephasing"]:
            raise ValueError(
                "`dephasing_omega` must come with `dephasing`, the same noise at frequency 0, "
                f"but is {self.dephasing_omega:g} alone"
            )
        for name, value in checked.items():
            object.__setattr__(self, name, value)
        if not math.isfinite(self.n_atoms**2 * sum(self.dressed_rates)):
            raise ValueError(
                "`n_atoms` and the rates must leave N^2 (A + B + C) finite, "
                f"but N = {self.n_atoms} and (A, B, C) = {self.dressed_rates} do not"
            )

    @classmethod
    def from_drive(cls, n_atoms: int, rabi: float, detuning: float, **rates: float) -> Self:
        """Return the battery of a given Rabi frequency Omega_R >= 0 and detuning Delta.

        `rates` are `gamma_0`, `gamma_plus` and `gamma_minus`, as in the constructor.
        """
        return cls(n_atoms, rabi=rabi, detuning=detuning, **rates)

    @classmethod
    def from_model(cls, model: Model) -> Self:
        """Return a battery whose model, or the first of a protocol, this is.

        Rates that the model does not know, as of a channel at sin(theta) = 0, are zero.

        Parameters
        ----------
        model : LadderModel, BandedModel or Protocol

        Raises
        ------
        ValueError
            If no battery makes it, as some that users build from channels.
        TypeError
            If it is no model.
        """
        check_model(model)
        parameters = model.battery_parameters
        if parameters is None:
            raise ValueError(f"`model` must be one that a battery makes, but {model.name!r} is not")
        return cls(**parameters)

    def arguments(self) -> dict[str, Any]:
        """Return the arguments that make this battery, without noise that is not there, a dict."""
        known = {name: value for name, value in asdict(self).items() if name not in NOISE or value}
        if self.dephasing and self.dephasing_omega is not None:  # 0 is not None: slow, not white
            known["dephasing_omega"] = self.dephasing_omega
        return known

    @property
    def is_noisy(self) -> bool:
        """Whether there is noise of single atoms, or thermal photons."""
        return any(getattr(self, name) for name in NOISE)

    @overload
    def charge(self, secular: Literal[True] = True) -> ChannelledModel: ...

    @overload
    def charge(self, secular: Literal[False]) -> BandedModel: ...

    @overload
    def charge(self, secular: bool) -> ChannelledModel | BandedModel: ...

    def charge(self, secular: bool = True) -> ChannelledModel | BandedModel:
        """Return the model of charging.

        Parameters
        ----------
        secular : bool
            True: Eq. (7) in the dressed basis, a `LadderModel`, or a `LocalLadderModel` if there is
            noise of single atoms. Its channels are named by the light, in the order of its
            frequency: the `red` photon belongs to J'_+ and gamma_-, the `blue` one to J'_- and
            gamma_+; then what is absorbed, `red_absorbed`, …; the light of single atoms, `side_red`
            …; `dephasing`, `dephasing_up`, `dephasing_down`; `pump_up`, `pump_flat`, `pump_down`.
            False: the driven Eq. (5), which Eq. (7) approximates
            at large Omega_P, a `BandedModel` with the one channel `all`.

        Raises
        ------
        ValueError
            If `secular` is false and the three rates differ: Eq. (5) has one rate.
        """
        if not checks.boolean("secular", secular):
            rates = (self.gamma_0, self.gamma_plus, self.gamma_minus)
            if len(set(rates)) > 1:
                raise ValueError(
                    "`gamma_0`, `gamma_plus` and `gamma_minus` must be equal for Eq. (5), "
                    f"but are {rates[0]:g}, {rates[1]:g} and {rates[2]:g}"
                )
            if any(getattr(self, name) for name in NOISE if name not in THERMAL):
                raise ValueError("`secular` must be true with noise of single atoms")
            thermal = (self.thermal_0, self.thermal_plus, self.thermal_minus)
            if len(set(thermal)) > 1:
                raise ValueError(
                    "`thermal_0`, `thermal_plus` and `thermal_minus` must be equal for Eq. (5), "
                    f"but are {thermal[0]:g}, {thermal[1]:g} and {thermal[2]:g}"
                )
            return BandedModel(
                "charge",
                self.n_atoms,
                self.theta,
                self.omega_p,
                self.gamma_0,
                thermal=self.thermal_0,
            )
        channels = charging_channels(self)
        kind = LocalLadderModel if any(one.local for one in channels) else LadderModel
        model = kind("charge", self.n_atoms, self.theta, self.omega_p, channels)
        return model.made_by(Origin(self, "charge"))

    def ramp(
        self,
        duration: float,
        *,
        stages: int | None = None,
        interpolation: Literal["linear", "cubic"] = "linear",
        secular: bool = True,
        **knots: ArrayLike,
    ) -> Protocol:
        """Return a charge during which parameters change, as a `Protocol`.

        Of constant stages, each with the parameters at its middle: the error falls as the square of
        its length. Few stages are sudden changes; if nothing jumps, slow ones keep the populations
        of the dressed states. Or, with `secular=False`, of one stage for each interval between
        knots, in which the drive moves: then H(t) is followed within the steps of the solvers, to
        their tolerance. Either can be stored, replayed, filtered and compared like any protocol.

        Eq. (7) resolves the lines of a drive that stays: it may be trusted while theta and Omega_P
        change little in 1/Omega_P, so stages should not be shorter than that. Eq. (5) has no such
        limit.

        Parameters
        ----------
        duration : float
            In the unit of 1/rate.
        stages : int, optional
            How many constant ones; `tb.ramp_stages` finds how many are enough. By default 40 by
            Eq. (7), and by Eq. (5) the true H(t), of which only theta and omega_p may move.
        interpolation : {"linear", "cubic"}
            Between the knots; "cubic" is a spline.
        secular : bool
            As in `charge`.
        **knots : array_like
            Of any parameter of the battery, such as theta=(0.6, 2.4): two or more values evenly
            spread over the duration, or a pair of times, from 0 to the duration, and values.

        Returns
        -------
        Protocol

        Raises
        ------
        ValueError, TypeError
            If an argument is out of its range or of the wrong kind.
        """
        known = tuple(one.name for one in fields(self) if one.name != "n_atoms")
        for name in knots:
            checks.choice("knots", name, known)
        return ramped(self, duration, knots, stages, interpolation, secular)

    def store(
        self,
        local: float | None = None,
        dephasing: float | None = None,
        thermal: float | None = None,
    ) -> ChannelledModel:
        """Return the model of storage: the pump is off and the collective decay closed.

        H = Delta J_z in the pump frame. Without noise there are no channels, and the bare
        populations, and with them the energy, stay; the dipole precesses. The default initial state
        is the charged steady state without single-atom noise.

        Parameters
        ----------
        local, dephasing, thermal : float, optional
            The decay rate and the dephasing of single atoms, and the mean number of thermal
            photons; `local_0`, `dephasing` and `thermal_0` by default.

        Returns
        -------
        LadderModel, or LocalLadderModel with noise
        """
        noise = self._noise(local, dephasing, thermal)
        return self._undriven("store", noise, bare_channels(0.0, **noise))

    def discharge(
        self,
        gamma: float | None = None,
        local: float | None = None,
        dephasing: float | None = None,
        thermal: float | None = None,
    ) -> ChannelledModel:
        """Return the model of discharging, Eq. (5) with the pump off.

        H = Delta J_z in the pump frame; the channel `all` is J_-. The default initial state is the
        charged steady state without single-atom noise.

        Parameters
        ----------
        gamma : float, optional
            The decay rate; `gamma_0` by default.
        local, dephasing, thermal : float, optional
            As in `store`.

        Returns
        -------
        LadderModel, or LocalLadderModel with single-atom noise
        """
        gamma = self.gamma_0 if gamma is None else checks.real("gamma", gamma, 0)
        noise = self._noise(local, dephasing, thermal)
        channels = bare_channels(gamma, **noise, emits=True)
        return self._undriven("discharge", {"gamma": gamma, **noise}, channels, gamma)

    def _noise(self, local, dephasing, thermal):
        """Return the checked noise of storage or discharge, a dict; the battery's by default."""
        given = {"local": local, "dephasing": dephasing, "thermal": thermal}
        default = {
            "local": self.local_0,
            "dephasing": self.dephasing,
            "thermal": self.thermal_0,
        }
        return {
            name: default[name] if value is None else checks.real(name, value, 0)
            for name, value in given.items()
        }

    def _undriven(self, verb, arguments, channels, coherent_rate=None):
        """Return the model of a battery whose pump is off."""
        quiet = replace(self, **dict.fromkeys(("local_0", "local_plus", "local_minus"), 0.0))
        quiet = replace(quiet, dephasing=0.0, dephasing_omega=None, pump=0.0)
        kind = LocalLadderModel if any(one.local for one in channels) else LadderModel
        model = kind(
            verb,
            self.n_atoms,
            0.0,
            self.detuning,
            channels,
            start=quiet.charge(),
            coherent_rate=coherent_rate,
        )
        return model.made_by(Origin(self, verb, tuple(arguments.items())))
