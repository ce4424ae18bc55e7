"""What photon statistics refuse, in one sentence."""

import numpy as np
import pytest

import trajbatt as tb


def test_bad_input():
    battery = tb.Battery(3, 1.0, 1.0)
    model = battery.charge()
    with pytest.raises(ValueError, match="`channel` must be 'red', 'center', 'blue' or 'total'"):
        tb.counting.distribution(model, 1.0, "green")
    with pytest.raises(ValueError, match="`t` must be a finite number, zero or positive"):
        tb.counting.distribution(model, -1.0, "red")
    with pytest.raises(TypeError, match="`channels` must be a pair"):
        tb.counting.joint_distribution(model, 1.0, "red")
    with pytest.raises(ValueError, match="`model` must have a channel"):
        tb.counting.distribution(battery.store(), 1.0, "total")


def test_more_bad_input():
    battery = tb.Battery(3, 1.0, 1.0)
    model, driven = battery.charge(), battery.charge(secular=False)
    cycle = tb.Protocol([(model, 0.5), (battery.discharge(), 0.5)])
    counting = tb.counting
    for call, error, message in [
        (
            lambda: counting.distribution(model, 1.0, "red", start=2.0),
            ValueError,
            "`start` must",
        ),
        (lambda: counting.distribution(cycle, 1.5, "red"), ValueError, "end of the protocol, 1.0"),
        (lambda: counting.distribution(cycle, 1.0, "all"), ValueError, "'dis' or 'total', but"),
        (lambda: counting.joint_distribution(model, 1.0, ("red",)), TypeError, "must be a pair"),
        (
            lambda: counting.joint_distribution(model, 1.0, ("red", "x")),
            ValueError,
            "`channels` must",
        ),
        (lambda: counting.distribution(cycle, 1.5, "red"), ValueError, "`t` must end by the end"),
        (lambda: counting.distribution(model, 1e300, "red"), ValueError, "`t` must leave fewer"),
        (lambda: counting.distribution(model, 1.0, np.array(["red"])), ValueError, "`channel` mus"),
        (
            lambda: counting.factorial_moments(model, 1.0, "red", 33),
            ValueError,
            "`order` must be a",
        ),
        (
            lambda: counting.survival(cycle, [0.5], at=0.6),
            ValueError,
            "`tlist` after `at` must end",
        ),
        (lambda: counting.waiting_time(model, [0.5], ("x", "red")), ValueError, "`channels` must"),
        (
            lambda: counting.g2(model, [0.5], ("red", "red"), at=(1.0, 0.5)),
            ValueError,
            r"`at` must be a pair \(start, stop\) in this order",
        ),
        (lambda: counting.photocurrent(cycle, [0.0, 2.0]), ValueError, "`edges` must end by"),
        (lambda: counting.photocurrent(model, [1.0]), ValueError, "`edges` must hold two times"),
        (lambda: counting.photocurrent(battery.store(), [0.0, 1.0]), ValueError, "have a channel"),
        (
            lambda: counting.g2_matrix(model, [1.0], ("red", "red")),
            ValueError,
            "`edges` must hold two",
        ),
        (lambda: counting.first_channels(model, 40), ValueError, "`length` must leave fewer than"),
        (
            lambda: counting.next_channel(cycle, until=1.5),
            ValueError,
            "`until` must end by the end",
        ),
        (lambda: counting.next_channel(model, until=-1.0), ValueError, "`until` must be"),
        (
            lambda: counting.next_channel(model, "red", at=1.0, until=0.5),
            ValueError,
            "`at` must be before the end",
        ),
        (lambda: counting.factorial_moments(model, 1.0, "red", 0), ValueError, "`order` must"),
        (lambda: counting.fano(model, [1.0, 0.5], "red"), ValueError, "`tlist` must"),
        (lambda: counting.fano(model, [1.0], "red", start=2.0), ValueError, "`start` must"),
        (lambda: counting.intensity(battery, [1.0]), TypeError, "`model` must be a model"),
        (lambda: counting.intensity(model, []), ValueError, "`tlist` must .* is empty"),
        (lambda: counting.intensity(model, [1.0], np.ones(3)), ValueError, "`initial` must have"),
        (lambda: counting.survival(model, [1.0], "x"), ValueError, "`after` must be 'red'"),
        (
            lambda: counting.survival(model, [1.0], at=(0.1, 0.2)),
            ValueError,
            "be one time",
        ),
        (
            lambda: counting.survival(model, [1.0], "red", at=(0.2, 0.1)),
            ValueError,
            "`at` must",
        ),
        (
            lambda: counting.survival(model, [1.0], "red", at=(0.2,)),
            ValueError,
            "or a pair",
        ),
        (lambda: counting.survival(cycle, [0.5], at=0.6), ValueError, "end of the protocol, 1.0"),
        (lambda: counting.survival(model, [0.5], at=-1.0), ValueError, "`at` must"),
        (lambda: counting.first_click(model, [-1.0]), ValueError, "`tlist` must"),
        (
            lambda: counting.waiting_time(model, [1.0], "red"),
            TypeError,
            "`channels` must be a pair",
        ),
        (lambda: counting.waiting_time(model, [1.0], ("red", "x")), ValueError, "`channels` must"),
        (lambda: counting.next_channel(model, "x"), ValueError, "`after` must be 'red'"),
        (lambda: counting.next_channel(battery.store()), ValueError, "must have a channel"),
        (lambda: counting.first_channels(driven), TypeError, "must be a ladder model .* Banded"),
        (lambda: counting.first_channels(cycle), TypeError, "must be a ladder model .* Protocol"),
        (lambda: counting.first_channels(model, 0), ValueError, "`length` must be a positive"),
        (lambda: counting.g2(model, [1.0], ("x", "red")), ValueError, "`channels` must be 'red'"),
        (
            lambda: counting.correlation(model, [1.0], ("red",) * 2, at="a"),
            TypeError,
            "`at` must",
        ),
        (
            lambda: counting.g2_matrix(model, [0.0, 1.0], "red"),
            TypeError,
            "`channels` must be a pair",
        ),
        (lambda: counting.photocurrent(model, [1.0, 0.0]), ValueError, "`edges` must"),
    ]:
        with pytest.raises(error, match=message) as caught:
            call()
        assert "\n" not in str(caught.value)
