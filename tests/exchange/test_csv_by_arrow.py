"""What PyArrow reads of a text file is what is read line by line."""

import random
import sys

import numpy as np
import pytest
from oracle.clicks import same_clicks, some_clicks

from trajbatt import exchange
from trajbatt.exchange import csv_table
from trajbatt.exchange.csv_by_arrow import by_arrow

HEADS = ("trajectory,time,channel", "channel,detector,time,trajectory", "time,channel")
PIECES = (
    ",", ",,", "\n", "\n\n", " ", "\t", '"', "#", "\n#", "x", "_", "-", ".", "5", "0x1", "1e400",
    "nan", "é", "\r", "\0", "1_0", "5.0", "+1", ";", "'", "NA", "true", "99999999999999999999",
)  # fmt: skip


def lines_of(rng, head):
    cells = {
        "trajectory": lambda: str(rng.randrange(3)),
        "time": lambda: repr(rng.random()),
        "channel": lambda: rng.choice(["red", "blue", "0", "1"]),
        "detector": lambda: rng.choice(["", "7"]),
    }
    rows = [[cells[name]() for name in head.split(",")] for _ in range(rng.randrange(6))]
    return "".join(",".join(row) + "\n" for row in rows)


@pytest.fixture(params=HEADS)
def head(request):
    return request.param


def test_it_takes_nothing_that_lines_do_not_say(head):
    pytest.importorskip("pyarrow")
    rng, read = random.Random(head), 0
    width = head.count(",") + 1
    places = [
        head.split(",").index(one) if one in head else None
        for one in ("trajectory", "time", "channel")
    ]
    for _ in range(400):
        text = lines_of(rng, head)
        for _ in range(rng.randrange(3)):
            at = rng.randrange(len(text) + 1)
            text = text[:at] + rng.choice(PIECES) + text[at + rng.randrange(2) :]
        fast = by_arrow(text, places, width)
        if fast is None:
            continue
        trajectory, time, channel = csv_table._row_by_row(text, 1, places, width, "file")
        np.testing.assert_array_equal(fast[0], trajectory)
        np.testing.assert_array_equal(fast[1], time)
        assert [fast[2][i] for i in fast[3]] == channel
        assert fast[2] == list(dict.fromkeys(channel))
        read += 1
    assert read > 50  # Negative control: it does read.


@pytest.mark.parametrize("seed", range(6))
def test_many_lines_are_read_the_same(seed, tmp_path, monkeypatch):
    pytest.importorskip("pyarrow")
    clicks = some_clicks(seed)
    exchange.write_csv(clicks, tmp_path / "clicks.csv")
    monkeypatch.setattr(csv_table, "MANY", 0)
    same_clicks(exchange.read_csv(tmp_path / "clicks.csv"), clicks)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    same_clicks(exchange.read_csv(tmp_path / "clicks.csv"), clicks)


def test_the_wrong_line_of_many_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(csv_table, "MANY", 0)
    for text, message in (
        ("time,channel\n0.1,red\n0.2,red,7\n", "no more cells .* but line 3 is '0.2,red,7'"),
        ("time,channel\n0.1,red\n0.05,red\n", "but line 3 at 0.05 follows"),
        ("time,channel\n0.1,red\nsoon,red\n", "but line 3 is 'soon,red'"),
    ):
        (tmp_path / "clicks.csv").write_text(text)
        with pytest.raises(ValueError, match=message):
            exchange.read_csv(tmp_path / "clicks.csv")
