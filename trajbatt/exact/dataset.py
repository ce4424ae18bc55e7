"""A solution of the master equation as a dataset."""

import json

from trajbatt.base.datasets import variable
from trajbatt.states.json_form import plain
from trajbatt.states.variables import common_variables, described_dataset


def exact_dataset(exact):
    """Return a `MasterEquationResult` as an `xarray.Dataset`."""
    variables = common_variables(exact)
    if exact.states is not None:
        blocks = () if exact.states.ndim == 3 else ("spin",)
        for part in ("real", "imag"):
            variables[f"states_{part}"] = variable(
                ("time", *blocks, "row", "column"),
                getattr(exact.states, part),
                f"{part} part of the bare density matrix in the pump frame, "
                "index = number of excited atoms",
            )
    return described_dataset(
        exact,
        variables,
        kind="solution of the master equation",
        model=json.dumps(plain(exact.model)),
        rtol=exact.rtol,
    )
