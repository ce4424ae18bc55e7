"""What a battery is about to go through: the state that it is in, and the stages to come.

Every exact quantity of photon counting is asked of a course. It may be moved on in time, or by a
click, which gives another course.
"""

from dataclasses import dataclass, replace

import numpy as np

from trajbatt.base import checks
from trajbatt.counting.blocks import clicked_blocks, later_blocks
from trajbatt.exact.count_moments import count_moments
from trajbatt.exact.orders import Orders
from trajbatt.exact.stages import walk
from trajbatt.exact.start import start
from trajbatt.exact.systems import systems_of
from trajbatt.light.checking import TOTAL
from trajbatt.models.model import check_model
from trajbatt.models.protocol import within
from trajbatt.models.schedule import Stage
from trajbatt.states.mixture import Mixture

DARK = 1e-15  # of the largest rate: less is what rounding leaves of a dark state
ROUGH = 1e-6  # accuracy of mean counts that only say where to look


@dataclass(frozen=True)
class Course:
    """A state at t = 0, and the stages to come.

    Attributes
    ----------
    stages : tuple of Stage
        The first begins at t = 0.
    mixture : Mixture
        The state in the basis of the first stage; its phases count from now. With noise of single
        atoms it may be an `trajbatt.exact.block_orders.Elsewhere`.
    channels : tuple of nc str
        Which the stages' places mean.
    """

    stages: tuple[Stage, ...]
    mixture: Mixture
    channels: tuple[str, ...]

    @classmethod
    def of(cls, model, initial, end, name="tlist"):
        """Return the course of a model or protocol up to the time `end`, at least.

        At the boundary of two stages the later one rules. `name` is what a message calls the end.

        Raises
        ------
        TypeError, ValueError
            If it is no model, emits nothing, or ends before.
        """
        check_model(model)
        if not model.channel_names:
            raise ValueError(f"`model` must have a channel, but {model.name!r} has none")
        (end,) = within(model, np.array([end]), name)
        until = np.nextafter(end, np.inf)  # with the stage that begins there
        stages, mixture = start(model, initial, until, negligible=0.0)
        begun = tuple(stage for stage in stages if stage.start <= end)
        return cls(begun, mixture, model.channel_names)

    def chosen(self, channel, name="channel"):
        """Return which channels are meant by the name of one, or by "total", bool (nc,)."""
        checks.choice(name, channel, (*self.channels, TOTAL))
        return np.array([channel in (one, TOTAL) for one in self.channels])

    def walk(self, times, field=1.0):
        """Follow the state under a real counting field to each of `times` (nt,), ascending.

        Parameters
        ----------
        times : ndarray (nt,)
            Up to the end of the last stage, but for rounding.
        field : float or ndarray (nc,)

        Returns
        -------
        traces : ndarray (nt,), float64
        rates : ndarray (nc, nt), float64
            Click rates, Tr 𝓙_c y.
        """
        traces, rates = np.empty(times.size), np.zeros((len(self.channels), times.size))
        times = np.minimum(times, self.stages[-1].end)
        field = np.broadcast_to(field, len(self.channels))
        for passage in self._passages(times, field, only_clicks=True):
            wanted, places = passage.leg.wanted, list(passage.leg.stage.places)
            system, phases = passage.system, passage.phases
            # The wanted times come first in `zip`, so that no state beyond them is computed.
            for i, phase, y in zip(range(wanted.start, wanted.stop), phases, passage, strict=False):
                traces[i] = system.layout.trace(y).real
                rates[places, i] = system.rates(y, phase)
        return traces, rates

    def later(self, time):
        """Return the course from `time` on."""
        if time <= 0.0:
            return self
        time = min(time, self.stages[-1].end)
        left = tuple(
            Stage(one.model, max(one.start - time, 0.0), one.end - time, one.places)
            for one in self.stages
            if one.end > time or one is self.stages[-1]
        )
        next_model = left[0].model
        is_inside = time > self.stages[-1].start
        only_clicks = is_inside and (
            next_model.clicks_from_populations or not next_model.is_symmetric
        )
        everywhere = np.ones(len(self.channels))
        *_, last = self._passages(np.array([time]), everywhere, only_clicks)
        if not next_model.is_symmetric:
            mixture = later_blocks(last, next_model.theta)
        elif only_clicks:
            mixture = Mixture.of_levels(last.at_end().real, negligible=0.0)
        else:
            # The next stage may begin just now.
            y, phase = last.at_end(), last.phases[-1]
            mixture = last.system.layout.mixture(y, phase, next_model.theta)
        return Course(left, mixture, self.channels)

    def ending(self, time):
        """Return the course up to `time`, which is after the last stage's start."""
        *early, last = self.stages
        return replace(self, stages=(*early, replace(last, end=min(last.end, time))))

    def _passages(self, times, field, only_clicks):
        """Yield the `Passage` of each stage up to the last of `times`, under a field (nc,).

        With `only_clicks` nothing but clicks is wanted of the last one.
        """

        def system(leg):
            own, is_last = field[list(leg.stage.places)], leg.following is None
            return systems_of(leg.stage.model).field(leg.stage.model, own, only_clicks and is_last)

        stages = _cut(self.stages, times[-1]) or self.stages[:1]
        return walk(stages, times, system, self.mixture)

    def clicked(self, chosen):
        """Return the course after a photon of one of the channels `chosen` (nc,) comes now.

        Returns
        -------
        Course or None
            None if it cannot come.
        rate : float
            The rate at which it comes.
        """
        stage = self.stages[0]
        wanted = chosen[list(stage.places)]
        if not stage.model.is_symmetric:
            mixture, rate = clicked_blocks(stage.model, self.mixture, wanted, len(self.stages) == 1)
        elif stage.model.clicks_from_populations and len(self.stages) == 1:
            flows = (stage.model.click_rates * populations(self))[wanted]
            shifts = stage.model.shifts[wanted]
            # The rate of a jump off the ladder is zero, so rolling brings nothing round.
            after = sum(np.roll(flow, shift) for flow, shift in zip(flows, shifts, strict=True))
            rate = float(np.sum(after))
            mixture = Mixture.of_levels(after, negligible=0.0) if rate > 0 else None
        else:
            dark = 0.0 if stage.model.resolves_rare_light else DARK
            rate, mixture = _jumped(self.mixture, stage.model.jump_bands[wanted], dark)
        return (Course(self.stages, mixture, self.channels) if mixture else None), rate

    def count_moments(self, times, rtol):
        """Return means (nc, nt) and covariances (nc, nc, nt) of the photon counts since t = 0."""
        stages = _cut(self.stages, times[-1]) or self.stages[:1]
        ends = np.array([min(stage.end, times[-1]) for stage in stages])
        flat = np.zeros((len(stages), len(self.channels)))
        lines = count_moments(stages, self.mixture, ends, flat, ROUGH)[0].T
        deviations, covariances = count_moments(stages, self.mixture, times, lines, rtol)
        knots = np.append(0.0, ends)
        means = [np.interp(times, knots, np.append(0.0, line)) for line in lines.T]
        return deviations + np.array(means), covariances

    def counted(self, chosen, end):
        """Return the course from the first to the last stage by `end` that has one of the channels.

        Parameters
        ----------
        chosen : ndarray (nc,), bool
        end : float

        Returns
        -------
        Course or None
            None if no stage has one.
        end : float
            On its clock.
        """
        having = [stage for stage in _cut(self.stages, end) if chosen[list(stage.places)].any()]
        if not having:
            return None, 0.0
        start = having[0].start
        end = min(end, having[-1].end)
        course = self.later(start)
        return Course(_cut(course.stages, end - start), course.mixture, self.channels), end - start


def populations(course):
    """Return the populations of the first stage's levels, float64 (N+1,)."""
    model = course.stages[0].model
    return Orders(model.n_atoms, model.theta, [0]).of_mixture(course.mixture).real


def _cut(stages, end):
    return tuple(stage for stage in stages if stage.start < end)


def _jumped(mixture, bands, dark):
    """Return the rate of the jumps `bands` (n, 3, N+1) and the mixture after one of them.

    Rates up to `dark` of the largest are zero.
    """
    rates, kets = [], []
    for weight, first, piece in mixture.kets():
        ket = np.zeros(bands.shape[-1], dtype=piece.dtype)
        ket[first : first + piece.size] = piece
        for down, level, up in bands:
            jumped = level * ket
            jumped[:-1] += (down * ket)[1:]
            jumped[1:] += (up * ket)[:-1]
            norm = np.linalg.norm(jumped)
            if norm > 0:
                rates.append(weight * norm**2)
                kets.append(jumped / norm)
    rate = float(sum(rates))
    if rate <= dark * (bands**2).sum(axis=(0, 1)).max(initial=0.0):
        return 0.0, None
    return rate, Mixture.of_kets(rates, np.array(kets), negligible=0.0)
