"""Homodyne and heterodyne detection: light that is mixed with a local oscillator, and then seen.

A beam splitter turns a jump operator L and an oscillator of amplitude b = beta exp(i phase) into
two, L_+- = (L +- b)/sqrt(2), whose clicks tell a quadrature of L: their difference comes at the
rate 2 beta Re <exp(-i phase) L>. As D[L_+] + D[L_-] = D[L], the state of all trajectories together
obeys the same master equation as without the oscillator.
"""

import cmath
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from trajbatt.base import checks
from trajbatt.models.mixed_light import LOST, DiffusiveModel, HomodyneModel, Port
from trajbatt.models.model import Model, check_at_rest, check_model, check_symmetric
from trajbatt.models.protocol import Protocol


@dataclass(frozen=True)
class Homodyne:
    """A detector of one quadrature of the light: its clicks, with an oscillator of finite strength.

    Parameters
    ----------
    beta : float
        The oscillator's amplitude, above zero: alone it gives beta^2 clicks per unit of time. With
        beta^2 far above the rate of photons, (N_+ - N_-)/beta is the diffusive homodyne current,
        dY = sqrt(efficiency) <exp(-i phase) L + h.c.> dt + dW; `beta = inf` is that limit.
    phase : float
        Of the oscillator, against exp(-i omega t) of the drive, or of a line of Eq. (7) in its
        centre.
    efficiency : float
        The part of the light that is detected, in [0, 1].

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range or of the wrong kind.

    Examples
    --------
    >>> from trajbatt import Battery, Homodyne
    >>> model = Homodyne(beta=20.0).of(Battery(10, 1.2, 30.0).charge(secular=False))
    >>> model.channel_names
    ('all_plus', 'all_minus')
    """

    beta: float
    phase: float = 0.0
    efficiency: float = 1.0
    quadratures: ClassVar[tuple[tuple[str, float], ...]] = (("", 0.0),)

    def __post_init__(self) -> None:
        beta = math.inf if self.beta == math.inf else checks.positive("beta", self.beta)
        object.__setattr__(self, "beta", beta)
        object.__setattr__(self, "phase", checks.real("phase", self.phase))
        efficiency = checks.real("efficiency", self.efficiency, 0, 1)
        object.__setattr__(self, "efficiency", efficiency)

    @property
    def is_diffusive(self) -> bool:
        """Whether there is a current in place of clicks."""
        return self.beta == math.inf

    @property
    def ports(self) -> tuple[Port, ...]:
        """The two detectors of each quadrature, and what is lost."""
        shared = len(self.quadratures)
        amplitude = math.sqrt(self.efficiency / (2 * shared))
        found = []
        for name, turn in self.quadratures:
            oscillator = cmath.rect(self.beta * math.sqrt(0.5), self.phase + turn)
            found.append(Port(name + "_plus", amplitude, oscillator))
            found.append(Port(name + "_minus", amplitude, -oscillator))
        return (*found, *self._lost)

    @property
    def currents(self) -> tuple[Port, ...]:
        """The quadratures in the diffusive limit, each as dY = <L e^(-i phase) + h.c.> dt + dW."""
        amplitude = math.sqrt(self.efficiency / len(self.quadratures))
        return tuple(
            Port(name, amplitude, cmath.rect(1.0, self.phase + turn))
            for name, turn in self.quadratures
        )

    @property
    def _lost(self):
        if self.efficiency < 1.0:
            yield Port(LOST, math.sqrt(1.0 - self.efficiency), 0.0)

    def of(self, model: Model, channels: Sequence[str] | None = None) -> Model:
        """Return a model whose light is detected so; every function takes it as another model.

        Parameters
        ----------
        model : LadderModel, BandedModel, HomodyneModel or Protocol
            One without noise of single atoms. Of Eq. (7) each line has an oscillator of its own, at
            its own frequency.
        channels : sequence of str, optional
            Those that are mixed; all that emit light by default. Others are left as they are, and
            may be mixed with another oscillator afterwards.

        Returns
        -------
        HomodyneModel, or Protocol
            With channels such as `all_plus`, `all_minus` and `all_lost` in place of `all`; a stage
            that gives no light is left as it is.

        Raises
        ------
        ValueError, TypeError
            If there is no such channel, or noise of single atoms.
        """
        check_model(model)
        stages = model.stages()
        if channels is not None:
            sources = [_source(one.model) for one in stages]
            known = tuple(dict.fromkeys(name for one in sources for name in _emitted(one)))
            given = (channels,) if isinstance(channels, str) else channels
            channels = [checks.choice("channels", name, known) for name in given]
        if not model.is_staged:
            return self._of_stage(model, channels)
        return Protocol([(self._of_stage(one.model, channels), one.duration) for one in stages])

    def _of_stage(self, model, channels):
        check_symmetric(model, "a `model` with oscillators")
        check_at_rest(model, "a `model` with oscillators")
        source = _source(model)
        known = getattr(model, "detection", (None,) * len(source.channel_names))
        emitting = zip(source.channel_names, source.photons, known, strict=True)
        detection = tuple(
            self if (photons == 1.0 if channels is None else name in channels) else other
            for name, photons, other in emitting
        )
        if not any(detection):
            return model
        chosen = [one for one in detection if one is not None]
        if len({one.is_diffusive for one in chosen}) > 1:
            raise ValueError("`beta` must be inf for all channels that are mixed, or for none")
        return (DiffusiveModel if self.is_diffusive else HomodyneModel)(source, detection)


@dataclass(frozen=True)
class Heterodyne(Homodyne):
    """A detector of both quadratures: each half of the light is homodyned, pi/2 apart.

    The parameters are those of `Homodyne`; `beta` is the amplitude of each half's oscillator. The
    channels are called `all_x_plus`, `all_x_minus`, `all_y_plus` and `all_y_minus`; the current of
    each half is that of a `Homodyne` of half the efficiency.
    """

    quadratures: ClassVar[tuple[tuple[str, float], ...]] = (("_x", 0.0), ("_y", 0.5 * math.pi))


def _source(model):
    """Return the model without oscillators."""
    return model.source if isinstance(model, HomodyneModel) else model


def _emitted(model):
    """Return the names of the channels of a plain model that emit light."""
    pairs = zip(model.channel_names, model.photons, strict=True)
    return [name for name, photons in pairs if photons == 1.0]
