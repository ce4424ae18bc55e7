"""Ensembles of quantum trajectories."""

import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from functools import partial
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from trajbatt.base import checks
from trajbatt.base.types import PathLike
from trajbatt.ensembles import parts
from trajbatt.ensembles.executors import check_workers
from trajbatt.ensembles.load import as_result
from trajbatt.ensembles.plan import Plan
from trajbatt.ensembles.progress import reporting
from trajbatt.ensembles.result import EnsembleResult
from trajbatt.ensembles.run import run
from trajbatt.ensembles.samples import checked as checked_samples
from trajbatt.ensembles.source import Source
from trajbatt.ensembles.statistics import Statistics
from trajbatt.ensembles.store import Store
from trajbatt.models.model import Model, check_model, stays_symmetric
from trajbatt.models.protocol import within
from trajbatt.numerics.spin import MOST_ROTATED
from trajbatt.states import expectations as expected
from trajbatt.states.initial import Initial
from trajbatt.trajectories.methods import check_method

TARGETS = ("energy", "energy_variance", "counts")
MOST = 2**53  # trajectories: more are not counted exactly
FEWEST = 64  # trajectories before a standard error is believed


def mcsolve(
    model: Model,
    tlist: ArrayLike,
    ntraj: int = 1000,
    initial: Initial | None = None,
    *,
    seed: int | None = None,
    keep_clicks: bool = False,
    method: Literal["ladder", "mcwf", "banded", "frame", "local_ladder"] | None = None,
    rtol: float = 1e-6,
    threads: int | None = None,
    executor: Executor | None = None,
    progress: bool | Callable[[int, int], object] | None = None,
    store: PathLike | None = None,
    part: tuple[int, int] | None = None,
    target: dict[str, float] | None = None,
    e_ops: dict[str, Any] | None = None,
    keep_samples: Sequence[str] = (),
) -> EnsembleResult:
    """Run an ensemble of Monte Carlo wavefunction trajectories.

    The result depends on the model, the initial state, the times, the seed, the method and
    `ntraj`, and on nothing else: neither on the number of workers nor on their order.

    Parameters
    ----------
    model : LadderModel, BandedModel or Protocol
        `battery.charge()`, `battery.store()`, `battery.discharge()`, or a `Protocol` of them.
    tlist : array_like (nt,)
        Strictly increasing times >= 0, in the unit of 1/rate, which must not go on after the end
        of a protocol. The run starts at t = 0 in any case and the clicks do not depend on the times
        before the last one.
    ntraj : int
        The number of trajectories, at least 1.
    initial : optional
        `tb.ground_state(n)` (the default for charging), `tb.excited_state(n)`,
        `tb.coherent_state(...)`, `tb.steady_state(model)` (that of the charging model is the
        default for storage and discharge), any bare ket (N+1,), index = number of excited atoms,
        or bare density matrix (N+1, N+1); mixtures are unravelled by sampling their eigenstates.
    seed : int, optional
        Non-negative; if None, that of the `store` if it holds a run, else drawn from the system. It
        is in the result.
    keep_clicks : bool
        Keep the time and channel of every photon, in `clicks`; on disk, if there is a `store`.
    method : {"ladder", "mcwf", "banded", "frame", "local_ladder"}, optional
        "ladder" samples the exact law of a ladder model directly and is its default; "mcwf" is the
        textbook Monte Carlo wavefunction, slower and an independent check. "banded" integrates the
        wavefunction between the clicks, of any model; "frame" that of the driven Eq. (5), in a
        frame that turns with the mean spin: the default of 40 atoms or more, and as fast for a
        click with 10^6. These two give the same trajectories, up to `rtol`; the others have the
        same law only. With noise of single atoms there is "local_ladder".
    rtol : float
        Accuracy of "banded" and "frame", 1e-12 to 1e-3: in each of their steps, of which there are
        one or two a click, they neglect this much of the state. From a given record of clicks,
        energies follow to about `rtol` N. In a free run the clicks move as well: near resonance,
        and just after a click out of a nearly dark state, the energies of one trajectory may move
        by many times that, as they do when a parameter changes by as little. The other methods are
        exact and ignore it.
    threads : int, optional
        Threads in this process, without an executor; all cores by default.
    executor : concurrent.futures.Executor, optional
        Where to run the chunks instead: a process pool, `dask.distributed.Client.get_executor()`,
        `mpi4py.futures.MPIPoolExecutor`, ... It stays open. A chunk that fails there is tried
        again.
    progress : callable or bool, optional
        True shows a bar; a function is called as `progress(done, ntraj)` with the number of
        trajectories finished.
    store : path, optional
        A folder that holds every finished chunk. The same call again computes only what is missing;
        with a larger `ntraj`, only what is new. Only one process at a time may write to it.
    part : tuple of two int, optional
        (3, 64) computes the third of 64 parts of the run, in a process that knows nothing of the
        others, as in an array job; the result is of that part's trajectories alone. All parts need
        the same `seed`. With a `store`, each has a folder of its own in it, and `merge` joins them.
    target : dict of str to float, optional
        Standard errors, such as `{"energy": 0.01}`, for "energy", "energy_variance" and "counts":
        in the units of these, at the worst of the times and channels. The run ends when all are
        reached, `ntraj` being the cap; `ended` of the result says whether they were. That is
        decided after fixed numbers of chunks, and not before 64 trajectories.
    e_ops : dict of str to object, optional
        What else the mean is wanted of, as in `mesolve`; functions are of the bare ket (N+1,) of
        the conditional state, which process pools and pickles take from a module only. They are a
        part of a stored run, which takes no functions. Sums of products of up to two of J_x, J_y
        and J_z cost nothing; any other needs the states, O(N^2) for each time.
    keep_samples : sequence of str
        What is kept of every trajectory, in `samples`: "energy", "energy_variance", "dipole",
        "counts", "current" of light that is mixed with an oscillator, see `Homodyne`, and names of
        the `e_ops`. On disk, if there is a `store`.

    Returns
    -------
    EnsembleResult

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range or of the wrong kind; the message names it.
    """
    check_model(model)
    times = within(model, checks.times("tlist", tlist))
    ntraj = checks.integer("ntraj", ntraj, 1)
    if ntraj > MOST:
        raise ValueError(f"`ntraj` must be at most 2^53, but is {checks.shown(ntraj)}")
    method = check_method(method, model)
    rtol = checks.real("rtol", rtol, 1e-12, 1e-3)
    target = _checked_target(target)
    check_workers(executor, threads)
    if not (progress is None or isinstance(progress, bool) or callable(progress)):
        raise TypeError(
            f"`progress` must be true, or a function of (done, ntraj), but is {progress!r}"
        )
    part = parts.checked(part)
    if part is not None and (seed is None or target is not None):
        raise ValueError(
            "`seed` must be given with `part`, the same for all parts"
            if seed is None
            else "`target` must be left out with `part`: no part knows the errors of all"
        )
    folder = None
    if store is not None:
        folder = Store(store) if part is None else parts.store_of(store, part)
    if seed is None:
        seed = None if folder is None else folder.seed()
        seed = np.random.SeedSequence().entropy if seed is None else seed  # type: ignore[assignment]
    seed = checks.integer("seed", seed, 0)
    expectations = expected.checked(e_ops, model.n_atoms, stays_symmetric(model))
    plan = Plan.of(
        model,
        initial,
        times,
        seed=seed,
        method=method,
        rtol=rtol,
        keep_clicks=_kept_clicks(keep_clicks, model),
        expectations=expectations,
        keep_samples=checked_samples(keep_samples, expectations, model),
        part=part,
    )
    tilted = any(stage.model.theta for stage in model.latest_stages(times[-1]))
    if plan.needs_kets and tilted and model.n_atoms > MOST_ROTATED:
        raise ValueError(
            "`e_ops` other than sums of products of two spin components are offered up to "
            f"{MOST_ROTATED} atoms, but `n_atoms` is {model.n_atoms}"
        )
    whole = ntraj
    if part is not None and store is not None:
        parts.check_same(store, plan)
    ntraj = ntraj if part is None else parts.share(plan, ntraj)
    opened = None if folder is None else folder.open(plan)
    if part is not None and store is not None:
        parts.write_share(store, part, whole)
    enough = None if target is None else partial(_reached, plan, target)
    try:
        with reporting(progress, ntraj, target and partial(_needed, plan, target)) as report:
            outcome = run(plan, ntraj, executor, threads, report, opened, enough, keep_partial=True)
    finally:
        if opened is not None:
            opened.close()
    if outcome.ended == "interrupted":
        done = outcome.tally.moments.count
        warnings.warn(
            f"interrupted; the result holds the {done} of {ntraj} trajectories that were finished",
            RuntimeWarning,
            stacklevel=2,
        )
    tally = outcome.tally
    kept = tally.records, tally.samples
    source = Source(plan, tally.moments.count, *kept, opened, executor, threads)
    return as_result(source, tally, outcome.ended)


def _kept_clicks(keep_clicks, model):
    """Return whether clicks are kept; of homodyne currents there are none."""
    if checks.boolean("keep_clicks", keep_clicks) and not model.has_clicks:
        raise ValueError(
            "`keep_clicks` must be false with `beta = inf`: there are no clicks; "
            'keep_samples=("current",) keeps the currents'
        )
    return keep_clicks


def _checked_target(target):
    if target is None:
        return None
    if not isinstance(target, dict) or not target:
        raise TypeError(
            f"`target` must be a dict such as {{'energy': 0.01}}, but is {checks.shown(target)}"
        )
    for name in target:
        checks.choice("target", name, TARGETS)
    return {name: checks.positive(f"target {name}", value) for name, value in target.items()}


def _errors(plan, target, moments):
    """Return the standard errors so far that the target is about, in its units."""
    found = Statistics(moments, plan.model.n_atoms)
    quantities = {
        "energy": [found.energy],
        "energy_variance": [found.energy_variance],
        "counts": found.counts,
    }
    return {
        name: max((found.sem(one).max() for one in quantities[name]), default=0.0) / wanted
        for name, wanted in target.items()
    }


def _reached(plan, target, moments):
    if moments.count < FEWEST:
        return False
    return all(error <= 1.0 for error in _errors(plan, target, moments).values())


def _needed(plan, target, moments):
    """Return about how many trajectories the target takes."""
    if moments.count < FEWEST:
        return None
    return moments.count * max(_errors(plan, target, moments).values()) ** 2
