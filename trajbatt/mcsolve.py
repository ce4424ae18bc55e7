"""Ensembles of quantum trajectories."""

import numpy as np

from trajbatt import checks
from trajbatt.chunks import Plan
from trajbatt.clicks import Clicks
from trajbatt.engines import check_method
from trajbatt.ensemble import EnsembleResult
from trajbatt.protocol import check_end, check_model
from trajbatt.run import run
from trajbatt.states import prepare


def mcsolve(
    model,
    tlist,
    ntraj=1000,
    initial=None,
    seed=None,
    keep_clicks=False,
    method=None,
    rtol=1e-6,
    threads=None,
    executor=None,
    progress=None,
):
    """Run an ensemble of Monte Carlo wavefunction trajectories.

    The result depends on the model, the initial state, the times, the seed, the method and
    `ntraj`, and on nothing else: neither on the number of workers nor on their order.

    Parameters
    ----------
    model : LadderModel
        `battery.charge()`, `battery.store()` or `battery.discharge()`.
    tlist : array_like (nt,)
        Strictly increasing times >= 0, in the unit of 1/rate. The run starts at t = 0 in any case
        and the clicks do not depend on the times before the last one.
    ntraj : int
        The number of trajectories, at least 1.
    initial : optional
        `tb.ground_state(n)` (the default for charging), `tb.excited_state(n)`,
        `tb.coherent_state(...)`, `tb.steady_state(model)` (that of the charging model is the
        default for storage and discharge), any bare ket (N+1,), index = number of excited atoms,
        or bare density matrix (N+1, N+1); mixtures are unravelled by sampling their eigenstates.
    seed : int, optional
        Non-negative; drawn from the system if None. It is in the result.
    keep_clicks : bool
        Keep the time and channel of every photon, in `clicks`.
    method : {"ladder", "mcwf", "banded"}, optional
        "ladder" samples the exact law of a ladder model directly and is its default; "mcwf" is the
        textbook Monte Carlo wavefunction, slower and an independent check. "banded" integrates the
        wavefunction between the clicks, of any model; the driven Eq. (5) needs it. All have the
        same law, not the same trajectories.
    rtol : float
        Accuracy of "banded", 1e-12 to 1e-3: in each of its steps, of which there are one or two a
        click, it neglects this much of the state. The energy of a trajectory is then good to about
        `rtol` N, except just after a click out of a nearly dark state, whose very time is
        ill-conditioned. The other methods are exact and ignore it.
    threads : int, optional
        Threads in this process, without an executor; all cores by default.
    executor : concurrent.futures.Executor, optional
        Where to run the chunks instead; it stays open.
    progress : callable, optional
        Called as `progress(done, ntraj)` with the number of trajectories finished.

    Returns
    -------
    EnsembleResult

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range or of the wrong kind; the message names it.
    """
    check_model(model)
    times = checks.times("tlist", tlist)
    ntraj = checks.integer("ntraj", ntraj, 1)
    check_end(model, times)
    method = check_method(method, model)
    rtol = checks.real("rtol", rtol, 1e-12, 1e-3)
    seed = np.random.SeedSequence().entropy if seed is None else checks.integer("seed", seed, 0)
    if progress is not None and not callable(progress):
        raise TypeError(f"`progress` must be a function of (done, ntraj), but is {progress!r}")
    plan = Plan(model, prepare(model, initial), times, seed, method, rtol, bool(keep_clicks))
    totals = run(plan, ntraj, executor, threads, progress)
    return EnsembleResult(
        plan=plan,
        initial=initial,
        moments=totals.moments,
        checkpoints=totals.checkpoints,
        final_counts=totals.final_counts,
        clicks=Clicks.of_records(totals.records, model.channel_names) if keep_clicks else None,
        dropped=totals.dropped,
    )
