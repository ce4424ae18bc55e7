"""What fixes the trajectories of a run."""

from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np

from trajbatt.base.arrays import read_only
from trajbatt.models.model import Model, WithoutTables
from trajbatt.numerics import spin
from trajbatt.states.expectations import Expectation
from trajbatt.states.initial import Initial, held, prepare
from trajbatt.states.mixture import Mixture
from trajbatt.trajectories.methods import build_engine
from trajbatt.trajectories.records import ROW

# Goes up whenever the same plan would give other trajectories than before; in `LAWS`, for the plans
# of some engines alone.
LAW = 2
LAWS: dict[str, int] = {"frame": 4}  # of single methods, where their law is another
CHECKPOINTS = 8  # times at which all pairs of quantities are correlated, for one p-value


def law_of(method):
    """Return the version of the law, by the name of the engine that `check_method` returns."""
    return max(LAWS.get(name, LAW) for name in method.split(" or "))


def chunk_size(model):
    """Return the number of trajectories in a chunk: about 10 ms of work for one charging."""
    wanted = max(1, min(4096, 51200 // model.n_atoms))
    return 1 << (wanted.bit_length() - 1)


def checkpoint_indices(times):
    """Return the indices of the checkpoints: spread evenly, the last time among them."""
    n_times = len(times)
    count = min(CHECKPOINTS, n_times)
    return np.unique(np.round(np.linspace(0, n_times, count + 1)[1:]).astype(int)) - 1


@dataclass(frozen=True, eq=False)
class Plan(WithoutTables):
    """Everything that fixes the trajectories of a run and what is read off them.

    Attributes
    ----------
    model : Model
    mixture : Mixture
        The initial state in the basis of the model, or of the first stage.
    times : ndarray (nt,), float64
    seed : int
    method : str
        What `trajbatt.trajectories.methods.check_method` returns.
    rtol : float
        Of the banded engine; the others have none.
    keep_clicks : bool
    initial : object
        The initial state as the user gave it.
    expectations : tuple of Expectation
        What else the mean is wanted of.
    keep_samples : tuple of str
        What is kept of every trajectory.
    part : tuple of two int, or None
        (i, n) for the chunks of part i of n alone, see `trajbatt.ensembles.parts`: they are
        numbered on their own.
    """

    model: Model
    mixture: Mixture
    times: np.ndarray
    seed: int
    method: str
    rtol: float
    keep_clicks: bool
    initial: Initial | None = None
    expectations: tuple[Expectation, ...] = ()
    keep_samples: tuple[str, ...] = ()
    part: tuple[int, int] | None = None

    @classmethod
    def of(cls, model, initial, times, **options):
        """Return the plan for an initial state as users give it; `options` are other fields.

        The plan holds a copy of it, which nobody can change.
        """
        initial = held(initial)
        mixture = prepare(model, initial)
        read_only(*mixture)
        return cls(model, mixture, times, initial=initial, **options)

    def __setstate__(self, state):
        """Take the fields of a pickle, whose arrays are read-only as they were."""
        vars(self).update(state)
        given = getattr(self.initial, "matrix", self.initial)
        read_only(self.times, *self.mixture)
        if isinstance(given, np.ndarray):
            read_only(given)

    @cached_property
    def engine(self):
        """The engine that runs the trajectories."""
        return self._engine(any(one.needs_products for one in self.expectations))

    @cached_property
    def reader(self):
        """The engine that reads all there is off single trajectories."""
        return self._engine(products=True)

    def _engine(self, products):
        # Compiled functions are others for arrays that are read-only.
        mixture = Mixture(*(None if one is None else one.copy() for one in self.mixture))
        watch = None
        if self.model.is_steered and self.model.watched_with is not None:
            from trajbatt.inference.watch import Watch

            watch = partial(Watch, self.model, self.initial)
        return build_engine(
            self.method, self.rtol, self.model, mixture, products=products, watch=watch
        )

    @property
    def needs_kets(self):
        """Whether states are needed in the bare basis, for some of the expectations."""
        return any(one.combination is None for one in self.expectations)

    def expected(self, records, seen, times):
        """Return the means of the expectations in n conditional states, float64 (n, ne, nt).

        Parameters
        ----------
        records : Records or StageRecords
        seen : Observation
            Of the states at `times`.
        times : ndarray (nt,)
        """
        kets = self.engine.bare_kets(records, times) if self.needs_kets else None
        samples, products = seen.samples, seen.products
        if products is not None:
            products = np.moveaxis(products, 1, 0)
        spins = seen.spins
        squares = 0.0 if spins is None else spin.casimir(spins)
        jz, square = samples[:, ROW["jz"]], samples[:, ROW["jz_square"]]
        dipole = samples[:, ROW["jx"]] + 1j * samples[:, ROW["jy"]]
        rows = np.empty((len(samples), len(self.expectations), times.size))
        for i, one in enumerate(self.expectations):
            if one.combination is None:
                rows[:, i] = one.of_kets(kets, spins)
            else:
                rows[:, i] = one.of_means(jz, square, dipole, products, squares)
        return rows

    @property
    def chunk_size(self):
        """The number of trajectories in a full chunk."""
        return chunk_size(self.model)

    def chunks(self, ntraj):
        """Return the numbers of the chunks that `ntraj` trajectories take, a range."""
        return range(-(-ntraj // self.chunk_size))

    def size(self, chunk, ntraj):
        """Return how many of `ntraj` trajectories chunk number `chunk` has."""
        return min(self.chunk_size, ntraj - chunk * self.chunk_size)

    def pieces(self, ntraj):
        """Yield the number and the size of each chunk that `ntraj` trajectories take."""
        for chunk in self.chunks(ntraj):
            yield chunk, self.size(chunk, ntraj)

    def generator(self, chunk):
        """Return the generator of chunk number `chunk`; of a protocol, a tuple, one for each stage.

        Where its observer misses photons, there is one more of each stage, for what is seen.

        A trajectory's draws follow those of the one before in each stage, so they do not depend on
        how many trajectories are drawn together.
        """
        if self.part is not None:
            i, n = self.part
            chunk = n * chunk + i - 1

        def generator(*key):
            sequence = np.random.SeedSequence(self.seed, spawn_key=key)
            return np.random.Generator(np.random.PCG64DXSM(sequence))

        if not self.model.is_staged:
            return generator(chunk)
        stages = range(1, len(self.model.latest_stages()))
        found = generator(chunk), *(generator(chunk, stage) for stage in stages)
        if not self.model.is_steered or self.model.watched_with in (None, 1.0):
            return found
        return *found, *(generator(chunk, stage, 0) for stage in range(len(found)))
