"""Rules by which stages end."""

import numpy as np
import pytest

import trajbatt as tb
from trajbatt.states.json_form import plain, rebuilt

BATTERY = tb.Battery(n_atoms=6, theta=1.9, omega_p=20.0)


def protocol(rule, model=None):
    return tb.Protocol([(model or BATTERY.charge(), rule), (BATTERY.store(), 0.5)])


def test_a_protocol_tells_its_rules():
    one = protocol(tb.until(clicks=("blue", 4), at_most=0.3))
    assert repr(one) == "Protocol: charge until 4 blue, at most 0.3, store for 0.5; N = 6"
    assert one.is_steered
    assert one.duration == 0.8
    other = protocol(tb.until(energy=4.5, efficiency=0.5, at_most=0.3))
    assert "energy above 4.5" in repr(other)
    assert other.watched_with == 0.5
    assert repr(other.steps[0][1]) == "until(energy=4.5, efficiency=0.5, at_most=0.3)"


@pytest.mark.parametrize(
    "rule",
    [
        tb.until(clicks=("blue", 4), at_most=0.3),
        tb.until(clicks=(("red", "blue"), 4), at_most=0.3),
        tb.until(energy=4.5, efficiency=0.5, at_most=0.3),
    ],
)
def test_a_protocol_is_written_down_and_read_back(rule):
    one = protocol(rule)
    assert rebuilt(plain(one)) == one


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "either"),
        ({"clicks": ("blue", 4), "energy": 3.0}, "either"),
        ({"clicks": "blue"}, "channel and a number"),
        ({"clicks": ("blue", 0)}, "`clicks`"),
        ({"clicks": ((), 1)}, "must begin"),
        ({"clicks": ("blue", 4), "efficiency": 0.5}, "left out"),
        ({"energy": np.nan}, "`energy`"),
        ({"energy": 3.0, "efficiency": 1.5}, "`efficiency`"),
        ({"energy": 3.0, "at_most": -1.0}, "`at_most`"),
    ],
)
def test_bad_rules(given, message):
    with pytest.raises((ValueError, TypeError), match=message):
        tb.until(**{"at_most": 1.0, **given})


@pytest.mark.parametrize(
    ("rule", "model", "message"),
    [
        (tb.until(clicks=("green", 1), at_most=1.0), BATTERY.charge(), "'green'"),
        (tb.until(clicks=("dis", 7), at_most=1.0), BATTERY.discharge(), "at most 6"),
        (tb.until(clicks=("total", 1), at_most=1.0), BATTERY.store(), "at most 0"),
        (tb.until(energy=6.5, at_most=1.0), BATTERY.charge(), "between 0 and 6"),
    ],
)
def test_rules_that_can_never_be_met(rule, model, message):
    with pytest.raises(ValueError, match=message):
        protocol(rule, model)


def test_a_protocol_ends_with_a_duration():
    with pytest.raises(ValueError, match="must end with a duration"):
        tb.Protocol([(BATTERY.charge(), tb.until(clicks=("blue", 4), at_most=0.3))])


def test_one_observer_watches_a_protocol():
    rules = [tb.until(energy=3.0, efficiency=e, at_most=0.3) for e in (0.5, 0.7)]
    steps = [(BATTERY.charge(), rule) for rule in rules]
    with pytest.raises(ValueError, match="one `efficiency`"):
        tb.Protocol([*steps, (BATTERY.store(), 1.0)])
    counts = (BATTERY.charge(), tb.until(clicks=("blue", 4), at_most=0.3))
    with pytest.raises(ValueError, match="whoever counts all"):
        tb.Protocol([steps[0], counts, (BATTERY.store(), 1.0)])


def test_whoever_needs_times_is_told_that_there_are_none():
    one = protocol(tb.until(clicks=("blue", 4), at_most=0.3))
    for ask in (
        lambda: tb.counting.distribution(one, 0.5, "blue"),
        lambda: tb.filter(one, tb.mcsolve(one, [0.5], 1, seed=1).replay(0).clicks, [0.5]),
        lambda: one.stages(),
    ):
        with pytest.raises(ValueError, match="given durations"):
            ask()


def test_ended_gives_the_protocol_of_one_trajectory():
    one = protocol(tb.until(clicks=("blue", 4), at_most=0.3))
    ended = one.ended([0.1, 0.4])
    assert [stage.end for stage in ended.stages()] == [0.1, 0.8]
    assert not ended.is_steered
    for end in np.random.default_rng(1).uniform(0.0, 0.3, 100):
        assert one.ended([end, 0.8]).stages()[0].end >= end
    assert [model.name for model, _ in one.ended([0.0, 0.8]).steps] == ["store"]
    with pytest.raises(ValueError, match="2 times"):
        one.ended([0.1])


def test_only_what_is_seen_and_gives_light_is_counted():
    mixed = tb.Homodyne(1.0, efficiency=0.5).of(BATTERY.charge(secular=False))
    rule = tb.until(clicks=("total", 3), at_most=1.0)
    assert rule.counted(mixed).tolist() == [1, 1, 0]  # the last is lost
    warm = tb.Battery(6, 1.9, 20.0, thermal_plus=0.5).charge()
    emits = [1 if photons == 1.0 else 0 for photons in warm.photons]
    assert rule.counted(warm).tolist() == emits
    assert 0 in emits
    with pytest.raises(ValueError, match="all_lost"):
        protocol(tb.until(clicks=("all_lost", 3), at_most=1.0), mixed)


@pytest.mark.parametrize("clicks", [(5, "blue"), (None, 2), (b"blue", 2)])
def test_clicks_begin_with_names(clicks):
    with pytest.raises(TypeError, match="must begin with a channel's name"):
        tb.until(clicks=clicks, at_most=1.0)


@pytest.mark.parametrize("ends", [[np.inf] * 2, "ab", [[1, 2], [3]], [0.9, 1.0], [-1.0, 0.5]])
def test_bad_ends(ends):
    with pytest.raises(ValueError, match="`ends` must be 2 times"):
        protocol(tb.until(clicks=("blue", 4), at_most=0.3)).ended(ends)
