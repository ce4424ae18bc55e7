"""What follows from the parameters of a battery: its drive, its dressed rates and their times."""

import math

from trajbatt.models import asymptotics
from trajbatt.models.origin import THERMAL


class DressedQuantities:
    """Of a `Battery`, whose parameters these are."""

    n_atoms: int
    theta: float
    omega_p: float
    gamma_0: float
    gamma_plus: float
    gamma_minus: float
    thermal_0: float
    thermal_plus: float
    thermal_minus: float

    @property
    def rabi(self) -> float:
        """The Rabi frequency Omega_R."""
        return self.omega_p * math.sin(self.theta)

    @property
    def detuning(self) -> float:
        """The detuning Delta = omega_0 - (pump frequency)."""
        return self.omega_p * math.cos(self.theta)

    @property
    def generalized_rabi(self) -> float:
        """The generalized Rabi frequency, another name of `omega_p`."""
        return self.omega_p

    @property
    def r(self) -> float:
        """gamma_+/gamma_-; inf if only gamma_- is zero, nan if both are."""
        return _ratio(self.gamma_plus, self.gamma_minus)

    @property
    def is_warm(self) -> bool:
        """Whether there are thermal photons."""
        return any(getattr(self, name) for name in THERMAL)

    @property
    def dressed_rates(self) -> tuple[float, float, float]:
        """The collective rates of J'_-, J'_+ and J'_z: (A, B, C) in Eq. (7), blue, red, center.

        With thermal photons each is that of what is emitted and what is absorbed.
        """
        blue, red, center = self.emission(self.gamma_0, self.gamma_plus, self.gamma_minus)
        if not self.is_warm:
            return blue, red, center
        return (
            blue * (1.0 + self.thermal_plus) + red * self.thermal_minus,
            red * (1.0 + self.thermal_minus) + blue * self.thermal_plus,
            center * (1.0 + 2.0 * self.thermal_0),
        )

    def emission(self, at_0: float, at_plus: float, at_minus: float) -> tuple[float, float, float]:
        """Return the rates of emission in the blue, red and central line, of bare rates."""
        if self.theta == math.pi:  # which is rounded: its sine would be no zero
            return 0.0, at_minus, 0.0
        return (
            at_plus * math.cos(self.theta / 2) ** 4,
            at_minus * math.sin(self.theta / 2) ** 4,
            at_0 * math.sin(self.theta) ** 2,
        )

    @property
    def x(self) -> float:
        """x = A/B = r cot^4(theta/2), the ratio of neighbouring steady populations (Eq. 8)."""
        down, up, _ = self.dressed_rates
        return _ratio(down, up)

    @property
    def gamma_net(self) -> float:
        """Gamma = A - B (Eq. 15); negative if x < 1."""
        return asymptotics.net_rate(self.theta, self.gamma_plus, self.gamma_minus)

    @property
    def charging_time(self) -> float:
        """T90 = 2 tau_90/(N abs(Gamma)); inf at x = 1."""
        return asymptotics.charging_time(self)

    @property
    def secular_ratio(self) -> float:
        """Omega_P/(N max(A, B, C)): Eq. (7) approximates Eq. (5) if this is much above 1."""
        return _ratio(self.omega_p, self.n_atoms * max(self.dressed_rates))


def _ratio(numerator, denominator):
    if denominator == 0.0:
        return math.nan if numerator == 0.0 else math.inf
    return numerator / denominator
