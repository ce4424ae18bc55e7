"""Homodyne and heterodyne detection: light that is mixed with a local oscillator, and then seen.

A beam splitter turns a jump operator L and an oscillator of amplitude b = beta exp(i phase) into
two, L_+- = (L +- b)/sqrt(2), whose clicks tell a quadrature of L: their difference comes at the
rate 2 beta Re <exp(-i phase) L>. As D[L_+] + D[L_-] = D[L], the state of all trajectories together
obeys the same master equation as without the oscillator.
"""

import cmath
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar, NamedTuple

import numpy as np

from trajbatt.base import checks
from trajbatt.base.types import AnyArray, BoolArray, FloatArray
from trajbatt.light.checking import MOST_CHANNELS
from trajbatt.models.model import Model, check_model, check_symmetric
from trajbatt.models.protocol import Protocol

LOST = "_lost"  # ends the name of the channel of what is not detected


class Port(NamedTuple):
    """What one detector sees: amplitude L + oscillator.

    Attributes
    ----------
    ending : str
        Of its channel's name.
    amplitude : float
    oscillator : complex
    """

    ending: str
    amplitude: float
    oscillator: complex


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
        if isinstance(channels, str):
            channels = (channels,)
        if isinstance(model, Protocol):
            return Protocol([(self._of_stage(one, channels), time) for one, time in model.steps])
        if channels is not None:
            known = _source(model).channel_names
            channels = [checks.choice("channels", name, known) for name in channels]
        return self._of_stage(model, channels)

    def _of_stage(self, model, channels):
        check_symmetric(model, "a `model` with oscillators")
        source = _source(model)
        known = getattr(model, "detection", (None,) * len(source.channel_names))
        emitting = zip(source.channel_names, source.photons, known, strict=True)
        detection = tuple(
            self if (photons == 1.0 if channels is None else name in channels) else other
            for name, photons, other in emitting
        )
        if not any(detection):
            return model
        return HomodyneModel(source, detection)


@dataclass(frozen=True)
class Heterodyne(Homodyne):
    """A detector of both quadratures: each half of the light is homodyned, pi/2 apart.

    The parameters are those of `Homodyne`; `beta` is the amplitude of each half's oscillator. The
    channels are called `all_x_plus`, `all_x_minus`, `all_y_plus` and `all_y_minus`; the current of
    each half is that of a `Homodyne` of half the efficiency.
    """

    quadratures: ClassVar[tuple[tuple[str, float], ...]] = (("_x", 0.0), ("_y", 0.5 * math.pi))


class Current(NamedTuple):
    """One homodyne current of a model.

    Attributes
    ----------
    name : str
        Of the source's channel, with `_x` or `_y` of a `Heterodyne`.
    plus, minus : int
        Its channels.
    beta : float
    """

    name: str
    plus: int
    minus: int
    beta: float


@dataclass(frozen=True, repr=False)
class HomodyneModel(Model):
    """A model whose light is mixed with oscillators; made by `Homodyne.of` and `Heterodyne.of`.

    Parameters
    ----------
    source : LadderModel or BandedModel
    detection : tuple of nc (Homodyne, Heterodyne or None)
        Of each channel of the source.
    """

    source: Model
    detection: tuple[Homodyne | None, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "detection", tuple(self.detection))
        if len(self.channel_names) > MOST_CHANNELS:
            raise ValueError(
                f"`model` must have at most {MOST_CHANNELS} channels, "
                f"but has {len(self.channel_names)} with its oscillators"
            )

    def __repr__(self) -> str:
        """Return one line."""
        return f"HomodyneModel of {self.source!r}: {', '.join(self.channel_names)}"

    @cached_property
    def _ports(self) -> list[tuple[int, Port]]:
        """The source's channel of each of the channels, and what is seen of it."""
        alone = Port("", 1.0, 0.0)
        return [
            (c, port)
            for c, one in enumerate(self.detection)
            for port in ((alone,) if one is None else one.ports)
        ]

    def _named(self, names):
        """Return the names of the channels, where the source's have the `names`."""
        return tuple(names[c] + port.ending for c, port in self._ports)

    @property
    def name(self) -> str:
        """What the battery is doing."""
        return self.source.name

    @property
    def n_atoms(self) -> int:
        """The number of atoms."""
        return self.source.n_atoms

    @property
    def theta(self) -> float:
        """The angle of the source's basis."""
        return self.source.theta

    @property
    def frequency(self) -> float:
        """H = frequency * J'_z."""
        return self.source.frequency

    @property
    def oscillates_at(self) -> float:
        """The frequency at which mean click rates oscillate."""
        return self.source.oscillates_at

    @property
    def coherent_rate(self) -> float | None:
        """The rate of Eq. (19)."""
        return self.source.coherent_rate

    @property
    def start(self) -> Model | None:
        """That whose steady state is the default initial state."""
        return self.source.start

    @property
    def is_discharge(self) -> bool:
        """Whether the light comes from the bare dipole with the pump off."""
        return self.source.is_discharge

    @property
    def jumps_turn(self) -> bool:
        """Not those of lines: their oscillators have the lines' frequencies."""
        return not self.source.has_lines

    @property
    def label(self) -> str:
        """What is done, and that there are oscillators."""
        return f"{self.source.label}, with local oscillators"

    @property
    def channel_names(self) -> tuple[str, ...]:
        """Those of the detectors, such as `all_plus`, and of what is lost."""
        return self._named(self.source.channel_names)

    @property
    def names_in_protocol(self) -> tuple[str, ...]:
        """The names of the channels where other stages emit, too."""
        return self._named(self.source.names_in_protocol)

    @property
    def photons(self) -> FloatArray:
        """nan of the detectors: their clicks are no photons of the battery's alone."""
        own = self.source.photons
        return np.array([np.nan if port.oscillator else own[c] for c, port in self._ports])

    @property
    def is_hidden(self) -> BoolArray:
        """Of each channel, whether nobody sees it, bool (nc,)."""
        return np.array([port.ending == LOST for _, port in self._ports])

    @property
    def currents(self) -> tuple[Current, ...]:
        """The homodyne currents, differences of two channels each."""
        names, found = self.channel_names, []
        for c, port in self._ports:
            name = self.source.channel_names[c] + port.ending
            if port.oscillator and name.endswith("_plus"):
                stem = name.removesuffix("_plus")
                places = names.index(name), names.index(f"{stem}_minus")
                found.append(Current(stem, *places, self.detection[c].beta))
        return tuple(found)

    @property
    def rates(self) -> FloatArray:
        """The source's rates, by the part that is seen, float64 (nc,)."""
        return np.array([self.source.rates[c] * port.amplitude**2 for c, port in self._ports])

    @property
    def jump_mix(self) -> FloatArray:
        """That of the source's channels, float64 (nc, 3); without the oscillators."""
        return self.source.jump_mix[[c for c, _ in self._ports]]

    @property
    def oscillators(self) -> AnyArray:
        """What is added to each jump operator, complex128 (nc,)."""
        return np.array([port.oscillator for _, port in self._ports], dtype=complex)

    @cached_property
    def jump_bands(self) -> AnyArray:
        """<k + s|L_c|k> for s = -1, 0, 1, complex128 (nc, 3, N+1)."""
        bands = super().jump_bands.astype(complex)
        bands[:, 1] += self.oscillators[:, None]
        return bands

    @property
    def timescale(self) -> float:
        """That of the source: the oscillators change no means."""
        return self.source.timescale

    @property
    def largest_rate(self) -> float:
        """A bound of the click rate."""
        return self.source.largest_rate + self.oscillator_rate

    @property
    def oscillator_rate(self) -> float:
        """The rate of clicks that the oscillators give alone."""
        return float((np.abs(self.oscillators) ** 2).sum())

    def typical_clicks(self, duration: float) -> float:
        """Return a rough number of clicks in a trajectory of this duration."""
        return self.source.typical_clicks(duration) + self.oscillator_rate * duration

    def parameters(self, alone: bool = True) -> dict[str, float]:
        """Return those of the source."""
        return self.source.parameters(alone)

    @property
    def changeable(self) -> tuple[str, ...]:
        """Those of the source."""
        return self.source.changeable

    def with_parameters(self, **changed: float) -> "HomodyneModel":
        """Return the same model with some of its `parameters` changed."""
        return replace(self, source=self.source.with_parameters(**changed))

    @property
    def battery_parameters(self) -> dict[str, Any] | None:
        """The arguments of the `Battery` that makes the source."""
        return self.source.battery_parameters


def _source(model):
    """Return the model without oscillators."""
    return model.source if isinstance(model, HomodyneModel) else model
