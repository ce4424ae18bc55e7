"""Files of clicks that a command is given: their clicks, and the battery that they come from."""

import math
import os

OPTIONS = ("n_atoms", "theta", "ratio", "gamma_0", "omega_p")
SAME = 1e-9  # relative; a file may have been through a spreadsheet


def read_clicks(path, channels=None):
    """Return the `Clicks` of a CSV or a Photon-HDF5 file.

    Parameters
    ----------
    path : str
    channels : str or None
        As the option has it; see `numbered_names`.

    Raises
    ------
    ValueError, TypeError
        With one sentence that names the file.
    """
    from trajbatt import exchange
    from trajbatt.exchange.photon_hdf5_reading import is_hdf5

    names = None if channels is None else numbered_names(channels)
    read = exchange.read_photon_hdf5 if is_hdf5(path) else exchange.read_csv
    return _reading(path, lambda: read(path, channels=names))


def numbered_names(text):
    """Return the names of channels in an option: red,blue as a list, 1=red,2=blue as a dict.

    Raises
    ------
    ValueError
        If some have a number and some have none, or one is there twice.
    """
    words = [word.strip() for word in text.split(",")]
    if not any("=" in word for word in words):
        return words
    pairs = [[part.strip() for part in word.split("=", 1)] for word in words]
    if any(len(pair) < 2 or not (pair[0].isascii() and pair[0].isdecimal()) for pair in pairs):
        raise ValueError(
            f"`channels` must be names, such as red,blue, or numbers with names, such as "
            f"1=red,2=blue, but is {text!r}"
        )
    found = {int(number): name for number, name in pairs}
    if len(found) < len(pairs):
        raise ValueError(f"`channels` must give each number one name, but is {text!r}")
    return found


def model_of_file(path, given, full, discharge):
    """Return the battery's model that the clicks of a file come from, and how it was made.

    A file of `trajbatt export` says so, and options must not contradict it; of another one, the
    options must say it all.

    Parameters
    ----------
    path : str
    given : dict of str to float or None
        The `OPTIONS`, None for one that was not given.
    full, discharge : bool

    Returns
    -------
    Battery
    Model

    Raises
    ------
    ValueError
        If the file and the options contradict each other, or do not say it, or it is of no battery
        that just charges or discharges.
    """
    from trajbatt.commandline import options
    from trajbatt.exchange import about
    from trajbatt.models.recognised import battery_of

    said = _reading(path, lambda: about.read_about(path))
    model = about.model_of(said, path)
    if model is not None:
        battery, way = battery_of(model), said[about.MADE_BY]
        _check_same(path, given, _as_options(battery))
        for name, is_given, means in (
            ("full", full, about.FULL),
            ("discharge", discharge, "discharge"),
        ):
            if is_given and way != means:
                raise ValueError(f"`{name}` must be left out, because {path} is of {way!r}")
        if said.get("initial", "default") != "default":
            raise ValueError(
                f"{path} must be of a run with the initial state of its model, but is of another "
                "one: tb.filter(..., initial=...) takes it"
            )
        return battery, model
    if {"model", "initial"} <= set(said):  # of `trajbatt export`
        raise ValueError(
            f"{path} must be of a charging or a discharge of a battery, but is of "
            f"{said['model']!r}: tb.filter takes any model"
        )
    if full:  # of one rate
        given = {"ratio": 1.0, "gamma_0": 1.0} | {
            name: value for name, value in given.items() if value is not None
        }
    missing = [name for name in OPTIONS if given.get(name) is None]
    if missing:
        *words, last = (f"--{name.replace('_', '-')}" for name in missing)
        listed = f"{', '.join(words)} and {last}" if words else last
        raise ValueError(f"{path} does not say which battery its photons come from: give {listed}")
    battery = options.make_battery(*(given[name] for name in OPTIONS))
    return battery, battery.discharge() if discharge else battery.charge(secular=not full)


def _check_same(path, given, said):
    for name, value in said.items():
        mine = given[name]
        if mine is not None and not math.isclose(mine, value, rel_tol=SAME, abs_tol=1e-15):
            raise ValueError(
                f"`{name}` must be {value:.12g}, as {path} says, or be left out, but is {mine:.12g}"
            )


def _as_options(battery):
    """Return what the `OPTIONS` are for a battery, in units of gamma_minus."""
    unit = battery.gamma_minus
    in_unit = [
        value / unit if unit else math.inf
        for value in (battery.gamma_plus, battery.gamma_0, battery.omega_p)
    ]
    return dict(zip(OPTIONS, (battery.n_atoms, battery.theta, *in_unit), strict=True))


def _reading(path, read):
    try:
        return read()
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else error
        raise ValueError(f"cannot read {path}: {reason}") from None
