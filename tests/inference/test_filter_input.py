"""Clicks of any kind, and what the filter refuses."""

from types import SimpleNamespace

import numpy as np
import pytest
from oracle.records import record

import trajbatt as tb


def test_clicks_of_any_kind():
    battery = tb.Battery(3, 1.87, 9.0, gamma_plus=4.0)
    model, times = battery.charge(), [0.5]
    names = record((0.1, "blue"), (0.2, "center"), (0.3, "red"))
    expected = tb.filter(model, names, times)
    indices = SimpleNamespace(time=[0.1, 0.2, 0.3], channel=np.array([2, 1, 0], dtype=np.uint8))
    shuffled = SimpleNamespace(
        time=np.array([0.1, 0.2, 0.3]), channel=[1, 2, 0], channels=("red", "blue", "center")
    )
    table = np.rec.fromarrays([[0.1, 0.2, 0.3], ["blue", "center", "red"]], names="time,channel")
    for clicks in (indices, shuffled, table):
        found = tb.filter(model, clicks, times)
        assert found.log_likelihood[0] == expected.log_likelihood[0]
        np.testing.assert_array_equal(found.click_channel, [2, 1, 0])
    kept = names.time.copy()
    tb.filter(model, names, times, 0.5)
    np.testing.assert_array_equal(names.time, kept)


def refused(clicks, message, model=None, times=(0.1, 0.6), error=ValueError, **options):
    model = model or tb.Battery(3, 1.87, 9.0, gamma_plus=4.0).charge()
    with pytest.raises(error) as caught:
        tb.filter(model, clicks, times, **options)
    assert str(caught.value) == message


def test_clicks_that_are_wrong():
    refused(
        record((0.1, "red"), (0.3, "blue"), (0.2, "red")),
        "clicks must be in the order of time, but click 2 at 0.2 follows one at 0.3",
    )
    refused(
        record((0.1, "red"), (0.7, "blue")),
        "clicks must end by 0.6, but click 1 is at 0.7",
    )
    refused(record((-0.1, "red")), "clicks must have finite times >= 0, but click 0 is at -0.1")
    refused(
        record((0.1, "red"), (np.nan, "red")),
        "clicks must have finite times >= 0, but click 1 is at nan",
    )
    refused(
        record((0.1, "red"), (0.2, "green")),
        "clicks must be of the channels 'red', 'center', 'blue', but click 1 is of 'green'",
    )
    for wrong in (3, -1):
        refused(
            record((0.1, 0), (0.2, wrong)),
            f"clicks must be of the channels 'red', 'center', 'blue', but click 1 is of {wrong}",
        )
    refused(
        SimpleNamespace(time=[0.1], channel=[0], channels=("dis",)),
        "clicks must be of the channels 'red', 'center', 'blue', but click 0 is of 'dis'",
    )
    refused(
        record((0.1, 0.5)),
        "clicks must have the name of a channel each, or its number among `channels`, "
        "but click 0 has 0.5",
        error=TypeError,
    )
    refused(
        SimpleNamespace(time=["soon"], channel=["red"]),
        "clicks must have a number for each time, but have <U4",
        error=TypeError,
    )
    refused(
        SimpleNamespace(time=[0.1, 0.2], channel=["red"]),
        "clicks must have one trajectory, time and channel each, "
        "but the shapes are (2,), (2,) and (1,)",
    )
    refused(
        SimpleNamespace(time=[0.1, 0.2], channel=["red", None]),
        "clicks must have the name of a channel each, or its number among `channels`, "
        "but click 1 has None",
        error=TypeError,
    )
    refused(
        [(0.1, "red")],
        "`clicks` must have the arrays `time` and `channel`, but is a list",
        error=TypeError,
    )
    runs = tb.mcsolve(tb.Battery(3, 1.87, 9.0).charge(), [0.6], 5, seed=1, keep_clicks=True)
    refused(
        runs.clicks,
        "`clicks` must be of one trajectory, such as clicks.of_trajectory(0), but are of 5",
    )


def test_clicks_that_cannot_be():
    battery = tb.Battery(3, 1.87, 9.0, gamma_0=0.0, gamma_plus=4.0)
    rule = "`clicks` must be possible under the model, but click"
    zero = "has probability zero"
    up = record(*((0.1 * (i + 1), "red") for i in range(5)))
    for efficiency in (1.0, [0.5, 0.5, 1.0]):
        refused(up, f"{rule} 3 (red at t = 0.4) {zero}", battery.charge(), efficiency=efficiency)
        refused(
            record((0.05, "blue"), (0.2, "center")),
            f"{rule} 1 (center at t = 0.2) {zero}",
            battery.charge(),
            efficiency=efficiency,
        )
    refused(
        record((0.05, "red"), (0.2, "blue")),
        f"{rule} 1 (blue at t = 0.2) {zero}",
        battery.charge(),
        efficiency=[0.5, 0.5, 0.0],
    )
    # After four photons three atoms are empty, however many were missed.
    four = record(*((0.1 * (i + 1), "all") for i in range(4)))
    for efficiency in (1.0, 0.5):
        refused(
            four,
            f"{rule} 3 (all at t = 0.4) {zero}",
            battery.discharge(1.0),
            initial=tb.coherent_state(3, 0.5, 1.0),
            efficiency=efficiency,
        )
    driven = tb.Battery(1, 1.2, 5.0).charge(secular=False)
    refused(record((0.0, "all")), f"{rule} 0 (all at t = 0) {zero}", driven)
    for efficiency in (1.0, 0.5):
        refused(
            record((0.3, "all"), (0.3, "all")),
            f"{rule} 1 (all at t = 0.3) {zero}",
            driven,
            efficiency=efficiency,
        )
    refused(record((0.3, "all")), f"{rule} 0 (all at t = 0.3) {zero}", driven, efficiency=0.0)
    cycle = tb.Protocol(
        [(battery.charge(), 0.25), (battery.store(), 0.25), (battery.discharge(1.0), 0.5)]
    )
    for time, name, stage in [
        (0.1, "dis", "charge"),
        (0.25, "dis", "charge"),
        (0.3, "red", "store"),
        (0.3, "dis", "store"),
        (0.6, "red", "discharge"),
    ]:
        for efficiency in (1.0, 0.5):
            refused(
                record((0.1, "blue"), (time, name)),
                f"{rule} 1 ({name} at t = {time:g}) {zero} during '{stage}'",
                cycle,
                efficiency=efficiency,
            )
    dis = [(0.1, "blue"), *((0.6 + 0.05 * i, "dis") for i in range(5))]
    for efficiency in (1.0, 0.5):
        refused(
            record(*dis), f"{rule} 4 (dis at t = 0.75) {zero}", cycle, (1.0,), efficiency=efficiency
        )
    refused(
        record((0.3, "red")),
        "clicks must be of the channels none, but click 0 is of 'red'",
        battery.store(),
    )


def test_efficiencies_that_are_wrong():
    for efficiency, error, message in [
        (-0.1, ValueError, "`efficiency` must lie in [0, 1.0], but is -0.1"),
        (1.1, ValueError, "`efficiency` must lie in [0, 1.0], but is 1.1"),
        (np.nan, ValueError, "`efficiency` must lie in [0, 1.0], but is nan"),
        ([0.5, 0.5, 2.0], ValueError, "`efficiency` must lie in [0, 1.0], but is 2.0"),
        ("high", TypeError, "`efficiency` must lie in [0, 1.0], but is 'high'"),
        ({"red": 1.0}, ValueError, "`efficiency` must name every channel, but lacks 'center'"),
        (
            {"red": 1.0, "green": 0.5},
            ValueError,
            "`efficiency` must be 'red', 'center' or 'blue', but is 'green'",
        ),
        (
            [0.5, 0.5],
            ValueError,
            "`efficiency` must be one number or one for each of 3 channels, but has the shape (2,)",
        ),
    ]:
        refused(record(), message, error=error, efficiency=efficiency)
    battery = tb.Battery(3, 1.0, 2.0)
    refused(
        record(),
        f"`model` must be a model such as battery.charge(), but is {battery!r}",
        battery,
        error=TypeError,
    )
    cycle = tb.Protocol([(battery.charge(), 0.25)])
    refused(record(), "`tlist` must end by the end of the protocol, 0.25, but ends at 0.6", cycle)


def test_nobody_watched_after_the_record():
    model = tb.Battery(20, 1.87, 200.0, gamma_plus=10.0).charge()
    clicks = tb.mcsolve(model, [0.1], 1, seed=1, keep_clicks=True).clicks
    with pytest.raises(ValueError, match="`tlist` must end by the end of the record"):
        tb.filter(model, clicks, [0.05, 0.2])
    assert tb.filter(model, clicks, [0.1 * (1 + 1e-13)]).energy.size == 1
    # Clicks that do not say how long they were watched go on in the dark.
    bare = SimpleNamespace(time=clicks.time, channel=clicks.channel)
    hand_made = tb.Clicks(clicks.trajectory, clicks.time, clicks.channel, clicks.channels)
    a, b = (tb.filter(model, one, [0.05, 0.2]).log_likelihood for one in (bare, hand_made))
    np.testing.assert_array_equal(a, b)


def test_records_of_several_batteries_of_which_one_clicked():
    model = tb.Battery(3, 1.0, 3.0).charge()
    clicks = tb.Clicks([1], [0.1], [0], model.channel_names, ntraj=3, duration=0.2)
    with pytest.raises(ValueError, match=r"`clicks` must be of one trajectory.* but are of 3"):
        tb.filter(model, clicks, [0.2])


def test_a_result_holds_its_own_state():
    model = tb.Battery(3, 1.0, 3.0).charge()
    matrix = np.diag([0.5, 0.5, 0.0, 0.0])
    clicks = tb.Clicks([], [], [], model.channel_names, ntraj=1, duration=0.2)
    found, other = (tb.filter(model, clicks, [0.2], 0.5, matrix) for _ in range(2))
    purity = other.purity
    matrix[:] = np.diag([1.0, 0.0, 0.0, 0.0])
    np.testing.assert_array_equal(found.purity, purity)
    with pytest.raises(ValueError, match="read-only"):
        found.energy[0] = 0.0
