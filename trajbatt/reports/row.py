"""A line of a table: an estimate beside its exact value."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One line of a summary.

    Attributes
    ----------
    name : str
        As JSON names it.
    label : str
        As a table shows it.
    ensemble, sem : float
        The estimate and its standard error.
    exact : float or None
        Its exact value; None where the master equation knows none.
    z : float or None
        Their difference in standard errors, if it is about normal; nan where too few trajectories
        carry it. Of photons, the standard error is that of the exact law.
    """

    name: str
    label: str
    ensemble: float
    sem: float
    exact: float | None
    z: float | None
