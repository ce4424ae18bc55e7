"""Clicks of structured arrays, and of whatever is like one."""

import numpy as np
import pytest
from oracle.clicks import NAMES, of_rows, same_clicks, structured

import trajbatt as tb
from trajbatt import exchange

BATTERY = tb.Battery(3, 1.87, 30.0, 1.5, 10.0, 0.7)


def test_arrays_of_others():
    array = structured((4, 1.0, "blue"), (0, 3.0, "red"), (4, 2.5, "red"), (0, 3.0, "blue"))
    clicks = exchange.from_structured(array, ntraj=5)
    # Sorted by trajectory; known channels by their frequency.
    expected = of_rows(
        (0, 3.0, "red"), (0, 3.0, "blue"), (4, 1.0, "blue"), (4, 2.5, "red"),
        channels=("red", "blue"), ntraj=5, duration=3.0,
    )  # fmt: skip
    same_clicks(clicks, expected)
    # Others as they come; without trajectories, of one.
    array = np.array(
        [("V", 1.0), ("blue", 1.5), ("H", 2.0)], dtype=[("channel", "U4"), ("time", "f4")]
    )
    clicks = exchange.from_structured(array)
    assert clicks.channels == ("blue", "V", "H")
    assert clicks.channel.tolist() == [1, 0, 2]
    assert (clicks.ntraj, clicks.duration) == (1, 2.0)
    clicks = exchange.from_structured(array, ("H", "V", "blue"), ntraj=3, duration=7)
    assert clicks.channel.tolist() == [1, 2, 0]
    assert (clicks.ntraj, clicks.duration) == (3, 7.0)
    # A time past the end by rounding is at the end.
    array = structured((0, 0.1 + 0.2, "red"))
    assert exchange.from_structured(array, duration=0.3).time[0] == 0.3


def test_structured_clicks_go_wherever_clicks_do():
    runs = tb.mcsolve(BATTERY.charge(), [0.4], 3, seed=1, keep_clicks=True)
    record = runs.clicks.of_trajectory(1)
    a, b = (
        tb.filter(BATTERY.charge(), one, [0.4]) for one in (record, exchange.to_structured(record))
    )
    assert a.log_likelihood == b.log_likelihood


@pytest.mark.parametrize(
    ("array", "more", "message"),
    [
        (np.zeros(3), {}, r"`array` must have the field 'time', but has \(\)"),
        (
            np.zeros(1, dtype=[("time", float), ("line", int)]),
            {},
            r"`array` must have the field 'channel', but has \('time', 'line'\)",
        ),
        (structured((-2, 1.0, "red")), {}, "clicks must have trajectories >= 0, but click 0 has -"),
        (
            structured((0, 1.0, "red"), (0, -0.5, "red")),
            {},
            "clicks must have finite times >= 0, but click 1 is at -0.5",
        ),
        (
            structured((0, 1.0, "red"), (0, np.nan, "red")),
            {},
            "clicks must have finite times >= 0, but click 1 is at nan",
        ),
        (structured((0, np.inf, "red")), {}, "clicks must have finite times >= 0, but click 0 is "),
        (
            structured((1, 1.0, "red"), (0, 2.0, "red"), (1, 0.5, "red")),
            {},
            "clicks must be in the order of time, but click 2 at 0.5 follows one at",
        ),
        (
            structured((0, 1.0, "red"), (0, 2.0, "green")),
            {"channels": NAMES},
            "clicks must be of the channels 'red', 'center', 'blue', but click 1 is of .*green",
        ),
        (
            structured((0, 1.0, "red"), (7, 2.0, "red")),
            {"ntraj": 7},
            "clicks must be of the trajectories 0 to 6, but click 1 has 7",
        ),
        (
            structured((0, 1.0, "red"), (0, 2.0, "red")),
            {"duration": 1.5},
            "clicks must end by 1.5, but click 1 is at 2.0",
        ),
        (structured((0, 1.0, "red")), {"ntraj": 0}, "`ntraj` must be a positive integer, but is 0"),
        (
            structured((0, 1.0, "red")),
            {"duration": -1.0},
            "`duration` must be a finite number, zero or positive, but is -1.0",
        ),
    ],
)
def test_bad_arrays(array, more, message):
    with pytest.raises((ValueError, TypeError), match=message):
        exchange.from_structured(array, **more)


def test_arrays_of_all_kinds():
    expected = exchange.from_structured(structured((0, 0.1, "red"), (2, 0.2, "blue")), NAMES, 3)
    kinds = np.dtype([("trajectory", "u1"), ("time", float), ("channel", "S6")])
    same_clicks(
        exchange.from_structured(np.array([(0, 0.1, b"red"), (2, 0.2, b"blue")], kinds), NAMES, 3),
        expected,
    )
    kinds = np.dtype([("trajectory", int), ("time", float), ("channel", int)])
    same_clicks(
        exchange.from_structured(np.array([(0, 0.1, 0), (2, 0.2, 2)], kinds), NAMES, 3), expected
    )
    frame = pytest.importorskip("pandas").DataFrame(
        {"trajectory": [0, 2], "time": [0.1, 0.2], "channel": ["red", "blue"]}
    )
    same_clicks(exchange.from_structured(frame, NAMES, 3), expected)


@pytest.mark.parametrize(
    ("rows", "kinds", "more", "message"),
    [
        ([(0, 0.1, 7)], "i8,f8,i8", {}, "name of a channel each, or its number .* click 0 has 7"),
        ([(0, 0.1, 7)], "i8,f8,i8", {"channels": NAMES}, "of the channels 'red', .* is of 7"),
        (
            [(np.nan, 0.1, "red")],
            "f8,f8,U6",
            {},
            "an integer for each trajectory, but have float64",
        ),
        ([(0.5, 0.1, "red")], "f8,f8,U6", {}, "an integer for each trajectory, but have float64"),
        ([(0, 0.1, None)], "i8,f8,O", {}, "must have the name of a channel each, .* has None"),
        ([(0, None, "red")], "i8,O,U6", {}, "must have a number for each time, but have object"),
        ([(0, 0.1, "red")], "i8,f8,U6", {"channels": "red"}, "`channels` must be a sequence of na"),
    ],
)
def test_arrays_of_no_kind(rows, kinds, more, message):
    names = ("trajectory", "time", "channel")
    array = np.array(rows, dtype=list(zip(names, kinds.split(","), strict=True)))
    with pytest.raises((ValueError, TypeError), match=message):
        exchange.from_structured(array, **more)
    with pytest.raises(ValueError, match="`array` must have the field 'time'"):
        exchange.from_structured([1, 2])
