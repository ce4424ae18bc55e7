"""An ensemble as a dataset.

Clicks are a contiguous ragged array of the CF conventions: `row_size` tells how many each
trajectory has.
"""

import json

import numpy as np

from trajbatt.base.datasets import variable
from trajbatt.states.variables import common_variables, described_dataset


def ensemble_dataset(runs, identity):
    """Return an `EnsembleResult` as an `xarray.Dataset`; `identity` says what run it is."""
    variables = common_variables(runs)
    for name in variables.copy():
        if name.endswith(("_real", "_imag")):
            sem = runs.dipole_sem.real if name.endswith("_real") else runs.dipole_sem.imag
            variables[f"{name}_sem"] = variable("time", sem, "standard error", "1")
    variables["counts_sem"] = variable(
        ("channel", "time"), runs.counts_sem, "standard error of counts", "1"
    )
    variables["final_counts"] = variable(
        ("trajectory", "channel"), runs.final_counts, "photons of each trajectory", "1"
    )
    if runs.clicks is not None:
        row_size = np.bincount(runs.clicks.trajectory, minlength=runs.ntraj)
        variables["row_size"] = (
            "trajectory",
            row_size,
            {"long_name": "clicks of each trajectory", "sample_dimension": "click"},
        )
        variables["click_time"] = variable("click", runs.clicks.time, "time of a click", "1/rate")
        variables["click_channel"] = variable(
            "click", runs.clicks.channel, "index of its channel", "1"
        )
    return described_dataset(
        runs,
        variables,
        kind="ensemble of quantum trajectories",
        run=json.dumps(identity),
        seed=str(runs.seed),  # up to 128 bits
        ntraj=runs.ntraj,
        method=runs.plan.method,
        ended=runs.ended,
    )
