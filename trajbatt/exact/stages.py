"""The one walk: a density matrix, or several, on the way through the stages of a schedule.

What travels is a matter of the *system* of each stage, which offers

- `begin(given)`: its own vectors y of a `Mixture`, or of what the system before has handed over;
- `states(y, times)`: an iterable of y at these times on the stage's clock;
- `hand_over(y, phase, theta)`: the last y, at Omega t = `phase`, for a system in another basis.
"""

from trajbatt.models.schedule import legs


class Passage:
    """One leg of the way: iterate to get the system's y at each of the leg's times.

    Attributes
    ----------
    leg : Leg
    system : object
        See above.
    phases : ndarray, float64
        Omega t at the leg's times.
    states : iterable
        What the system gives; some give all at once, as an array (nt, n).
    """

    def __init__(self, leg, system, given):
        self.leg, self.system = leg, system
        self.phases = leg.stage.model.frequency * leg.local
        self.states = system.states(system.begin(given), leg.local)
        self._coming, self._last = iter(self.states), None

    def __iter__(self):
        for y in self._coming:
            self._last = y
            yield y

    def at_end(self):
        """Go on to the end of the stage, and return y there."""
        for _ in self:
            pass
        return self._last

    def hand_over(self, theta):
        """Go on to the end of the stage, and return what the next one begins with."""
        return self.system.hand_over(self.at_end(), self.phases[-1], theta)


def walk(stages, times, system_for, mixture):
    """Take a state through the stages.

    Parameters
    ----------
    stages : sequence of Stage
    times : ndarray (nt,)
        Up to the end of the last stage.
    system_for : callable
        Of a `Leg`; returns the system of its stage.
    mixture : Mixture
        The initial state in the basis of the first stage.

    Yields
    ------
    Passage
        Of each stage; what its reader leaves of it is gone through before the next one.
    """
    given = mixture
    for leg in legs(stages, times):
        passage = Passage(leg, system_for(leg), given)
        yield passage
        if leg.following:
            given = passage.hand_over(leg.following.model.theta)
