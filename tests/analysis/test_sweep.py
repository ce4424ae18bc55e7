"""Sweeps: the right numbers, in the right places, computed once."""

import sys

import numpy as np
import pytest
import xarray

import trajbatt as tb

AXES = dict(n_atoms=[4, 9], theta=[1.3, 1.87], ratio=[10.0])


def test_numbers_are_those_of_each_point(tmp_path):
    data = tb.sweep(**AXES, ntraj=300, seed=3)
    assert dict(data.sizes) == {"n_atoms": 2, "theta": 2, "ratio": 1, "gamma_0": 1, "drive": 1}
    one = data.sel(n_atoms=9, theta=1.3).squeeze()
    battery = tb.Battery(9, 1.3, 90.0, gamma_plus=10.0)
    exact = tb.mesolve(battery.charge(), [battery.charging_time])
    assert float(one.charging_time) == battery.charging_time
    assert float(one.energy_per_atom) == pytest.approx(exact.energy[0] / 9)
    assert float(one.photons_blue) == pytest.approx(exact.counts[2, 0])
    waste = exact.counts[:, 0].sum() / exact.energy[0]
    assert float(one.waste_per_quantum) == pytest.approx(waste)
    assert float(one.power) == pytest.approx(exact.energy[0] / battery.charging_time)
    steady = tb.steady_state(battery.charge()).energy
    assert float(one.final_energy_per_atom) == pytest.approx(steady / 9)
    for name in ("energy_per_atom", "relative_fluctuation", "photons_red", "photons_center"):
        z = (data[f"{name}_estimate"] - data[name]) / data[f"{name}_sem"]
        assert np.all(np.abs(z) < 4.5)
        assert np.all(data[f"{name}_sem"] > 0)


def test_known_points_are_not_computed_again(tmp_path, monkeypatch):
    whole = tb.sweep(**AXES, ntraj=50, store=tmp_path)
    files = sorted(tmp_path.glob("point-*.json"))
    assert len(files) == 4
    files[1].write_text("half a f")  # damaged
    files[3].write_text("[]")
    files[2].unlink()
    computed = []
    original = tb.mesolve

    def spy(*arguments, **options):
        computed.append(arguments)
        return original(*arguments, **options)

    monkeypatch.setattr(sys.modules["trajbatt.analysis.sweep"], "mesolve", spy)
    again = tb.sweep(**AXES, ntraj=50, store=tmp_path, threads=1)
    xarray.testing.assert_identical(again, whole)
    assert len(computed) == 3
    wider = tb.sweep([4, 9, 16], AXES["theta"], ntraj=50, store=tmp_path)
    assert len(computed) == 5
    xarray.testing.assert_equal(wider.sel(n_atoms=[4, 9]), whole)


def test_where_the_charging_time_is_infinite():
    data = tb.sweep(3, [np.pi / 2, 1.87], ratio=1.0, ntraj=10)
    edge = data.sel(theta=np.pi / 2).squeeze()
    assert np.isnan(edge.energy_per_atom)
    assert np.isinf(edge.charging_time)
    assert np.all(np.isfinite(data.sel(theta=1.87).energy_per_atom))


def test_a_battery_that_stays_empty():
    data = tb.sweep(3, [0.0, 1.3], ntraj=10)
    assert float(data.sel(theta=0.0).squeeze().energy_per_atom) == 0.0
    assert np.all(np.isfinite(data.sel(theta=1.3).waste_per_quantum))


@pytest.mark.parametrize(
    ("axes", "message"),
    [
        ({"theta": [1.0, 4.0]}, r"`theta` must lie in \[0, pi\], but is 4.0"),
        ({"n_atoms": [3, 0]}, "`n_atoms` must be a positive integer, but is 0"),
        ({"ratio": []}, "`ratio` must hold at least one number, but is empty"),
        ({"ntraj": -1}, "`ntraj` must be a non-negative integer, but is -1"),
        ({"drive": [-1.0]}, "`drive` must be a finite number, zero or positive, but is -1"),
    ],
)
def test_bad_input(axes, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        tb.sweep(**{**AXES, **axes}, store=tmp_path)
    assert list(tmp_path.iterdir()) == []
