"""Rules by which a stage of a protocol ends: what its light says, and not the clock alone."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from trajbatt.base import checks
from trajbatt.light.checking import TOTAL
from trajbatt.models.model import Model


@dataclass(frozen=True)
class Until:
    """A rule: see `until`, which makes one.

    Attributes
    ----------
    at_most : float
        The stage ends by then in any case, from its begin.
    channels : tuple of str
        Whose clicks are counted.
    clicks : int or None
        The one that ends the stage.
    energy : float or None
        The energy of the filtered state that ends it.
    efficiency : float
        With which the filter sees photons.
    rising : bool
        The energy is passed upwards, else downwards.
    """

    at_most: float
    channels: tuple[str, ...] = ()
    clicks: int | None = None
    energy: float | None = None
    efficiency: float = 1.0
    rising: bool = True

    def __repr__(self) -> str:
        """Return such as `until(clicks=("blue", 50), at_most=0.1)`."""
        if self.clicks is None:
            words = [f"energy={self.energy!r}", f"at_most={self.at_most!r}"]
            words[1:1] = [f"efficiency={self.efficiency!r}"] if self.efficiency < 1.0 else []
            words[1:1] = [] if self.rising else ["rising=False"]
            return f"until({', '.join(words)})"
        channels = self.channels[0] if len(self.channels) == 1 else self.channels
        return f"until(clicks={(channels, self.clicks)!r}, at_most={self.at_most!r})"

    @property
    def words(self) -> str:
        """For people, such as "50 blue, at most 0.1"."""
        if self.clicks is not None:
            what = f"{self.clicks} {' or '.join(self.channels)}"
        else:
            what = f"energy {'above' if self.rising else 'below'} {self.energy:.6g}"
        return f"{what}, at most {self.at_most:.6g}"

    def counted(self, model: Model) -> np.ndarray:
        """Return 1 for the channels of a plain model whose clicks are counted, else 0, (nc,)."""
        wanted, found = set(self.channels), np.zeros(len(model.channel_names), dtype=np.int64)
        pairs = zip(model.names_in_protocol, model.channel_names, strict=True)
        for c, both in enumerate(pairs):
            meant = (TOTAL in wanted and model.emits_light[c]) or not wanted.isdisjoint(both)
            found[c] = meant and not model.is_hidden[c]
        return found


def until(
    *,
    at_most: float,
    clicks: tuple[str | Sequence[str], int] | None = None,
    energy: float | None = None,
    efficiency: float = 1.0,
    rising: bool = True,
) -> Until:
    """Return a rule by which a stage of a `Protocol` ends, in place of its duration.

    Each trajectory ends the stage at its own time, and begins the next one there. The last stage
    of a protocol has a duration, and goes on until those that take longest have ended theirs.

    Parameters
    ----------
    at_most : float
        The stage ends so long after its begin, if not before; in the unit of 1/rate.
    clicks : tuple (channel, n), optional
        It ends with the n-th click of a channel since it began; of several, given by their names;
        or of "total", which is all that give light. All clicks of them are seen; what is hidden,
        such as the light that a `Homodyne` loses, is not counted.
    energy : float, optional
        In its place: it ends when the energy of the filtered state, which `tb.filter` gives for the
        light so far, passes this, in units of hbar omega_0; at once if it is beyond.
    efficiency : float
        With `energy`: the probability that a photon is seen, in [0, 1], the same in all stages.
        Jumps that give no light are seen at 1 and not below, as in `filter`.
    rising : bool
        With `energy`: it is passed upwards, else downwards.

    Returns
    -------
    Until

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range or of the wrong kind; a `Protocol` says so of rules that
        its stage cannot meet.

    Examples
    --------
    >>> import trajbatt as tb
    >>> battery = tb.Battery(n_atoms=20, theta=2.0, omega_p=200.0)
    >>> tb.Protocol([(battery.charge(), tb.until(clicks=("blue", 9), at_most=1.0)),
    ...              (battery.store(), 0.5)])
    Protocol: charge until 9 blue, at most 1, store for 0.5; N = 20
    """
    at_most = checks.positive("at_most", at_most)
    if (clicks is None) == (energy is None):
        raise ValueError("`until` must have either `clicks` or `energy`, and not both")
    efficiency = checks.real("efficiency", efficiency, 0.0, 1.0)
    rising = checks.boolean("rising", rising)
    if energy is not None:
        energy = checks.real("energy", energy)
        return Until(at_most, energy=energy, efficiency=efficiency, rising=rising)
    if efficiency != 1.0 or not rising:
        raise ValueError("`efficiency` and `rising` must be left out with `clicks`")
    if not isinstance(clicks, tuple) or len(clicks) != 2:
        raise TypeError(
            '`clicks` must be a channel and a number, such as ("blue", 50), '
            f"but is {checks.shown(clicks)}"
        )
    channels, n = clicks
    names = [channels] if isinstance(channels, str) else channels
    is_named = isinstance(names, list | tuple) and all(isinstance(name, str) for name in names)
    if not is_named or not names:
        raise TypeError(
            "`clicks` must begin with a channel's name, or with several, but does with "
            f"{checks.shown(channels)}"
        )
    channels = tuple(dict.fromkeys(str(name) for name in names))
    return Until(at_most, channels, checks.integer("clicks", n, 1))


def check_rule(rule: Until, model: Model) -> None:
    """Raise `ValueError` if a stage of a plain model can never end by a rule."""
    if rule.clicks is None:
        low, high = 0.0, float(model.n_atoms)
        if not low <= rule.energy <= high:  # type: ignore[operator]
            raise ValueError(
                f"`energy` must be between 0 and {model.n_atoms}, or {model.name!r} never ends by "
                f"it, but is {rule.energy:g}"
            )
        return
    if not model.has_clicks:
        raise ValueError(f"`clicks` must not be asked of {model.name!r}, which gives currents")
    pairs = zip(model.names_in_protocol, model.channel_names, model.is_hidden, strict=True)
    seen = [name for own, other, is_hidden in pairs if not is_hidden for name in (own, other)]
    for name in rule.channels:
        checks.choice("clicks", name, tuple(dict.fromkeys([*seen, TOTAL])))
    counted = rule.counted(model).astype(bool)
    most = _most_clicks(model, counted)
    if rule.clicks > most:
        raise ValueError(
            f"`clicks` must be at most {most} of {' or '.join(rule.channels)}, or {model.name!r} "
            f"never ends by them, but is {rule.clicks}"
        )


def _most_clicks(model, counted):
    """Return how many clicks of the channels `counted` (nc,) there can be: N of a mere descent."""
    if not counted.any() or not model.rates[counted].any():
        return 0
    shifts = getattr(model, "shifts", None)
    if shifts is None:
        return np.inf
    climbs = [np.any(shifts[model.rates > 0.0] == way) for way in (-1, 0, 1)]
    only_down, only_up = not any(climbs[1:]), not any(climbs[:2])
    return model.n_atoms if only_down or only_up else np.inf
