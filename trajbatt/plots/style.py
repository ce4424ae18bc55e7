"""Colours and marks, the same in all pictures.

Photons keep one colour and one mark everywhere: red, center and blue in vermilion, green and blue
of a palette that colour-blind readers can tell apart, unresolved ones in grey, those of a discharge
in yellow. Channels of other names take theirs from a cycle, by their place in the model.
"""

import io
from typing import NamedTuple

CHANNEL_COLORS = {
    "red": "#d55e00",
    "center": "#009e73",
    "blue": "#0072b2",
    "all": "#555555",
    "dis": "#c99700",
    "total": "#222222",
}
CHANNEL_MARKS = {"red": "^", "center": "o", "blue": "v", "all": "s", "dis": "D", "total": "x"}
# None of the colours above nor below; lengths without a common factor, so that a pair comes back
# after 42 channels only.
OTHER_COLORS = ("#332288", "#44aa99", "#aa4466", "#88aadd", "#999933", "#661100")
OTHER_MARKS = ("<", "P", "h", ">", "X", "p", "*")
HOLLOW = "red"  # told from blue by the shade of its marks, too
EXACT_COLOR = "black"
ENSEMBLE_COLOR = "#cc3377"
TRAJECTORY_COLOR = "#7777aa"
FILTER_COLOR = "#4477aa"
ASYMPTOTIC_COLOR = "#e69f00"
SECULAR_COLOR = "#0072b2"
STAGE_COLORS = {"charge": "#fff3d6", "store": "#eeeeee", "discharge": "#e2eefc"}
NOTE_COLOR = "#777777"
NOTE = {"ha": "center", "va": "center", "fontsize": 9, "color": NOTE_COLOR}
DASHED = (0, (4, 2))


class ChannelStyle(NamedTuple):
    """How the photons of one channel are drawn.

    Attributes
    ----------
    color, mark, face : str
        `face` fills the mark.
    """

    color: str
    mark: str
    face: str


def channel_style(name, channels):
    """Return the `ChannelStyle` of one of `channels`, the names of all channels of the picture."""
    if name in CHANNEL_COLORS:
        color = CHANNEL_COLORS[name]
        return ChannelStyle(color, CHANNEL_MARKS[name], "white" if name == HOLLOW else color)
    place = list(channels).index(name)
    color = OTHER_COLORS[place % len(OTHER_COLORS)]
    return ChannelStyle(color, OTHER_MARKS[place % len(OTHER_MARKS)], color)


def stage_color(model):
    """Return the shade of a stage by what its model does: emit from the bare dipole, or not."""
    if not model.channel_names:
        return STAGE_COLORS["store"]
    return STAGE_COLORS["discharge" if model.is_discharge else "charge"]


def plain_text(name):
    """Return a name that a user gave, as matplotlib shows it letter by letter.

    A dollar would begin a formula, and a legend leaves out what begins with an underscore.
    """
    text = name.replace("$", r"\$")
    return rf"$\_${text[1:]}" if text.startswith("_") else text


def as_bytes(figure, kind="png"):
    """Return a figure as the bytes of a file of a `kind` that matplotlib writes, such as pdf."""
    buffer = io.BytesIO()
    undated = {"pdf": {"CreationDate": None}, "svg": {"Date": None}}
    figure.savefig(buffer, format=kind, metadata=undated.get(kind))
    return buffer.getvalue()
