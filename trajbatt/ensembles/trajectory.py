"""Single batteries: what one trajectory of an ensemble does."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from trajbatt.base.arrays import ReadOnlyPickle, read_only
from trajbatt.base.cards import Card
from trajbatt.base.types import ComplexArray, FloatArray, IntArray, MaybeNone
from trajbatt.light.clicks import Clicks
from trajbatt.models.model import Model
from trajbatt.numerics import spin
from trajbatt.states import spin_noise
from trajbatt.states.spin_quantities import SpinQuantities
from trajbatt.trajectories.records import COUNTS, ROW

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, eq=False, repr=False)
class Trajectory(Card, ReadOnlyPickle, SpinQuantities):
    """One battery: what a single run does.

    Attributes
    ----------
    index : int
        Its number in the ensemble.
    model : Model
    times : ndarray (nt,), float64
    energy : ndarray (nt,), float64
        <E> of the conditional state.
    energy_variance : ndarray (nt,), float64
        The quantum variance of E in the conditional state.
    dipole : ndarray (nt,), complex128
        Bare <J_+>.
    counts : ndarray (nc, nt), int64
        Photons since t = 0.
    clicks : Clicks
    energy_at_start : float
        <E> at t = 0.
    products : ndarray (4, nt), float64
        The means of `trajbatt.states.products.PRODUCTS`.
    states : ndarray (nt, N+1), complex128, or None
        The conditional states if they were kept: bare kets in the pump frame, of norm 1 and up to a
        phase, index = number of excited atoms; of the J that `spin` tells.
    expect : dict of str to ndarray (nt,), float64
        The means of the run's `e_ops` in the conditional state.
    spin : ndarray (nt,), int64, or None
        2J, with noise of single atoms: the conditional state is pure in M, and even on all ways in
        which the atoms add up to J.
    stage_ends : ndarray (n_stages,), float64, or None
        Of a protocol: when each stage ended; the end of the run, if that came before.
    detected : Clicks or None
        What was seen by whom a stage waited for an energy for; see `trajbatt.until`.
    """

    index: int
    model: Model
    times: FloatArray
    energy: FloatArray
    energy_variance: FloatArray
    dipole: ComplexArray
    counts: IntArray
    clicks: Clicks
    energy_at_start: float
    products: FloatArray
    states: ComplexArray | MaybeNone = None
    expect: dict[str, FloatArray] = field(default_factory=dict)
    spin: IntArray | MaybeNone = None
    stage_ends: FloatArray | MaybeNone = None
    detected: Clicks | MaybeNone = None

    @property
    def spin_square(self) -> FloatArray:
        """<J^2> of the conditional state, float64 (nt,)."""
        known = np.full(self.times.shape, self.model.n_atoms) if self.spin is None else self.spin
        return np.asarray(spin.casimir(known))

    @classmethod
    def of_samples(
        cls,
        index: int,
        times: FloatArray,
        samples: FloatArray,
        clicks: Clicks,
        model: Model,
        **fields: Any,
    ) -> "Trajectory":
        """Return the trajectory that has the rows `samples` (5 + nc, nt) at `times`; read-only.

        `fields` are others of its own.
        """
        read_only(samples, fields.get("states"), *fields.get("expect", {}).values())
        for one in (clicks, fields.get("detected")):
            if one is not None:
                read_only(one.trajectory, one.time, one.channel)
        read_only(fields["products"], fields.get("spin"), fields.get("stage_ends"))
        return cls(
            index=index,
            model=model,
            times=times,
            energy=read_only(samples[ROW["jz"]] + model.n_atoms / 2),
            energy_variance=samples[ROW["jz_variance"]],
            dipole=read_only(samples[ROW["jx"]] + 1j * samples[ROW["jy"]]),
            counts=read_only(model.counted(samples[COUNTS:])),
            clicks=clicks,
            **fields,
        )

    @property
    def n_atoms(self) -> int:
        """The number of atoms."""
        return self.model.n_atoms

    @property
    def channels(self) -> tuple[str, ...]:
        """The names of the channels."""
        return self.model.channel_names

    @property
    def qfi(self) -> FloatArray:
        """Quantum Fisher information of a rotation about the best axis, float64 (nt,)."""
        return spin_noise.pure_qfi(self.spin_covariance)

    @property
    def energy_distribution(self) -> FloatArray:
        """Probabilities of the numbers of excited atoms, float64 (nt, N+1).

        Raises
        ------
        ValueError
            If the states were not kept.
        """
        if self.states is None:
            raise ValueError("the states must be kept for that: replay(..., keep_states=True)")
        return self.states.real**2 + self.states.imag**2

    def plot(self) -> "Figure":
        """Return a picture, a matplotlib `Figure`: energy and clicks."""
        from trajbatt.plots.runs import trajectory_figure

        return trajectory_figure(self)

    def __repr__(self) -> str:
        """Return a card of four lines."""
        final = zip(self.channels, self.counts[:, -1], strict=True)
        form = "d" if self.model.has_clicks else ".6g"
        return (
            f"Trajectory {self.index}\n"
            f"  times         {self.times.size}, up to {self.times[-1]:.6g}\n"
            f"  final energy  {self.energy[-1]:.6g}\n"
            f"  {self.model.counted_as:<12}  "
            f"{', '.join(f'{name} {n:{form}}' for name, n in final) or 'none'}"
        )
