"""What a file of clicks says of the battery that they come from."""

from trajbatt.base.checks import shown
from trajbatt.base.types import PathLike
from trajbatt.exchange.csv_files import OWN
from trajbatt.exchange.csv_table import head_of
from trajbatt.exchange.photon_hdf5_reading import about_in_hdf5, is_hdf5
from trajbatt.models.battery import Battery
from trajbatt.models.model import Model
from trajbatt.models.origin import NOISE, OF_VERBS
from trajbatt.models.recognised import battery_of
from trajbatt.states.initial import Initial

MADE_BY, FULL = "made_by", "charge, full"
# How a battery makes a model, and the arguments of that.
WAYS = {
    "charge": (lambda battery: battery.charge(), ()),
    FULL: (lambda battery: battery.charge(secular=False), ()),
    "store": (Battery.store, OF_VERBS),
    "discharge": (Battery.discharge, ("gamma", *OF_VERBS)),
}


def about_model(model: Model, initial: Initial | None = None) -> dict[str, str | int | float]:
    """Return what a file is to say of a model, a flat dict of str to str, int or float.

    Parameters
    ----------
    model : Model
    initial : optional
        The initial state; None for that of the model.

    Returns
    -------
    dict
        `model`, its name; `n_atoms`; all parameters, by their names; of a battery's own model
        `made_by`, one of `WAYS`; of a protocol its `stages`; `initial`, "default" or "other".
    """
    parts = [stage.model for stage in model.latest_stages()]
    about = {"model": _plain(model.name), "n_atoms": model.n_atoms}
    if not model.is_staged and way_of(model) is not None:
        about[MADE_BY] = way_of(model)
    if model.is_staged:
        stages = (f"{_plain(one.name)} {time!r}" for one, time in model.steps)  # type: ignore[attr-defined]
        about["stages"] = "; ".join(stages)
    if all(way_of(part) and battery_of(part) == battery_of(parts[0]) for part in parts):
        about |= parts[0].battery_parameters
    parameters = model.parameters(alone=False).items()
    about |= {_plain(name): value for name, value in parameters}
    if MADE_BY in about:
        origin = getattr(model, "origin", None)
        if origin is not None and origin.is_noisy:
            about |= dict(origin.arguments)  # what is zero, too
    return about | {"initial": "default" if initial is None else "other"}


def way_of(model):
    """Return by which of `WAYS` a battery makes a plain model, or None."""
    origin = getattr(model, "origin", None)
    if origin is not None:
        return origin.verb
    try:
        return FULL if model == battery_of(model).charge(secular=False) else None
    except (ValueError, AttributeError):  # of several rates, or of no battery
        return None


def read_about(path: PathLike) -> dict[str, str | int | float]:
    """Return what a file says of its clicks, a dict of str to str, int or float, empty for nothing.

    Of a text file it is the lines "# name: value" of the head that are not read as clicks; of a
    Photon-HDF5 file, the group user/trajbatt. `trajbatt export` writes `about_model`.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    dict

    Raises
    ------
    ValueError
        If it is no such file.
    OSError
        If it cannot be read.
    """
    if is_hdf5(path):
        return about_in_hdf5(path)
    return {name: _value(text) for name, text in head_of(path).items() if name not in OWN}


def model_of(about, path):
    """Return the model that a file says its clicks come from; None if it says nothing of it.

    Parameters
    ----------
    about : dict
        Of `read_about`.
    path : str or Path
        For messages.

    Raises
    ------
    ValueError
        If it says something else, such as parameters that are no numbers.
    """
    names = ("n_atoms", "theta", "omega_p", "gamma_0", "gamma_plus", "gamma_minus")
    if MADE_BY not in about:
        return None
    for name in names:
        if name not in about:
            raise ValueError(f"{path} must say {name!r} of its battery, but does not")
    for name in (*names, *NOISE, "gamma", *OF_VERBS):
        if name in about and isinstance(about[name], str):
            raise ValueError(
                f"{path} must have a number for {name!r}, but has {shown(about[name])}"
            )
    if about[MADE_BY] not in WAYS:
        raise ValueError(
            f"{path} must have a model made by {', '.join(WAYS)}, but has {shown(about[MADE_BY])}"
        )
    made, arguments = WAYS[about[MADE_BY]]
    # What the battery calls dephasing is an argument of some ways.
    own = [name for name in (*names, *NOISE) if name in about and name not in arguments]
    battery = Battery(**{name: about[name] for name in own})
    return made(battery, **{name: about[name] for name in arguments if name in about})


def _plain(name):
    """Return a name of the user's as a line of text and a path in a file can keep it."""
    kept = (c if c.isprintable() and c not in ":/" else "_" for c in " ".join(name.split()))
    return "".join(kept).strip(" ,.") or "_"


def _value(text):
    for kind in (int, float):
        try:
            if "_" not in text:
                return kind(text)
        except ValueError:
            pass
    return text
