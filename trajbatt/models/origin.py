"""Which battery made a model, and how: so that its parameters can be told and changed."""

from dataclasses import dataclass, replace
from typing import Any

RATES = ("gamma_0", "gamma_plus", "gamma_minus")
DRIVE = ("theta", "omega_p")
LOCAL = ("local_0", "local_plus", "local_minus")
DEPHASING = ("dephasing", "dephasing_omega")
THERMAL = ("thermal_0", "thermal_plus", "thermal_minus")
OF_VERBS = ("local", "dephasing", "thermal")  # noise as arguments of storage and discharge
NOISE = (*LOCAL, *DEPHASING, "pump", *THERMAL)


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

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all parameters that can be changed, also of noise that is not there."""
        return (*DRIVE, *RATES, *NOISE, *dict(self.arguments))

    @property
    def is_noisy(self) -> bool:
        """Whether there is noise of single atoms or heat, in the battery or now."""
        given = dict(self.arguments)
        return self.battery.is_noisy or any(given.get(name) for name in OF_VERBS)

    def parameters(self, alone: bool) -> dict[str, float]:
        """Return the parameters of the battery and of the verb; see `Model.parameters`.

        Noise that is not there is left out.
        """
        arguments = {name: value for name, value in self.arguments if value or name not in OF_VERBS}
        known = self.battery.arguments() | arguments
        del known["n_atoms"]
        if alone or self.verb == "charge":
            return known
        # The others depend on the battery's rates only by the default initial state.
        own = {*DRIVE, *arguments}
        return {name: value for name, value in known.items() if name in own}

    def made(self, changed: dict[str, float]) -> Any:
        """Return the model that the battery makes with some parameters `changed`, a dict."""
        arguments = {name: changed.get(name, value) for name, value in self.arguments}
        rest = {name: value for name, value in changed.items() if name not in arguments}
        return getattr(replace(self.battery, **rest), self.verb)(**arguments)
