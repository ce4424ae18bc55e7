"""The driven Eq. (5) under its own name, in the units of those who drive atoms in a cavity."""

from dataclasses import dataclass

from trajbatt.base import checks
from trajbatt.models.banded import BandedModel, angle_and_splitting


@dataclass(frozen=True, init=False)
class DrivenDicke(BandedModel):
    """The driven Dicke model: N two-level atoms, driven together, that decay together.

    In the frame of the drive, with Delta = omega_0 - (frequency of the drive),

        d rho/dt = -i [Delta J_z - Omega_R J_x, rho]
                   + gamma (1 + n) D[J_-] rho + gamma n D[J_+] rho.

    It is what `battery.charge(secular=False)` gives, with the Rabi frequency and the detuning as
    parameters. Those who study the boundary time crystal write kappa/S for gamma, S = N/2, and
    omega_0 for Omega_R: so gamma = 2 kappa/N, and `critical_drive`, beyond which there is no steady
    mean spin on resonance, is Omega_R = gamma N/2 = kappa. In cooperative resonance fluorescence
    gamma is the decay rate of a single atom.

    Parameters
    ----------
    n_atoms : int
        N.
    rabi : float
        Omega_R, at least 0.
    detuning : float
        Delta.
    gamma : float
        The rate of J_-.
    thermal : float
        n, the mean number of thermal photons.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range or of the wrong kind.

    Examples
    --------
    >>> model = DrivenDicke(100, rabi=20.0)
    >>> model.rabi/model.critical_drive
    0.4
    """

    def __init__(
        self,
        n_atoms: int,
        rabi: float,
        detuning: float = 0.0,
        gamma: float = 1.0,
        thermal: float = 0.0,
    ) -> None:
        theta, frequency = angle_and_splitting(rabi, detuning)
        values = {
            "name": "driven Dicke model",
            "n_atoms": n_atoms,
            "theta": theta,
            "frequency": frequency,
            "rate": checks.real("gamma", gamma, 0),
            "start": None,
            "thermal": thermal,
        }
        for name, value in values.items():
            object.__setattr__(self, name, value)
        self.__post_init__()

    def parameters(self, alone: bool = True) -> dict[str, float]:
        """Return rabi, detuning and gamma, and thermal if it is there; see `Model.parameters`."""
        known = {"rabi": self.rabi, "detuning": self.detuning, "gamma": self.rate}
        return known | ({"thermal": self.thermal} if self.thermal else {})

    def with_parameters(self, **changed: float) -> "DrivenDicke":
        """Return the same model with some of its `parameters` changed."""
        for name in changed:
            checks.choice("parameters", name, tuple(self.parameters()))
        return DrivenDicke(self.n_atoms, **(self.parameters() | changed))
