"""What is kept of every trajectory."""

import pickle

import numpy as np
import pytest

import trajbatt as tb

BATTERY = tb.Battery(20, 1.87, 200.0, gamma_plus=10.0)
MODEL = BATTERY.charge()
TIMES = np.linspace(0.0, BATTERY.charging_time, 5)
NAMES = ("energy", "energy_variance", "dipole", "counts", "parity")


def solve(ntraj=6000, seed=1, **options):
    e_ops = {"parity": tb.observables.parity}
    options = {"keep_samples": NAMES, **options}
    return tb.mcsolve(MODEL, TIMES, ntraj, seed=seed, e_ops=e_ops, **options)


def test_samples_are_the_trajectories():
    runs = solve(3000)
    assert tuple(runs.samples) == NAMES
    assert runs.samples["counts"].shape == (3000, 3, 5)
    for i in (0, 1700, 2999):
        one = runs.replay(i)
        for name in NAMES[:-1]:
            np.testing.assert_array_equal(runs.samples[name][i], getattr(one, name), err_msg=name)
        np.testing.assert_array_equal(runs.samples["parity"][i], one.expect["parity"])
    np.testing.assert_array_equal(runs.samples["counts"][:, :, -1], runs.final_counts)


def test_averages_and_errors_are_those_of_the_run():
    runs = solve(3000)
    kept = runs.samples
    np.testing.assert_allclose(kept.mean("energy"), runs.energy, atol=1e-11)
    np.testing.assert_allclose(kept.sem("energy"), runs.energy_sem, atol=1e-12)
    np.testing.assert_allclose(kept.mean("dipole"), runs.dipole, atol=1e-12)
    np.testing.assert_allclose(kept.sem("dipole"), runs.dipole_sem, atol=1e-12)
    np.testing.assert_allclose(kept.mean("counts"), runs.counts, atol=1e-12)
    np.testing.assert_allclose(kept.sem("parity"), runs.expect_sem["parity"], atol=1e-12)
    low, high = kept.quantile("energy", [0.1, 0.9])[:, -1]
    inside = (kept["energy"][:, -1] > low) & (kept["energy"][:, -1] < high)
    assert inside.mean() == pytest.approx(0.8, abs=0.01)


def test_some_of_the_trajectories():
    kept = solve(2000).samples
    bright = kept["counts"].sum(axis=1)[:, -1] > 45
    some, others = kept.where(bright), kept.where(~bright)
    assert some.ntraj + others.ntraj == 2000
    whole = (some.ntraj * some.mean("energy") + others.ntraj * others.mean("energy")) / 2000
    np.testing.assert_allclose(whole, kept.mean("energy"), atol=1e-12)
    nobody = kept.where(np.zeros(2000, dtype=bool))
    assert np.all(np.isnan(nobody.mean("energy")))
    assert np.all(np.isnan(nobody.sem("counts")))
    for mask in ([1, 0], bright[:5], bright.astype(int)):
        with pytest.raises(TypeError, match="`mask` must be an array of bool, one for each of 20"):
            kept.where(mask)
    with pytest.raises(ValueError, match="`name` must be 'energy'"):
        kept.mean("jx")


def test_they_are_the_same_from_a_store_resumed_and_extended(tmp_path):
    at_once = solve()
    solve(2500, store=tmp_path)
    stored = solve(store=tmp_path)
    for runs in (stored, tb.load(tmp_path), solve(threads=1), pickle.loads(pickle.dumps(at_once))):
        for name in NAMES:
            np.testing.assert_array_equal(runs.samples[name], at_once.samples[name])
    # A part of a chunk that has grown since.
    part = tb.mcsolve(MODEL, TIMES, 2500, seed=1, e_ops={"parity": tb.observables.parity})
    np.testing.assert_array_equal(part.energy, solve(2500, store=tmp_path).energy)
    np.testing.assert_array_equal(
        solve(2500, store=tmp_path).samples["energy"], at_once.samples["energy"][:2500]
    )
    with pytest.raises(ValueError, match="`store` must hold the same run"):
        solve(store=tmp_path, keep_samples=("energy",))


def test_with_a_store_they_are_not_held_in_memory(tmp_path):
    runs = solve(store=tmp_path)
    assert runs.sources[0].kept_samples is None
    assert solve().sources[0].kept_samples is not None


def test_sums_have_all():
    both = solve(100) + solve(50, seed=2)
    np.testing.assert_array_equal(both.samples["energy"][100:], solve(50, seed=2).samples["energy"])


def test_nothing_is_kept_by_default():
    assert tb.mcsolve(MODEL, TIMES, 10, seed=1).samples is None
    with pytest.raises(ValueError, match="read-only"):
        solve(10).samples["energy"][0, 0] = 1.0


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ("energy", "`keep_samples` must be a sequence of names"),
        (("jx",), "`keep_samples` must be 'energy'"),
        ((3,), "`keep_samples` must be"),
        (True, "`keep_samples` must be a sequence of names"),
    ],
)
def test_bad_names(names, message):
    with pytest.raises((ValueError, TypeError), match=message):
        solve(10, keep_samples=names)


def test_names_that_are_taken_are_not_kept():
    with pytest.raises(ValueError, match="`keep_samples` must not have a name that one of `e_ops`"):
        tb.mcsolve(
            MODEL, TIMES, 5, e_ops={"energy": tb.observables.parity}, keep_samples=("energy",)
        )


def test_files_have_them(tmp_path):
    xarray = pytest.importorskip("xarray")
    runs = solve(50)
    runs.save(tmp_path / "runs.nc")
    with xarray.open_dataset(tmp_path / "runs.nc", group="trajectories") as found:
        np.testing.assert_array_equal(found["sample_energy"], runs.samples["energy"])
        np.testing.assert_array_equal(found["sample_dipole_imag"], runs.samples["dipole"].imag)
        assert found["sample_counts"].dims == ("trajectory", "channel", "time")


def test_quantiles_at_the_edges():
    kept = solve(20).samples
    with pytest.raises(ValueError, match="`name` must be of real samples, but 'dipole' is complex"):
        kept.quantile("dipole", 0.5)
    nobody = kept.where(np.zeros(20, dtype=bool))
    assert np.all(np.isnan(nobody.quantile("energy", [0.1, 0.9])))
    again = pickle.loads(pickle.dumps(kept))
    assert not again["energy"].flags.writeable
