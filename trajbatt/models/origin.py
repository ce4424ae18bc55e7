"""Which battery made a model, and how: so that its parameters can be told and changed."""

from dataclasses import asdict, dataclass, replace
from typing import Any

RATES = ("gamma_0", "gamma_plus", "gamma_minus")
DRIVE = ("theta", "omega_p")
# What a model of each verb depends on itself, and not only by its default initial state.
OWN = {"charge": (*DRIVE, *RATES), "store": DRIVE, "discharge": (*DRIVE, "gamma")}


@dataclass(frozen=True)
class Origin:
    """A battery, its verb and the arguments of that.

    Attributes
    ----------
    battery : Battery
    verb : str
        "charge", "store" or "discharge".
    arguments : tuple of (str, float)
    """

    battery: Any
    verb: str
    arguments: tuple[tuple[str, float], ...] = ()

    def parameters(self, alone: bool) -> dict[str, float]:
        """Return the parameters of the battery and of the verb; see `Model.parameters`."""
        known = {name: asdict(self.battery)[name] for name in (*DRIVE, *RATES)}
        known |= dict(self.arguments)
        return known if alone else {name: known[name] for name in OWN[self.verb]}

    def made(self, changed: dict[str, float]) -> Any:
        """Return the model that the battery makes with some parameters `changed`, a dict."""
        arguments = {name: changed.get(name, value) for name, value in self.arguments}
        rest = {name: value for name, value in changed.items() if name not in arguments}
        return getattr(replace(self.battery, **rest), self.verb)(**arguments)
