"""2J after each click in files, of simulated records with noise of single atoms."""

import numpy as np
import pytest

import trajbatt as tb
from trajbatt.exchange.about import model_of

MODEL = tb.Battery(6, 1.87, 60.0, local_plus=5.0, dephasing=2.0).charge()


@pytest.fixture(scope="module")
def runs():
    return tb.mcsolve(MODEL, [0.2], ntraj=20, seed=1, keep_clicks=True)


def test_text_keeps_it(runs, tmp_path):
    tb.exchange.write_csv(runs.clicks, tmp_path / "clicks.csv")
    again = tb.exchange.read_csv(tmp_path / "clicks.csv")
    np.testing.assert_array_equal(again.spin, runs.clicks.spin)
    np.testing.assert_array_equal(again.time, runs.clicks.time)
    known = tb.filter(MODEL, again.of_trajectory(3), [0.2], known_spin=True)
    assert known.energy[0] == pytest.approx(runs.replay(3).energy[0], abs=1e-10)


def test_arrays_keep_it(runs):
    array = tb.exchange.to_structured(runs.clicks)
    assert array.dtype.names == ("trajectory", "time", "channel", "spin")
    again = tb.exchange.from_structured(array, channels=runs.channels, ntraj=20)
    np.testing.assert_array_equal(again.spin, runs.clicks.spin)
    pytest.importorskip("xarray")
    data = runs.to_xarray("clicks")
    np.testing.assert_array_equal(data["click_spin"], runs.clicks.spin)


def test_without_it_nothing_changes(runs, tmp_path):
    plain = tb.Detectors().see(runs.clicks)
    assert plain.spin is None
    assert "spin" not in tb.exchange.to_structured(plain).dtype.names
    tb.exchange.write_csv(plain, tmp_path / "clicks.csv")
    assert tb.exchange.read_csv(tmp_path / "clicks.csv").spin is None


def test_what_is_no_spin_is_refused(tmp_path):
    file = tmp_path / "wrong.csv"
    file.write_text("time,channel,spin\n0.1,red,six\n")
    with pytest.raises(ValueError, match="must hold an integer for each spin"):
        tb.exchange.read_csv(file)
    with pytest.raises(ValueError, match="`spin` must be 2J"):
        tb.Clicks(np.zeros(1, int), np.ones(1), np.zeros(1, int), ("red",), spin=[-1])


@pytest.mark.parametrize(
    "model",
    [
        MODEL,
        tb.Battery(6, 1.87, 60.0, dephasing=2.0, dephasing_omega=0.0, thermal_plus=0.1).charge(),
        tb.Battery(6, 1.87, 60.0, local_0=1.0, dephasing=2.0).discharge(2.0, dephasing=0.0),
        tb.Battery(6, 1.87, 60.0, local_0=1.0, dephasing=2.0).store(local=0.0, thermal=0.2),
        tb.Battery(6, 1.87, 60.0, thermal_0=0.3).discharge(),
    ],
    ids=["local", "slow", "discharge", "store", "warm"],
)
def test_a_file_says_the_noise_of_its_battery(model, tmp_path):
    runs = tb.mcsolve(model, [0.2], ntraj=5, seed=1, keep_clicks=True)
    path = tmp_path / "clicks.csv"
    tb.exchange.write_csv(runs.clicks, path, tb.exchange.about_model(model))
    assert model_of(tb.exchange.read_about(path), path) == model
