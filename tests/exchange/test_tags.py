"""Streams of time tags, cut into shots by a trigger."""

import struct
import sys

import numpy as np
import pytest
from oracle.clicks import of_rows, same_clicks

import trajbatt as tb
from trajbatt import exchange

START = 1_728_000_000_000_000_000  # 20 days of picoseconds
TIMES = np.array([1, 10, 10, 12, 17, 20, 24, 28, 32, 33], dtype=np.uint64) + np.uint64(START)
CHANNELS = [2, 7, 1, 2, 2, 7, 1, 7, 1, 2]


def test_a_trigger_cuts_a_stream_into_shots():
    names = {1: "red", 2: "blue"}
    found = exchange.read_tags(TIMES, CHANNELS, 0.5, trigger=7, names=names)
    # From 10 to 20 and to 28; after 28 nobody knows. Shots are as long as the shortest, 8 ticks.
    expected = of_rows((0, 0.0, "red"), (0, 1.0, "blue"), (0, 3.5, "blue"), (1, 2.0, "red"),
                       channels=("red", "blue"), ntraj=2, duration=4.0)  # fmt: skip
    same_clicks(found, expected)
    found = exchange.read_tags(TIMES, CHANNELS, 0.5, trigger=7, duration=1.0)
    assert (found.channels, found.ntraj, found.duration) == (("1", "2"), 2, 1.0)
    assert found.time.tolist() == [0.0, 1.0]
    # A click that comes with a trigger is in its shot, whichever is told first.
    swapped = exchange.read_tags([0, 5, 5, 9], [7, 1, 7, 7], 1.0, trigger=7)
    assert (swapped.trajectory.tolist(), swapped.time.tolist()) == ([1], [0.0])


def test_a_stream_without_triggers():
    found = exchange.read_tags(TIMES, CHANNELS, 1.0, origin=START)
    assert found.time.tolist() == [1, 10, 10, 12, 17, 20, 24, 28, 32, 33]
    assert (found.channels, found.duration) == (("1", "2", "7"), 33.0)
    found = exchange.read_tags([3, 4], [0, 1], 2.0, names=("a", "b"), duration=9.0)
    same_clicks(found, of_rows((0, 6.0, "a"), (0, 8.0, "b"), channels=("a", "b"), duration=9.0))
    assert len(exchange.read_tags([], [], 1.0, names=("a",))) == 0


def test_shots_have_the_statistics_of_trajectories():
    # Poissonian light of rate 2 in shots of 3, in ticks of 1e-4, with dead time between shots.
    rng = np.random.default_rng(1)
    starts = START + np.arange(3001) * 40_000
    times = START + np.sort(rng.integers(0, 3000 * 40_000, 24_000))
    all_times = np.concatenate([starts, times])
    order = np.argsort(all_times, kind="stable")
    channels = np.append(np.full(3001, 9), np.zeros(24_000, dtype=int))[order]
    clicks = exchange.read_tags(all_times[order], channels, 1e-4, trigger=9, duration=3.0)
    assert clicks.ntraj == 3000
    mean, sem = tb.photons.mean(clicks, [3.0], "0")
    assert abs(mean - 6.0) < 4 * sem
    assert abs(mean - 6.3) > 4 * sem  # Negative control: 5 % off.


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([0.5], [1], 1.0), "`times` must be integers, but are float64"),
        (([1], [0.5], 1.0), "`channels` must be integers, but are float64"),
        (([1, 2], [1], 1.0), "of one length, but have the shapes"),
        (([2, 1], [1, 1], 1.0), "`times` must ascend, but 1 follows 2"),
        (([1], [1], 0.0), "`tick` must be a finite number above zero, but is 0.0"),
        (([1, 2], [7, 1], 1.0, 7), "two tags of the trigger 7 at least, but have 1"),
        (([1, 2], [7, 7], 1.0, 0.5), "`trigger` must be the number of a channel, but is 0.5"),
        (([1, 1], [7, 7], 1.0, 7), "triggers one after the other, but two are at once"),
        (([1, 3, 4], [7, 7, 7], 1.0, 7, None, 2.0), "at most the shortest time .* 1, but is 2"),
        (([1, 3], [7, 7], 1.0, 7, None, None, 0), "`origin` must be left out with a trigger"),
        (([2**60], [1], 1.0), "`origin` must be given, in ticks"),
        (([5], [1], 1.0, None, ("red",)), "such as 1=red"),
    ],
)
def test_bad_tags(arguments, message):
    with pytest.raises((ValueError, TypeError), match=message):
        exchange.read_tags(*arguments)


def ptu_file(path, records, record_type=0x01010204):
    """Write a PTU file of a HydraHarp in T2 mode (or of what the type says)."""
    integer, real, empty = 0x10000008, 0x20000008, 0xFFFF0008
    tags = [
        ("File_GUID", 0x4001FFFF, b"{0}\0".ljust(8, b"\0")),
        ("Measurement_Mode", integer, 2),
        ("Measurement_SubMode", integer, 0),
        ("TTResultFormat_TTTRRecType", integer, record_type),
        ("TTResultFormat_BitsPerRecord", integer, 32),
        ("MeasDesc_GlobalResolution", real, 1e-12),
        ("MeasDesc_Resolution", real, 1e-12),
        ("TTResult_NumberOfRecords", integer, len(records)),
        ("Header_End", empty, 0),
    ]
    data = b"PQTTTR\0\0" + b"1.0.00\0\0"
    for name, kind, value in tags:
        if isinstance(value, bytes):
            data += struct.pack("<32siIq", name.encode(), -1, kind, len(value)) + value
        else:
            data += struct.pack("<32siI" + "qd"[kind == real], name.encode(), -1, kind, value)
    path.write_bytes(data + struct.pack(f"<{len(records)}I", *records))


def photon(channel, time):
    return (channel << 25) | time


def special(number, time):
    return 0x80000000 | (number << 25) | time


def test_ptu_files(tmp_path):
    pytest.importorskip("ptufile")
    overflow = special(63, 1)  # the clock goes round: 2^25 ticks
    ptu_file(
        tmp_path / "a.ptu",
        [special(1, 100), photon(0, 150), overflow, special(1, 50), photon(1, 60), special(1, 90)],
    )
    found = exchange.read_ptu(tmp_path / "a.ptu", time_unit=1e-12, trigger=-1)
    round_ = 2**25
    assert found.ntraj == 2
    assert found.channels == ("0", "1")
    assert found.duration == 40.0
    assert found.time.tolist() == [10.0]  # the first one came 50 ticks after its trigger
    found = exchange.read_ptu(tmp_path / "a.ptu", time_unit=1e-12)
    np.testing.assert_allclose(found.time, [150, round_ + 60], rtol=1e-12)  # markers are no light
    (tmp_path / "b.ptu").write_bytes(b"time,channel\n")
    with pytest.raises(ValueError, match=r"b\.ptu must be a PTU file of T2 mode, but"):
        exchange.read_ptu(tmp_path / "b.ptu")
    with pytest.raises(OSError, match="nothing"):
        exchange.read_ptu(tmp_path / "nothing.ptu")


def test_without_ptufile(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ptufile", None)
    with pytest.raises(ImportError, match="ptufile is needed for this: pip install ptufile"):
        exchange.read_ptu(tmp_path / "a.ptu")
