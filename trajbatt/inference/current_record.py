"""What is known of one battery whose light was homodyned in the diffusive limit."""

from dataclasses import dataclass, replace

import numpy as np

from trajbatt.inference.current_observer import CurrentObserver
from trajbatt.inference.impossible import ImpossibleClickError
from trajbatt.light.currents import HomodyneRecord
from trajbatt.models.mixed_light import DiffusiveModel
from trajbatt.models.model import Model
from trajbatt.numerics import spin


@dataclass(frozen=True, eq=False)
class CurrentRecord:
    """A model and its currents, in place of a `trajbatt.inference.following.Record`.

    Attributes
    ----------
    model : DiffusiveModel, or Protocol of such
    times : ndarray (nt,), float64
        Edges of the bins.
    seen : HomodyneRecord
    """

    model: Model
    times: np.ndarray
    seen: HomodyneRecord

    def __post_init__(self):
        n_currents, wanted = len(self.seen.current), len(self.model.channel_names)
        if n_currents != wanted:
            raise ValueError(
                f"`current` must have one row for each of {', '.join(self.model.channel_names)}, "
                f"but has {n_currents}"
            )
        for stage in self.model.stages(self.times[-1]):
            if stage.model.channel_names and stage.model.has_clicks:
                raise ValueError(
                    f"`model` must have no clicks beside currents, but has in {stage.model.name!r}"
                )
            self.seen.place(min(stage.end, self.seen.duration), "the ends of stages")
        for time in self.times:
            self.seen.place(time, "tlist")

    def stages(self):
        """Return the stages of the model; those without light as such without currents."""
        return tuple(
            one if one.model.channel_names else replace(one, model=DiffusiveModel(one.model, ()))
            for one in self.model.stages(self.times[-1])
        )

    def systems(self, all_orders):
        """Return what makes the system of a leg."""

        def system(leg):
            return CurrentStage(self, leg)

        return system

    @property
    def sees_all(self):
        """Whether no light is lost."""
        return all(len(one.model.noise_bands) == len(one.places) for one in self.stages())


class CurrentStage:
    """The observer of a stage as `trajbatt.exact.stages` walks with it.

    Parameters
    ----------
    record : CurrentRecord
    leg : Leg
    """

    def __init__(self, record, leg):
        self.observer = CurrentObserver(leg.stage.model)
        self._seen, self._start = record.seen, leg.stage.start
        self._places, self._theta = list(leg.stage.places), leg.stage.model.theta

    def begin(self, mixture):
        """Start from a `Mixture`."""
        self.observer.begin(mixture)

    def states(self, _, times):
        """Yield the orders of trace 1, and the logarithm of the trace, at each of `times`."""
        seen = self._seen
        done = seen.place(self._start, "the ends of stages")
        for time in times:
            end = seen.place(self._start + time, "tlist")
            lengths, currents = np.diff(seen.edges[done : end + 1]), seen.current[:, done:end]
            try:
                self.observer.advance(lengths, currents[self._places].T)
            except ImpossibleClickError:
                raise ValueError(
                    f"`current` must be possible under the model, but by t = {seen.edges[end]:g} "
                    "it is too large"
                ) from None
            done = end
            yield self.observer.state(), self.observer.log_trace

    def hand_over(self, _, phase, theta):
        """Return the `Mixture` for another stage."""
        mixture = self.observer.mixture(phase)
        if theta == self._theta:
            return mixture
        n_atoms = self.observer.layout.n_atoms
        return mixture.in_basis(spin.change_of_basis(n_atoms, self._theta, theta))
