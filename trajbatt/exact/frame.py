"""The driven Eq. (5) in a frame that turns with the mean spin, see `trajbatt.kernels.moving_frame`.

In it the state stays near the pole, so that a few tens of levels do at any N. How many is seen
from the population of the highest of them: an error of the variance of 20 to 30 N times that was
found. The step that would leave more there than allowed is taken again with more levels.
"""

import math
from dataclasses import dataclass

import numpy as np

from trajbatt.exact import flow
from trajbatt.exact.frame_layout import AXES, FrameLayout, InFrame, enter
from trajbatt.exact.spread import SpreadError
from trajbatt.models.banded import BandedModel
from trajbatt.models.ramp_model import RampModel
from trajbatt.numerics import spin
from trajbatt.states.mixture import Mixture

FEWEST = 16  # levels
STABLE = 3.0  # over the largest decay rate of a level: the longest step of the explicit method
TRACE_ACCURACY = 1e-12


@dataclass(frozen=True)
class FrameModel(BandedModel):
    """A `BandedModel` in the co-moving frame, for the deterministic twin.

    Parameters
    ----------
    most_levels : int
        Of the frame, before `SpreadError` is raised.
    is_alone : bool
        Whether this is the only stage.
    ramp : RampModel or None
        That whose drive moves, in place of theta and the frequency.
    """

    most_levels: int = 0
    is_alone: bool = False
    ramp: RampModel | None = None

    def __post_init__(self):
        """Nothing to check: it is made of a model that is."""

    @classmethod
    def of(cls, model, most_levels, is_alone=False):
        """Return a `BandedModel` or a `RampModel` in the co-moving frame."""
        return cls(
            model.name,
            model.n_atoms,
            model.theta,
            model.frequency,
            model.rate,
            thermal=0.0 if model.moves else model.thermal,
            most_levels=min(most_levels, model.n_levels),
            is_alone=is_alone,
            ramp=model if model.moves else None,
        )

    @property
    def fastest(self):
        """Omega_P; at least that on a ramp."""
        return self.frequency if self.ramp is None else self.ramp.fastest

    @property
    def timescale(self):
        """The shortest time in which collective means change; inf if never."""
        return super().timescale if self.ramp is None else self.ramp.timescale

    def check_levels(self, levels):
        """Raise `SpreadError` if these are too many levels."""
        if levels > self.most_levels:
            raise SpreadError


class FrameFlow:
    """Matrices and scalars on their way in the frame.

    Parameters
    ----------
    model : FrameModel
    rtol : float
    n : int
        Matrices.
    every_element : bool
        Not only moments are wanted of the state, but coherences between far levels as well, which
        are square roots of populations.
    jumps, mixing, sources : optional
        Of `trajbatt.kernels.liouvillian.System`.
    """

    def __init__(self, model, rtol, n, every_element, jumps=None, mixing=None, sources=()):
        self.model, self._rtol = model, rtol
        self._negligible = rtol**2 if every_element else rtol / 50.0
        self._couplings = n, jumps, mixing, sources
        self._first = 0.1 / (model.rate * (model.n_atoms + 2.0) + model.fastest)

    def begin(self, axes, matrices, scalars, t=0.0):
        """Set the axes (6,), the matrices (n, levels, levels) and the scalars at the time `t`."""
        levels = matrices.shape[-1]
        self.model.check_levels(levels)
        self.layout = FrameLayout(self.model.n_atoms, self.model.theta, levels)
        numbers = self.layout.of_matrices(matrices).ravel()
        self._follow(np.append(axes, 0.0), np.concatenate((numbers, scalars)), t, self._first)

    def _follow(self, axes, y, t, step):
        n, jumps, mixing, sources = self._couplings
        levels, model = self.layout.levels, self.model
        n_levels = np.arange(levels)
        fastest = model.rates.sum() * ((n_levels + 1.0) * (model.n_atoms - n_levels)).max()
        everything = levels == model.n_levels
        self._way = flow.DensityFlow(
            flow.system(levels, len(model.rates), n, jumps, mixing, sources),
            flow.moving(model, axes, spin.raising_elements(model.n_atoms, levels)),
            0.1 * self._rtol,
            first=step,
            stable=STABLE / fastest if fastest > 0.0 else math.inf,
            negligible=0.0 if everything else self._negligible,
        )
        self._way.begin(t, y)

    def states(self, times):
        """Return the frames (nt, 7), the numbers and scalars (nt, ...) at `times`."""
        axes, ys = np.empty((0, AXES)), None
        while len(axes) < len(times):
            found, frames = self._way.record(times[len(axes) :])
            axes = np.concatenate((axes, frames))
            ys = found if ys is None else np.concatenate((ys, found))
            if len(axes) < len(times):
                ys = self._with_more_levels(ys)
        return axes, ys

    def _with_more_levels(self, ys):
        """Go on with more levels, and return what there was (nt, ...) on them."""
        levels = self.layout.levels
        more = min(self.model.n_levels, levels + max(4, levels // 4))
        self.model.check_levels(more)
        t, axes, y = self._way.reached
        before, y = self._widened(ys, more), self._widened(y[None], more)[0]
        self.layout = FrameLayout(self.model.n_atoms, self.model.theta, more)
        self._follow(axes, y, t, self._way.step)
        return before

    def _widened(self, ys, levels):
        n, stop = self._couplings[0], self._couplings[0] * self.layout.size
        numbers = self.layout.widened(ys[:, :stop].reshape(len(ys), n, self.layout.size), levels)
        return np.concatenate(
            (numbers.reshape(len(ys), n * numbers.shape[-1]), ys[:, stop:]), axis=1
        )


class FrameOrders:
    """The density matrix in the frame, and behind it the mean photon counts.

    Parameters
    ----------
    model : FrameModel
    rtol : float
    all_orders : bool
        Every element of the state is wanted.
    """

    method = "frame"

    def __init__(self, model, rtol, all_orders=True):
        self.model = model
        self._flow = FrameFlow(model, rtol, 1, all_orders, sources=range(len(model.rates)))

    @property
    def layout(self):
        """The `FrameLayout` of what `states` has returned."""
        return self._flow.layout

    @property
    def counted(self):
        """What tells the frame and the state from the counts: this system."""
        return self

    def begin(self, given):
        """Return the frame and the matrices of what is handed over, see `enter`."""
        return enter(given, self.model, FEWEST)

    def states(self, entered, times):
        """Return the vectors (nt, stop + nc) at each of `times`."""
        axes, matrices = entered
        self._flow.begin(axes, matrices[:1], np.zeros(len(self.model.rates)))
        return np.concatenate(self._flow.states(times), axis=1)

    def orders(self, y):
        """Return the frame and the state alone of y (stop + nc, ...)."""
        return y[: self.layout.stop]

    def counts(self, y):
        """Return the mean photon counts in y (stop + nc, ...), float64 (nc, ...)."""
        return of_mean_field(self.model, y) + y[self.layout.stop :]

    def hand_over(self, y, _, theta):
        """Return the state for another stage."""
        return self.layout.handed_over(y, theta)


def of_mean_field(model, y):
    """Return the photons of s alone in y (7 or more, ...), float64 (nc, ...): see the kernel."""
    return 0.25 * model.n_atoms**2 * np.multiply.outer(model.rates, y[AXES - 1])


class FrameCounts:
    """The count moments; parameters as for `trajbatt.exact.counts.LadderCounts`.

    The mean field of the light gives photons at a rate gamma s^2 of its own, along whose integral
    the counts go rather than along straight lines. The V_a are worked on in units of sqrt(N) and
    the second moments in units of N, which are their own.
    """

    def __init__(self, model, rtol, places, drift, goes_on):
        self.model, self._places, self._drift = model, list(places), drift
        self._unit = math.sqrt(model.n_atoms)
        n = 1 + drift.size
        jumps = np.zeros((len(places), n, n))
        for jump, place in zip(jumps, places, strict=True):
            jump[1 + place, 0] = 1.0 / self._unit
        self._flow = FrameFlow(model, rtol, n, goes_on, jumps, sources=places)

    @property
    def layout(self):
        """The `FrameLayout` of what `states` has returned."""
        return self._flow.layout

    @property
    def tagged(self):
        """What reads means and covariances off a vector: this system."""
        return self

    def begin(self, given):
        """Return what is handed over: the frame, the matrices and the second moments."""
        if isinstance(given, tuple) and not isinstance(given, Mixture):
            given, second = given
        else:
            second = np.zeros(self._drift.size**2)
        axes, found = enter(given, self.model, FEWEST)
        matrices = np.zeros((1 + self._drift.size, *found.shape[1:]), dtype=complex)
        matrices[: len(found)] = found
        matrices[1:] /= self._unit
        return axes, matrices, second / self._unit**2

    def states(self, begun, times):
        """Return vectors (nt, ...) with the times behind at each of `times`."""
        axes, matrices, second = begun
        self._flow.begin(axes, matrices, np.append(np.zeros(len(self._places)), second))
        return np.concatenate((*self._flow.states(times), times[:, None]), axis=1)

    def _split(self, y):
        """Return the matrices (1 + n, size), the second moments, and how far the counts are off.

        That is from the lines that others go by.
        """
        n, size = 1 + self._drift.size, self.layout.size
        numbers = y[AXES : AXES + n * size].reshape(n, size)
        second = y[AXES + n * size + len(self._places) : -1].reshape(n - 1, n - 1)
        off = np.zeros(n - 1)
        off[self._places] = of_mean_field(self.model, y)
        return numbers, second, off - self._drift * y[-1]

    def deviations(self, y):
        """Return the means (n_counts,) and covariances (n_counts, n_counts) of the deviations."""
        numbers, second, off = self._split(y)
        mean = self.layout.traces(numbers[1:])
        covariance = self._unit**2 * (second - np.outer(mean, mean))
        return self._unit * mean + off, covariance

    def hand_over(self, y, _, theta):
        """Return the matrices and the second moments of deviations from lines."""
        numbers, second, off = self._split(y)
        numbers = np.concatenate((numbers[:1], self._unit * numbers[1:]))
        mean = self.layout.traces(numbers[1:])
        numbers[1:] += np.outer(off, numbers[0])
        second = self._unit**2 * second + np.outer(off, mean) + np.outer(mean, off)
        matrices = self.layout.matrices(numbers)
        return InFrame(self.model.n_atoms, y[:6], matrices, theta), (
            second + np.outer(off, off)
        ).ravel()


class FrameField:
    """The state as it goes on whatever photons come, as `trajbatt.exact.fields.BandedField` does.

    Parameters
    ----------
    model : FrameModel
    goes_on : bool
        Every element of the state is wanted at the end.
    """

    def __init__(self, model, goes_on):
        self.model = model
        self._flow = FrameFlow(model, TRACE_ACCURACY, 1, goes_on)

    @property
    def layout(self):
        """The `FrameLayout` of what `states` has returned."""
        return self._flow.layout

    def begin(self, given):
        """Return the frame and the matrices of what is handed over, see `enter`."""
        return enter(given, self.model, FEWEST)

    def states(self, entered, times):
        """Return the vectors (nt, stop) at each of `times`."""
        axes, matrices = entered
        self._flow.begin(axes, matrices[:1], np.zeros(0))
        return np.concatenate(self._flow.states(times), axis=1)

    def rates(self, y, _):
        """Return the click rates of y (stop,), float64 (nc,)."""
        rates = self.model.rates
        return rates * self.layout.click_rates(y)[: rates.size]

    def hand_over(self, y, _, theta):
        """Return the state for another stage."""
        return self.layout.handed_over(y, theta)
