"""Text files of other programs: read as they are meant, or refused with a line."""

import numpy as np
import pytest
from oracle.clicks import NAMES, of_rows, same_clicks

import trajbatt as tb
from trajbatt import exchange


def read(tmp_path, text, **more):
    (tmp_path / "clicks.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
    return exchange.read_csv(tmp_path / "clicks.csv", **more)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("channel,time\nred,0,0125\n", "no more cells .* the 2 columns .* but line 2 is 'red,0,0"),
        ("time,channel\n0.1,red\n0.2,red,x\n", "but line 3 is '0.2,red,x'"),
        ("time,channel\n0.1,\n", "channel, but line 2 is '0.1,'"),
        ("time,channel\n0.1,total\n", "names other than '' and 'total', but one is 'total'"),
        ("time,channel\n1_0,red\n", "must hold a number .* but line 2 is '1_0,red'"),
        ('time,channel\n0.1,"red\n', "but line 2 is '0.1,\"red'"),
        ("time,time,channel\n0.1,0.2,red\n", "must have one column 'time', but has several"),
        ("time,channel,trajectory\n0.1,red,1\n", "0, 1, 2, ... .* `ntraj` .* but 1 is the first"),
        ("time,channel,trajectory\n0.1,red,0\n0.1,red,2\n", "but 2 follows 0"),
        ("time,channel,trajectory\n0.1,red,20241217\n", "but 20241217 is the first"),
        ("time,channel,trajectory\n0.1,red,0.0\n", "an integer for each trajectory"),
        ("time,channel,trajectory\n0.1,red,1e3\n", "an integer for each trajectory"),
        ("time,channel,trajectory\n0.1,red,99999999999999999999\n", "an integer for each traj"),
        ("# ntraj: 64.5,,\ntime,channel\n0.1,red\n", "must have numbers for ntraj and duration"),
        (b"time,channel\n0.1,\xb5\n", "clicks.csv must be a text file in UTF-8, but is not"),
        ("time,channel\n0.1," + 140_000 * "x" + ",1\n", "no more cells .* but line 2 is '0.1,xxx"),
        ('time,channel\n0.1,"' + 140_000 * "x" + '"\n', "but line 2 is '0.1,\"xxx"),
        ('"' + 140_000 * "x" + '"\n0.1,red\n', "must name its columns, but has"),
        (140_000 * "x" + "\n0.1,red\n", "must have the column 'time', but has"),
    ],
)
def test_what_might_be_misread_is_refused(tmp_path, text, message):
    with pytest.raises(ValueError, match=message) as caught:
        read(tmp_path, text)
    assert len(str(caught.value)) < 500 + len(str(tmp_path))


def test_files_as_a_spreadsheet_saves_them(tmp_path):
    clicks = of_rows((0, 0.25, "red"), (1, 0.5, "blue"), ntraj=64, duration=2.0)
    exchange.write_csv(clicks, tmp_path / "own.csv", about={"theta": 1.87})
    text = (tmp_path / "own.csv").read_text()
    saved = "".join(f"{line},,\r\n" for line in text.splitlines()) + ",,,,\r\n"
    same_clicks(read(tmp_path, saved), clicks)
    assert exchange.read_about(tmp_path / "clicks.csv") == {"theta": 1.87}
    quoted = text.replace("# channels: red, center, blue", '"# channels: red, center, blue",,')
    same_clicks(read(tmp_path, quoted), clicks)
    # Commas in the head do not fill it up with values.
    assert read(tmp_path, "# ntraj: 64,,\ntime,channel,,\n0.5,red,,\n").ntraj == 64


def test_labels_of_trajectories_with_their_number(tmp_path):
    text = "time,channel,trajectory\n0.1,red,1\n0.1,red,3\n"
    clicks = read(tmp_path, text, ntraj=4)
    assert (clicks.trajectory.tolist(), clicks.ntraj) == ([1, 3], 4)
    with pytest.raises(ValueError, match="of the trajectories 0 to 2, but line 3 has 3"):
        read(tmp_path, text, ntraj=3)
    big = 2**53 + 1  # no float
    clicks = read(tmp_path, f"time,channel,trajectory\n0.1,red,{big}\n", ntraj=big + 1)
    assert clicks.trajectory.tolist() == [big]


def test_numbers_of_channels_have_one_meaning(tmp_path):
    text = "time,channel\n0.1,1\n0.2,3\n"
    clicks = read(tmp_path, text, channels={1: "red", 2: "center", 3: "blue"})
    assert (clicks.channels, clicks.channel.tolist()) == (NAMES, [0, 2])
    # Two numbers of one channel.
    assert read(tmp_path, text, channels={1: "all", 3: "all"}).channel.tolist() == [0, 0]
    for channels, message in (
        (NAMES, "`channels` must say which numbers .* such as 1=red, .* are numbered 1, 3"),
        ({1: "red"}, "`channels` must name the channels 1, 3 of .* but names 'red'"),
        ({1: "red", 3: ""}, "names other than '' and 'total'"),
        ({-1: "red"}, "integers >= 0 for their numbers, but has -1"),
        ({"1": "red"}, "integers >= 0 for their numbers, but has '1'"),
    ):
        with pytest.raises((ValueError, TypeError), match=message):
            read(tmp_path, text, channels=channels)
    with pytest.raises(ValueError, match=r"numbers of channels .* but line 3 is of 'red'"):
        read(tmp_path, "time,channel\n0.1,1\n0.2,red\n", channels={1: "red"})
    assert read(tmp_path, text).channels == ("1", "3")
    # The same of a file whose head has the names.
    with pytest.raises(ValueError, match="say which numbers the names are of"):
        read(tmp_path, "# channels: red, center, blue\n" + text)


def test_time_tags_are_no_floats(tmp_path):
    text = "time,channel\n1728000000000000001,red\n1728000000000000002,red\n"
    with pytest.raises(ValueError, match=r"floats can tell apart, but line 2 is '17280.*read_tags"):
        read(tmp_path, text)
    # What was a float is one.
    clicks = tb.Clicks([0], [1.728e18], [0], ("red",))
    exchange.write_csv(clicks, tmp_path / "own.csv")
    same_clicks(exchange.read_csv(tmp_path / "own.csv"), clicks)


def test_long_names_are_names(tmp_path):
    name = 140_000 * "x"
    assert read(tmp_path, f"time,channel\n0.1,{name}\n").channels == (name,)


def test_what_the_head_may_hold(tmp_path):
    clicks = tb.Clicks([0], [0.1], [0], ("a",))
    about = {"model": "charge", "n_atoms": 4, "theta": 1 / 3}
    exchange.write_csv(clicks, tmp_path / "a.csv", about)
    assert exchange.read_about(tmp_path / "a.csv") == about
    for wrong in ({"ntraj": 3}, {"a": "b\nc"}, {"a:b": 1}):
        with pytest.raises(ValueError, match="`about` must have plain lines of other names"):
            exchange.write_csv(clicks, tmp_path / "b.csv", wrong)
    assert np.all(exchange.read_csv(tmp_path / "a.csv").time == [0.1])
