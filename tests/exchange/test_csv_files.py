"""Clicks in text files."""

import pytest
from oracle.clicks import NAMES, of_rows, same_clicks

import trajbatt as tb
from trajbatt import exchange


def test_the_lines_of_a_file(tmp_path):
    clicks = of_rows((2, 0.1, "red"), (4, 1 / 3, "blue"), first=2, ntraj=4, duration=2.0)
    exchange.write_csv(clicks, tmp_path / "clicks.csv")
    lines = (tmp_path / "clicks.csv").read_text().split("\n")
    assert lines == [
        f"# trajbatt {tb.__version__} clicks",
        "# channels: red, center, blue",
        "# ntraj: 4",
        "# duration: 2.0",
        "trajectory,time,channel",
        "0,0.1,red",
        "2,0.3333333333333333,blue",
        "",
    ]


@pytest.mark.parametrize(
    ("text", "more", "expected"),
    [
        ("time,channel\n0.5,red\n1e0,blue\n", {},
         of_rows((0, 0.5, "red"), (0, 1.0, "blue"), channels=("red", "blue"))),
        ("channel , detector,time\r\nblue,7, .5\r\n", {},
         of_rows((0, 0.5, "blue"), channels=("blue",))),
        ("trajectory,time,channel\n3,2,V\n\n1,2,H\n# later\n1,2,V\n", {"ntraj": 4},
         of_rows((1, 2, "H"), (1, 2, "V"), (3, 2, "V"), channels=("V", "H"), ntraj=4)),
        ("# channels: red, blue\n# ntraj: 3\n# duration: 9\ntime,channel\n1,blue\n", {},
         of_rows((0, 1, "blue"), channels=("red", "blue"), ntraj=3, duration=9.0)),
        ("# channels: red, blue\n# ntraj: 3\n# duration: 9\ntime,channel\n1,blue\n",
         {"channels": ("blue", "red"), "ntraj": 2, "duration": 8.0},
         of_rows((0, 1, "blue"), channels=("blue", "red"), ntraj=2, duration=8.0)),
        ("# measured on Monday: run 7\n\ntime,channel\n", {"channels": ("a",), "duration": 3.0},
         of_rows((0, 1, "a"), channels=("a",), ntraj=1, duration=3.0).where(slice(0))),
    ],
)  # fmt: skip
def test_files_of_others(text, more, expected, tmp_path):
    (tmp_path / "clicks.csv").write_text(text)
    same_clicks(exchange.read_csv(tmp_path / "clicks.csv", **more), expected)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"clicks\.csv must have a line that names its columns, but has none"),
        ("# only\n\n", "must have a line that names its columns, but has none"),
        ("0.1,red\n", r"must have the column 'time', but has 0\.1, red"),
        ("time;channel\n1;red\n", "must have the column 'time', but has time;channel"),
        ("time\n1\n", "must have the column 'channel', but has time"),
        ("time,channel\n1,red\n# x\nsoon,red\n", r"must hold a number .* but line 4 is 'soon,red'"),
        ("time,channel\n1,red\n\n2\n", "must hold a number .* but line 4 is '2'"),
        ("trajectory,time,channel\nx,1,red\n", "must hold a number .* but line 2 is 'x,1,red'"),
        ("time,channel\n-1,red\n", "clicks must have finite times >= 0, but line 2 is at -1.0"),
        ("time,channel\n2,red\n1,red\n", "must be in the order of time, but line 3 at 1.0"),
        ("# ntraj: 0\ntime,channel\n1,red\n", "`ntraj` must be a positive integer, but is 0"),
        (
            "# duration: 1\n# ntraj: 2\ntime,channel\n1,red\n2,red\n",
            "clicks must end by 1, but line 5 is at 2.0",
        ),
        (
            "# channels: red\ntime,channel\n1,red\n2,blue\n",
            "clicks must be of the channels 'red', but line 4 is of 'blue'",
        ),
    ],
)
def test_bad_files(text, message, tmp_path):
    (tmp_path / "clicks.csv").write_text(text)
    with pytest.raises((ValueError, TypeError), match=message):
        exchange.read_csv(tmp_path / "clicks.csv")


def test_names_that_a_text_file_cannot_keep(tmp_path):
    for name in ("a,b", " a", "a\nb"):
        clicks = tb.Clicks([0], [0.1], [0], (name,))
        with pytest.raises(ValueError, match="`clicks` must be of channels with plain names"):
            exchange.write_csv(clicks, tmp_path / "clicks.csv")
    assert not list(tmp_path.iterdir())
    clicks = tb.Clicks([0], [0.1], [0], ("grün",))
    exchange.write_csv(clicks, tmp_path / "clicks.csv")
    assert exchange.read_csv(tmp_path / "clicks.csv").channels == ("grün",)


def test_text_files_with_numbers_of_channels(tmp_path):
    (tmp_path / "clicks.csv").write_text("time,channel\n0.1,0\n0.2,2\n")
    clicks = exchange.read_csv(tmp_path / "clicks.csv", channels=NAMES)
    assert [clicks.channels[i] for i in clicks.channel] == ["red", "blue"]
    with pytest.raises(ValueError, match="but line 3 is of 2"):
        exchange.read_csv(tmp_path / "clicks.csv", channels=("H", "V"))
    # Names that are numbers are names.
    assert exchange.read_csv(tmp_path / "clicks.csv", channels=("2", "0")).channel.tolist() == [
        1,
        0,
    ]
    for text, message in (
        (
            "trajectory,time,channel\n0.5,1,red\n",
            "an integer for each trajectory and a channel, but line 2 is '0.5,1,red'",
        ),
        (
            "trajectory,time,channel\n1,2,red\n0,1,red\n1,1,red\n",
            "but line 4 at 1.0 follows one at",
        ),
    ):
        (tmp_path / "clicks.csv").write_text(text)
        with pytest.raises(ValueError, match=message):
            exchange.read_csv(tmp_path / "clicks.csv")
