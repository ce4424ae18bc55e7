"""Inference: a battery's parameters from the clicks of its light, by maximum likelihood."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from trajbatt.base import checks
from trajbatt.base.cards import Card
from trajbatt.base.types import FloatArray, PerChannel
from trajbatt.inference.newton import inverse, polished
from trajbatt.inference.profile import profile_interval
from trajbatt.inference.scales import scales_of
from trajbatt.inference.search import least
from trajbatt.inference.seen import meant, seen_of
from trajbatt.light.detectors import Detectors
from trajbatt.models.battery import Battery
from trajbatt.models.model import Model
from trajbatt.states.initial import Initial

UNKNOWN = 10.0  # a standard error on these scales that says nothing


@dataclass(frozen=True, eq=False, repr=False)
class FitResult(Card):
    """The parameters under which the clicks are likeliest.

    Attributes
    ----------
    model : LadderModel, BandedModel or Protocol
        With these parameters.
    parameters : tuple of n str
    values : dict of str to float
    errors : dict of str to float
        Standard errors, from the curvature of the log-likelihood; nan if it has no maximum there.
    covariance : ndarray (n, n), float64
    log_likelihood : float
        At the maximum; see `FilterResult`.
    n_clicks, ntraj : int
    intervals : dict of str to (float, float)
        Profile intervals, see `trajbatt.inference.profile`, if a `level` was asked for; an end is
        that of the parameter's range, 0, inf or pi, where the likelihood is open.
    converged : bool
        Whether a maximum was found that the clicks decide.
    """

    model: Model
    parameters: tuple[str, ...]
    values: dict[str, float]
    errors: dict[str, float]
    covariance: FloatArray
    log_likelihood: float
    n_clicks: int
    ntraj: int
    converged: bool
    intervals: dict[str, tuple[float, float]] = field(default_factory=dict)

    @property
    def battery(self) -> Battery:
        """The `Battery` with these parameters."""
        return Battery.from_model(self.model)

    def _between(self, name):
        """Return the interval of a parameter in words, or nothing."""
        if name not in self.intervals:
            return ""
        low, high = self.intervals[name]
        return f" ({low:.4g} to {high:.4g})"

    def __repr__(self) -> str:
        """Return a card: each parameter with its error."""
        lines = [f"FitResult: {self.n_clicks} clicks of {self.ntraj} trajectories"]
        lines += [
            f"  {name:<14}  {self.values[name]:.6g} ± {self.errors[name]:.2g}" + self._between(name)
            for name in self.parameters
        ]
        lines.append(f"  log-likelihood  {self.log_likelihood:.6g}")
        return "\n".join(lines if self.converged else [*lines, "  not converged"])


def fit(
    model: Battery | Model,
    clicks: object,
    parameters: Sequence[str] = ("theta", "gamma_plus"),
    efficiency: PerChannel = 1.0,
    initial: Initial | None = None,
    duration: float | None = None,
    dark_rate: PerChannel = 0.0,
    detectors: Detectors | None = None,
    *,
    level: float | None = None,
) -> FitResult:
    """Find the parameters of a battery under which the clicks of its light are likeliest.

    The search begins with the parameters of `model`; rates are searched on a logarithmic scale.
    It goes by exact gradients where there are such, see `trajbatt.inference.likelihood`: of clicks,
    but for light that is mixed with oscillators and the like. In one stage of a ladder of which
    every jump is seen it takes O(N) for each record however many clicks that has.

    Parameters
    ----------
    model : Battery, LadderModel, BandedModel or Protocol
        A battery stands for its `charge()`. What is not fitted keeps its value; what is fitted must
        be the same in all stages of a protocol.
    clicks : Clicks
        Of any number of trajectories, or any clicks that `tb.filter` takes, of one. Of a model
        with `beta = inf` a `HomodyneRecord` or a trajectory, or a list of them.
    parameters : sequence of str
        Of "theta", "omega_p", "gamma_0", "gamma_plus", "gamma_minus"; of noise that the model has,
        such as "local_plus" or "dephasing"; and "gamma", the rate of Eq. (5) or of a discharge. Of
        a model that is built from channels: "theta", "frequency" and
        "rate_NAME", the rate of each channel.
    efficiency, dark_rate, detectors : optional
        As in `tb.filter`.
    initial : optional
        As in `mesolve`; by default that of the model, whatever its parameters.
    duration : float, optional
        How long the light was watched; by default `clicks.duration`, or until the last click.
    level : float, optional
        Compute `intervals`, too, that hold the true value with this probability: 0.68 or 0.95, say.
        Each takes as long as several fits.

    Returns
    -------
    FitResult

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range or of the wrong kind, or clicks are wrong or impossible;
        the message names the click.
    """
    model = meant(model)
    if level is not None and not 0.0 < checks.real("level", level, 0) < 1.0:
        raise ValueError(f"`level` must be between 0 and 1, but is {level:g}")
    scales = scales_of(model, parameters)
    seen = seen_of(model, clicks, efficiency, dark_rate, detectors, duration)

    def model_at(point):
        pairs = zip(scales, point, strict=True)
        found = model.with_parameters(**{name: scale.value(x) for (name, scale), x in pairs})
        if not seen.is_worth_a_try(found):
            raise OverflowError
        return found

    def is_too_far(point):
        try:
            model_at(point)
        except OverflowError:
            return True
        except ValueError:  # out of range
            pass
        return False

    def minus_log(point):
        return -seen.log_likelihoods(model_at(point), initial).sum()

    def tried(point):
        try:
            return minus_log(point)
        except (ValueError, ArithmeticError):  # impossible, or out of range
            return np.inf

    def gradient(point):
        try:
            slopes = seen.slopes(lambda x: model_at(point + x), point.size, initial)
            return -slopes.sum(axis=0)
        except (ValueError, ArithmeticError):
            return np.full(point.size, np.nan)

    point = np.array([scale.start for _, scale in scales])
    minus_log(point)  # what is wrong with the clicks is said now
    knows = seen.knows_slopes(model, initial)
    point, was_found = least(tried, point, seen.n_events, gradient if knows else None)
    point, curvature = polished(tried, point)
    covariance = inverse(curvature)
    is_known = np.all(np.diag(covariance) < UNKNOWN**2)
    intervals = {}
    if level is not None:
        on_scale = np.sqrt(np.diag(covariance))
        for i, (name, scale) in enumerate(scales):
            ends = profile_interval(tried, point, i, on_scale, level, is_too_far)
            intervals[name] = tuple(scale.at(end) for end in ends)
    slopes = np.array([scale.slope(x) for (_, scale), x in zip(scales, point, strict=True)])
    covariance = slopes[:, None] * covariance * slopes
    values = {name: float(scale.value(x)) for (name, scale), x in zip(scales, point, strict=True)}
    errors = np.sqrt(np.diag(covariance))
    return FitResult(
        model=model.with_parameters(**values),
        parameters=tuple(values),
        values=values,
        errors=dict(zip(values, errors.tolist(), strict=True)),
        covariance=covariance,
        log_likelihood=-float(minus_log(point)),
        n_clicks=seen.n_events if model.has_clicks else 0,
        ntraj=seen.ntraj,
        converged=bool(was_found and is_known),
        intervals=intervals,
    )
