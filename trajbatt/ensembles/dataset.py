"""An ensemble as datasets: one for each kind of table, since they share no dimension.

Together in one dataset, their table would have a row for every time of every click.
"""

import json

import numpy as np

from trajbatt.base.datasets import variable
from trajbatt.states.variables import common_variables, described_dataset


def averages(runs, identity):
    """Return the averages of an `EnsembleResult` at its times as an `xarray.Dataset`.

    `identity` says what run it is.
    """
    variables = common_variables(runs)
    for name in variables.copy():
        if name.endswith(("_real", "_imag")):
            sem = runs.dipole_sem.real if name.endswith("_real") else runs.dipole_sem.imag
            variables[f"{name}_sem"] = variable("time", sem, f"standard error of {name}")
    variables["counts_sem"] = variable(
        ("channel", "time"), runs.counts_sem, "standard error of counts"
    )
    return _described(runs, variables, identity, "ensemble of quantum trajectories")


def of_trajectories(runs, identity):
    """Return what is known of each trajectory as an `xarray.Dataset`.

    That is its photons, `final_counts`, and the samples that were kept, `sample_NAME`.
    """
    variables = {
        "final_counts": variable(
            ("trajectory", "channel"), runs.final_counts, "photons of each trajectory"
        )
    }
    for name, array in (runs.samples or {}).items():
        middle = ("channel",) if array.ndim == 3 else ()
        parts = {"": array}
        if np.iscomplexobj(array):
            parts = {"_real": array.real, "_imag": array.imag}
        for part, values in parts.items():
            variables[f"sample_{name}{part}"] = variable(
                ("trajectory", *middle, "time"), values, f"{name}{part} of each trajectory"
            )
    return _described(runs, variables, identity, "photons of single quantum trajectories")


def of_clicks(runs, identity):
    """Return the clicks as an `xarray.Dataset` of one dimension, sorted by trajectory, then time.

    Raises
    ------
    ValueError
        If they were not kept.
    """
    if runs.clicks is None:
        raise ValueError("the run must have kept its clicks (keep_clicks=True), but has not")
    names = np.array(runs.channels, dtype=str)
    variables = {
        "click_trajectory": variable(
            "click", runs.clicks.trajectory, "index of the trajectory of a click"
        ),
        "click_time": variable("click", runs.clicks.time, "time of a click, in units of 1/rate"),
        "click_channel": variable("click", runs.clicks.channel, "index of the channel of a click"),
    }
    if runs.clicks.spin is not None:
        variables["click_spin"] = variable("click", runs.clicks.spin, "2J after a click")
    meanings = " ".join(name.replace(" ", "_") for name in names)
    attributes = {"flag_values": np.arange(names.size, dtype=np.int8), "flag_meanings": meanings}
    if names.size:
        variables["click_channel"][2].update(attributes)
    return _described(runs, variables, identity, "clicks of single quantum trajectories")


def _described(runs, variables, identity, kind):
    return described_dataset(
        runs,
        variables,
        kind=kind,
        run=json.dumps(identity),
        seed=str(runs.seed),  # up to 128 bits
        ntraj=runs.ntraj,
        method=runs.plan.method,
        ended=runs.ended,
    )
