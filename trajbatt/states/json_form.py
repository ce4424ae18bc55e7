"""Models, protocols and steady states as JSON has them, and back."""

from dataclasses import fields

from trajbatt.models.banded import BandedModel
from trajbatt.models.channel import Channel
from trajbatt.models.ladder import LadderModel
from trajbatt.models.protocol import Protocol
from trajbatt.states.steady_state import SteadyState

KINDS = {kind.__name__: kind for kind in (LadderModel, BandedModel, Channel, Protocol, SteadyState)}


def plain(value):
    """Return a dataclass of `KINDS`, and all that it holds, as dicts and lists."""
    kind = type(value).__name__
    if kind in KINDS:
        held = {f.name: plain(getattr(value, f.name)) for f in fields(value) if f.init}
        return {"kind": kind, **held}
    if isinstance(value, tuple(KINDS.values())):
        raise TypeError(
            f"`model` must be of a kind that can be written down to be stored or exported "
            f"({', '.join(KINDS)}), but is a {kind}"
        )
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    return value


def rebuilt(value):
    """Undo `plain`; lists become tuples."""
    if isinstance(value, dict):
        held = {name: rebuilt(item) for name, item in value.items() if name != "kind"}
        return KINDS[value["kind"]](**held)
    if isinstance(value, list):
        return tuple(rebuilt(item) for item in value)
    return value
