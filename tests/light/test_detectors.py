"""Detectors: each step against theory, and all of them together."""

from dataclasses import replace

import numpy as np
import pytest
from oracle.statistics import p_of_binomial, p_of_numbers
from scipy import stats

import trajbatt as tb
from trajbatt import counting, photons

NAMES = ("red", "center", "blue")


def lamp(rates, duration=10.0, ntraj=200, first=5, seed=0, names=NAMES):
    """Poissonian light of given rates: every second trajectory is dark."""
    rng = np.random.default_rng(seed)
    bright = (np.arange(ntraj) % 2 == 0)[:, None]
    sizes = rng.poisson(np.asarray(rates) * duration * bright).ravel()
    places = np.repeat(np.arange(sizes.size), sizes)
    time = duration * rng.random(places.size)
    order = np.lexsort((time, places // len(rates)))
    return tb.Clicks(
        first + places[order] // len(rates),
        time[order],
        (places[order] % len(rates)).astype(np.int8),
        names,
        first,
        ntraj,
        duration,
    )


LIGHT = lamp((3.0, 1.0, 5.0))


def rows(clicks):
    return list(
        zip(clicks.trajectory.tolist(), clicks.time.tolist(), clicks.channel.tolist(), strict=True)
    )


def per_channel(clicks):
    return np.bincount(clicks.channel, minlength=len(clicks.channels))


ALL = tb.Detectors([0.5, 1.0, 0.7], [0.1, 2.0, 0.0], [0.01, 0.0, 0.1], [0.0, 0.02, 0.01], 0.1)


@pytest.mark.parametrize(
    "detectors",
    [
        tb.Detectors(),
        tb.Detectors(efficiency=0.5),
        tb.Detectors(dark_rate=1.0),
        tb.Detectors(dead_time=0.1),
        tb.Detectors(jitter=0.5),
        tb.Detectors(crosstalk=0.2),
        ALL,
    ],
    ids=str,
)
def test_the_emitted_record_stays(detectors):
    before = rows(LIGHT)
    seen = detectors.see(LIGHT, seed=1)
    assert rows(LIGHT) == before
    for name in ("channels", "first", "ntraj", "duration"):
        assert getattr(seen, name) == getattr(LIGHT, name)
    for name in ("trajectory", "time", "channel"):
        assert getattr(seen, name).dtype == getattr(LIGHT, name).dtype
        assert not np.shares_memory(getattr(seen, name), getattr(LIGHT, name))
    # In order, within the record.
    assert np.all(np.diff(seen.trajectory) >= 0)
    assert np.all(np.diff(seen.time)[np.diff(seen.trajectory) == 0] >= 0)
    assert seen.time.min() >= 0.0
    assert seen.time.max() <= LIGHT.duration
    # The seed is all that it depends on.
    assert rows(detectors.see(LIGHT, seed=1)) == rows(seen)
    is_random = detectors not in (tb.Detectors(), tb.Detectors(dead_time=0.1))
    assert (rows(detectors.see(LIGHT, seed=2)) != rows(seen)) == is_random
    assert (rows(detectors.see(LIGHT)) != rows(detectors.see(LIGHT))) == is_random


def test_perfect_detectors_see_everything():
    assert rows(tb.Detectors().see(LIGHT)) == rows(LIGHT)
    assert rows(tb.Detectors(1, 0, 0, 0, 0).see(LIGHT)) == rows(LIGHT)
    assert rows(tb.Detectors(crosstalk=np.eye(3)).see(LIGHT, seed=1)) == rows(LIGHT)
    assert len(tb.Detectors(efficiency=0.0).see(LIGHT)) == 0


def test_thinning_is_binomial():
    efficiency = np.array([0.3, 1.0, 0.8])
    seen = tb.Detectors(efficiency).see(LIGHT, seed=1)
    assert set(rows(seen)) < set(rows(LIGHT))
    emitted, found = per_channel(LIGHT), per_channel(seen)
    assert found[1] == emitted[1]
    some = [0, 2]
    assert p_of_binomial(found[some], emitted[some], efficiency[some]) > 1e-3
    # Trajectory by trajectory, too.
    emitted, found = (photons.counts(one)[::2][:, some] for one in (LIGHT, seen))
    assert p_of_binomial(found, emitted, efficiency[some]) > 1e-3
    many = lamp((50.0, 50.0, 50.0))
    seen = tb.Detectors(efficiency).see(many, seed=1)
    n, found = per_channel(many)[some], per_channel(seen)[some]
    assert p_of_binomial(found, n, efficiency[some]) > 1e-3
    # Negative control: 5 % off.
    assert p_of_binomial(found, n, efficiency[some] * 1.05) < 1e-6


@pytest.mark.slow
def test_thinned_light_has_the_same_correlations():
    model = tb.Battery(4, 1.87, 40.0, gamma_plus=10.0).charge()
    runs = tb.mcsolve(model, [1.0], 20_000, seed=1, keep_clicks=True)
    seen = tb.Detectors(efficiency=0.4).see(runs.clicks, seed=2)
    edges = np.array([0.0, 0.25, 0.5, 1.0])
    found = photons.g2_matrix(seen, edges, ("red", "blue"))
    exact = counting.g2_matrix(model, edges, ("red", "blue"))
    assert np.abs((found.value - exact) / found.sem).max() < 4.5
    found = photons.factorial_moments(seen, 1.0, "total", 3)
    exact = counting.factorial_moments(model, 1.0, "total", 3) * 0.4 ** np.arange(1, 4)
    assert np.abs((found.value - exact) / found.sem).max() < 4.5
    wrong = counting.factorial_moments(model, 1.0, "total", 3) * 0.42 ** np.arange(1, 4)
    assert np.abs((found.value - wrong) / found.sem).max() > 10


def test_dark_counts_are_poissonian():
    rates = np.array([0.2, 0.0, 1.5])
    light = replace(lamp((1.0, 1.0, 1.0), ntraj=3000), duration=10.0)
    seen = tb.Detectors(dark_rate=rates).see(light, seed=1)
    assert set(rows(light)) < set(rows(seen))
    dark = seen.where([row not in set_ for set_ in [set(rows(light))] for row in rows(seen)])
    n = photons.counts(dark)
    assert n[:, 1].sum() == 0

    def p_value(channel, mean):
        return p_of_numbers(n[:, channel], stats.poisson.pmf(np.arange(60), mean))

    for channel in (0, 2):
        assert p_value(channel, 10 * rates[channel]) > 1e-3
        assert stats.kstest(dark.time[dark.channel == channel] / 10, "uniform").pvalue > 1e-3
    assert p_value(2, 10 * 1.05 * rates[2]) < 1e-6
    # As many in the dark trajectories, and independent of the other channel.
    totals = n[::2].sum(axis=0), n[1::2].sum(axis=0)
    assert np.abs(totals[0] - totals[1])[2] < 5 * np.sqrt(n[:, 2].sum())
    assert abs(np.corrcoef(n[:, 0], n[:, 2])[0, 1]) < 5 / np.sqrt(len(n))


def test_dead_times_by_hand():
    dead_time = [0.2, 0.0, 0.05]
    seen = tb.Detectors(dead_time=dead_time).see(LIGHT)
    last, expected = {}, []
    for trajectory, time, channel in rows(LIGHT):
        before = last.get((trajectory, channel), -np.inf)
        if time >= before + dead_time[channel]:
            last[trajectory, channel] = time
            expected.append((trajectory, time, channel))
    assert rows(seen) == expected
    # A click just after the dead time is seen, and one that was not seen blinds nobody.
    clicks = tb.Clicks(
        np.zeros(5, dtype=int),
        np.array([0.0, 0.5, 1.0, 1.5, 2.5]),
        np.zeros(5, dtype=np.int8),
        ("all",),
    )
    assert tb.Detectors(dead_time=1.0).see(clicks).time.tolist() == [0.0, 1.0, 2.5]


def test_dead_time_lowers_the_rate():
    rate, dead_time, duration = 20.0, 0.05, 100.0
    light = lamp((rate,), duration, ntraj=100, names=("all",))
    seen = tb.Detectors(dead_time=dead_time).see(light, seed=1)

    def z(rate):
        slower = rate / (1 + rate * dead_time)
        # Renewal process: the variance of the number is the mean over (1 + r tau)^2.
        n = 50 * duration * slower
        return (len(seen) - n) / (np.sqrt(n) / (1 + rate * dead_time))

    assert abs(z(rate)) < 4.5
    assert abs(z(1.05 * rate)) > 10


def test_jitter_is_normal():
    n = 20_000
    clicks = tb.Clicks(
        np.arange(n), np.full(n, 5.0), (np.arange(n) % 3).astype(np.int8), NAMES, duration=10.0
    )
    sigma = np.array([0.5, 0.0, 0.1])
    seen = tb.Detectors(jitter=sigma).see(clicks, seed=1)
    assert len(seen) == n
    shifts = seen.time - 5.0
    assert np.all(shifts[seen.channel == 1] == 0.0)
    for channel in (0, 2):
        one = shifts[seen.channel == channel]
        assert stats.kstest(one / sigma[channel], "norm").pvalue > 1e-3
        # Negative control: 5 % wider.
        for factor, agrees in ((1.0, True), (1.05, False)):
            z = ((one / sigma[channel] / factor) ** 2 - 1).mean() * np.sqrt(one.size / 2)
            assert (abs(z) < 4) == agrees
    # Those that leave the record are lost: at its ends, half of them.
    for at in (0.0, 10.0):
        seen = tb.Detectors(jitter=0.1).see(replace(clicks, time=np.full(n, at)), seed=1)
        assert p_of_binomial(np.array([len(seen)]), n, 0.5) > 1e-3
        assert np.all(np.abs(seen.time - at) < 1.0)


def test_crosstalk():
    light = lamp((30.0, 20.0, 50.0))
    matrix = np.array([[0.9, 0.1, 0.0], [0.05, 0.75, 0.2], [0.3, 0.0, 0.7]])
    neighbours = np.array([[0.8, 0.2, 0.0], [0.1, 0.8, 0.1], [0.0, 0.2, 0.8]])
    for given, expected in ((matrix, matrix), (matrix.tolist(), matrix), (0.2, neighbours)):
        seen = tb.Detectors(crosstalk=given).see(light, seed=1)
        np.testing.assert_array_equal(seen.time, light.time)
        np.testing.assert_array_equal(seen.trajectory, light.trajectory)
        found = np.zeros((3, 3))
        np.add.at(found, (light.channel, seen.channel), 1)
        n = per_channel(light)[:, None]
        possible = expected > 0
        assert np.all(found[~possible] == 0)
        assert p_of_binomial(found[possible], (n * np.ones(3))[possible], expected[possible]) > 1e-3
        off = np.clip(1.05 * expected[possible], 0.0, 0.999)
        assert p_of_binomial(found[possible], (n * np.ones(3))[possible], off) < 1e-6
    # Everything to the neighbour; a lone channel has none.
    seen = tb.Detectors(crosstalk=1.0).see(light, seed=1)
    assert np.all(np.abs(seen.channel - light.channel) == 1)
    alone = lamp((5.0,), names=("all",))
    assert rows(tb.Detectors(crosstalk=0.5).see(alone, seed=1)) == rows(alone)
    two = lamp((5.0, 5.0), names=("a", "b"))
    found = tb.Detectors(crosstalk=1.0).see(two, seed=1)
    np.testing.assert_array_equal(found.channel, 1 - two.channel)


def test_the_steps_in_their_order():
    # Crosstalk, then the efficiency of the detector that a photon goes to.
    swap = np.eye(3)[[1, 0, 2]]
    seen = tb.Detectors(efficiency=[1.0, 0.0, 1.0], crosstalk=swap).see(LIGHT, seed=1)
    np.testing.assert_array_equal(per_channel(seen), per_channel(LIGHT)[[1, 1, 2]] * [1, 0, 1])
    # Dark counts do not care for the efficiency, and do not jitter out of the record.
    seen = tb.Detectors(efficiency=0.0, dark_rate=3.0, jitter=100.0).see(LIGHT, seed=1)
    n = 3 * 200 * 10 * 3.0
    assert abs(len(seen) - n) < 5 * np.sqrt(n)
    # The jitter is that of the detector, not of the channel.
    seen = tb.Detectors(jitter=[0.0, 0.3, 0.0], crosstalk=swap).see(LIGHT, seed=1)
    stayed = np.isin(seen.time, LIGHT.time)
    np.testing.assert_array_equal(stayed, seen.channel != 1)
    # Detectors are blind after whatever they saw, dark counts and late photons too.
    seen = tb.Detectors(0.5, 2.0, 0.1, 0.05, 0.1).see(LIGHT, seed=1)
    for channel in range(3):
        one = seen.where(seen.channel == channel)
        assert np.diff(one.time)[np.diff(one.trajectory) == 0].min() >= 0.1
    rate, dark, tau = 20.0, 5.0, 0.02
    light = lamp((rate,), 100.0, ntraj=100, names=("all",))
    seen = tb.Detectors(0.5, dark, tau).see(light, seed=1)
    for brightness, bright in ((0.5 * rate + dark, slice(0, None, 2)), (dark, slice(1, None, 2))):
        expected = 50 * 100.0 * brightness / (1 + brightness * tau)
        found = photons.counts(seen)[bright].sum()
        assert abs(found - expected) < 5 * np.sqrt(expected)
        assert abs(found - expected * 1.05) > 5 * np.sqrt(expected)


def test_records_without_clicks():
    nothing = LIGHT.where(slice(0))
    seen = tb.Detectors(0.5, 0.0, 0.1, 0.1, 0.1).see(nothing, seed=1)
    assert len(seen) == 0
    assert seen.ntraj == LIGHT.ntraj
    seen = tb.Detectors(dark_rate=1.0).see(nothing, seed=1)
    assert set(seen.trajectory) <= set(range(5, 205))
    assert abs(len(seen) - 6000) < 5 * np.sqrt(6000)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"efficiency": 1.2}, r"`efficiency` must lie in \[0, 1.0\], but is 1.2"),
        ({"efficiency": -0.1}, r"`efficiency` must lie in \[0, 1.0\], but is -0.1"),
        ({"efficiency": [0.5, 2.0]}, r"`efficiency` must lie in \[0, 1.0\], but is 2.0"),
        ({"efficiency": "high"}, r"`efficiency` must lie in \[0, 1.0\], but is 'high'"),
        ({"efficiency": None}, r"`efficiency` must lie in \[0, 1.0\], but is None"),
        ({"dark_rate": -1.0}, "`dark_rate` must be a finite number, zero or positive, but is -1.0"),
        ({"dark_rate": np.inf}, "`dark_rate` must be a finite number, zero or positive, but is in"),
        ({"dead_time": -1.0}, "`dead_time` must be a finite number, zero or positive, but is -1.0"),
        ({"jitter": np.nan}, "`jitter` must be a finite number, zero or positive, but is nan"),
        ({"crosstalk": 1.5}, r"`crosstalk` must lie in \[0.0, 1.0\], but is 1.5"),
        ({"crosstalk": [[0.5, 0.4], [0, 1]]}, "`crosstalk` must have rows of probabilities that"),
        ({"crosstalk": [[1.5, -0.5], [0, 1]]}, "`crosstalk` must have rows of probabilities that"),
        ({"crosstalk": [[1.0, 0.0]]}, r"`crosstalk` must be a number or square, but has shape"),
        ({"crosstalk": [[1.0], [0.0, 1.0]]}, r"`crosstalk` must be a number or square, but is"),
        ({"crosstalk": "much"}, r"`crosstalk` must be a number or square, but is 'much'"),
        ({"efficiency": {"red": 2.0}}, r"`efficiency` must lie in \[0, 1.0\], but is 2.0"),
    ],
)
def test_bad_detectors(arguments, message):
    with pytest.raises((ValueError, TypeError), match=message):
        tb.Detectors(**arguments)


@pytest.mark.parametrize(
    ("detectors", "clicks", "message"),
    [
        (tb.Detectors(), None, "`clicks` must be the clicks of a run with keep_clicks=True"),
        (
            tb.Detectors(efficiency=[0.5, 0.5]),
            LIGHT,
            r"`efficiency` must be one number or one for each of 3 channels, but has .* \(2,\)",
        ),
        (tb.Detectors(jitter=[0.1] * 4), LIGHT, "`jitter` must be one number or one for each of 3"),
        (
            tb.Detectors(crosstalk=np.eye(2)),
            LIGHT,
            "`crosstalk` must have one row for each of 3 channels, but has 2",
        ),
    ],
)
def test_detectors_of_other_channels(detectors, clicks, message):
    with pytest.raises((ValueError, TypeError), match=message):
        detectors.see(clicks)


def test_detectors_by_name():
    by_name = tb.Detectors(
        {"red": 0.3, "center": 1.0, "blue": 0.8}, {"red": 1, "center": 0, "blue": 2}
    )
    by_place = tb.Detectors((0.3, 1.0, 0.8), np.array([1.0, 0.0, 2.0]))
    assert rows(by_name.see(LIGHT, seed=3)) == rows(by_place.see(LIGHT, seed=3))
    assert by_place == tb.Detectors([0.3, 1.0, 0.8], [1.0, 0.0, 2.0])
    assert hash(by_place) == hash(tb.Detectors([0.3, 1.0, 0.8], [1.0, 0.0, 2.0]))
    with pytest.raises(
        ValueError, match="`efficiency` must name every channel, but lacks 'center'"
    ):
        tb.Detectors({"red": 0.3, "blue": 0.1}).see(LIGHT)
    with pytest.raises(ValueError, match="`seed` must be a non-negative integer, but is -1"):
        tb.Detectors(0.3).see(LIGHT, seed=-1)
