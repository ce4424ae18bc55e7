"""When a battery first holds an energy, or has emitted some photons: first-passage times.

A run that ends before says only that its time is longer: it is censored, and the estimate of the
survival function P(T > t) is that of Kaplan and Meier (J. Am. Stat. Assoc. 53, 457 (1958)).
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from trajbatt.base import checks
from trajbatt.base.arrays import ReadOnlyPickle, read_only
from trajbatt.base.types import BoolArray, FloatArray
from trajbatt.ensembles.chunks import blocks
from trajbatt.ensembles.result import EnsembleResult
from trajbatt.ensembles.trajectory import Trajectory
from trajbatt.inference.filter import FilterResult
from trajbatt.light.clicks import Clicks
from trajbatt.photons.arrival import arrivals
from trajbatt.trajectories.records import ROW

CONFIDENCE = 0.95


@dataclass(frozen=True, eq=False, repr=False)
class FirstPassage(ReadOnlyPickle):
    """First-passage times of some runs, and what they say of the law.

    Attributes
    ----------
    time : ndarray (n,), float64
        Of each run: its passage, or its end if `passed` is false.
    passed : ndarray (n,), bool
    """

    time: FloatArray
    passed: BoolArray

    def survival(self, tlist: ArrayLike) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return the estimate of P(T > t) and its 95 % confidence limits, three float64 (nt,).

        nan beyond the longest run, if that is censored: nothing is known there.

        Parameters
        ----------
        tlist : array_like (nt,)
            Strictly increasing times >= 0.
        """
        times = checks.times("tlist", tlist)
        estimate = self._estimate
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # without passages it has no limits
            limits = estimate.confidence_interval(CONFIDENCE, method="log-log")
        values = np.array([one.evaluate(times) for one in (estimate, limits.low, limits.high)])
        # Nobody, or everybody, has passed: the limits of a binomial proportion of all or nothing.
        at_risk = np.count_nonzero(self.time[:, None] >= times, axis=0)
        tail = (1.0 - CONFIDENCE) / 2
        all_left, none_left = values[0] == 1.0, values[0] == 0.0
        values[1, all_left] = tail ** (1.0 / np.maximum(at_risk[all_left], 1))
        values[2, all_left] = 1.0
        values[1, none_left] = 0.0
        if self.passed.any():
            last = np.count_nonzero(self.time >= self.time[self.passed].max())
            values[2, none_left] = 1.0 - tail ** (1.0 / last)
        values[:, (times > self.time.max()) & (values[0] > 0.0)] = np.nan
        return tuple(values)

    def quantile(self, q: float) -> float:
        """Return the time by which a share q has passed; nan if so many have not."""
        q = checks.real("q", q, 0.0, 1.0)
        estimate = self._estimate
        there = np.flatnonzero(estimate.probabilities <= 1.0 - q + 1e-12)
        return float(estimate.quantiles[there[0]]) if there.size else np.nan

    @property
    def _estimate(self):
        from scipy import stats

        data = stats.CensoredData(self.time[self.passed], right=self.time[~self.passed])
        return stats.ecdf(data).sf

    def __repr__(self) -> str:
        """Return one line."""
        n, passed = self.time.size, int(self.passed.sum())
        middle = self.quantile(0.5)
        half = "less than half of them" if np.isnan(middle) else f"half of them by t = {middle:.6g}"
        return f"FirstPassage: {passed} of {n} runs have passed, {half}"


def first_passage(
    runs: EnsembleResult | Clicks | Sequence[Trajectory | FilterResult],
    energy: float | None = None,
    *,
    counts: tuple[str, int] | None = None,
    rising: bool = True,
    tlist: ArrayLike | None = None,
) -> FirstPassage:
    """Return when runs first hold an energy, or have emitted some photons.

    Parameters
    ----------
    runs : EnsembleResult, or sequence of Trajectory or FilterResult
        Runs of different lengths may be together. With `counts`, `Clicks` too, but no filters.
    energy : float, optional
        In units of hbar omega_0; the energy is that of the conditional state. It is looked at on
        the grid only: a passage counts from the first grid time at which the run is there, and one
        that is undone before is not seen.
    counts : tuple (channel, n), optional
        In its place: the n-th photon of a channel, or of "total", to the click.
    rising : bool
        The energy is passed upwards, else downwards.
    tlist : array_like (nt,), optional
        A finer grid than the times of the ensemble, which does not go on after them.

    Returns
    -------
    FirstPassage

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range or of the wrong kind.
    """
    if (energy is None) == (counts is None):
        raise ValueError("`energy` or `counts` must be given, and not both")
    if counts is not None:
        if tlist is not None or rising is not True:
            raise ValueError("`tlist` and `rising` must be left out with `counts`")
        return _of_counts(runs, counts)
    is_ensemble = isinstance(runs, EnsembleResult)
    single = [] if is_ensemble else _checked(runs, Trajectory | FilterResult)
    energy = checks.real("energy", energy)
    rising = checks.boolean("rising", rising)
    if tlist is not None and not is_ensemble:
        raise ValueError("`tlist` must be left out where `runs` is no ensemble")
    if isinstance(runs, EnsembleResult):
        times = runs.times_within(tlist)
        found = np.concatenate([*_of_ensemble(runs, times, energy, rising)])
    else:
        found = np.array([_passage(one.times, one.energy, energy, rising) for one in single])
    return _result(found[..., 0], found[..., 1].astype(bool))


def _result(time, passed):
    return FirstPassage(*read_only(np.ascontiguousarray(time), np.ascontiguousarray(passed)))


def _of_counts(runs, counts):
    if not isinstance(counts, tuple) or len(counts) != 2:
        raise TypeError(
            '`counts` must be a channel and a number, such as ("blue", 50), '
            f"but is {checks.shown(counts)}"
        )
    channel, n = counts
    if isinstance(runs, EnsembleResult):
        records = [runs.draw_clicks()]
    elif isinstance(runs, Clicks):
        records = [runs]
    else:
        records = [one.clicks for one in _checked(runs, Trajectory)]
    came = [arrivals(clicks, n, channel) for clicks in records]
    ends = [np.full(one.size, clicks.duration) for one, clicks in zip(came, records, strict=True)]
    came, ends = np.concatenate(came), np.concatenate(ends)
    return _result(np.minimum(came, ends), np.isfinite(came))


def _checked(runs, kinds):
    if not isinstance(runs, list | tuple) or not all(isinstance(one, kinds) for one in runs):
        raise TypeError(
            "`runs` must be a result of mcsolve, or a list of single runs, "
            f"but is {checks.shown(runs)}"
        )
    if not runs:
        raise ValueError("`runs` must hold one run at least, but is empty")
    return list(runs)


def _passage(times, energies, level, rising):
    """Return the time of the first passage and 1, or the end and 0."""
    there = energies >= level if rising else energies <= level
    first = np.argmax(there)
    return (times[first], 1.0) if there[first] else (times[-1], 0.0)


def _of_ensemble(runs, times, level, rising):
    """Yield the passages, (n, 2), of chunk after chunk."""
    if runs.samples is not None and "energy" in runs.samples and times is runs.times:
        kept = runs.samples["energy"]
        yield np.array([_passage(times, one, level, rising) for one in kept])
        return
    for source in runs.sources:
        grid = source.times_to_last(times)
        yield from source.each_chunk(_of_chunk, grid, times.size, level, rising)


def _of_chunk(plan, n_times, level, rising, chunk, size):
    found, times = [], plan.times[:n_times]
    for rng, n in blocks(plan, chunk, size):
        samples = plan.engine.run(rng, n, plan.times)[1].samples
        energies = samples[:, ROW["jz"], :n_times] + plan.model.n_atoms / 2
        found += [_passage(times, one, level, rising) for one in energies]
    return np.array(found)
