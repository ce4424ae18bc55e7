"""First passages: beside closed forms and exact laws, with runs that end before."""

import numpy as np
import pytest

import trajbatt as tb

N = 12
BATTERY = tb.Battery(N, 1.87, 120.0, gamma_plus=10.0)
DISCHARGE = BATTERY.discharge()
TIMES = np.linspace(0.0, 0.6, 61)
RUNS = tb.mcsolve(DISCHARGE, TIMES, 1500, tb.excited_state(N), seed=1)
INSIDE = TIMES[5:40:3]


def lost(n):
    """Return the exact P(T > t) that fewer than n photons have come, and n quanta are not lost."""
    return tb.counting.arrival(DISCHARGE, n, INSIDE, "all", tb.excited_state(N))


@pytest.mark.parametrize("n", [1, 4, 9])
def test_a_discharge_has_lost_what_it_has_emitted(n):
    by_energy = tb.first_passage(RUNS, N - n + 0.5, rising=False)
    by_counts = tb.first_passage(RUNS, counts=("all", n))
    np.testing.assert_array_equal(by_energy.passed, by_counts.passed)
    # On the grid a passage counts from the next time on: the same there.
    for found in (by_energy, by_counts):
        survival, low, high = found.survival(INSIDE)
        sem = np.sqrt(survival * (1 - survival) / RUNS.ntraj)
        likely = sem > 1e-3
        z = (survival - lost(n))[likely] / sem[likely]
        assert np.abs(z).max() < 4
        assert np.all((low <= survival) & (survival <= high))
    # Negative control: one photon more.
    wrong = (survival - lost(n + 1))[likely] / sem[likely]
    assert np.abs(wrong).max() > 6


def test_runs_of_different_lengths():
    # Censored at random times the law is the same; to take the ends for passages is not.
    rng = np.random.default_rng(2)
    ends = rng.choice(np.arange(8, 61), size=400)
    runs = [RUNS.replay(i, TIMES[: end + 1]) for i, end in enumerate(ends)]
    found = tb.first_passage(runs, N - 4 + 0.5, rising=False)
    assert 40 < np.count_nonzero(~found.passed) < 360
    survival, low, high = found.survival(INSIDE)
    exact = lost(4)
    assert np.mean((low <= exact) & (exact <= high)) > 0.8
    naive = (found.time[:, None] > INSIDE).mean(axis=0)
    assert np.abs(naive - exact).max() > 2 * np.abs(survival - exact).max()


@pytest.mark.slow
def test_limits_cover():
    exact, inside = lost(4)[4], []
    for seed in range(200):
        runs = tb.mcsolve(DISCHARGE, TIMES, 80, tb.excited_state(N), seed=seed, threads=1)
        _, low, high = tb.first_passage(runs, N - 3.5, rising=False).survival(INSIDE[4:5])
        inside.append(low[0] <= exact <= high[0])
    assert 0.9 < np.mean(inside) <= 0.99


def test_charges_samples_and_filters():
    model, times = BATTERY.charge(), np.linspace(0.0, BATTERY.charging_time, 41)
    runs = tb.mcsolve(model, times, 60, seed=3, keep_samples=("energy",), keep_clicks=True)
    fresh = tb.mcsolve(model, times, 60, seed=3)
    kept, again = (tb.first_passage(one, 5.0) for one in (runs, fresh))
    np.testing.assert_array_equal(kept.time, again.time)
    singly = tb.first_passage([runs.replay(i) for i in range(60)], 5.0)
    np.testing.assert_array_equal(kept.time, singly.time)
    by_hand = [
        times[np.argmax(one >= 5.0)] if (one >= 5.0).any() else times[-1]
        for one in runs.samples["energy"]
    ]
    np.testing.assert_array_equal(kept.time, by_hand)
    filters = [tb.filter(model, runs.clicks.of_trajectory(i), times) for i in range(4)]
    np.testing.assert_array_equal(tb.first_passage(filters, 5.0).time, kept.time[:4])
    fine = tb.first_passage(runs, 5.0, tlist=np.linspace(0.0, times[-1] / 2, 201))
    assert np.all(fine.time <= np.maximum(kept.time, times[-1] / 2) + 1e-12)
    assert "of 60 runs" in repr(kept)


def test_nobody_and_everybody():
    never, at_once = tb.first_passage(RUNS, N + 1.0), tb.first_passage(RUNS, 0.0)
    assert not never.passed.any()
    assert np.isnan(never.quantile(0.5))
    survival, low, high = never.survival(INSIDE)
    assert np.all(survival == 1.0)
    assert np.all(high == 1.0)
    np.testing.assert_allclose(low, 0.025 ** (1 / 1500))
    assert np.all(np.isnan(never.survival([1.0])))
    assert "less than half" in repr(never)
    assert at_once.quantile(0.5) == 0.0
    assert np.all(at_once.survival([0.0, 5.0])[0] == 0.0)


def test_bad_arguments():
    for arguments, words in (
        ((RUNS,), "`energy` or `counts` must be given"),
        ((RUNS, np.nan), "`energy` must be"),
        (([], 1.0), "one run at least"),
        ((DISCHARGE, 1.0), "`runs` must be a result of mcsolve"),
    ):
        with pytest.raises((ValueError, TypeError), match=words):
            tb.first_passage(*arguments)
    with pytest.raises(TypeError, match="`counts` must be a channel and a number"):
        tb.first_passage(RUNS, counts="blue")
    with pytest.raises(ValueError, match="`channel` must be"):
        tb.first_passage(RUNS, counts=("blue", 5))
    with pytest.raises(ValueError, match="`tlist` must end by"):
        tb.first_passage(RUNS, 1.0, tlist=[1.0])


def test_what_one_run_at_risk_says():
    # 99 of 100 runs end before; the last one alone passes.
    found = tb.FirstPassage(np.append(np.ones(99), 2.0), np.append(np.zeros(99, bool), True))
    _, low, high = found.survival([2.0])
    assert low[0] == 0.0
    assert high[0] == pytest.approx(0.975)


def test_counts_are_known_to_the_click():
    for wrong in ({"tlist": [0.1]}, {"rising": False}):
        with pytest.raises(ValueError, match="must be left out with `counts`"):
            tb.first_passage(RUNS, counts=("all", 2), **wrong)
