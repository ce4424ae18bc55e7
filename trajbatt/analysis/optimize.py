"""The best ramp: knots at which a charge stores most, by exact slopes and SciPy's search.

All slopes cost about as much as a few solutions: the state goes forwards through the stages, the
observable backwards, and between the two go the derivatives of each stage, see
`trajbatt.exact.adjoint`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from trajbatt.analysis.aims import Aim
from trajbatt.base import checks
from trajbatt.base.cards import Card
from trajbatt.base.types import FloatArray
from trajbatt.exact.adjoint import Change, backwards, forwards, stage_slopes
from trajbatt.exact.orders import check_full
from trajbatt.models.battery import Battery
from trajbatt.models.protocol import Protocol
from trajbatt.models.ramp import interpolant, knots_of, middles_of
from trajbatt.numerics.differences import FOURTH, slope
from trajbatt.states.initial import Initial, prepare

ACCURACY, OF_SLOPES = 1e-11, 1e-9  # of states and observables, and of derivatives
STEP = 5e-3  # of a parameter, relative to its largest knot
LEAST = 1e-3  # what a largest knot is taken for at least


@dataclass(frozen=True, eq=False, repr=False)
class OptimizedRamp(Card):
    """The knots under which the objective is largest.

    Attributes
    ----------
    ramp : Protocol
        As `Battery.ramp` makes it of them.
    knots : dict of str to ndarray (nk,), float64
    objective : str
    before, value : float
        The objective at the knots that the search began with, and now.
    slopes : dict of str to ndarray (nk,), float64
        Its derivatives now: zero but at bounds.
    evaluations : int
    converged : bool
    """

    ramp: Protocol
    knots: dict[str, FloatArray]
    objective: str
    before: float
    value: float
    slopes: dict[str, FloatArray]
    evaluations: int
    converged: bool

    def __repr__(self) -> str:
        """Return a card: the objective before and now, and the knots."""
        lines = [
            f"OptimizedRamp: {self.ramp!r}",
            f"  {self.objective:<12}  {self.value:.6g} (before: {self.before:.6g})",
        ]
        for name, values in self.knots.items():
            lines.append(f"  {name:<12}  {', '.join(f'{one:.4g}' for one in values)}")
        return "\n".join(lines if self.converged else [*lines, "  not converged"])


def optimize(
    battery: Battery,
    duration: float,
    knots: Mapping[str, ArrayLike],
    objective: Literal["energy", "work", "work_per_photon"] = "energy",
    *,
    in_period: bool = True,
    bounds: Mapping[str, tuple[float, float]] | None = None,
    stages: int = 20,
    initial: Initial | None = None,
    iterations: int = 100,
) -> OptimizedRamp:
    """Find the ramp of Eq. (7) that stores most in a given time.

    A local search, from the given knots on. Check what it finds by trajectories, `mcsolve` of
    `ramp`, and by more stages.

    Parameters
    ----------
    battery : Battery
        Without noise of single atoms.
    duration : float
        The power is the energy over this.
    knots : dict of str to array_like
        Of the parameters that may change, as in `Battery.ramp`, with lines between them; where the
        search begins.
    objective : {"energy", "work", "work_per_photon"}
        The energy stored in the end; the work that one pulse extracts, <J_z> + abs(<J>); or that
        for each photon that was lost.
    in_period : bool
        Take <J_z> in them as its mean over the next period of Omega_P, were the drive to stay. Else
        the search also finds the phase of the oscillation in which it happens to end.
    bounds : dict of str to (float, float), optional
        The least and the largest value of knots; by default those of the parameter's range, but
        three steps of the derivatives, 1.5 % of the largest knot, off its ends.
    stages : int
        Of the ramp; each takes the values at its middle.
    initial : optional
        As in `mesolve`.
    iterations : int
        At most so many.

    Returns
    -------
    OptimizedRamp

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range or of the wrong kind.
    """
    from scipy.optimize import minimize

    if not isinstance(battery, Battery):
        raise TypeError(f"`battery` must be a Battery, but is {checks.shown(battery)}")
    if not isinstance(knots, Mapping):
        raise TypeError(f"`knots` must be a dict, but is {checks.shown(knots)}")
    aim = Aim(objective, in_period, battery.n_atoms)
    iterations = checks.integer("iterations", iterations, 1)
    task = _Task.of(battery, duration, knots, stages, aim, initial)
    limits = _limits(task, bounds or {})
    start = np.concatenate([values for _, values in task.knots.values()])
    low, high = np.array(limits).T
    start = np.clip(start, low, high)
    before = task.value(start)[0]
    scale = np.maximum(np.abs(start), LEAST)

    def minus(point):
        value, slopes = task.value(point * scale, with_slopes=True)
        return -value, -slopes * scale

    found = minimize(
        minus,
        start / scale,
        jac=True,
        method="L-BFGS-B",
        bounds=list(zip(low / scale, high / scale, strict=True)),
        options={"maxiter": iterations},
    )
    point = np.clip(found.x * scale, low, high)
    value, slopes = task.value(point, with_slopes=True)
    return OptimizedRamp(
        ramp=task.ramp(point),
        knots=task.named(point),
        objective=objective,
        before=float(before),
        value=float(value),
        slopes=task.named(slopes),
        evaluations=int(found.nfev),
        converged=bool(found.success),
    )


@dataclass(frozen=True, eq=False)
class _Task:
    """What is to be optimised.

    Attributes
    ----------
    battery : Battery
    duration : float
    knots : dict of str to (times, values)
    weights : dict of str to ndarray (stages, nk)
        What each knot contributes to the parameter in each stage.
    steps : dict of str to float
        Of the parameter of a stage, for its derivative.
    aim : Aim
    state : ndarray (N+1, N+1)
        The bare density matrix at t = 0.
    """

    battery: Battery
    duration: float
    knots: dict[str, Any]
    weights: dict[str, FloatArray]
    steps: dict[str, float]
    aim: Aim
    state: np.ndarray

    @classmethod
    def of(cls, battery, duration, knots, stages, aim, initial):
        """Return the task of checked arguments."""
        check_full(battery.n_atoms)
        ramp = battery.ramp(duration, stages=stages, **knots)
        if not all(model.is_symmetric for model, _ in ramp.steps):
            raise ValueError("`battery` must have no noise of single atoms to be optimised")
        duration = float(duration)
        found = {name: knots_of(name, given, duration) for name, given in knots.items()}
        middles = middles_of(duration, stages)
        weights = {
            name: interpolant(places, np.eye(places.size), "linear")(middles)
            for name, (places, _) in found.items()
        }
        bare = replace(battery, theta=0.0).charge()
        state = prepare(bare, initial, negligible=0.0).matrix(bare.n_levels)
        steps = {
            name: STEP * max(float(np.abs(values).max()), LEAST)
            for name, (_, values) in found.items()
        }
        return cls(battery, duration, found, weights, steps, aim, state)

    def named(self, point):
        """Return the numbers of a point as a dict by parameter."""
        sizes = np.cumsum([values.size for _, values in self.knots.values()])[:-1]
        return dict(zip(self.knots, np.split(np.asarray(point), sizes), strict=True))

    def ramp(self, point):
        """Return the protocol of a point."""
        named = self.named(point)
        knots = {name: (self.knots[name][0], values) for name, values in named.items()}
        stages = len(next(iter(self.weights.values())))
        return self.battery.ramp(self.duration, stages=stages, **knots)

    def value(self, point, with_slopes=False):
        """Return the objective at a point, and its slopes (n,) or None."""
        ramp = self.ramp(point)
        states, photons = [self.state], [0.0]
        for model, length in ramp.steps:
            state, counts = forwards(model, states[-1], length, ACCURACY)
            states.append(state)
            photons.append(photons[-1] + model.photons @ counts)
        value, observable, per_photon = self.aim(states[-1], photons[-1], ramp.steps[-1][0].theta)
        if not with_slopes:
            return value, None

        values = {name: self.weights[name] @ one for name, one in self.named(point).items()}
        of_stages = np.empty((len(ramp.steps), len(self.knots)))
        for k in reversed(range(len(ramp.steps))):
            model, length = ramp.steps[k]
            change = self._change({name: float(row[k]) for name, row in values.items()})
            weights = per_photon * model.photons
            before = backwards(model, observable, weights, length, ACCURACY)
            of_stages[k] = stage_slopes(
                model, change, states[k], (before, observable), weights, length, OF_SLOPES
            )
            if k == len(ramp.steps) - 1:  # the aim may ask for the last angle itself
                of_stages[k] += change.theta * slope(
                    lambda x, theta=model.theta: self.aim(states[-1], photons[-1], theta + x)[0],
                    STEP,
                    FOURTH,
                )
            observable = before
        found = [
            self.weights[name].T @ one for name, one in zip(self.knots, of_stages.T, strict=True)
        ]
        return value, np.concatenate(found)

    def _change(self, here):
        """Return how a stage's numbers change with each of its parameters, a `Change`."""

        def numbers(name, x):
            model = replace(self.battery, **(here | {name: here[name] + x})).charge()
            return np.array([model.theta, model.frequency, *model.rates])

        rows = np.array(
            [slope(partial(numbers, name), self.steps[name], FOURTH) for name in self.knots]
        )
        return Change(rows[:, 0], rows[:, 1], rows[:, 2:])


def _limits(task, bounds):
    """Return the (low, high) of each knot."""
    for name in bounds:
        checks.choice("bounds", name, tuple(task.knots))
    found = []
    for name, (_, values) in task.knots.items():
        widest = (0.0, np.pi if name == "theta" else np.inf)
        low, high = bounds.get(name, widest)
        reach = (len(FOURTH) + 1) * task.steps[name]
        low = max(checks.real(f"bounds of {name}", low), widest[0] + reach)
        high = min(float(high), widest[1] - reach)
        if not low < high:
            raise ValueError(f"`bounds` of {name} must ascend, but are {low:g} and {high:g}")
        outside = values[(values < low - reach) | (values > high + reach)]
        if outside.size:
            raise ValueError(
                f"`knots` of {name} must begin from {low:g} to {high:g}, but one is {outside[0]:g}"
            )
        found += [(low, high)] * values.size
    return found
