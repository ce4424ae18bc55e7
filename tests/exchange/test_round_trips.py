"""Clicks to arrays and files, and back."""

from dataclasses import replace

import pytest
from oracle.clicks import of_rows, same_clicks, some_clicks

import trajbatt as tb
from trajbatt import exchange

BATTERY = tb.Battery(3, 1.87, 30.0, 1.5, 10.0, 0.7)


@pytest.mark.parametrize(
    "seed", [pytest.param(seed, marks=[pytest.mark.slow] * (seed >= 8)) for seed in range(24)]
)
def test_round_trips(seed, tmp_path):
    clicks = some_clicks(seed)
    array = exchange.to_structured(clicks)
    assert array.dtype.names == ("trajectory", "time", "channel")
    assert array.channel.tolist() == [clicks.channels[i] for i in clicks.channel]
    known = {"channels": clicks.channels, "ntraj": clicks.ntraj, "duration": clicks.duration}
    same_clicks(exchange.from_structured(array, **known), clicks)

    exchange.write_csv(clicks, tmp_path / "clicks.csv")
    same_clicks(exchange.read_csv(tmp_path / "clicks.csv"), clicks)

    for unit in (1.0, 2.5e-6):
        exchange.write_photon_hdf5(clicks, tmp_path / "clicks.h5", time_unit=unit)
        back = exchange.read_photon_hdf5(tmp_path / "clicks.h5", time_unit=unit)
        same_clicks(back, clicks, rounding=1e-15 * clicks.duration)
    tick = clicks.duration / 1000
    exchange.write_photon_hdf5(clicks, tmp_path / "rough.h5", tick=tick)
    same_clicks(exchange.read_photon_hdf5(tmp_path / "rough.h5"), clicks, rounding=0.50001 * tick)


def test_trajectories_of_a_run_count_from_zero_in_files(tmp_path):
    runs = tb.mcsolve(BATTERY.charge(), [0.4], 60, seed=1, keep_clicks=True)
    part = runs.clicks.of_trajectories(20, 25)
    expected = replace(part, trajectory=part.trajectory - 20, first=0)
    exchange.write_csv(part, tmp_path / "part.csv")
    same_clicks(exchange.read_csv(tmp_path / "part.csv"), expected)
    exchange.write_photon_hdf5(part, tmp_path / "part.h5")
    same_clicks(exchange.read_photon_hdf5(tmp_path / "part.h5"), expected, rounding=1e-15)
    # Sixty trajectories of three channels have more detectors than a byte counts.
    exchange.write_photon_hdf5(runs.clicks, tmp_path / "all.h5")
    same_clicks(exchange.read_photon_hdf5(tmp_path / "all.h5"), runs.clicks, rounding=1e-15)


def test_files_that_are_not_there(tmp_path):
    for read in (exchange.read_csv, exchange.read_photon_hdf5):
        with pytest.raises(OSError, match="nothing"):
            read(tmp_path / "nothing")


@pytest.mark.parametrize(
    "write", [exchange.to_structured, exchange.write_csv, exchange.write_photon_hdf5]
)
def test_only_clicks_are_written(write, tmp_path):
    place = [] if write is exchange.to_structured else [tmp_path / "file"]
    with pytest.raises(TypeError, match="`clicks` must be the clicks of a run with keep_clicks"):
        write(None, *place)
    assert not list(tmp_path.iterdir())


def test_one_trajectory_comes_back_as_one():
    clicks = of_rows((2, 0.1, "red"), (4, 1 / 3, "blue"), first=2, ntraj=4, duration=2.0)
    one = clicks.of_trajectory(4)
    back = exchange.from_structured(exchange.to_structured(one), one.channels, 1, one.duration)
    assert (back.ntraj, back.time.tolist()) == (1, [1 / 3])
    assert tb.photons.mean(back, [2.0], "blue").value == 1.0
