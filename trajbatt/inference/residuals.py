r"""Whether a model describes its records: waiting times on the clock of the expected clicks.

If clicks come at the rate lambda(t) that the model expects, given all before, then the integrals of
lambda between them are independent and exponential with the mean 1, whatever the model (time
rescaling: Brown et al., Neural Computation 14, 325 (2002)). Between clicks that integral is what
the logarithm of the record's probability density loses. Records are taken one after the other, so
that a wait that ends with its record goes on in the next one.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from trajbatt.base.cards import Card
from trajbatt.base.types import FloatArray, PerChannel
from trajbatt.inference.following import follow, prior
from trajbatt.inference.seen import meant, seen_of
from trajbatt.light.detectors import Detectors
from trajbatt.models.battery import Battery
from trajbatt.models.model import Model
from trajbatt.states.initial import Initial

FEWEST = 5  # waits that a p-value is given of


@dataclass(frozen=True, eq=False, repr=False)
class Residuals(Card):
    """Waiting times on the clock of the expected clicks.

    Attributes
    ----------
    model : Model
    waits : ndarray (n_clicks,), float64
        Exponential with the mean 1 under the model, and independent.
    expected : float
        How many clicks the model expected, given all before each.
    """

    model: Model
    waits: FloatArray
    expected: float

    @cached_property
    def p_value(self) -> float:
        """The probability of waits less exponential than these; nan of fewer than five.

        By Kolmogorov's and Smirnov's statistic. A model with parameters that were fitted to the
        same clicks comes out a little too well.
        """
        if self.waits.size < FEWEST:
            return np.nan
        from scipy.stats import kstest

        return float(kstest(self.waits, "expon").pvalue)

    @property
    def z(self) -> float:
        """Clicks more than expected, over their standard deviation; nan if none was expected."""
        if self.expected <= 0.0:
            return np.nan
        return float((self.waits.size - self.expected) / np.sqrt(self.expected))

    def __repr__(self) -> str:
        """Return a card of four lines."""
        return (
            f"Residuals: {self.model.name}, N = {self.model.n_atoms}\n"
            f"  clicks    {self.waits.size}\n"
            f"  expected  {self.expected:.6g}\n"
            f"  p         {self.p_value:.3g}"
        )


def residuals(
    model: Battery | Model,
    clicks: object,
    efficiency: PerChannel = 1.0,
    initial: Initial | None = None,
    duration: float | None = None,
    dark_rate: PerChannel = 0.0,
    detectors: Detectors | None = None,
) -> Residuals:
    """Return how far records are from what a model expects: its goodness of fit.

    Parameters
    ----------
    model : Battery or Model
    clicks : object
    efficiency : float, array_like (nc,) or dict
    initial : optional
    duration : float, optional
    dark_rate : float, array_like (nc,) or dict
    detectors : Detectors, optional
        All as in `fit`; clicks, not currents.

    Returns
    -------
    Residuals

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range or of the wrong kind, or a record is impossible.
    """
    model = meant(model)
    seen = seen_of(model, clicks, efficiency, dark_rate, detectors, duration)
    if not model.has_clicks:
        raise ValueError("`model` must have clicks, but has homodyne currents")
    mixture, ends, total = prior(model, initial), [], 0.0
    for record in seen.records(model):
        clock = _clock(record, mixture)
        ends.append(total + clock[:-1])
        total += clock[-1]
    at = np.concatenate(ends)
    return Residuals(model, np.diff(at, prepend=0.0), float(total))


def _clock(record, mixture):
    """Return how many clicks were expected until each click, and until the end, (n_clicks+1,)."""
    end = float(record.times[-1])
    # Just before each click, and with it; several at the same time wait for nothing.
    before = np.maximum(np.nextafter(record.click_time, -np.inf), 0.0)
    times = np.unique(np.concatenate((before, record.click_time, [0.0, end])))
    moments = follow(replace(record, times=times), mixture)
    logs = np.array([moment.log_likelihood for moment in moments])
    is_quiet = np.isin(times[1:], before) | ~np.isin(times[1:], record.click_time)
    lost = np.where(is_quiet, -np.diff(logs), 0.0)
    expected = np.append(0.0, np.cumsum(lost))
    return np.append(expected[np.searchsorted(times, record.click_time)], expected[-1])
