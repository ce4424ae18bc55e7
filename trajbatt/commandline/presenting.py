"""A run as the command line presents it: headline, table, picture, numbers."""

import math

from trajbatt.analysis.compare import NO_P_VALUE, compare
from trajbatt.commandline.console import plural, summary_table
from trajbatt.exact.envelope import envelope
from trajbatt.exact.mesolve import mesolve
from trajbatt.models.recognised import battery_of
from trajbatt.plots.layout import TITLE, doing
from trajbatt.plots.runs import run_figure
from trajbatt.reports import summaries

UNJUDGED = "z –: too few trajectories, or too few photons, carry it"


def present(outputs, runs, exact, trajectories, energies=None):
    """Print the table of a run, save its picture and write its numbers.

    Parameters
    ----------
    outputs : Outputs
    runs : EnsembleResult
    exact : MasterEquationResult
    trajectories : list of Trajectory
        For the picture; the clicks are those of the first.
    energies : ndarray (nc,), optional
        Of the photons of a charging, in units of hbar omega_0; each is one quantum by default.

    Raises
    ------
    KeyboardInterrupt
        In the end, if Ctrl-C had ended the run: then all this is of a part of it, and says so.
    """
    interrupted = runs.ended == "interrupted"
    if interrupted:
        wanted = outputs.provenance["parameters"]["ntraj"]
        outputs = outputs.of_part(runs.ntraj)
        partial = f"interrupted: {runs.ntraj} of {wanted} trajectories"
    verdict = compare(runs, exact)
    title, rows = summaries.summarise(runs, exact, verdict, energies)
    figure = run_figure(runs, exact, trajectories, _secular(runs), envelope(exact))
    if interrupted:
        figure.suptitle(f"{figure.get_suptitle()}\n({partial})", **TITLE)
    known = f"p = {verdict.p_value:.3g}: chance of a larger deviation from the exact solution"
    outputs.show(
        f"{_heading(runs)}: {plural(runs.ntraj, 'trajectory')}, seed {runs.seed}",
        *([partial] if interrupted else []),
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
    if interrupted:
        raise KeyboardInterrupt


def present_alone(outputs, runs, trajectory):
    """Print the table of a run that has no exact twin, draw one trajectory, write the numbers.

    Parameters
    ----------
    outputs : Outputs
    runs : EnsembleResult
    trajectory : Trajectory
    """
    title, rows = summaries.alone(runs)
    outputs.show(
        f"{_heading(runs)}: {plural(runs.ntraj, 'trajectory')}, seed {runs.seed}",
        summary_table(rows, title),
        "no exact solution: stages end by what is seen in a way that has none",
    )
    outputs.save_picture(trajectory.plot())
    outputs.write_json({"summary": rows, "ensemble": runs})


def _heading(runs):
    """Return what a run is: what was done, with how many atoms, until when."""
    model, end = runs.model, f"to t = {runs.times[-1]:.6g}"
    atoms = plural(model.n_atoms, "atom")
    if model.is_staged:
        lasting = ", ".join(
            f"{stage.model.name} for {stage.duration:.6g}"
            if stage.rule is None
            else f"{stage.model.name} until {stage.rule.words}"
            for stage in model.latest_stages()
        )
        return f"{atoms}: {lasting}\n{end}"
    before, after = doing(model)
    return f"{before}{atoms}{after} {end}"


def _secular(runs):
    """Return the solution of Eq. (7) beside that of a plain Eq. (5), or None for other runs."""
    model = runs.model
    battery = battery_of(model)
    if model.is_staged or model.has_lines or battery is None:
        return None
    return mesolve(battery.charge(), runs.times, runs.initial)
