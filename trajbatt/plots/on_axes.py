"""Single panels on the user's own axes: any results in, artists out."""

from numbers import Integral
from typing import TYPE_CHECKING, Protocol

import numpy as np

from trajbatt.base import checks
from trajbatt.base.types import ComplexArray, FloatArray
from trajbatt.models.model import Model
from trajbatt.models.swing import is_followed, swing_of
from trajbatt.plots import layout, panels, records
from trajbatt.plots.style import ENSEMBLE_COLOR, EXACT_COLOR, FILTER_COLOR, TRAJECTORY_COLOR

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

KINDS = "EnsembleResult", "MasterEquationResult", "Trajectory", "FilterResult"
COLORS = dict(
    zip(KINDS, (ENSEMBLE_COLOR, EXACT_COLOR, TRAJECTORY_COLOR, FILTER_COLOR), strict=True)
)
MOST_LEVELS = 200  # of a distribution that is drawn step by step


class Result(Protocol):
    """What all results have that are drawn."""

    @property
    def model(self) -> Model:
        """What the battery does."""

    @property
    def times(self) -> FloatArray:
        """The times (nt,)."""

    @property
    def energy(self) -> FloatArray:
        """The energy (nt,)."""

    @property
    def dipole(self) -> ComplexArray:
        """The bare dipole (nt,)."""


class WithDistribution(Result, Protocol):
    """A result that knows the distribution of the energy."""

    @property
    def energy_distribution(self) -> FloatArray:
        """Probabilities of the numbers of excited atoms, (nt, N+1)."""


def energy(*results: Result, ax: "Axes | None" = None) -> "list[Artist]":
    """Draw energies per atom: means of ensembles with Delta E, exact curves, single runs.

    Where the energy swings faster than the times of a result follow, its two sides are drawn.

    Parameters
    ----------
    *results : EnsembleResult, MasterEquationResult, Trajectory or FilterResult
    ax : matplotlib Axes, optional
        New ones by default.

    Returns
    -------
    list of Artist

    Raises
    ------
    TypeError
        If one is no such result.
    """
    ax, artists, named = _axes(results, ax), [], set()
    for one in results:
        kind = _kind(one)
        label = None if kind in named else _label(one, kind)
        named.add(kind)
        if not is_followed(one.model, one.times):
            swing = swing_of(one.model, one.times, one.energy, one.dipole)
            look = {"color": COLORS[kind], "lw": 1.0}
            artists += panels.draw_sides(ax, swing, one.model.n_atoms, label, **look)
        elif kind == "EnsembleResult":
            artists += panels.draw_mean_energy(ax, one)
        elif kind == "MasterEquationResult":
            artists += panels.draw_exact_energy(ax, one)
        elif kind == "Trajectory":
            artists += panels.draw_single_energy(ax, one, label)
        else:
            artists += panels.draw_filtered_energy(ax, one, label)
    ax.set_ylabel(r"energy per atom ($\hbar\omega_0$)")
    _label_time(ax, results)
    return artists


def counts(*results: Result, ax: "Axes | None" = None) -> "list[Artist]":
    """Draw mean photon counts: ensembles as marks, exact curves as lines.

    Parameters
    ----------
    *results : EnsembleResult or MasterEquationResult
    ax : matplotlib Axes, optional
        New ones by default.

    Returns
    -------
    list of Artist

    Raises
    ------
    TypeError
        If one is no such result.
    """
    ax, artists = _axes(results, ax), []
    kinds = [_kind(one, KINDS[:2]) for one in results]
    for one, kind in zip(results, kinds, strict=True):
        is_exact = kind == "MasterEquationResult"
        drawn = panels.draw_counts(ax, *((None, one) if is_exact else (one, None)))
        if is_exact and "EnsembleResult" in kinds:  # whose marks have the names
            for line in drawn:
                line.set_label(None)
        artists += drawn
    _label_time(ax, results)
    return artists


def clicks(run: Result, ax: "Axes | None" = None) -> "list[Artist]":
    """Draw the clicks of a `Trajectory` or a `FilterResult`, one line per channel.

    Parameters
    ----------
    run : Trajectory or FilterResult
    ax : matplotlib Axes, optional
        New ones by default.

    Returns
    -------
    list of Artist

    Raises
    ------
    TypeError
        If one is no such result.
    """
    ax = _axes((run,), ax)
    is_single = _kind(run, KINDS[2:]) == "Trajectory"
    artists = (records.draw_clicks if is_single else records.draw_seen)(ax, run)
    _label_time(ax, (run,))
    return artists


def energy_distribution(
    *results: WithDistribution, index: int = -1, ax: "Axes | None" = None
) -> "list[Artist]":
    """Draw the probabilities of the numbers of excited atoms at one of the times.

    Parameters
    ----------
    index : int
        Of the time, the last by default.
    *results : EnsembleResult, MasterEquationResult, Trajectory or FilterResult
        Ensembles with two standard errors. Trajectories must have kept their states.
    ax : matplotlib Axes, optional
        New ones by default.

    Returns
    -------
    list of Artist

    Raises
    ------
    TypeError, ValueError
        If one is no such result, or there is no such time.
    """
    ax = _axes(results, ax)
    artists: list[Artist] = []
    shortest = min(one.times.size for one in results)
    if isinstance(index, bool) or not isinstance(index, Integral):
        raise TypeError(f"`index` must be an integer, but is {checks.shown(index)}")
    if not -shortest <= index < shortest:
        raise ValueError(f"`index` must be of one of {shortest} times, but is {index}")
    for one in results:
        kind = _kind(one)
        look = {"color": COLORS[kind], "label": _label(one, kind)}
        p = one.energy_distribution[index]
        k = np.arange(p.size)
        if kind == "EnsembleResult":
            shown = k[:: max(1, -(-p.size // MOST_LEVELS))]
            sem = 2.0 * getattr(one, "energy_distribution_sem")[index][shown]  # noqa: B009
            artists += ax.errorbar(shown, p[shown], sem, ls="", marker=".", **look).get_children()
        else:
            artists += ax.plot(k, p, drawstyle="steps-mid", lw=1.2, **look)
        ax.set_title(f"$t = {one.times[index]:.4g}$", fontsize=10)
    ax.set_xlabel("excited atoms")
    ax.set_ylabel("probability")
    ax.set_ylim(bottom=0.0)
    return artists


def _axes(results, ax):
    if not results:
        raise TypeError("`results` must be one result at least, but there is none")
    for one in results:
        _kind(one)
    if ax is not None:
        if not hasattr(ax, "plot"):
            raise TypeError(f"`ax` must be axes of matplotlib, but is {checks.shown(ax)}")
        return ax
    from matplotlib import pyplot

    return pyplot.subplots()[1]


def _kind(result, kinds=KINDS):
    """Return the kind of a result, one of `kinds`."""
    kind = type(result).__name__
    if kind not in kinds:
        raise TypeError(f"a picture must be of {' or '.join(kinds)}, not {kind}")
    return kind


def _label(result, kind):
    return {
        "EnsembleResult": lambda: f"mean of {result.ntraj:,} trajectories",
        "MasterEquationResult": lambda: "exact",
        "Trajectory": lambda: f"trajectory {result.index}",
        "FilterResult": lambda: "by its photons",
    }[kind]()


def _label_time(ax, results):
    last = max(results, key=lambda one: one.times[-1])
    layout.label_time(ax, last.times, layout.units(last.model)[0])
