r"""Bursts of light, as superradiance makes them: their peak and their delay, exactly.

The delay of one burst is the mean time of its photons. Over bursts, with n_i photons in bin i at
t_i and the constant D = sum_i t_i <n_i>/sum_i <n_i>, it scatters as S/<n>, S = sum_i (t_i - D) n_i:

    Var(S) = sum_ij (t_i - D)(t_j - D) (<n_i><n_j> (g2_ij - 1) + delta_ij <n_i>).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from trajbatt.base import checks
from trajbatt.counting.correlations import g2_matrix
from trajbatt.counting.currents import photocurrent
from trajbatt.light.checking import TOTAL
from trajbatt.models.model import Model, check_model
from trajbatt.states.initial import Initial


class Burst(NamedTuple):
    """Peak and delay of a burst.

    Attributes
    ----------
    peak_time : float
        Middle of the bin in which the mean rate is largest.
    peak_rate : float
        The mean rate there.
    delay : float
        The mean time of the photons.
    delay_deviation : float
        The standard deviation of the delay from burst to burst, to the leading order in that of
        the photon number.
    """

    peak_time: float
    peak_rate: float
    delay: float
    delay_deviation: float


def burst(model: Model, edges: ArrayLike, channel: str, initial: Initial | None = None) -> Burst:
    """Return the `Burst` of a channel's light, or of "total".

    Parameters
    ----------
    model : LadderModel, BandedModel or Protocol
    edges : array_like (n_bins + 1,)
        Strictly increasing edges of bins of time, which tell times as finely.
    channel : str
    initial : optional
        As in `mesolve`; for a superradiant burst `excited_state(n)`.

    Returns
    -------
    Burst
        nan where there is no light.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range or of the wrong kind.
    """
    check_model(model)
    edges = checks.edges("edges", edges)
    checks.choice("channel", channel, (*model.channel_names, TOTAL))
    rates = photocurrent(model, edges, initial)
    chosen = [channel in (name, TOTAL) for name in model.channel_names]
    rate = rates[chosen].sum(axis=0)
    widths, middles = np.diff(edges), (edges[1:] + edges[:-1]) / 2
    numbers = rate * widths
    total = numbers.sum()
    if total <= 0.0:
        return Burst(*[np.nan] * 4)
    delay = numbers @ middles / total
    pairs = np.nan_to_num(g2_matrix(model, edges, (channel, channel), initial) - 1.0)
    away = (middles - delay) * numbers
    variance = away @ pairs @ away + (middles - delay) ** 2 @ numbers
    peak = int(np.argmax(rate >= rate.max() * (1.0 - 1e-9)))  # the first, where rounding decides
    deviation = np.sqrt(max(variance, 0.0)) / total
    return Burst(float(middles[peak]), float(rate[peak]), float(delay), float(deviation))
