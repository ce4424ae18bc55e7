"""A run as the command line presents it: headline, table, picture, numbers."""

import math

import numpy as np

from trajbatt.analysis.compare import NO_P_VALUE, compare
from trajbatt.commandline.console import plural, summary_table
from trajbatt.exact.mesolve import mesolve
from trajbatt.models.banded import BandedModel
from trajbatt.models.protocol import Protocol
from trajbatt.pictures import plots
from trajbatt.reports import summaries

UNJUDGED = "z –: too few trajectories, or too few photons, carry it"


def present(outputs, runs, exact, battery, trajectories, energies=None):
    """Print the table of a run, save its picture and write its numbers.

    Parameters
    ----------
    outputs : Outputs
    runs : EnsembleResult
    exact : MasterEquationResult
    battery : Battery
    trajectories : list of Trajectory
        For the picture; the clicks are those of the first.
    energies : ndarray (nc,), optional
        Of the photons of a charging, in units of hbar omega_0; each is one quantum by default.
    """
    verdict = compare(runs, exact)
    what, rows, title, figure = _views(runs, exact, verdict, battery, trajectories, energies)
    known = f"p = {verdict.p_value:.3g}: chance of a larger deviation from the exact solution"
    outputs.show(
        f"{what}: {plural(runs.ntraj, 'trajectory')}, seed {runs.seed}",
        summary_table(rows, title),
        *([UNJUDGED] if any(row.z is not None and math.isnan(row.z) for row in rows) else []),
        NO_P_VALUE if math.isnan(verdict.p_value) else known,
    )
    outputs.save_picture(figure)
    outputs.write_json(
        {
            "p_value": verdict.p_value,
            "summary": rows,
            "ensemble": runs,
            "exact": exact,
            "z": verdict,
        }
    )


def _views(runs, exact, verdict, battery, trajectories, energies):
    """Return what a run is, the rows of its table, their title and its picture."""
    model, times = runs.model, runs.times
    atoms, end = plural(model.n_atoms, "atom"), f"to t = {times[-1]:.6g}"
    if isinstance(model, Protocol):
        lasting = ", ".join(f"{one.name} for {length:.6g}" for one, length in model.steps)
        return (
            f"{atoms}: {lasting}\n{end}",
            summaries.protocol_summary(runs, exact, verdict),
            "stage by stage",
            plots.protocol_figure(runs, exact, battery, trajectories),
        )
    if model.name == "charge":
        full = isinstance(model, BandedModel)
        energies = np.ones(len(runs.channels)) if energies is None else energies
        secular = mesolve(battery.charge(), times) if full else None
        return (
            f"Charging {atoms}{' by Eq. (5)' if full else ''} {end}",
            summaries.charging_summary(runs, exact, verdict, energies),
            "at the end",
            plots.charging_figure(runs, exact, battery, trajectories, secular),
        )
    return (
        f"Discharging {atoms} {end}",
        summaries.discharge_summary(runs, exact, verdict),
        "discharge",
        plots.discharge_figure(runs, exact, battery, trajectories),
    )
