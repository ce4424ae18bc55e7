"""Models whose light is mixed with local oscillators; made by `Homodyne.of` and `Heterodyne.of`."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar, NamedTuple

import numpy as np

from trajbatt.base.types import AnyArray, BoolArray, FloatArray
from trajbatt.light.checking import MOST_CHANNELS
from trajbatt.models.model import Current, Model

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
    detection: tuple[Any, ...]

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
    def counted_as(self) -> str:
        """Clicks: not all of them are photons of the battery's."""
        return "clicks"

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

    @cached_property
    def _quadratures(self) -> list[tuple[int, Port]]:
        """The source's channel of each current, and how much of it that tells."""
        mixed = [(c, one) for c, one in enumerate(self.detection) if one is not None]
        return [(c, port) for c, one in mixed for port in one.currents]

    @property
    def signal_bands(self) -> AnyArray:
        """<k + s|B|k> for s = -1, 0, 1, complex128 (nd, 3, N+1), of currents <B + B+>."""
        return self._signals(self._quadratures)

    def _signals(self, ports):
        bands = self.source.jump_bands
        found = [port.amplitude * np.conj(port.oscillator) * bands[c] for c, port in ports]
        return np.array(found, dtype=complex).reshape(-1, 3, self.n_levels)

    @property
    def twin(self) -> "HomodyneModel":
        """That with clicks, whose (N_+ - N_-)/beta has the same means: itself."""
        return self

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


@dataclass(frozen=True, repr=False)
class DiffusiveModel(HomodyneModel):
    """The limit of strong oscillators: channels are currents, and their "counts" integrals dY.

    With B = amplitude exp(-i phase) L each is dY = <B + B+> dt + dW. All the other light, which is
    lost or not mixed, is noise that nobody sees.
    """

    has_clicks: ClassVar[bool] = False

    def __repr__(self) -> str:
        """Return one line."""
        return f"DiffusiveModel of {self.source!r}: {', '.join(self.channel_names)}"

    @property
    def _ports(self) -> list[tuple[int, Port]]:
        """The source's channel of each current, and what is seen of it."""
        return self._quadratures

    @cached_property
    def _unseen(self) -> list[tuple[int, Port]]:
        """The same of noise that nobody sees."""
        found = []
        for c, one in enumerate(self.detection):
            lost = 0.0 if one is None else one.efficiency
            if lost < 1.0:
                found.append((c, Port("", np.sqrt(1.0 - lost), 1.0)))
        return found

    @property
    def twin(self) -> HomodyneModel:
        """The same with weak oscillators, whose (N_+ - N_-)/beta has the same means."""
        weak = [None if one is None else replace(one, beta=1.0) for one in self.detection]
        return HomodyneModel(self.source, tuple(weak))

    @property
    def currents(self) -> tuple[Current, ...]:
        """Each channel is a current."""
        return tuple(Current(name, i, -1, 1.0) for i, name in enumerate(self.channel_names))

    @property
    def is_hidden(self) -> BoolArray:
        """None is, bool (nc,)."""
        return np.zeros(len(self._ports), dtype=bool)

    @property
    def noise_bands(self) -> AnyArray:
        """Those of `signal_bands`, and of noise that nobody sees, complex128 (nb, 3, N+1)."""
        return self._signals([*self._quadratures, *self._unseen])

    @property
    def counted_as(self) -> str:
        """Currents."""
        return "currents"

    def typical_clicks(self, duration: float) -> float:
        """Return 0: there are none."""
        return 0.0
