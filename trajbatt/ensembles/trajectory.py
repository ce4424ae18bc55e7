"""Single batteries: what one trajectory of an ensemble does."""

from dataclasses import dataclass, field

import numpy as np

from trajbatt.base.arrays import read_only
from trajbatt.light.clicks import Clicks
from trajbatt.states.work import rotation_work
from trajbatt.trajectories.records import COUNTS, ROW


@dataclass(frozen=True, eq=False, repr=False)
class Trajectory:
    """One battery: what a single run does.

    Attributes
    ----------
    index : int
        Its number in the ensemble.
    n_atoms : int
    times : ndarray (nt,), float64
    channels : tuple of nc str
    energy : ndarray (nt,), float64
        <E> of the conditional state.
    energy_variance : ndarray (nt,), float64
        The quantum variance of E in the conditional state.
    dipole : ndarray (nt,), complex128
        Bare <J_+>.
    counts : ndarray (nc, nt), int64
        Photons since t = 0.
    clicks : Clicks
    states : ndarray (nt, N+1), complex128, or None
        The conditional states if they were kept: bare kets in the pump frame, of norm 1 and up to a
        phase, index = number of excited atoms.
    expect : dict of str to ndarray (nt,), float64
        The means of the run's `e_ops` in the conditional state.
    """

    index: int
    n_atoms: int
    times: np.ndarray
    channels: tuple[str, ...]
    energy: np.ndarray
    energy_variance: np.ndarray
    dipole: np.ndarray
    counts: np.ndarray
    clicks: Clicks
    states: np.ndarray | None = None
    expect: dict[str, np.ndarray] = field(default_factory=dict)

    @classmethod
    def of_samples(cls, index, times, samples, clicks, model, states=None, expect=None):
        """Return the trajectory that has the rows `samples` (5 + nc, nt) at `times`; read-only."""
        expect = expect or {}
        read_only(samples, states, *expect.values(), clicks.trajectory, clicks.time, clicks.channel)
        return cls(
            index=index,
            n_atoms=model.n_atoms,
            times=times,
            channels=model.channel_names,
            energy=read_only(samples[ROW["jz"]] + model.n_atoms / 2),
            energy_variance=samples[ROW["jz_variance"]],
            dipole=read_only(samples[ROW["jx"]] + 1j * samples[ROW["jy"]]),
            counts=read_only(samples[COUNTS:].astype(np.int64)),
            clicks=clicks,
            states=states,
            expect=expect,
        )

    @property
    def ergotropy_rotation(self):
        """Energy that one classical pulse can extract, <J_z> + abs(<J>), float64 (nt,).

        All unitaries extract all of `energy`, because the state is pure.
        """
        return rotation_work(self.energy, self.dipole, self.n_atoms)

    @property
    def energy_distribution(self):
        """Probabilities of the numbers of excited atoms, float64 (nt, N+1).

        Raises
        ------
        ValueError
            If the states were not kept.
        """
        if self.states is None:
            raise ValueError("the states must be kept for that: replay(..., keep_states=True)")
        return self.states.real**2 + self.states.imag**2

    def __repr__(self):
        """Return a card of four lines."""
        final = zip(self.channels, self.counts[:, -1], strict=True)
        return (
            f"Trajectory {self.index}\n"
            f"  times         {self.times.size}, up to {self.times[-1]:.6g}\n"
            f"  final energy  {self.energy[-1]:.6g}\n"
            f"  photons       {', '.join(f'{name} {n}' for name, n in final) or 'none'}"
        )
