"""Clicks that are made by hand."""

import numpy as np
import pytest

import trajbatt as tb
from trajbatt import photons


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([0], [0.1], [3]), "clicks must be of the channels 'a', 'b', 'c', but click 0 is of 3"),
        (([0], [0.1], [-1]), "clicks must be of the channels .*, but click 0 is of -1"),
        (([0], [0.1], [300]), "clicks must be of the channels .*, but click 0 is of 300"),
        (([0], [0.1], ["a"]), "clicks must have an integer for each channel, but have <U1"),
        (([0.5], [0.1], [0]), "clicks must have an integer for each trajectory, but have float64"),
        (([-1], [0.1], [0]), "clicks must have trajectories >= 0, but click 0 has -1"),
        (([0, 5], [0.1, 0.2], [0, 0], 0, 2), "of the trajectories 0 to 1, but click 1 has 5"),
        (([0, 3], [0.1, 0.2], [0, 0], 2, 2), "of the trajectories 2 to 3, but click 0 has 0"),
        (([1, 0], [0.1, 0.2], [0, 0]), "be sorted by trajectory, but click 1 of 0 follows one"),
        (
            ([0, 0], [0.2, 0.1], [0, 0]),
            "be in the order of time, but click 1 at 0.1 follows one at",
        ),
        (([0], [np.nan], [0]), "clicks must have finite times >= 0, but click 0 is at nan"),
        (([0], [0.5], [0], 0, 1, 0.4), "clicks must end by 0.4, but click 0 is at 0.5"),
        (([0], [0.5, 0.6], [0]), "one trajectory, time and channel each, but the shapes are"),
        (([0], [0.5], [0], 0, 0), "`ntraj` must be a positive integer, but is 0"),
        (([0], [0.5], [0], -1), "`first` must be a non-negative integer, but is -1"),
        (([0], [0.5], [0], 0, 1, np.inf), "`duration` must be a finite number"),
    ],
)
def test_clicks_that_are_none(arguments, message):
    trajectory, time, channel, *rest = arguments
    with pytest.raises((ValueError, TypeError), match=message):
        tb.Clicks(trajectory, time, channel, ("a", "b", "c"), *rest)


def test_hand_made_clicks():
    none = tb.Clicks([], [], [], ["a"])
    assert (none.ntraj, none.duration, len(none), repr(none)) == (1, 0.0, 0, "Clicks: a 0")
    assert (none.trajectory.dtype, none.channel.dtype) == (np.int64, np.int8)
    assert photons.mean(tb.Clicks([], [], [], ["a", "b"], duration=1.0), [1.0], "b").value == 0.0
    few = tb.Clicks([0, 2, 2], [0.3, 0.1, 0.1], [0, 0, 0], ("a",))
    assert (few.ntraj, few.duration) == (3, 0.3)
    with pytest.raises(TypeError, match="`channels` must be a sequence of names, but is 'red'"):
        tb.Clicks([0], [0.1], [0], "red")
    with pytest.raises(ValueError, match="`channels` must be at most 127, but are 128"):
        tb.Clicks([0], [0.1], [0], range(128))
