"""The exact twin of every click statistic: photon numbers, waiting times, correlations."""

from trajbatt.counting.arrival import arrival
from trajbatt.counting.bursts import Burst, burst
from trajbatt.counting.correlations import correlation, g2, g2_matrix
from trajbatt.counting.currents import intensity, photocurrent
from trajbatt.counting.distributions import distribution, joint_distribution
from trajbatt.counting.homodyne import current_correlation, homodyne_current
from trajbatt.counting.moments import factorial_moments, fano
from trajbatt.counting.rates import CountRates, rates
from trajbatt.counting.spectra import g1, spectrum
from trajbatt.counting.waiting import (
    first_channels,
    first_click,
    next_channel,
    survival,
    waiting_time,
)

__all__ = [
    "Burst",
    "CountRates",
    "arrival",
    "burst",
    "correlation",
    "current_correlation",
    "distribution",
    "factorial_moments",
    "fano",
    "first_channels",
    "first_click",
    "g1",
    "g2",
    "g2_matrix",
    "homodyne_current",
    "intensity",
    "joint_distribution",
    "next_channel",
    "photocurrent",
    "rates",
    "spectrum",
    "survival",
    "waiting_time",
]
