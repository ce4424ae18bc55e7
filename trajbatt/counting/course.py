"""What a battery is about to go through: the state that it is in, and the stages to come.

Every exact quantity of photon counting is asked of a course. It may be moved on in time, or by a
click, which gives another course.
"""

from dataclasses import dataclass, replace

import numpy as np

from trajbatt.base import checks
from trajbatt.exact.counts import count_moments
from trajbatt.exact.fields import under_field
from trajbatt.exact.orders import Orders
from trajbatt.models.ladder import LadderModel
from trajbatt.models.protocol import Protocol, Stage, check_model, stages_of, within
from trajbatt.states.initial import prepare
from trajbatt.states.mixture import Mixture

TOTAL = "total"
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
        The state in the basis of the first stage; its phases count from now.
    channels : tuple of nc str
        Which the stages' tags mean.
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
        if isinstance(model, Protocol):
            stages = tuple(stage for stage in model.stages if stage.start <= end)
        else:
            stages = stages_of(model, end)
        return cls(stages, prepare(model, initial), model.channel_names)

    def tags(self, channel, name="channel"):
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
        for stage, system, wanted, states in self._stages(times, field, only_clicks=True):
            for i, (state, phase) in zip(range(wanted.start, wanted.stop), states, strict=False):
                traces[i] = state[0, system.slices[0]].real.sum()
                rates[list(stage.tags), i] = system.rates(state, phase)
        return traces, rates

    def later(self, time):
        """Return the course from `time` on."""
        if time <= 0.0:
            return self
        time = min(time, self.stages[-1].end)
        left = tuple(
            Stage(one.model, max(one.start - time, 0.0), one.end - time, one.tags)
            for one in self.stages
            if one.end > time or one is self.stages[-1]
        )
        next_model = left[0].model
        is_inside = time > self.stages[-1].start
        only_clicks = is_inside and isinstance(next_model, LadderModel)
        everywhere = np.ones(len(self.channels))
        *_, (stage, system, _, states) = self._stages(np.array([time]), everywhere, only_clicks)
        *_, (state, phase) = states
        if only_clicks:
            mixture = Mixture.of_levels(state[0].real)
        else:
            # The next stage may begin just now.
            is_same = next_model.theta == stage.model.theta
            mixture = Mixture.of_matrix(
                system.matrix(state[0], phase)
                if is_same
                else system.in_basis(state, phase, next_model.theta)[0]
            )
        return Course(left, mixture, self.channels)

    def ending(self, time):
        """Return the course up to `time`, which is after the last stage's start."""
        *early, last = self.stages
        return replace(self, stages=(*early, replace(last, end=min(last.end, time))))

    def _stages(self, times, field, only_clicks):
        """Take the state through the stages up to the last of `times`.

        With `only_clicks` nothing but clicks is wanted of the last one.

        Yields
        ------
        stage : Stage
        system : LadderFields or DrivenFields
        wanted : slice
            Which of the times are in the stage.
        states : iterator of (y, phase)
            At these times and perhaps at its end.
        """
        stages = _cut(self.stages, times[-1]) or self.stages[:1]
        matrix = None
        for stage, following in zip(stages, [*stages[1:], None], strict=True):
            wanted, local = stage.select(times, to_end=following is not None)
            is_last = following is None
            system = under_field(stage.model, field[list(stage.tags)], only_clicks and is_last)
            is_first = matrix is None
            y = system.of_mixture(self.mixture) if is_first else system.of_matrix(matrix)
            phases = stage.model.frequency * local
            seen = []
            states = _kept(system.states(y[None], local), phases, seen)
            yield stage, system, wanted, states
            if following:
                for _ in states:  # on to the end of the stage
                    pass
                matrix = system.in_basis(seen[0], phases[-1], following.model.theta)[0]

    def clicked(self, tags):
        """Return the course after a photon of one of the channels `tags` (nc,) comes now.

        Returns
        -------
        Course or None
            None if it cannot come.
        rate : float
            The rate at which it comes.
        """
        stage = self.stages[0]
        wanted = tags[list(stage.tags)]
        if isinstance(stage.model, LadderModel) and len(self.stages) == 1:
            flows = (stage.model.click_rates * populations(self))[wanted]
            shifts = stage.model.shifts[wanted]
            # The rate of a jump off the ladder is zero, so rolling brings nothing round.
            after = sum(np.roll(flow, shift) for flow, shift in zip(flows, shifts, strict=True))
            rate = float(np.sum(after))
            mixture = Mixture.of_levels(after) if rate > 0 else None
        else:
            rate, mixture = _jumped(self.mixture, stage.model.jump_bands[wanted])
        return (Course(self.stages, mixture, self.channels) if mixture else None), rate

    def count_moments(self, times, rtol):
        """Return means (nc, nt) and covariances (nc, nc, nt) of the photon counts since t = 0."""
        stages = _cut(self.stages, times[-1]) or self.stages[:1]
        ends = np.array([min(stage.end, times[-1]) for stage in stages])
        n = len(self.channels)

        def moments(at, lines, rtol):
            return count_moments(stages, n, self.mixture, at, lines, rtol)

        lines = moments(ends, np.zeros((len(stages), n)), ROUGH)[0].T
        deviations, covariances = moments(times, lines, rtol)
        knots = np.append(0.0, ends)
        means = [np.interp(times, knots, np.append(0.0, line)) for line in lines.T]
        return deviations + np.array(means), covariances

    def counted(self, tags, end):
        """Return the course from the first to the last stage by `end` that has one of the channels.

        Parameters
        ----------
        tags : ndarray (nc,), bool
        end : float

        Returns
        -------
        Course or None
            None if no stage has one.
        end : float
            On its clock.
        """
        having = [stage for stage in _cut(self.stages, end) if tags[list(stage.tags)].any()]
        if not having:
            return None, 0.0
        start = having[0].start
        end = min(end, having[-1].end)
        course = self.later(start)
        return Course(_cut(course.stages, end - start), course.mixture, self.channels), end - start


def _kept(states, phases, last):
    """Yield the (state, phase) pairs, and leave the last state in `last`."""
    for state, phase in zip(states, phases, strict=True):
        last[:] = [state]
        yield state, phase


def populations(course):
    """Return the populations of the first stage's levels, float64 (N+1,)."""
    model = course.stages[0].model
    return Orders(model.n_atoms, model.theta, [0]).of_mixture(course.mixture).real


def _cut(stages, end):
    return tuple(stage for stage in stages if stage.start < end)


def _jumped(mixture, bands):
    """Return the rate of the jumps `bands` (n, 3, N+1) and the mixture after one of them."""
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
    if rate <= DARK * (bands**2).sum(axis=(0, 1)).max(initial=0.0):
        return 0.0, None
    return rate, Mixture.of_kets(rates, np.array(kets))
