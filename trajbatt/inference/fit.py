"""Inference: a battery's parameters from the clicks of its light, by maximum likelihood."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from trajbatt.base import checks
from trajbatt.base.cards import Card
from trajbatt.base.types import FloatArray, PerChannel
from trajbatt.inference.current_record import CurrentRecord
from trajbatt.inference.following import Record, log_likelihood, prior
from trajbatt.light.clicks import Clicks
from trajbatt.light.currents import HomodyneRecord
from trajbatt.light.detectors import Detectors, described
from trajbatt.light.input import of_one_trajectory
from trajbatt.models.battery import Battery
from trajbatt.models.model import Model, check_model
from trajbatt.models.protocol import parameters_by_stage, within
from trajbatt.states.initial import Initial

STEP = 1e-3  # of the transformed parameters, for derivatives
FIRST_STEP = 0.1  # first step of the search
UNKNOWN = 10.0  # a standard error on these scales that says nothing
LONGEST = 1e100  # watched time times rate: beyond, likelihoods overflow


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

    @property
    def battery(self) -> Battery:
        """The `Battery` with these parameters."""
        return Battery.from_model(self.model)

    def __repr__(self) -> str:
        """Return a card: each parameter with its error."""
        lines = [f"FitResult: {self.n_clicks} clicks of {self.ntraj} trajectories"]
        lines += [
            f"  {name:<14}  {self.values[name]:.6g} ± {self.errors[name]:.2g}"
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
) -> FitResult:
    """Find the parameters of a battery under which the clicks of its light are likeliest.

    The search begins with the parameters of `model`; rates are searched on a logarithmic scale.

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

    Returns
    -------
    FitResult

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range or of the wrong kind, or clicks are wrong or impossible;
        the message names the click.
    """
    from scipy.optimize import minimize

    if isinstance(model, Battery):
        model = model.charge()
    check_model(model)
    if not model.channel_names:
        raise ValueError("`model` must have a channel to be fitted to clicks, but has none")
    scales = _scales(model, parameters)
    detectors = described(detectors, efficiency, dark_rate)
    response = detectors.response_of(model)
    if not np.any(response[0]):
        raise ValueError("`efficiency` must be above zero somewhere, or no light is seen")
    seen = _clicks(model, clicks, duration, response) if model.has_clicks else _currents(clicks)

    def minus_log(point):
        changed = {name: scale.value(x) for (name, scale), x in zip(scales, point, strict=True)}
        tried = model.with_parameters(**changed)
        mixture = prior(tried, initial)
        return -sum(log_likelihood(record, mixture) for record in seen.records(tried))

    def tried(point):
        try:
            return minus_log(point)
        except (ValueError, ArithmeticError):  # impossible, or out of range
            return np.inf

    point = np.array([scale.start for _, scale in scales])
    minus_log(point)  # what is wrong with the clicks is said now
    simplex = np.vstack([point, point + FIRST_STEP * np.eye(point.size)])
    options = {
        "initial_simplex": simplex,
        "xatol": 1e-3 / np.sqrt(1 + seen.n_events),
        "fatol": 1e-4,
    }
    search = minimize(tried, point, method="Nelder-Mead", options=options)
    point, curvature = _polished(tried, search.x)
    covariance = _inverse(curvature)
    is_known = np.all(np.diag(covariance) < UNKNOWN**2)
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
        converged=bool(search.success and is_known),
    )


class Scale(NamedTuple):
    """A parameter on a scale without ends: the logarithm of a rate, the logit of an angle.

    Attributes
    ----------
    start : float
        On that scale.
    value, slope : callable
        The parameter and its derivative, of a place on the scale.
    """

    start: float
    value: object
    slope: object


def _scales(model, parameters):
    """Return the (name, Scale) of each parameter."""
    if not isinstance(parameters, tuple | list) or not parameters:
        raise TypeError(f"`parameters` must be a sequence of names, but is {parameters!r}")
    values = parameters_by_stage(model)
    scales = []
    for name in parameters:
        checks.choice("parameters", name, tuple(values))
        if name in dict(scales):
            raise ValueError(f"`parameters` must name each parameter once, but has {name!r} twice")
        value = values[name][0]
        if not np.allclose(values[name], value, rtol=1e-9, atol=0.0):
            listed = ", ".join(f"{one:g}" for one in values[name])
            raise ValueError(f"`{name}` must be one of all stages to be fitted, but is {listed}")
        if not 0 < value < (math.pi if name == "theta" else math.inf):
            raise ValueError(f"`{name}` must not begin at an end of its range, but is {value:g}")
        if name == "theta":
            start = math.log(value / (math.pi - value))
            scales.append((name, Scale(start, _angle, lambda x: _angle(x) * (1 - _share(x)))))
        else:
            scales.append((name, Scale(math.log(value), math.exp, math.exp)))
    return scales


def _share(x):
    return 1.0 / (1.0 + math.exp(-x))


def _angle(x):
    return math.pi * _share(x)


class Seen(NamedTuple):
    """What was seen of some batteries.

    Attributes
    ----------
    records : callable
        Of a model; returns the records, a list.
    ntraj : int
    n_events : int
        Clicks, or bins of currents.
    """

    records: Callable[[Model], list]
    ntraj: int
    n_events: int


def _clicks(model, clicks, duration, response):
    """Return what was `Seen` as clicks."""
    found = _records(model, clicks, duration)
    hidden = model.is_hidden & ~response[0].any(axis=0)

    def records(tried):
        kept = [(~hidden[channel], *one) for one in found for channel in one[1:2]]
        return [
            Record(tried, np.array([duration]), time[seen], channel[seen], response)
            for seen, time, channel, duration in kept
        ]

    return Seen(records, len(found), sum(times.size for times, _, _ in found))


def _currents(given):
    """Return what was `Seen` as homodyne currents, of one battery or of several."""
    several = given if isinstance(given, list | tuple) else [given]
    found = [HomodyneRecord.of(one) for one in several]

    def records(tried):
        return [CurrentRecord(tried, one.edges[-1:], one) for one in found]

    return Seen(records, len(found), sum(one.current.size for one in found))


def _records(model, clicks, duration):
    """Return the times, the channels and the duration of each trajectory's clicks."""
    if duration is None:
        duration = getattr(clicks, "duration", None)
    if duration is None:
        times, _ = of_one_trajectory(clicks, model.channel_names, math.inf)
        duration = times[-1] if times.size else 0.0
    duration = checks.positive("duration", duration)
    (duration,) = within(model, np.array([duration]), "duration")
    fastest = max(max(one.model.largest_rate, one.model.frequency) for one in model.stages())
    longest = LONGEST / fastest if fastest > 0.0 else math.inf
    if duration > longest:
        raise ValueError(f"`duration` must be at most {longest:.3g}, but is {duration:g}")
    if not isinstance(clicks, Clicks):
        return [(*of_one_trajectory(clicks, model.channel_names, duration), duration)]
    trajectories = range(clicks.first, clicks.first + clicks.ntraj)
    pieces = (clicks.of_trajectory(i) for i in trajectories)
    return [(*of_one_trajectory(one, model.channel_names, duration), duration) for one in pieces]


def _polished(function, point):
    """Return the minimum after one step of Newton's, and the curvature there."""
    gradient, curvature = _derivatives(function, point)
    with np.errstate(all="ignore"):
        better = point - _inverse(curvature) @ gradient
    if np.all(np.isfinite(better)) and function(better) <= function(point):
        point = better
        _, curvature = _derivatives(function, point)
    return point, curvature


def _derivatives(function, point):
    """Return the gradient and the matrix of second derivatives, by central differences."""
    n, h = point.size, STEP
    steps = h * np.eye(n)
    centre = function(point)
    up, down = ([function(point + sign * step) for step in steps] for sign in (1.0, -1.0))
    up, down = np.array(up), np.array(down)
    curvature = np.diag((up - 2.0 * centre + down) / h**2)
    for i in range(n):
        for j in range(i):
            corners = [
                a * b * function(point + a * steps[i] + b * steps[j])
                for a in (1.0, -1.0)
                for b in (1.0, -1.0)
            ]
            curvature[i, j] = curvature[j, i] = sum(corners) / (4.0 * h**2)
    return (up - down) / (2.0 * h), curvature


def _inverse(curvature):
    """Return the inverse of a positive definite matrix; nan if it is not."""
    try:
        np.linalg.cholesky(curvature)
        return np.linalg.inv(curvature)
    except np.linalg.LinAlgError:
        return np.full_like(curvature, np.nan)
