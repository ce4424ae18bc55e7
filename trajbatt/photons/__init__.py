"""Statistics of clicks, with standard errors; `trajbatt.counting` has the exact twin of each."""

from trajbatt.photons.correlations import g2, g2_matrix
from trajbatt.photons.currents import intensity, photocurrent
from trajbatt.photons.estimate import Estimate
from trajbatt.photons.numbers import (
    counts,
    distribution,
    factorial_moments,
    fano,
    joint_distribution,
    mean,
    variance,
)
from trajbatt.photons.waiting import first_click, next_channel, waiting_time

__all__ = [
    "Estimate",
    "counts",
    "distribution",
    "factorial_moments",
    "fano",
    "first_click",
    "g2",
    "g2_matrix",
    "intensity",
    "joint_distribution",
    "mean",
    "next_channel",
    "photocurrent",
    "variance",
    "waiting_time",
]
