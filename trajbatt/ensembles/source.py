"""Where the trajectories of an ensemble come from: what is needed to simulate them again.

Results hold data. What they do not hold - single trajectories, clicks that were not kept, the
dipole at other times - is asked of the source, which works where the run worked.
"""

from dataclasses import dataclass, fields, replace

import numpy as np

from trajbatt.base.memory import check_fits
from trajbatt.ensembles.chunks import replay_record
from trajbatt.ensembles.executors import ordered
from trajbatt.ensembles.plan import Plan
from trajbatt.ensembles.run import run
from trajbatt.ensembles.store import Store
from trajbatt.trajectories.records import ROW, Records


@dataclass(frozen=True, eq=False)
class Source:
    """One run.

    Attributes
    ----------
    plan : Plan
    ntraj : int
    kept : tuple of Records
        The clicks, if they are kept and not in a store.
    kept_samples : dict of str to ndarray, or None
        What is kept of every trajectory, likewise.
    store : Store or None
    executor, threads
        Where the run worked, as in `mcsolve`.
    outdated : bool
        It is a stored run of another version of the law: what it holds can be read, but its
        trajectories cannot be simulated again.
    """

    plan: Plan
    ntraj: int
    kept: tuple[Records, ...] = ()
    kept_samples: dict | None = None
    store: Store | None = None
    executor: object = None
    threads: int | None = None
    outdated: bool = False

    def __getstate__(self):
        """Return the fields; an executor does not travel."""
        return {f.name: getattr(self, f.name) for f in fields(self)} | {"executor": None}

    def records(self):
        """Return the clicks that were kept, a tuple of `Records`."""
        return self.store.records(self.plan.pieces(self.ntraj)) if self.store else self.kept

    def samples(self):
        """Return what was kept of every trajectory, a dict of str to ndarray, or None."""
        names = self.plan.keep_samples
        if not names:
            return None
        if self.store:
            return self.store.samples(self.plan.pieces(self.ntraj), names)
        return self.kept_samples

    def drawn_records(self):
        """Return the clicks, a tuple of `Records`; if they were not kept, they are drawn again."""
        if self.plan.keep_clicks:
            return self.records()
        # Which clicks come does not depend on the times but for the last.
        return self.moments_at(self.plan.times[-1:], keep_clicks=True).records

    def moments_at(self, times, keep_clicks=False):
        """Return the `Tally` of the same trajectories at other times, the last of which is theirs.

        Parameters
        ----------
        times : ndarray (nt,)
        keep_clicks : bool
            With their clicks.
        """
        self.check_law()
        plan = self.plan_at(times, keep_clicks)
        return run(plan, self.ntraj, self.executor, self.threads).tally

    def each_chunk(self, function, times, *arguments, ntraj=None):
        """Yield what `function` makes of the same trajectories at other times, chunk by chunk.

        Parameters
        ----------
        function : callable
            Called where the run works, with a `Plan`, `arguments`, and chunk and size, the ints
            of `trajbatt.ensembles.chunks.blocks`.
        times : ndarray (nt,)
            The last of which is theirs.
        ntraj : int, optional
            Of so many trajectories, the first; all by default.
        """
        self.check_law()
        plan = self.plan_at(times)
        wanted = self.ntraj if ntraj is None else ntraj
        pieces = ((i, (plan, *arguments, i, size)) for i, size in plan.pieces(wanted))
        yield from ordered(function, pieces, self.executor, self.threads)

    def times_to_last(self, times):
        """Return `times` (nt,), none of them later, and the last time of the trajectories.

        The clicks are those of the run only up to the same last time.
        """
        return np.unique(np.append(times, self.plan.times[-1]))

    def plan_at(self, times, keep_clicks=False):
        """Return the `Plan` of the same trajectories at other times."""
        nothing = {"expectations": (), "keep_samples": ()}
        return replace(self.plan, times=times, keep_clicks=keep_clicks, **nothing)

    def replay(self, trajectory, times, keep_states=False):
        """Return one trajectory again.

        Returns
        -------
        record : Records
        seen : Observation
        others : dict
            Other fields of the `Trajectory`.
        """
        self.check_law()
        if keep_states:
            check_fits("`keep_states`", 16 * times.size * self.plan.model.n_levels)
        record, engine = replay_record(self.plan, trajectory), self.plan.reader
        seen = engine.observe(record, times)
        at_start = engine.observe(record, np.zeros(1)).samples[0, ROW["jz"], 0]
        return (
            record,
            seen,
            {
                "energy_at_start": float(at_start) + self.plan.model.n_atoms / 2,
                "products": seen.products[0],
                "spin": None if seen.spins is None else seen.spins[0],
                "states": engine.bare_kets(record, times)[0] if keep_states else None,
                "expect": self.plan.expected(record, seen, times)[0],
            },
        )

    def check_law(self):
        """Raise `ValueError` if the trajectories cannot be simulated again."""
        if self.outdated:
            raise ValueError(
                "the run must be of today's version of the law to be simulated again, but was "
                "stored by an older one: only what it holds can be read"
            )
