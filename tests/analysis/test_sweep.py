"""Sweeps: the right numbers, in the right places, computed once."""

import os

import numpy as np
import pytest
import xarray

import trajbatt as tb
from trajbatt.analysis import phase_free
from trajbatt.analysis.points import ESTIMATED

AXES = dict(n_atoms=[4, 9], theta=[1.3, 1.87], ratio=[10.0])


def test_numbers_are_those_of_each_point(tmp_path):
    data = tb.sweep(**AXES, ntraj=300, seed=3)
    assert dict(data.sizes) == {"n_atoms": 2, "theta": 2, "ratio": 1, "gamma_0": 1, "drive": 1}
    one = data.sel(n_atoms=9, theta=1.3).squeeze()
    battery = tb.Battery(9, 1.3, 90.0, gamma_plus=10.0)
    end = battery.charging_time
    exact = tb.mesolve(battery.charge(), [end])
    assert float(one.charging_time) == float(one.duration) == end
    assert float(one.energy_per_atom) == pytest.approx(exact.energy[0] / 9)
    assert float(one.photons_blue) == pytest.approx(exact.counts[2, 0])
    mean = float(one.mean_energy_per_atom) * 9
    assert float(one.waste_per_quantum) == pytest.approx(exact.counts[:, 0].sum() / mean)
    assert float(one.power) == pytest.approx(mean / end)
    lowest = float(one.lowest_energy_per_atom) * 9
    assert float(one.lowest_power) == pytest.approx(lowest / end)
    highest = float(one.highest_energy_per_atom) * 9
    assert float(one.highest_power) == pytest.approx(highest / end)
    for waste, energy in (("lowest", highest), ("highest", lowest)):
        found = float(one[f"{waste}_waste_per_quantum"])
        assert found == pytest.approx(exact.counts[:, 0].sum() / energy)
    steady = tb.steady_state(battery.charge()).energy
    assert float(one.final_energy_per_atom) == pytest.approx(steady / 9)
    for name in ESTIMATED:
        z = (data[f"{name}_estimate"] - data[name]) / data[f"{name}_sem"]
        assert np.all(np.abs(z) < 4.5)
        assert np.all(data[f"{name}_sem"] > 0)


def test_no_number_hangs_on_the_phase_but_one():
    # Once power was .223, .203 and .187 here, by the phase of Omega_P at T90.
    data = tb.sweep(100, 1.4, drive=[10.0, 10.5, 11.0])
    for name, values in data.items():
        scatter = float(np.ptp(values.values) / values.mean())
        assert (scatter < 1e-9) == (name != "energy_per_atom"), name
    assert np.all(data.lowest_energy_per_atom <= data.energy_per_atom)
    assert np.all(data.energy_per_atom <= data.highest_energy_per_atom)


def over_a_period(battery, end):
    """Return mean, least and largest energy and the mean variance of a dense grid of phases."""
    fast = tb.Battery(battery.n_atoms, battery.theta, 1e7, battery.gamma_0, battery.gamma_plus)
    times = end + 2 * np.pi / 1e7 * (np.arange(200) / 200 - 0.5)
    exact = tb.mesolve(fast.charge(), times)
    return exact.energy.mean(), exact.energy.min(), exact.energy.max(), exact.energy_variance.mean()


@pytest.mark.parametrize(("n_atoms", "theta", "ratio"), [(1, 1.87, 10.0), (6, 0.7, 0.2)])
def test_bounds_and_means_are_those_of_a_period(n_atoms, theta, ratio):
    one = tb.sweep(n_atoms, theta, ratio, time=0.3).squeeze()
    battery = tb.Battery(n_atoms, theta, 10.0 * n_atoms, gamma_plus=ratio)
    mean, low, high, variance = over_a_period(battery, 0.3)
    assert float(one.mean_energy_per_atom) == pytest.approx(mean / n_atoms, abs=1e-6)
    assert float(one.lowest_energy_per_atom) == pytest.approx(low / n_atoms, abs=2e-4)
    assert float(one.highest_energy_per_atom) == pytest.approx(high / n_atoms, abs=2e-4)
    assert float(one.relative_fluctuation) == pytest.approx(np.sqrt(variance) / mean, rel=1e-5)
    # The negative control: the variance of the dressed frame alone is another one.
    assert float(one.relative_fluctuation) != pytest.approx(np.sqrt(variance) / mean * 1.05)


@pytest.mark.slow
def test_errors_are_those_of_repetitions():
    runs = [tb.sweep(6, 1.1, 2.0, ntraj=300, seed=s, threads=1).squeeze() for s in range(120)]
    for name in ESTIMATED:
        estimates = np.array([float(run[f"{name}_estimate"]) for run in runs])
        claimed = np.mean([float(run[f"{name}_sem"]) for run in runs])
        assert 0.8 < claimed / estimates.std(ddof=1) < 1.25, name
        bias = (estimates.mean() - float(runs[0][name])) / (claimed / np.sqrt(len(runs)))
        assert abs(bias) < 4.5, name
        # The negative control: the same estimates judged by errors of half the size.
        z = (estimates - float(runs[0][name])) / (0.5 * claimed)
        assert z.std() > 1.5


def test_power_and_waste_by_trajectories_are_those_of_their_energies():
    one = tb.sweep(6, 1.3, 2.0, ntraj=200, seed=5).squeeze()
    for kind in ("estimate", "sem"):
        for name, energy in (("power", "mean"), ("lowest_power", "lowest")):
            of = float(one[f"{energy}_energy_per_atom_{kind}"])
            assert float(one[f"{name}_{kind}"]) == pytest.approx(of * 6 / float(one.duration))
    photons = sum(float(one[f"photons_{c}_estimate"]) for c in ("red", "center", "blue"))
    waste = photons / 6 / float(one.highest_energy_per_atom_estimate)
    assert float(one.lowest_waste_per_quantum_estimate) == pytest.approx(waste)
    empty = tb.sweep(3, 0.0, ntraj=10).squeeze()
    assert np.isnan(empty.highest_waste_per_quantum)
    assert np.isnan(empty.highest_waste_per_quantum_estimate)


def test_time_is_an_axis():
    data = tb.sweep(4, 1.87, time=[0.1, 0.4])
    assert dict(data.sizes)["time"] == 2
    np.testing.assert_array_equal(data.duration.squeeze(), [0.1, 0.4])
    battery = tb.Battery(4, 1.87, 40.0, gamma_plus=10.0)
    exact = tb.mesolve(battery.charge(), [0.1, 0.4])
    np.testing.assert_allclose(data.energy_per_atom.squeeze(), exact.energy / 4)
    assert "time" not in tb.sweep(4, 1.87).sizes
    edge = tb.sweep(3, np.pi / 2, ratio=1.0, time=0.5)  # where T90 is infinite
    assert np.all(np.isfinite(edge.mean_energy_per_atom))


def test_progress(capsys):
    seen = []
    tb.sweep(3, [1.2, 1.4], progress=lambda done, total: seen.append((done, total)), threads=1)
    assert seen == [(1, 2), (2, 2)]
    tb.sweep(3, 1.2, progress=True)
    with pytest.raises(TypeError, match="`progress` must be true, or a function"):
        tb.sweep(3, 1.2, progress=5)
    capsys.readouterr()


def test_files_of_killed_sweeps_are_removed(tmp_path):
    old, new, other = (tmp_path / f".{name}.json.x" for name in ("point-1", "point-2", "mine"))
    for path in (old, new, other):
        path.write_text("half")
    for path in (old, other):
        os.utime(path, (0, 0))
    tb.sweep(3, 1.2, store=tmp_path)
    assert {path.name for path in tmp_path.glob(".*")} == {new.name, other.name}


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

    monkeypatch.setattr(phase_free, "mesolve", spy)
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
        ({"time": 0.0}, "`time` must be a finite number above zero, but is 0"),
        ({"drive": [-1.0]}, "`drive` must be a finite number, zero or positive, but is -1"),
    ],
)
def test_bad_input(axes, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        tb.sweep(**{**AXES, **axes}, store=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_integers_of_numpy_and_stores_that_are_none(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    options = dict(ratio=1.0, drive=10.0)
    swept = tb.sweep(4, 1.87, ntraj=np.int64(16), seed=np.int64(3), store=tmp_path, **options)
    assert swept.attrs["ntraj"] == 16
    (tmp_path / "file").write_text("")
    for store, message in (("", "is empty"), (5, "is 5"), ("file", "is a file")):
        with pytest.raises((ValueError, TypeError), match=f"`store` must .* {message}"):
            tb.sweep(4, 1.87, store=store, **options)


def test_one_trajectory_has_energies_without_errors():
    swept = tb.sweep(4, 1.87, ratio=1.0, drive=10.0, ntraj=1)
    assert np.isfinite(swept.mean_energy_per_atom_estimate.item())
    assert np.isnan(swept.mean_energy_per_atom_sem.item())


def test_what_killed_sweeps_had_begun_goes(tmp_path, monkeypatch):
    from trajbatt.analysis import points
    from trajbatt.base import files

    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", killed)
        patched.setattr(os, "unlink", lambda *_: None)
        patched.setattr(files.Path, "unlink", lambda *_, **__: None, raising=False)
        with pytest.raises(KeyboardInterrupt):
            points.keep(tmp_path, {"n_atoms": 4}, 0, 0, {})
    (left,) = tmp_path.iterdir()
    points.tidy(tmp_path)
    assert left.exists()  # it may be at work
    os.utime(left, (0, 0))
    points.tidy(tmp_path)
    assert not left.exists()
