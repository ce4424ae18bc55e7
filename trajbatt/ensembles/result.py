"""What an ensemble of trajectories gives: averages with standard errors, and single runs."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from numpy.typing import ArrayLike

from trajbatt.base import checks, datasets
from trajbatt.base.arrays import read_only
from trajbatt.base.cards import Card
from trajbatt.base.citation import UNRAVELLING
from trajbatt.base.types import FloatArray, IntArray, MaybeNone, PathLike
from trajbatt.ensembles.averages import Averages
from trajbatt.ensembles.coherent_energy import CoherentEnergy, coherent_energy
from trajbatt.ensembles.dataset import averages, of_clicks, of_trajectories
from trajbatt.ensembles.energy_distribution import energy_distribution
from trajbatt.ensembles.identity import describe, difference
from trajbatt.ensembles.plan import Plan, checkpoint_indices, law_of
from trajbatt.ensembles.samples import Samples, joined
from trajbatt.ensembles.source import Source
from trajbatt.ensembles.spin_distribution import Spins
from trajbatt.ensembles.trajectory import Trajectory
from trajbatt.light.clicks import Clicks
from trajbatt.models.model import Model
from trajbatt.models.protocol import within
from trajbatt.numerics.moments import Moments
from trajbatt.states.initial import Initial

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from xarray import Dataset

ENDINGS = "complete", "stored", "target", "interrupted"  # a sum has the last of its parts
DATASETS = {"averages": averages, "trajectories": of_trajectories, "clicks": of_clicks}


@dataclass(frozen=True, eq=False, repr=False)
class EnsembleResult(Averages, Spins, Card):
    """Averages over an ensemble of trajectories, with standard errors.

    Energies are totals in units of hbar omega_0; times are in the unit of 1/rate. Standard errors
    (`..._sem`) are those of the mean, not standard deviations; they are nan for one trajectory.

    Attributes
    ----------
    sources : tuple of Source
        The runs that it is of, one, or more if results were added: for what is simulated again.
    moments : Moments
        Means and co-moments of <J_z>, <J_z^2>, Var(J_z), Re <J_+>, Im <J_+> and the photon counts,
        at every time.
    checkpoints : Moments
        The same without Var(J_z) at `checkpoint_indices`, all pairs of quantities and times.
    final_counts : ndarray (ntraj, nc), int64
        Photons of each trajectory in each channel at the last time.
    dropped : float
        The largest weight dropped from the norm of any one conditional state.
    ended : str
        "complete"; "target" if the errors that were asked for were reached before; "interrupted" if
        Ctrl-C ended the run; "stored" if it was only read.
    expected : Moments or None
        Of the `e_ops`, at every time.
    """

    sources: tuple[Source, ...]
    moments: Moments
    checkpoints: Moments
    final_counts: IntArray
    dropped: float
    ended: str = "complete"
    expected: Moments | MaybeNone = None
    cites: ClassVar[tuple[str, ...]] = (UNRAVELLING,)

    @property
    def plan(self) -> Plan:
        """What fixes the trajectories of the first run."""
        return self.sources[0].plan

    @property
    def model(self) -> Model:
        """The model that was solved."""
        return self.plan.model

    @property
    def initial(self) -> Initial | None:
        """The initial state as it was given."""
        return self.plan.initial

    @cached_property
    def clicks(self) -> Clicks | MaybeNone:
        """The `Clicks` of all trajectories if `keep_clicks` was set, else None.

        Those of a stored run are read from its store when they are first asked for.
        """
        if not self.plan.keep_clicks:
            return None
        return self._joined([one for source in self.sources for one in source.records()])

    def draw_clicks(self) -> Clicks:
        """Return the `Clicks` of all trajectories; if they were not kept, they are drawn again."""
        if not self.model.has_clicks:
            raise ValueError("`model` must have clicks to draw, but has homodyne currents")
        if self.plan.keep_clicks:
            return self.clicks
        return self._joined([one for source in self.sources for one in source.drawn_records()])

    def _joined(self, records):
        """Return the `Clicks` of some records; their arrays are read-only."""
        clicks = Clicks.of_records(records, self.channels, self.times[-1])
        read_only(clicks.trajectory, clicks.time, clicks.channel)
        return clicks

    def __add__(self, other: "EnsembleResult") -> "EnsembleResult":
        """Return the result of both ensembles together.

        Raises
        ------
        ValueError
            If they are not of the same model, initial state, times and method, or share a seed.
        """
        if not isinstance(other, EnsembleResult):
            return NotImplemented
        mine, theirs = ({**describe(one.plan)[0], "seed": 0} for one in (self, other))
        words = difference(mine, theirs)
        if words:
            raise ValueError(f"ensembles must be of the same run to be added, but differ ({words})")
        for one, its in zip(self.plan.expectations, other.plan.expectations, strict=True):
            if one.function != its.function:
                raise ValueError(
                    f"ensembles must be of the same run to be added, but {one.name!r} of `e_ops` "
                    "is another function"
                )
        sources = self.sources + other.sources
        seeds = [source.plan.seed for source in sources]
        if len(set(seeds)) < len(seeds):
            raise ValueError(f"ensembles must have different seeds to be added, but have {seeds}")
        return EnsembleResult(
            sources=sources,
            moments=frozen(self.moments + other.moments),
            checkpoints=frozen(self.checkpoints + other.checkpoints),
            final_counts=read_only(np.concatenate((self.final_counts, other.final_counts))),
            dropped=max(self.dropped, other.dropped),
            expected=self.expected and frozen(self.expected + other.expected),
            ended=max(self.ended, other.ended, key=ENDINGS.index),
        )

    def __radd__(self, other: int) -> "EnsembleResult":
        """Return the result itself for 0, with which `sum` begins."""
        return self if isinstance(other, int) and other == 0 else NotImplemented

    @property
    def times(self) -> FloatArray:
        """The requested times, float64 (nt,)."""
        return self.plan.times

    @property
    def channels(self) -> tuple[str, ...]:
        """The names of the channels."""
        return self.plan.model.channel_names

    @property
    def ntraj(self) -> int:
        """The number of trajectories."""
        return self.moments.count

    @property
    def seed(self) -> int | tuple[int, ...]:
        """The seed; the same call with it gives the same result, bit for bit.

        A tuple, if results were added.
        """
        seeds = tuple(source.plan.seed for source in self.sources)
        return seeds if len(seeds) > 1 else seeds[0]

    @cached_property
    def _coherent(self):
        def compute():
            found = coherent_energy(self.sources)
            return None if found is None else CoherentEnergy(*read_only(*found))

        store = self.sources[0].store
        if store is None or len(self.sources) > 1:
            return compute()
        law = law_of(self.plan.method)
        found = store.remembered(f"coherent-law{law}-{self.ntraj}", compute)
        return None if found is None else CoherentEnergy(*read_only(*found))

    @property
    def knows_coherent_energy(self) -> bool:
        """Whether `coherent_energy` is there: it takes new runs, if nobody has asked for it."""
        return "_coherent" in vars(self)

    @property
    def coherent_energy(self) -> FloatArray | MaybeNone:
        """Energy emitted coherently since t = 0, Eq. (19) integrated, float64 (nt,).

        In a protocol, since the start of its first discharge. None where Eq. (5) does not rule, and
        for a protocol without a discharge. The
        dipole is needed at other times than the requested ones, so the trajectories are read again,
        twice, when this or its error is first asked for.
        """
        return None if self._coherent is None else self._coherent.energy

    @property
    def coherent_energy_sem(self) -> FloatArray | MaybeNone:
        """Standard error of `coherent_energy`, float64 (nt,), or None."""
        return None if self._coherent is None else self._coherent.energy_sem

    @property
    def coherent_fraction(self) -> FloatArray | MaybeNone:
        """`coherent_energy` as a fraction of the energy before, float64 (nt,), or None."""
        return None if self._coherent is None else self._coherent.fraction

    @property
    def coherent_fraction_sem(self) -> FloatArray | MaybeNone:
        """Standard error of `coherent_fraction`, float64 (nt,), or None."""
        return None if self._coherent is None else self._coherent.fraction_sem

    @cached_property
    def _distribution(self):
        """The distribution of the energy and its standard error, (nt, N+1) each."""
        return read_only(*energy_distribution(self.sources))

    @property
    def energy_distribution(self) -> FloatArray:
        """Probabilities of the numbers of excited atoms, float64 (nt, N+1).

        The trajectories are simulated again when this or its error is first asked for; their states
        are taken to the bare basis, O(N^2) for each time.
        """
        return self._distribution[0]

    @property
    def energy_distribution_sem(self) -> FloatArray:
        """Standard error of `energy_distribution`, float64 (nt, N+1)."""
        return self._distribution[1]

    @cached_property
    def samples(self) -> Samples | MaybeNone:
        """What was kept of every trajectory, the `Samples` of `keep_samples`; None if nothing was.

        Those of a stored run are read from its store when they are first asked for.
        """
        parts = [source.samples() for source in self.sources]
        if parts[0] is None:
            return None
        return Samples(parts[0] if len(parts) == 1 else joined(parts))

    @cached_property
    def checkpoint_indices(self) -> IntArray:
        """The indices of the times at which all pairs of quantities are correlated."""
        return read_only(checkpoint_indices(self.times))

    def replay(
        self, trajectory: int, tlist: ArrayLike | None = None, keep_states: bool = False
    ) -> Trajectory:
        """Return one trajectory of the ensemble again, on another time grid if wanted.

        Parameters
        ----------
        trajectory : int
            0 to ntraj - 1.
        tlist : array_like (nt,), optional
            Up to the last of `times`, because the run knows no clicks after it. `times` by
            default.
        keep_states : bool
            Keep the conditional state at every time, as `states`: O(nt N) memory, and O(N^2) to
            take it to the bare basis.

        Returns
        -------
        Trajectory
            With the same clicks, whatever the grid; up to last bits if the run was stored by
            another kind of processor, and its engine is not that of the ladder.

        Raises
        ------
        ValueError
            If there is no such trajectory, or a time lies beyond the run.
        """
        trajectory = checks.integer("trajectory", trajectory, 0)
        if trajectory >= self.ntraj:
            raise ValueError(
                f"`trajectory` must be below the {self.ntraj} of this run, but is {trajectory}"
            )
        times = self.times_within(tlist)
        source, number = self._locate(trajectory)
        keep_states = checks.boolean("keep_states", keep_states)
        record, seen, others = source.replay(number, times, keep_states)
        others["expect"] = dict(zip(self._expected_names, others["expect"], strict=True))
        clicks, detected = (
            one and Clicks.of_records([one], self.channels, self.times[-1], first=trajectory)
            for one in (record.joined, record.detected)
        )
        ends = None if record.stage_ends is None else record.stage_ends[0]
        others |= {"detected": detected, "stage_ends": ends}
        samples = seen.samples[0]
        return Trajectory.of_samples(trajectory, times, samples, clicks, self.model, **others)

    def plot(self) -> "Figure":
        """Return a picture, a matplotlib `Figure`: averages, exact curves, three single runs.

        The exact solution and the single runs are computed for it.
        """
        from trajbatt.exact.envelope import envelope
        from trajbatt.exact.mesolve import mesolve
        from trajbatt.plots.runs import run_figure

        exact = mesolve(self.model, self.times, self.initial)
        trajectories = [self.replay(i) for i in range(min(3, self.ntraj))]
        return run_figure(self, exact, trajectories, swing=envelope(exact))

    def to_xarray(
        self, what: Literal["averages", "trajectories", "clicks"] = "averages"
    ) -> "Dataset":
        """Return an `xarray.Dataset`, with units and what run it is of.

        Parameters
        ----------
        what : {"averages", "trajectories", "clicks"}
            All averages with their errors, at the times; the photons of each trajectory; or, if
            they were kept, the clicks, one after the other. They have different dimensions, so each
            makes a table of its own.

        Raises
        ------
        ValueError
            If clicks are wanted that were not kept.
        ImportError
            Without xarray and h5netcdf, the extra `netcdf`.
        """
        checks.choice("what", what, tuple(DATASETS))
        return DATASETS[what](self, describe(self.plan)[0])

    def save(self, path: PathLike, overwrite: bool = False) -> None:
        """Write everything as a NetCDF-4 file, which xarray and h5py open.

        The averages are at its root, the photons of each trajectory in the group `trajectories`,
        and the clicks, if they were kept, in the group `clicks`.

        Parameters
        ----------
        path : path
            It ends in .nc, .nc4, .cdf or .netcdf.
        overwrite : bool
            Replace a file that is there.

        Raises
        ------
        ValueError, TypeError
            If `path` is none of these, or there is such a file.
        ImportError
            Without xarray and h5netcdf, the extra `netcdf`.
        """
        datasets.check_target(path, overwrite)
        found = {"trajectories": self.to_xarray("trajectories")}
        if self.plan.keep_clicks:
            found["clicks"] = self.to_xarray("clicks")
        datasets.write(self.to_xarray(), path, found, overwrite)

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take the fields of a pickle, whose arrays are read-only as they were."""
        vars(self).update(state)
        frozen(self.moments)
        frozen(self.checkpoints)
        frozen(self.expected)
        read_only(self.final_counts)
        clicks = state.get("clicks")
        if clicks is not None:
            read_only(clicks.trajectory, clicks.time, clicks.channel)
        for name in ("_coherent", "_distribution"):
            if state.get(name) is not None:
                read_only(*state[name])

    def __repr__(self) -> str:
        """Return a card of five lines."""
        energy, sem = self.energy[-1], self.energy_sem[-1]
        final = zip(self.channels, self.counts[:, -1], strict=True)
        photons = ", ".join(f"{name} {mean:.6g}" for name, mean in final)
        return (
            f"EnsembleResult: {self.model.name}, N = {self.model.n_atoms}\n"
            f"  trajectories  {self.ntraj} by {self.plan.method!r}, seed {self.seed}\n"
            f"  times         {self.times.size}, up to {self.times[-1]:.6g}\n"
            f"  final energy  {energy:.6g} ± {sem:.2g}\n"
            f"  {self.model.counted_as:<12}  {photons or 'none'}"
        )

    def times_within(self, tlist: ArrayLike | None) -> FloatArray:
        """Return `tlist` checked, times by the end of the run, or if it is None those of the run.

        Raises
        ------
        ValueError, TypeError
            If they go on after it, or are no times.
        """
        times = self.times if tlist is None else within(self.model, checks.times("tlist", tlist))
        if times[-1] > self.times[-1]:
            raise ValueError(
                f"`tlist` must end by the last time of the run, {self.times[-1]}, "
                f"but ends at {times[-1]}"
            )
        return times

    def _locate(self, trajectory):
        """Return the source of a trajectory, and its number there."""
        for source in self.sources:
            if trajectory < source.ntraj:
                return source, trajectory
            trajectory -= source.ntraj
        raise AssertionError("the number was checked")


def frozen(moments):
    """Forbid writing to the arrays of `Moments`, or of None; return them."""
    if moments is not None:
        read_only(moments.mean, moments.comoment, moments.third, moments.fourth)
    return moments
