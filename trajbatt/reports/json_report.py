"""Results as a machine reads them, and what is needed to repeat a run."""

import math
from dataclasses import fields, is_dataclass

import numpy as np

from trajbatt.base.version import __version__
from trajbatt.ensembles.result import EnsembleResult
from trajbatt.exact.result import MasterEquationResult
from trajbatt.states.json_form import plain


def as_json(value):
    """Return `value` as JSON has it: complex numbers as [re, im], nan and inf as null.

    Of a result dataclass, the attributes that its users read (the coherent energy, which takes new
    runs, only if somebody has asked for it); of arrays, nested lists.
    """
    if isinstance(value, EnsembleResult):
        names = (
            "times channels ntraj seed energy energy_sem energy_variance energy_variance_sem "
            "quantum_variance trajectory_variance dipole dipole_sem counts counts_sem "
            "counts_covariance"
        )
        if value.knows_coherent_energy and value.coherent_energy is not None:
            names += " coherent_energy coherent_energy_sem coherent_fraction coherent_fraction_sem"
        return {name: as_json(getattr(value, name)) for name in names.split()}
    if isinstance(value, MasterEquationResult):
        names = "times channels energy energy_variance dipole counts counts_covariance"
        if value.knows_coherent_energy and value.coherent_energy is not None:
            names += " coherent_energy coherent_fraction"
        return {name: as_json(getattr(value, name)) for name in names.split()}
    if is_dataclass(value):
        shown = (f.name for f in fields(value) if f.compare)  # else it follows from the rest
        return {name: as_json(getattr(value, name)) for name in shown}
    if isinstance(value, np.ndarray):
        if np.iscomplexobj(value):
            value = np.stack((value.real, value.imag), axis=-1)
        return as_json(value.tolist())
    if isinstance(value, dict):
        return {name: as_json(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [as_json(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, complex):
        return [as_json(value.real), as_json(value.imag)]
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    return value


def provenance(command, battery, model=None, **parameters):
    """Return what is needed to repeat a run, for JSON.

    Parameters
    ----------
    command : str
    battery : Battery or None
        None where no battery makes the model.
    model : Model, optional
        Stands for the battery then.
    **parameters
        As JSON has them.
    """
    about = {"model": plain(model)} if battery is None else battery.arguments()
    return {
        "command": command,
        "version": __version__,
        "parameters": {**about, **parameters},
    }
