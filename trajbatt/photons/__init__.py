"""Statistics of clicks, with standard errors; `trajbatt.counting` has the exact twin of each."""

from trajbatt.photons.arrival import arrival, arrivals
from trajbatt.photons.bursts import Burst, burst
from trajbatt.photons.correlations import g2, g2_matrix
from trajbatt.photons.currents import intensity, photocurrent
from trajbatt.photons.distributions import distribution, joint_distribution
from trajbatt.photons.estimate import Estimate
from trajbatt.photons.moments import factorial_moments, fano, mean, variance
from trajbatt.photons.numbers import counts
from trajbatt.photons.waiting import first_click, next_channel, waiting_time

__all__ = [
    "Burst",
    "Estimate",
    "arrival",
    "arrivals",
    "burst",
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
