"""The contract: what the rest of the package asks of a model, whatever its kind.

A *plain* model is one master equation, a ladder or a banded one; a `Protocol` is a schedule of
several. All answer what stands in `Model`, and a plain model is a schedule of one stage, so whoever
takes a state through stages need not ask which it is. What depends on the kind is asked of the
model, or looked up in a registry: `trajbatt.exact.systems`, `trajbatt.trajectories.methods`,
`trajbatt.inference.observers`.
"""

import math
from dataclasses import fields
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np

from trajbatt.base.types import AnyArray, BoolArray, FloatArray, MaybeNone
from trajbatt.models.schedule import Stage
from trajbatt.numerics import spin


class Current(NamedTuple):
    """One homodyne current of a model.

    Attributes
    ----------
    name : str
        Of the channel that was mixed, with `_x` or `_y` of a `Heterodyne`.
    plus, minus : int
        Its channels; -1 without clicks, where the first one's "counts" are the current's integral.
    beta : float
    """

    name: str
    plus: int
    minus: int
    beta: float

    def of(self, counts: FloatArray) -> FloatArray:
        """Return the integrated current (..., nt) in counts (..., nc, nt)."""
        if self.minus < 0:
            return counts[..., self.plus, :]
        return (counts[..., self.plus, :] - counts[..., self.minus, :]) / self.beta


class WithoutTables:
    """What pickles its fields only, not the tables that were made of them."""

    def __getstate__(self) -> dict[str, Any]:
        """Return the fields."""
        return {field.name: getattr(self, field.name) for field in fields(self)}  # type: ignore[arg-type]


class Model(WithoutTables):
    """What a battery does.

    Attributes
    ----------
    name : str
        For people: no behaviour hangs on it.
    n_atoms : int
    channel_names : tuple of nc str
    timescale : float
        The shortest time in which collective means change, inf if never; of a ladder, in whose
        basis they only turn by Omega_P, apart from that.
    largest_rate : float
        At least the rate of clicks in any state.
    theta, frequency : float
        Of a plain model: the angle of the basis of its Hamiltonian, and H = frequency * J'_z there.
    oscillates_at : float
        Of a plain model: the frequency at which mean click rates oscillate; 0 if they only relax.
    coherent_rate : float or None
        Of a plain model: the rate of Eq. (19), where the light comes from the bare dipole.
    start : Model or None
        Of a plain model: that whose steady state is the default initial state; None is the bare
        ground state.
    rates : ndarray (nc,), float64
        Of a plain model: of its channels.
    jump_mix : ndarray (nc, 3), float64
        Of a plain model: how much of J'_-, J'_z and J'_+ there is in the jump operator of each
        channel, L_c = sqrt(rate) (...).
    is_staged : bool
        Whether there may be several stages, in bases of their own.
    is_steered : bool
        Whether stages end by what is seen, see `trajbatt.until`.
    has_lines : bool
        Whether each channel of a plain model is a line of one frequency, with a step `shifts`.
    is_symmetric : bool
        Whether states stay in the symmetric subspace, J = N/2.
    clicks_from_populations : bool
        Whether all that is asked of clicks follows from the populations of the levels at t = 0.
    resolves_rare_light : bool
        Whether the deterministic twin knows click rates to a part of themselves, however small, and
        not only to a part of the largest one.
    has_clicks : bool
        Whether channels click; else they are homodyne currents, and their counts integrals of them.
    is_discharge : bool
        Whether the light comes from the bare dipole with the pump off.
    moves : bool
        Of a plain model: whether the drive moves, so that there is no H = frequency * J'_z.
    lasts : float
        Of a plain model: how long it may be used; inf but for one whose drive moves.
    jumps_turn : bool
        Of a plain model: whether its jump operators are at rest in the Schroedinger picture, and
        turn in the interaction picture of H; else it is the other way round.
    """

    is_staged: ClassVar[bool] = False
    is_steered: ClassVar[bool] = False
    has_lines: ClassVar[bool] = False
    moves: ClassVar[bool] = False
    is_symmetric: ClassVar[bool] = True
    clicks_from_populations: ClassVar[bool] = False
    has_clicks: ClassVar[bool] = True
    resolves_rare_light: ClassVar[bool] = False

    if TYPE_CHECKING:  # what each kind has, as a field or a property

        @property
        def name(self) -> str:
            """For people."""

        @property
        def n_atoms(self) -> int:
            """The number of atoms."""

        @property
        def channel_names(self) -> tuple[str, ...]:
            """The names of the channels."""

        @property
        def timescale(self) -> float:
            """The shortest time in which collective means change."""

        @property
        def largest_rate(self) -> float:
            """A bound of the click rate."""

        @property
        def theta(self) -> float:
            """Of a plain model: the angle of its basis."""

        @property
        def frequency(self) -> float:
            """Of a plain model: the spacing of its levels."""

        @property
        def oscillates_at(self) -> float:
            """Of a plain model: the frequency of mean click rates."""

        @property
        def coherent_rate(self) -> float | None:
            """Of a plain model: the rate of Eq. (19)."""

        @property
        def start(self) -> "Model | None":
            """Of a plain model: that whose steady state is the default initial state."""

        @property
        def rates(self) -> FloatArray:
            """Of a plain model: those of its channels."""

        @property
        def jump_mix(self) -> FloatArray:
            """Of a plain model: what its jump operators are made of."""

    @property
    def n_levels(self) -> int:
        """The number of levels of the symmetric subspace, N + 1."""
        return self.n_atoms + 1

    @property
    def is_discharge(self) -> bool:
        """Whether the light comes from the bare dipole with the pump off."""
        return False

    @property
    def counted_as(self) -> str:
        """What people call the counts of the channels: photons, clicks or currents."""
        return "photons"

    @property
    def currents(self) -> tuple["Current", ...]:
        """The homodyne currents of its light, if that is mixed with oscillators."""
        return ()

    def counted(self, samples: FloatArray) -> AnyArray:
        """Return a copy of counts as they are kept: int64, but float64 without clicks."""
        return samples.astype(np.int64 if self.has_clicks else np.float64)

    def current(self, times: FloatArray, counts: FloatArray) -> FloatArray | MaybeNone:
        """Return the homodyne currents (N_+ - N_-)/beta per time, float64 (..., nd, nt-1).

        None if the light is not mixed with an oscillator.

        Parameters
        ----------
        times : ndarray (nt,)
        counts : ndarray (..., nc, nt)
            Clicks since t = 0.
        """
        if not self.currents:
            return None
        found = np.array([one.of(counts) for one in self.currents])
        return np.moveaxis(np.diff(found, axis=-1) / np.diff(times), 0, -2)

    @property
    def drive(self) -> tuple[Any, ...]:
        """Of a plain model: what tells its Hamiltonian."""
        return self.theta, self.frequency

    @property
    def lasts(self) -> float:
        """Of a plain model: how long it may be used."""
        return math.inf

    @property
    def jumps_turn(self) -> bool:
        """Of a plain model: whether its jump operators are at rest in the Schroedinger picture."""
        return True

    @property
    def is_hidden(self) -> BoolArray:
        """Of each channel, whether nobody sees it, bool (nc,)."""
        return np.zeros(len(self.channel_names), dtype=bool)

    @property
    def oscillators(self) -> AnyArray:
        """Of a plain model: what is added to each jump operator, complex128 (nc,)."""
        return np.zeros(len(self.channel_names), dtype=complex)

    @property
    def photons(self) -> FloatArray:
        """Of each channel, +1 if its jumps emit a photon, -1 if they absorb one, else 0, (nc,)."""
        return np.ones(len(self.channel_names))

    @property
    def emits_light(self) -> BoolArray:
        """Of each channel, whether its clicks are of emitted light, mixed or not, bool (nc,)."""
        return np.isnan(self.photons) | (self.photons == 1.0)

    @property
    def lit_channels(self) -> tuple[str, ...]:
        """The names of the channels whose jumps emit or absorb light."""
        pairs = zip(self.channel_names, self.photons, strict=True)
        return tuple(name for name, photons in pairs if photons)

    @property
    def is_local(self) -> BoolArray:
        """Of each channel, whether it belongs to single atoms, bool (nc,)."""
        return np.zeros(len(self.channel_names), dtype=bool)

    @property
    def label(self) -> str:
        """What is done, and by which equation where that is not plain."""
        return self.name

    @cached_property
    def jump_bands(self) -> AnyArray:
        """<k + s|L_c|k> for s = -1, 0, 1, float64 (nc, 3, N+1); of a plain model."""
        raising = spin.raising_elements(self.n_atoms)
        elements = np.array([raising[::-1], spin.magnetic_numbers(self.n_atoms), raising])
        return np.sqrt(self.rates)[:, None, None] * (self.jump_mix[:, :, None] * elements)

    def stages(self, until: float = math.inf) -> tuple[Stage, ...]:
        """Return the stages that begin before the time `until`, a tuple of `Stage`; one at least.

        That of a plain model never ends.

        Raises
        ------
        ValueError
            If they end by what is seen, in each trajectory at another time.
        """
        return (Stage(self, 0.0, math.inf, tuple(range(len(self.channel_names)))),)

    def latest_stages(self, until: float = math.inf) -> tuple[Stage, ...]:
        """Return the same with the latest times at which they can begin and end."""
        return self.stages(until)

    @property
    def names_in_protocol(self) -> tuple[str, ...]:
        """The names of the channels where other stages emit, too, a tuple of nc str."""
        return self.channel_names

    def default_initial(self) -> "FloatArray | Model":
        """Return a bare ket (N+1,), or a model, which stands for its steady state."""
        if self.start is not None:
            return self.start
        return spin.coherent_ket(self.n_atoms, 0.0, 1.0)

    def typical_clicks(self, duration: float) -> float:
        """Return a rough number of clicks in a trajectory of this duration."""
        raise NotImplementedError

    def parameters(self, alone: bool = True) -> dict[str, float]:
        """Return the numbers that may be changed, a dict of str to float.

        Parameters
        ----------
        alone : bool
            With those that matter only for the default initial state.
        """
        raise NotImplementedError

    @property
    def changeable(self) -> tuple[str, ...]:
        """The names that `with_parameters` takes."""
        return tuple(self.parameters())

    def with_parameters(self, **changed: float) -> "Model":
        """Return the same model with some of its `parameters` changed."""
        raise NotImplementedError

    @property
    def battery_parameters(self) -> dict[str, Any] | None:
        """The arguments of the `Battery` that makes such a model, a dict; None if there is none."""
        raise NotImplementedError


def check_model(model: object) -> None:
    """Raise `TypeError` if `model` is no model or protocol, such as a battery in its place."""
    if not isinstance(model, Model):
        raise TypeError(f"`model` must be a model such as battery.charge(), but is {model!r}")


def check_plain(model: object) -> None:
    """Raise `TypeError` if `model` is no single model, such as a protocol in its place."""
    if not isinstance(model, Model) or model.is_staged:
        raise TypeError(
            "`model` must be a single model such as battery.charge(), "
            f"but is a {type(model).__name__}"
        )


def stays_symmetric(model, until=math.inf):
    """Return whether no stage that begins before `until` leaves the symmetric subspace."""
    return all(stage.model.is_symmetric for stage in model.latest_stages(until))


def check_symmetric(model, what):
    """Raise `ValueError` if noise of single atoms leaves the symmetric subspace.

    Parameters
    ----------
    model : Model
    what : str
        What is not offered then, as the subject of a sentence.
    """
    if not stays_symmetric(model):
        raise ValueError(
            f"{what} must be of states with J = N/2, but noise of single atoms leaves this "
            f"symmetric subspace in {model.name!r}"
        )


def check_at_rest(model, what):
    """Raise `ValueError` if the drive of a stage moves.

    Parameters
    ----------
    model : Model
    what : str
        What is not offered then, as the subject of a sentence.
    """
    if any(stage.model.moves for stage in model.latest_stages()):
        raise ValueError(
            f"{what} must have a drive at rest, not one that moves within a stage: give `stages` "
            "to the ramp"
        )


def of_kind(registry, model):
    """Return what a registry {class: thing} holds for the class of a model, or its parents.

    Raises
    ------
    TypeError
        If it holds nothing.
    """
    for kind in type(model).__mro__:
        if kind in registry:
            return registry[kind]
    listed = " or ".join(kind.__name__ for kind in registry)
    raise TypeError(f"`model` must be a {listed}, but is a {type(model).__name__}")
