"""Error bars of g2 of one record are as wide as g2 scatters over many."""

import numpy as np
import pytest

import trajbatt as tb
from trajbatt import photons
from trajbatt.photons.estimate import BLOCKS, spread

FIVE = np.linspace(0.0, 0.5, 6)


def record(time, duration):
    """Clicks of one detector."""
    zeros = np.zeros(time.size, dtype=int)
    return tb.Clicks(zeros, time, zeros, ("a",), duration=duration)


def poissonian(rng, mean, duration):
    return record(np.sort(rng.random(rng.poisson(mean))) * duration, duration)


def bunched(rng, mean, duration, dwell=0.05):
    """Poissonian clicks of light that goes on and off at random, a `dwell` each."""
    ends = np.cumsum(rng.exponential(dwell, int(1.5 * duration / dwell) + 50))
    time = np.sort(rng.random(rng.poisson(2 * mean))) * duration
    is_on = np.searchsorted(ends, time) % 2 == rng.integers(2)
    return record(time[is_on], duration)


def claimed_and_true(records, edges, **window):
    found = [photons.g2(one, edges, ("a", "a"), **window) for one in records]
    value, sem = np.swapaxes(np.array(found), 0, 1)
    return np.sqrt((sem**2).mean(axis=0)), value.std(axis=0)


def of_another_window(clicks, edges, stop):
    """The error, if the brightness of each block is that of its first clicks' time."""
    time, of_all = clicks.time, photons.g2(clicks, edges, ("a", "a"), 0.0, stop).value
    block = np.minimum((time / stop * BLOCKS).astype(int), BLOCKS - 1)
    pairs = np.zeros((BLOCKS, edges.size - 1))
    firsts = np.bincount(block[time <= stop], minlength=BLOCKS)
    seconds = np.bincount(block, minlength=BLOCKS)
    after = np.searchsorted(time, time[:, None] + edges)
    np.add.at(pairs, block[time <= stop], np.diff(after, axis=1)[time <= stop])
    shares = firsts / firsts.sum() + seconds / seconds.sum()
    return spread(of_all * (pairs / pairs.sum(axis=0) - shares[:, None]))


@pytest.mark.parametrize(
    ("kind", "mean", "duration", "edges", "window"),
    [
        (poissonian, 20_000, 50.0, FIVE, {}),
        (poissonian, 20_000, 50.0, FIVE, {"start": 20.0}),
        (poissonian, 20_000, 50.0, FIVE, {"stop": 30.0}),
        (poissonian, 20_000, 50.0, FIVE, {"start": 10.0, "stop": 30.0}),
        (poissonian, 2_000, 1.0, FIVE, {}),
        (poissonian, 200, 50.0, FIVE, {}),
        (poissonian, 200, 50.0, np.linspace(0.0, 25.0, 6), {}),
        (bunched, 5_000, 50.0, FIVE, {}),
        (bunched, 5_000, 50.0, FIVE, {"start": 10.0, "stop": 40.0}),
        pytest.param(poissonian, 200_000, 50.0, FIVE, {}, marks=pytest.mark.slow),
        pytest.param(bunched, 20_000, 500.0, FIVE, {}, marks=pytest.mark.slow),
    ],
)
def test_the_error_is_the_scatter(kind, mean, duration, edges, window):
    rng = np.random.default_rng(7)
    claimed, true = claimed_and_true(
        (kind(rng, mean, duration) for _ in range(200)), edges, **window
    )
    assert np.all((claimed / true > 0.75) & (claimed / true < 1.35)), claimed / true


@pytest.mark.slow
def test_the_error_is_not_that_of_the_brightness():
    # Negative control: what is in the record, but in other windows than the pairs, is too much.
    rng = np.random.default_rng(7)
    records = [poissonian(rng, 20_000, 50.0) for _ in range(100)]
    _, true = claimed_and_true(records, FIVE)
    claimed = np.mean([of_another_window(one, FIVE, 49.5) for one in records], axis=0)
    assert np.all(claimed / true > 2), claimed / true


def several(rng, ntraj, mean, duration):
    """Poissonian clicks of several trajectories."""
    sizes = rng.poisson(mean, ntraj)
    time = np.concatenate([np.sort(rng.random(size)) for size in sizes]) * duration
    trajectory = np.repeat(np.arange(ntraj), sizes)
    zeros = np.zeros(time.size, dtype=int)
    return tb.Clicks(trajectory, time, zeros, ("a",), ntraj=ntraj, duration=duration)


@pytest.mark.slow
@pytest.mark.parametrize("ntraj", [20, 64, 100, 190])
def test_groups_of_several_sizes_are_not_taken_for_scatter(ntraj):
    # 100 trajectories are in groups of one and of two.
    rng = np.random.default_rng(5)
    records = [several(rng, ntraj, 200, 5.0) for _ in range(150)]
    claimed, true = claimed_and_true(records, FIVE)
    assert np.all((claimed / true > 0.75) & (claimed / true < 1.35)), claimed / true
    found = [photons.g2_matrix(one, [0.0, 2.0, 4.0], ("a", "a")) for one in records]
    value, sem = np.swapaxes(np.array(found), 0, 1)
    ratio = np.sqrt((sem**2).mean(axis=0)) / value.std(axis=0)
    assert np.all((ratio > 0.75) & (ratio < 1.35)), ratio
    # Negative control: errors of another number of clicks.
    claimed, _ = claimed_and_true((several(rng, ntraj, 100, 5.0) for _ in range(30)), FIVE)
    assert np.all(claimed / true > 1.35)


def test_g2_of_one_record_is_unbiased_while_its_light_fades():
    # Compared with the same window, g2 does not see how bright the rest of the record is.
    rng = np.random.default_rng(3)
    time = np.append(rng.random(20_000) * 25.0, 25.0 + 25.0 * rng.random(200))
    clicks = record(np.sort(time), 50.0)
    found = photons.g2(clicks, FIVE, ("a", "a"), 5.0, 20.0)
    assert np.all(np.abs(found.value - 1.0) < 4 * found.sem)
