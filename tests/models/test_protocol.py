"""Protocols as models, and what they refuse."""

import numpy as np
import pytest
from oracle.protocols import BATTERY, CYCLE, DRIVEN_CYCLE, LONG

import trajbatt as tb


def test_names():
    assert LONG.name == "charge, discharge, charge, store, discharge"
    assert LONG.channel_names == ("red", "center", "blue", "dis", "all")
    assert LONG.n_atoms == 8
    assert LONG.duration == pytest.approx(0.45)
    runs = tb.mcsolve(LONG, [0.4], ntraj=10, seed=1)
    assert runs.channels == LONG.channel_names
    assert "dis" in str(runs)
    assert "dis" in str(runs.replay(3))
    assert "dis" in str(tb.mesolve(LONG, [0.4]))


CHARGE = BATTERY.charge()


@pytest.mark.parametrize(
    ("steps", "error", "message"),
    [
        ([], ValueError, r"`steps` must hold at least one \(model, duration\), but is empty"),
        ([(CHARGE, 0.0)], ValueError, "`duration` must be a finite number above zero, but is 0"),
        ([(CHARGE, -0.1)], ValueError, "`duration` must be a finite number.*, but is -0.1"),
        ([(CHARGE, np.inf)], ValueError, "`duration` must be a finite number.*, but is inf"),
        ([(CHARGE, np.nan)], ValueError, "`duration` must be a finite number.*, but is nan"),
        ([(CHARGE, "long")], TypeError, "`duration` must be a finite number.*, but is 'long'"),
        (
            [(CHARGE, 0.1), (tb.Battery(6, 1.2, 30.0).store(), 0.1)],
            ValueError,
            "`steps` must all have the same number of atoms, but have 8 and 6",
        ),
        ([(BATTERY, 0.1)], TypeError, "`steps` must hold models such as battery.charge(), but"),
        ([CHARGE], TypeError, r"`steps` must be a list of \(model, duration\), but is"),
        (CHARGE, TypeError, r"`steps` must be a list of \(model, duration\), but is"),
        (3, TypeError, r"`steps` must be a list of \(model, duration\), but is 3"),
    ],
)
def test_bad_steps(steps, error, message):
    with pytest.raises(error, match=message.replace("charge()", r"charge\(\)")):
        tb.Protocol(steps)


@pytest.mark.parametrize("solve", [tb.mesolve, tb.mcsolve])
def test_bad_times(solve):
    with pytest.raises(
        ValueError, match=r"`tlist` must end by the end of the protocol, 0\.7, but ends at 0\.8"
    ):
        solve(DRIVEN_CYCLE, [0.1, 0.8])


def test_a_protocol_has_no_steady_state():
    with pytest.raises(
        TypeError, match=r"`model` must be a single model such as .* but is a Protocol"
    ):
        tb.steady_state(CYCLE)
