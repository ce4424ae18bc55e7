"""Daemonic ergotropy: its limits, its brute-force mean, and its errors."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import trajbatt as tb

BATTERY = tb.Battery(10, 1.87, 100.0, gamma_plus=10.0)
MODEL = BATTERY.charge()
TIMES = BATTERY.charging_time * np.array([0.5, 1.0])
RUNS = tb.mcsolve(MODEL, TIMES, 400, seed=3)
EXACT = tb.mesolve(MODEL, TIMES)


def test_nothing_seen_is_the_work_of_the_mean_state():
    for kind, expected in (
        ("rotation", EXACT.ergotropy_rotation),
        ("subspace", EXACT.ergotropy),
        ("global", EXACT.ergotropy_global),
    ):
        found = tb.daemonic_ergotropy(RUNS, kind, 0.0, ntraj=4)
        np.testing.assert_allclose(found.work, expected, rtol=1e-8)
        np.testing.assert_allclose(found.without_record, expected, rtol=1e-12)
        np.testing.assert_allclose(found.work_sem, 0.0, atol=1e-8)


def test_all_seen_from_a_pure_state_is_the_energy():
    for kind in ("subspace", "global"):
        found = tb.daemonic_ergotropy(RUNS, kind)
        np.testing.assert_allclose(found.work, EXACT.energy, rtol=1e-12)
        np.testing.assert_allclose(found.work_sem, 0.0, atol=1e-9)


def test_rotations_by_all_trajectories():
    found = tb.daemonic_ergotropy(RUNS, "rotation")
    plain = np.array([RUNS.replay(i).ergotropy_rotation for i in range(RUNS.ntraj)])
    spread = plain.std(axis=0, ddof=1) / np.sqrt(RUNS.ntraj)
    assert np.all(np.abs(found.work - plain.mean(axis=0)) < 4.5 * spread)
    gain = (spread / found.work_sem) ** 2
    np.testing.assert_allclose(found.variance_reduction, gain, rtol=0.02)
    assert np.all(found.variance_reduction > 1.5)
    assert found.work[0] > EXACT.ergotropy_rotation[0] + 3 * found.work_sem[0]
    assert np.all(found.work < EXACT.energy)


@pytest.mark.slow
def test_errors_cover_and_a_wrong_record_does_not():
    precise = tb.daemonic_ergotropy(tb.mcsolve(MODEL, TIMES, 60_000, seed=1), "rotation")
    z = []
    for seed in range(100):
        runs = tb.mcsolve(MODEL, TIMES, 300, seed=100 + seed, threads=1)
        one = tb.daemonic_ergotropy(runs, "rotation")
        z.append((one.work - precise.work) / one.work_sem)
    assert np.std(z) == pytest.approx(1.0, abs=0.2)
    assert abs(np.mean(z)) < 0.4
    # Negative control: the work without a record.
    wrong = (precise.without_record - precise.work) / precise.work_sem
    assert np.all(np.abs(wrong) > 20)


def test_more_light_is_more_work():
    works = [
        tb.daemonic_ergotropy(RUNS, "rotation", efficiency, ntraj=100)
        for efficiency in (0.0, 0.3, 0.7, 1.0)
    ]
    means = np.array([one.work for one in works])
    errors = np.array([one.work_sem for one in works])
    steps = np.diff(means, axis=0)
    assert np.all(steps > -3 * np.hypot(errors[1:], errors[:-1]))
    assert means[-1, 0] > means[0, 0] + 3 * errors[-1, 0]
    # A record of which all is seen, by the filter.
    dark = tb.daemonic_ergotropy(RUNS, "rotation", ntraj=100, detectors=tb.Detectors())
    np.testing.assert_allclose(dark.work, works[-1].work, rtol=1e-9)


def test_executors_sums_and_mixtures():
    alone = tb.daemonic_ergotropy(RUNS, "rotation", 0.5, ntraj=30)
    with ThreadPoolExecutor(2) as pool:
        runs = tb.mcsolve(MODEL, TIMES, 400, seed=3, executor=pool)
        elsewhere = tb.daemonic_ergotropy(runs, "rotation", 0.5, ntraj=30)
    np.testing.assert_array_equal(elsewhere.work, alone.work)
    both = RUNS + tb.mcsolve(MODEL, TIMES, 100, seed=4)
    assert tb.daemonic_ergotropy(both, "rotation", ntraj=450).ntraj == 450
    # From a mixture not all is known, even if all photons are seen.
    discharge = BATTERY.discharge()
    runs = tb.mcsolve(discharge, [0.05], 40, seed=1)
    found = tb.daemonic_ergotropy(runs, "subspace")
    assert found.work[0] < found.energy[0] - 1e-3
    assert found.work[0] > found.without_record[0] - 3 * found.work_sem[0]


def test_bad_arguments():
    with pytest.raises(TypeError, match="`runs` must be a result of mcsolve"):
        tb.daemonic_ergotropy(EXACT)
    with pytest.raises(ValueError, match="`kind` must be"):
        tb.daemonic_ergotropy(RUNS, "any")
    with pytest.raises(ValueError, match="`ntraj` must be from 2 to the 400"):
        tb.daemonic_ergotropy(RUNS, ntraj=401)
    with pytest.raises(ValueError, match="no dead_time in an exact count"):
        tb.daemonic_ergotropy(RUNS, detectors=tb.Detectors(dead_time=1.0))
    assert "with it" in repr(tb.daemonic_ergotropy(RUNS))


def test_energies_that_do_not_scatter_control_nothing():
    # Pure dephasing keeps the energy of each run: its rounding must not be fitted.
    model = tb.LadderModel("dephasing", 6, 0.0, 0.0, (tb.Channel("z", 0, 1.0),))
    start = tb.coherent_state(6, np.pi / 2)
    for seed in range(4):
        runs = tb.mcsolve(model, [0.5, 1.0], 200, start, seed=seed)
        found = tb.daemonic_ergotropy(runs)
        plain = np.mean([runs.replay(i).ergotropy_rotation for i in range(200)], axis=0)
        np.testing.assert_allclose(found.work, plain, rtol=1e-10)
        assert np.all(found.work > found.without_record - 3 * found.work_sem)


def test_two_records_are_not_certain():
    two = tb.daemonic_ergotropy(RUNS, ntraj=2)
    assert np.all(two.work_sem > 1e-6)
