"""A state of the driven Eq. (5) between the clicks that are seen of its light, in a frame.

Without a click the jumps that would have been seen are missing: d rho/dt = 𝓛 rho - sum_c eta_c 𝓙_c
rho. The frame follows the mean spin as if nothing were seen, so the state walks away from its pole,
and the frame is turned after it from time to time.
"""

import math

import numpy as np

from trajbatt.exact import flow
from trajbatt.exact.frame import FEWEST, STABLE, of_mean_field
from trajbatt.exact.frame_layout import AXES, FrameLayout, enter
from trajbatt.numerics import frame, spin

ACCURACY = 1e-10  # of a step, in the elements of the state
OFF_POLE = 0.2  # abs(<J_->)^2/N beyond which the frame is turned
CALM = 0.02  # of that: so little that it may be looked after less often
WALK = 1.0  # how far, in sqrt(N) times the amplitude, a state may walk before it is looked after
SPARE = 6  # levels more that a turn may need
TAIL = 1e-14  # population of levels that are left off
NOTHING = -800.0  # logarithm of a trace that is zero as a float
HIGHEST = 1e-13  # population of the highest level that asks for more of them


class ConditionalFrame:
    """A density matrix in a frame, and the logarithm of its trace.

    Parameters
    ----------
    model : FrameModel
        Raises `SpreadError` if the state needs more than its levels.
    seen : ndarray (nc,), float64
        eta_c.

    Attributes
    ----------
    layout : FrameLayout
        Of the state now.
    log_trace : float
    """

    def __init__(self, model, seen):
        self.model, self._seen = model, seen
        self._ways = {}
        amplitude = float(seen @ model.rates) * model.n_atoms**1.5
        self._shortest = WALK / amplitude if amplitude > 0.0 else math.inf
        self._piece = self._shortest

    def begin(self, given):
        """Start from a `Mixture`, or what else `enter` takes."""
        axes, matrices = enter(given, self.model, FEWEST)
        self._axes, self._matrix = axes[:6].copy(), matrices[0]
        self.log_trace, self._now = math.log(np.trace(matrices[0]).real), 0.0
        self._settle()

    def _settle(self):
        """Turn the frame if the state is off its pole, and leave off levels that are empty."""
        n_atoms, matrix = self.model.n_atoms, self._matrix
        matrix = matrix / np.trace(matrix).real
        raising = spin.raising_elements(n_atoms, len(matrix))[:-1]
        self._off = abs(raising @ np.diagonal(matrix, -1)) ** 2 / n_atoms
        if self._off > OFF_POLE:
            self._axes, matrix = frame.recentred(n_atoms, self._axes, matrix, SPARE)
        populations = np.diagonal(matrix).real
        tail = np.cumsum(np.abs(populations[::-1]))[::-1]
        kept = max(FEWEST, int(np.count_nonzero(tail > TAIL)))
        self._matrix = matrix[:kept, :kept] / populations[:kept].sum()
        self._lay_out()

    def _lay_out(self):
        levels = len(self._matrix)
        self.model.check_levels(levels)
        if levels not in self._ways:
            self._ways[levels] = self._way(levels)
        self.layout, self._flow = self._ways[levels]

    def _way(self, levels):
        """Return the layout, and the flow of a matrix, on some levels."""
        model, n = self.model, np.arange(levels)
        fastest = model.rates.sum() * ((n + 1.0) * (model.n_atoms - n)).max()
        everything = levels == model.n_levels
        way = flow.DensityFlow(
            flow.system(levels, len(model.rates), 1, -self._seen[:, None, None]),
            flow.moving(model, np.zeros(AXES), spin.raising_elements(model.n_atoms, levels)),
            0.1 * ACCURACY,
            first=0.1 / (model.rate * (model.n_atoms + 2.0) + model.fastest),
            stable=STABLE / fastest if fastest > 0.0 else math.inf,
            negligible=0.0 if everything else HIGHEST,
        )
        return FrameLayout(model.n_atoms, model.theta, levels), way

    def layout_of(self, stop):
        """Return the layout of vectors of a length that `state` has given."""
        return next(layout for layout, _ in self._ways.values() if layout.stop == stop)

    def kept(self):
        """Return what `restore` takes."""
        return self._axes, self._matrix, self.log_trace, self._now

    def restore(self, kept):
        """Take a state back, as `kept` told it."""
        self._axes, self._matrix, self.log_trace, self._now = kept
        self._lay_out()

    def advance(self, duration, least=-math.inf):
        """Go on without a click for some time, or until `log_trace` is below `least`."""
        while duration > 0.0 and self.log_trace > least:
            left = piece = min(duration, self._piece)
            while left > 0.0:
                left = self._go(left)
            duration -= piece
            if self._off < CALM * OFF_POLE:
                self._piece = max(self._shortest, min(2.0 * self._piece, self.model.timescale))
            elif self._off > OFF_POLE:
                self._piece = max(self._shortest, 0.5 * self._piece)

    def _go(self, duration):
        """Go on for at most this time, on the levels that there are; return what is left of it."""
        way = self._flow
        way.motion.axes[:] = np.append(self._axes, 0.0)
        end = self._now + duration
        way.begin(self._now, self.layout.of_matrices(self._matrix))
        found, frames = way.record(np.array([end]))
        if len(found):
            self._now, axes, y = end, frames[0], found[0]
        else:
            self._now, axes, y = way.reached
        trace = self.layout.traces(y)
        # What the mean field of the light gives alone is no part of the matrix.
        lost = self._seen @ of_mean_field(self.model, axes)
        self.log_trace += math.log(trace) - float(lost)
        self._axes, self._matrix = axes[:6].copy(), self.layout.matrices(y / trace)
        if not len(found):
            more = min(self.model.n_levels, len(self._matrix) + SPARE)
            self._matrix = np.pad(self._matrix, (0, more - len(self._matrix)))
            self._lay_out()
        else:
            self._settle()
        return end - self._now

    def click(self, shares, dark_rate):
        """Apply a click of a detector, and return its rate.

        Parameters
        ----------
        shares : ndarray (nc,), float64
            How likely it sees a jump of each channel.
        dark_rate : float
        """
        model = self.model
        wider = min(model.n_levels, len(self._matrix) + 2)
        before = np.pad(self._matrix, (0, wider - len(self._matrix)))
        down = frame.lowering(model.n_atoms, self._axes, wider)
        after = dark_rate * before
        for share, rate, jump in zip(shares, model.rates, (down, down.conj().T), strict=False):
            if share > 0.0:
                after = after + share * rate * jump @ before @ jump.conj().T
        rate = np.trace(after).real
        if rate > 0.0:
            self.log_trace += math.log(rate)
            self._matrix = after / rate
            self._settle()
        return rate

    def state(self):
        """Return the vector (stop,): the frame and the state of trace 1."""
        return np.concatenate((self._axes, [0.0], self.layout.of_matrices(self._matrix)))


class ConditionalField:
    """One real counting field in a frame, as `trajbatt.exact.fields.BandedField` has it.

    Parameters
    ----------
    model : FrameModel
    field : ndarray (nc,), float64
    """

    def __init__(self, model, field):
        self.model, self._frame = model, ConditionalFrame(model, 1.0 - field)

    def begin(self, given):
        """Return what is handed over as it is."""
        return given

    def states(self, given, times):
        """Return the vectors (nt, stop) at each of `times`, all on as many levels."""
        self._frame.begin(given)
        found, now = [], 0.0
        for time in times:
            self._frame.advance(time - now, NOTHING)
            now = time
            y = self._frame.state()
            y[AXES:] *= math.exp(self._frame.log_trace)
            found.append((self._frame.layout, y))
        self.layout = max((layout for layout, _ in found), key=lambda layout: layout.levels)
        return np.array(
            [np.append(y[:AXES], one.widened(y[AXES:], self.layout.levels)) for one, y in found]
        )

    def rates(self, y, _):
        """Return the click rates Tr 𝓙_c y, float64 (nc,)."""
        trace, rates = self.layout.trace(y), self.model.rates
        if not trace > 0.0:
            return np.zeros(rates.size)
        of_one = np.append(y[:AXES], y[AXES:] / trace)
        return trace * rates * self.layout.click_rates(of_one)[: rates.size]

    def hand_over(self, y, _, theta):
        """Return the state for another stage."""
        return self.layout.handed_over(y, theta)
