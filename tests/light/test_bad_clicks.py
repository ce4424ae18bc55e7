"""Clicks, channels and selections that would be nonsense in silence."""

import numpy as np
import pytest

import trajbatt as tb
from trajbatt import exchange

FEW = tb.Clicks([0, 1], [0.1, 0.2], [0, 1], ("a", "b"), duration=1.0)


@pytest.mark.parametrize(
    ("channels", "message"),
    [
        (None, "`channels` must be a sequence of names, but is None"),
        (3, "`channels` must be a sequence of names, but is 3"),
        ({"a", "b"}, "`channels` must be a sequence of names, but is {"),
        (frozenset("ab"), "`channels` must be a sequence of names, but is frozenset"),
        ({0: "a", 1: "b"}, "`channels` must be a sequence of names, but is {0: 'a'"),
        (("a", "a"), "`channels` must have a name of its own each, but 'a' is there twice"),
        (("a", ""), "names other than '' and 'total', but one is ''"),
        (("a", "total"), "names other than '' and 'total', but one is 'total'"),
        (("a", None), "`channels` must be a sequence of names, but one is None"),
        (("a", True), "`channels` must be a sequence of names, but one is True"),
        (["x"] * 200_000, "`channels` must be at most 127, but are 200000"),
        ("x" * 10**6, "`channels` must be a sequence of names, but is 'xxx"),
    ],
)
def test_channels_of_no_kind(channels, message):
    with pytest.raises((ValueError, TypeError), match=message) as caught:
        tb.Clicks([0, 1], [0.1, 0.2], [0, 1], channels)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize(
    "wanted", [[1, 1], [0], [True], [True] * 3, 0, 5, None, "ab", [[True, False]], np.ones(2)]
)
def test_only_bools_choose_clicks(wanted):
    with pytest.raises(TypeError, match="`wanted` must be an array of bool, one for each of 2"):
        FEW.where(wanted)


def test_what_chooses_clicks():
    assert FEW.where([True, False]).time.tolist() == [0.1]
    assert FEW.where(slice(1, None)).time.tolist() == [0.2]
    assert len(FEW.where(slice(0)).where([])) == 0
    masked = np.ma.array([True, True], mask=[True, False])
    with pytest.raises(TypeError, match="`wanted` must have no mask"):
        FEW.where(masked)


@pytest.mark.parametrize("wrong", [None, 0.5, "0", True, 10**400, -1, 2])
def test_trajectories_of_no_kind(wrong):
    with pytest.raises((ValueError, TypeError), match="trajector"):
        FEW.of_trajectory(wrong)


def test_arrays_that_would_be_changed_in_silence():
    with pytest.raises(TypeError, match="`time` must have no mask"):
        tb.Clicks([0], np.ma.array([0.1], mask=[True]), [0], ("a",))
    tags = np.array([1_728_000_000_000_000_001], dtype=np.uint64)
    with pytest.raises(ValueError, match="integers as times that floats can tell apart"):
        tb.Clicks([0], tags, [0], ("a",))
    with pytest.raises(ValueError, match="trajectories that 64 bits can count"):
        tb.Clicks(np.array([2**63 + 1], dtype=np.uint64), [0.1], [0], ("a",))
    kinds = [("time", float), ("channel", "S1")]
    with pytest.raises(ValueError, match=r"names of channels in UTF-8, but click 0 has b'\\xb5'"):
        exchange.from_structured(np.array([(0.1, b"\xb5")], kinds))


@pytest.mark.parametrize(
    "crosstalk",
    [
        [["1", "0"], ["0", "1"]],
        [[True, False], [False, True]],
        [[1 + 0j, 0], [0, 1]],
        np.ma.array(np.eye(2), mask=[[True, False], [False, False]]),
        True,
        "0.5",
        0.5j,
        b"1",
    ],
)
def test_crosstalk_of_no_kind(crosstalk):
    with pytest.raises(TypeError, match="`crosstalk` must"):
        tb.Detectors(crosstalk=crosstalk)
