"""Models, protocols and steady states as JSON has them, and back."""

import math
from dataclasses import fields

from trajbatt.models.banded import BandedModel
from trajbatt.models.battery import Battery
from trajbatt.models.channel import Channel
from trajbatt.models.driven_dicke import DrivenDicke
from trajbatt.models.homodyne import Heterodyne, Homodyne
from trajbatt.models.ladder import LadderModel
from trajbatt.models.local_ladder import LocalLadderModel
from trajbatt.models.mixed_light import DiffusiveModel, HomodyneModel
from trajbatt.models.origin import Origin
from trajbatt.models.protocol import Protocol
from trajbatt.models.ramp_model import RampModel
from trajbatt.models.until import Until
from trajbatt.states.steady_state import SteadyState

KINDS = {
    kind.__name__: kind
    for kind in (
        LadderModel,
        LocalLadderModel,
        BandedModel,
        HomodyneModel,
        DiffusiveModel,
        RampModel,
        Homodyne,
        Heterodyne,
        Channel,
        Protocol,
        Until,
        SteadyState,
    )
}
INFINITE = "inf"  # `beta` of oscillators: JSON has no such number
# What files from before do not say.
UNSAID = {"Channel": {"local": False, "photons": 1}, "BandedModel": {"thermal": 0.0}}


def plain(value):
    """Return a dataclass of `KINDS`, and all that it holds, as dicts and lists."""
    kind = "BandedModel" if isinstance(value, DrivenDicke) else type(value).__name__
    if kind in KINDS:
        held = {f.name: plain(getattr(value, f.name)) for f in fields(value) if f.init}
        unsaid = UNSAID.get(kind, {})
        held = {name: one for name, one in held.items() if (name, one) not in unsaid.items()}
        return {"kind": kind, **held, **_origin(value)}
    if isinstance(value, tuple(KINDS.values())):
        raise TypeError(
            f"`model` must be of a kind that can be written down to be stored or exported "
            f"({', '.join(KINDS)}), but is a {kind}"
        )
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    return INFINITE if value == math.inf else value


def rebuilt(value):
    """Undo `plain`; lists become tuples."""
    if isinstance(value, dict):
        known = {name: one for name, one in value.items() if name not in ("kind", "origin")}
        if known.get("beta") == INFINITE:
            known["beta"] = math.inf
        found = KINDS[value["kind"]](**{name: rebuilt(item) for name, item in known.items()})
        if "origin" in value:
            told = value["origin"]
            arguments = tuple(told["arguments"].items())
            found = found.made_by(Origin(Battery(**told["battery"]), told["verb"], arguments))
        return found
    if isinstance(value, list):
        return tuple(rebuilt(item) for item in value)
    return value


def _origin(model):
    """Return the `Origin` of a model, where its numbers do not tell it, in a dict."""
    origin = getattr(model, "origin", None)
    if origin is None or not origin.is_noisy:
        return {}
    told = {
        "battery": origin.battery.arguments(),
        "verb": origin.verb,
        "arguments": dict(origin.arguments),
    }
    return {"origin": told}
