import concurrent.futures
import dataclasses

import numpy as np
import oracles
import pytest
from scipy import stats

import trajbatt as tb
from trajbatt.ensembles import chunks
from trajbatt.ensembles.plan import Plan, chunk_size
from trajbatt.numerics.moments import Moments
from trajbatt.states.mixture import Mixture

BATTERY = tb.Battery(20, 1.87, 200.0, gamma_plus=10.0)
TIMES = np.linspace(0, BATTERY.charging_time, 12)


def same(a, b):
    """Whether two ensembles are equal, bit for bit."""
    arrays = "energy energy_sem energy_variance quantum_variance dipole counts final_counts"
    return all(np.array_equal(getattr(a, n), getattr(b, n)) for n in arrays.split()) and all(
        np.array_equal(x, y)
        for x, y in (
            (a.moments.comoment, b.moments.comoment),
            (a.checkpoints.comoment, b.checkpoints.comoment),
        )
    )


@pytest.fixture(scope="module")
def runs():
    return tb.mcsolve(BATTERY.charge(), TIMES, ntraj=5000, seed=1, keep_clicks=True)


def test_shapes_and_names(runs):
    nt, nc = TIMES.size, 3
    assert runs.channels == ("red", "center", "blue")
    assert runs.ntraj == 5000
    assert runs.seed == 1
    assert runs.coherent_energy is None
    for quantity in ("energy", "energy_variance", "quantum_variance", "trajectory_variance"):
        for name in (quantity, f"{quantity}_sem"):
            assert getattr(runs, name).shape == (nt,), name
            assert getattr(runs, name).dtype == np.float64
    assert runs.dipole.shape == (nt,)
    assert runs.dipole.dtype == np.complex128
    assert runs.counts.shape == runs.counts_sem.shape == (nc, nt)
    assert runs.counts_covariance.shape == (nc, nc, nt)
    assert runs.final_counts.shape == (5000, nc)
    assert str(runs).count("\n") == 4


def test_statistics_are_those_of_the_replayed_trajectories(runs):
    few = tb.mcsolve(BATTERY.charge(), TIMES, ntraj=300, seed=1)
    one_by_one = [few.replay(i) for i in range(300)]
    energy = np.array([one.energy for one in one_by_one])
    variance = np.array([one.energy_variance for one in one_by_one])
    counts = np.array([one.counts for one in one_by_one])
    np.testing.assert_allclose(few.energy, energy.mean(axis=0), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(few.quantum_variance, variance.mean(axis=0), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(
        few.trajectory_variance, energy.var(axis=0, ddof=1), rtol=1e-9, atol=1e-12
    )
    np.testing.assert_allclose(
        few.energy_sem, energy.std(axis=0, ddof=1) / np.sqrt(300), rtol=1e-9, atol=1e-12
    )
    influence = variance + (energy - energy.mean(axis=0)) ** 2
    first_order = influence.std(axis=0, ddof=1) / np.sqrt(300)
    second_order = np.sqrt(2) * few.energy_sem**2
    np.testing.assert_allclose(
        few.energy_variance_sem, np.hypot(first_order, second_order), rtol=1e-6, atol=1e-9
    )
    np.testing.assert_allclose(few.counts, counts.mean(axis=0))
    np.testing.assert_array_equal(few.final_counts, counts[:, :, -1])
    np.testing.assert_array_equal(few.final_counts, runs.final_counts[:300])


def test_replay_is_the_same_trajectory_on_any_grid(runs):
    for trajectory in (0, 17, 2047, 2048, 4999):
        coarse = runs.replay(trajectory)
        fine_times = np.unique(np.concatenate((TIMES, np.linspace(0, TIMES[-1] / 2, 101))))
        fine = runs.replay(trajectory, tlist=fine_times)
        kept = runs.clicks.of_trajectory(trajectory)
        for one in (coarse, fine):
            np.testing.assert_array_equal(one.clicks.time, kept.time)
            np.testing.assert_array_equal(one.clicks.channel, kept.channel)
            np.testing.assert_array_equal(one.clicks.trajectory, kept.trajectory)
        at = np.searchsorted(fine_times, TIMES)
        np.testing.assert_allclose(fine.energy[at], coarse.energy, rtol=1e-10)
        np.testing.assert_allclose(fine.energy_variance[at], coarse.energy_variance, atol=1e-10)
        np.testing.assert_array_equal(fine.counts[:, at], coarse.counts)


def test_clicks_are_sorted_and_counted(runs):
    clicks = runs.clicks
    assert len(clicks) == runs.final_counts.sum()
    assert np.all(np.diff(clicks.trajectory) >= 0)
    within = np.diff(clicks.trajectory) == 0
    assert np.all(np.diff(clicks.time)[within] >= 0)
    table = np.zeros((5000, 3), dtype=int)
    np.add.at(table, (clicks.trajectory, clicks.channel), 1)
    np.testing.assert_array_equal(table, runs.final_counts)


@pytest.mark.parametrize("method", ["ladder", "mcwf"])
def test_workers_do_not_change_a_bit(method):
    arguments = dict(ntraj=5000 if method == "ladder" else 2500, seed=3, method=method)
    model = BATTERY.charge()
    serial = tb.mcsolve(model, TIMES[[5, 11]], threads=1, **arguments)
    threads = tb.mcsolve(model, TIMES[[5, 11]], threads=3, **arguments)
    assert same(serial, threads)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        assert same(serial, tb.mcsolve(model, TIMES[[5, 11]], executor=pool, **arguments))
    other = tb.mcsolve(model, TIMES[[5, 11]], threads=1, **{**arguments, "seed": 4})
    assert not same(serial, other)


def test_more_trajectories_are_more_chunks():
    model = BATTERY.charge()
    size = chunk_size(model)
    few = tb.mcsolve(model, TIMES, ntraj=size + 10, seed=3)
    many = tb.mcsolve(model, TIMES, ntraj=3 * size, seed=3)
    np.testing.assert_array_equal(few.final_counts, many.final_counts[: size + 10])


def test_chunk_size_depends_on_the_model_only():
    sizes = [chunk_size(tb.Battery(n, 1.0, 1.0).charge()) for n in (1, 20, 100, 10**4, 10**6)]
    assert sizes == [4096, 2048, 512, 4, 1]


def test_every_chunk_has_its_own_stream():
    model = tb.Battery(10**4, 1.87, 1e5, gamma_plus=10.0).charge()
    size = chunk_size(model)
    runs = tb.mcsolve(model, [1e-7], ntraj=10 * size, seed=3, keep_clicks=True)
    first_of_chunk = [runs.clicks.of_trajectory(i * size).time for i in range(10)]
    first_of_chunk = [times[0] for times in first_of_chunk if times.size]
    assert len(first_of_chunk) > 5
    assert len(set(first_of_chunk)) == len(first_of_chunk)


def test_blocks_do_not_change_the_trajectories(monkeypatch):
    model = BATTERY.charge()
    whole = tb.mcsolve(model, TIMES, ntraj=40, seed=3, keep_clicks=True)
    monkeypatch.setattr(chunks, "BLOCK_CLICKS", 100)
    parts = tb.mcsolve(model, TIMES, ntraj=40, seed=3, keep_clicks=True)
    np.testing.assert_array_equal(whole.clicks.time, parts.clicks.time)
    np.testing.assert_array_equal(whole.clicks.trajectory, parts.clicks.trajectory)
    np.testing.assert_allclose(whole.moments.comoment, parts.moments.comoment, atol=1e-9)
    np.testing.assert_array_equal(parts.replay(37).clicks.time, whole.replay(37).clicks.time)


@pytest.mark.parametrize("cut", [1, 2, 7, 40])
def test_merged_moments_are_those_of_all_samples(cut):
    samples = np.random.default_rng(1).gamma(0.5, size=(83, 3, 4)) + 10.0
    whole = Moments.side_by_side(samples)
    merged = Moments.side_by_side(samples[:cut])
    for start in range(cut, 83, cut):
        merged = merged + Moments.side_by_side(samples[start : start + cut])
    for name in ("count", "mean", "comoment", "third", "fourth", "carriers"):
        np.testing.assert_allclose(getattr(merged, name), getattr(whole, name), rtol=1e-9)
    deviation = samples - samples.mean(axis=0)
    carriers = (deviation**2).sum(axis=0) ** 2 / (deviation**4).sum(axis=0)
    np.testing.assert_allclose(whole.carriers, carriers)


def test_memory_does_not_grow_with_the_clicks_of_a_chunk():
    # 4096 trajectories of some 20 000 clicks would take 700 MB at once.
    import tracemalloc

    model = tb.Battery(1, 1.87, 10.0, gamma_plus=10.0).charge()
    tb.mcsolve(model, [1.0], ntraj=2, seed=1)
    tracemalloc.start()
    tb.mcsolve(model, [20_000.0], ntraj=200, seed=1, threads=1)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 60e6


def test_earlier_times_do_not_change_the_clicks():
    model = BATTERY.charge()
    a = tb.mcsolve(model, TIMES, ntraj=50, seed=3, keep_clicks=True)
    b = tb.mcsolve(model, TIMES[-1:], ntraj=50, seed=3, keep_clicks=True)
    np.testing.assert_array_equal(a.clicks.time, b.clicks.time)
    np.testing.assert_allclose(a.energy[-1:], b.energy, rtol=1e-11)


def test_a_drawn_seed_repeats_the_run():
    model = BATTERY.charge()
    first = tb.mcsolve(model, TIMES, ntraj=20)
    assert same(first, tb.mcsolve(model, TIMES, ntraj=20, seed=first.seed))


def test_progress_ends_at_ntraj():
    seen = []
    tb.mcsolve(BATTERY.charge(), TIMES, ntraj=5000, seed=1, progress=lambda *at: seen.append(at))
    assert seen == [(2048, 5000), (4096, 5000), (5000, 5000)]


@pytest.mark.parametrize("method", ["ladder", "mcwf"])
@pytest.mark.parametrize(
    "battery",
    [
        tb.Battery(1, 1.0, 1.0),
        tb.Battery(5, 0.0, 1.0),
        tb.Battery(5, np.pi, 1.0),
        tb.Battery(5, 1.0, 1.0, 0.0, 0.0, 0.0),
        tb.Battery(5, 1.0, 1.0, gamma_0=0.0),
        tb.Battery(5, 1.0, 1.0, gamma_plus=0.0, gamma_0=0.0),
        tb.Battery(5, np.pi / 2, 1.0),
    ],
    ids=str,
)
def test_edges_agree_with_the_exact_solution(battery, method):
    times = [0.4, 1.0, 3.0]
    runs = tb.mcsolve(battery.charge(), times, ntraj=800, seed=2, method=method)
    verdict = tb.compare(runs, tb.mesolve(battery.charge(), times))
    assert verdict.p_value > 1e-4
    for z in (verdict.energy, verdict.energy_variance, verdict.dipole, *verdict.counts):
        assert np.nanmax(np.abs([np.real(z), np.imag(z)])) < 5


def test_one_trajectory_has_no_standard_error():
    runs = tb.mcsolve(BATTERY.charge(), TIMES, ntraj=1, seed=1)
    assert np.all(np.isnan(runs.energy_sem))
    assert np.all(np.isnan(runs.trajectory_variance))
    assert np.isnan(tb.compare(runs, tb.mesolve(BATTERY.charge(), TIMES)).p_value)
    str(tb.compare(runs, tb.mesolve(BATTERY.charge(), TIMES)))


@pytest.mark.parametrize("n", [1, 2])
def test_variance_over_trajectories_against_quadrature(n):
    case = next(c for c in oracles.load()["cond"]["eq7_exact"] if c["N"] == n)
    model = oracles.battery(case).charge()
    good = tb.mcsolve(model, case["t"], ntraj=40_000, seed=5)
    z = (good.trajectory_variance - case["var"]) / good.trajectory_variance_sem
    assert np.abs(z).max() < 4.5
    assert np.abs((good.energy - case["mean"]) / good.energy_sem).max() < 4.5
    # Negative control: gamma_+ 5 % off.
    off = dataclasses.replace(oracles.battery(case), gamma_plus=10.5).charge()
    bad = tb.mcsolve(off, case["t"], ntraj=40_000, seed=5)
    assert np.abs((bad.trajectory_variance - case["var"]) / bad.trajectory_variance_sem).max() > 4.5


@pytest.mark.parametrize("case", oracles.load()["cond"]["eq7_mc"], ids=oracles.name)
def test_ensembles_of_another_program(case):
    model = oracles.battery(case).charge()
    runs = tb.mcsolve(model, case["t"], ntraj=20_000, seed=6)
    error = np.hypot(runs.trajectory_variance_sem, case["var_se"])
    assert np.abs((runs.trajectory_variance - case["var"]) / error).max() < 4.5
    error = np.hypot(runs.energy_sem, case["mean_se"])
    assert np.abs((runs.energy - case["mean"]) / error).max() < 4.5


def test_oracle_means_within_their_errors_and_a_control():
    case = next(c for c in oracles.load()["eq7"] if c["N"] == 12)
    battery = oracles.battery(case)
    expected = np.array(
        [obs["mean"][name] for name in ("red", "center", "blue") for obs in case["obs"]]
    )

    def worst(battery):
        runs = tb.mcsolve(battery.charge(), case["t"], ntraj=10_000, seed=8)
        z_energy = (runs.energy - [obs["E"] for obs in case["obs"]]) / runs.energy_sem
        z_counts = (runs.counts.ravel() - expected) / runs.counts_sem.ravel()
        return max(np.abs(z_energy).max(), np.abs(z_counts).max())

    assert worst(battery) < 5
    for rate in ("gamma_0", "gamma_plus", "gamma_minus"):
        off = dataclasses.replace(battery, **{rate: 1.05 * getattr(battery, rate)})
        assert worst(off) > 5


def samples_at_end(battery, method, n, seed):
    model = battery.charge()
    start = Mixture.of_kets([1.0], _ground(model))
    plan = Plan(model, start, TIMES[[4, 11]], seed, method, 1e-6, False)
    return plan.engine.run(plan.generator(0), n, plan.times)[1].samples


def _ground(model):
    from trajbatt.numerics import spin

    return spin.to_dressed(tb.ground_state(model.n_atoms), model.theta)[None, :]


def two_sample_p_values(a, b):
    """p-values of all samples at all times, of two sets of trajectories (Kolmogorov-Smirnov)."""
    return np.array(
        [
            stats.ks_2samp(a[:, row, t], b[:, row, t]).pvalue
            for row in range(a.shape[1])
            for t in range(a.shape[2])
        ]
    )


def test_both_engines_sample_one_law():
    ladder = samples_at_end(BATTERY, "ladder", 6000, 1)
    textbook = samples_at_end(BATTERY, "mcwf", 6000, 2)
    assert two_sample_p_values(ladder, textbook).min() > 1e-4
    # Negative control: one rate 5 % off.
    for rate in ("gamma_0", "gamma_plus"):
        off = dataclasses.replace(BATTERY, **{rate: 1.05 * getattr(BATTERY, rate)})
        assert two_sample_p_values(samples_at_end(off, "ladder", 6000, 1), textbook).min() < 1e-6


def test_first_waiting_time_is_a_mixture_of_exponentials():
    model = BATTERY.charge()
    plan = tb.mcsolve(model, [1.0], ntraj=4000, seed=9, keep_clicks=True)
    first = np.array([plan.clicks.of_trajectory(i).time[0] for i in range(4000)])
    p = _ground(model)[0] ** 2

    def cdf(t, rates):
        return 1 - np.exp(-np.multiply.outer(t, rates)) @ p

    rates = model.click_rates.sum(axis=0)
    assert stats.kstest(first, lambda t: cdf(t, rates)).pvalue > 1e-4
    assert stats.kstest(first, lambda t: cdf(t, rates * 1.1)).pvalue < 1e-4


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"ntraj": 0}, "`ntraj` must be a positive integer, but is 0"),
        ({"ntraj": 1.5}, "`ntraj` must be a positive integer, but is 1.5"),
        ({"seed": -1}, "`seed` must be a non-negative integer, but is -1"),
        ({"seed": 1.0}, "`seed` must be a non-negative integer, but is 1.0"),
        ({"method": "euler"}, "`method` must be 'ladder', 'mcwf' or 'banded', but is 'euler'"),
        ({"threads": 0}, "`threads` must be a positive integer, but is 0"),
        ({"executor": 3}, r"`executor` must have the interface of concurrent\.futures\.Executor"),
        ({"progress": 3}, r"`progress` must be true, or a function of \(done, ntraj\), but is 3"),
        ({"target": 0.1}, r"`target` must be a dict such as \{'energy': 0.01\}, but is 0.1"),
        ({"target": {}}, r"`target` must be a dict"),
        (
            {"target": {"charge": 1.0}},
            "`target` must be 'energy', 'energy_variance' or 'counts', but is 'charge'",
        ),
        (
            {"target": {"energy": 0.0}},
            "`target energy` must be a finite number above zero, but is 0.0",
        ),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises((ValueError, TypeError), match=message):
        tb.mcsolve(BATTERY.charge(), TIMES, **arguments)


def test_bad_replays(runs):
    with pytest.raises(ValueError, match="`trajectory` must be below the 5000 of this run"):
        runs.replay(5000)
    with pytest.raises(ValueError, match="`trajectory` must be a non-negative integer, but is -1"):
        runs.replay(-1)
    with pytest.raises(ValueError, match="`tlist` must end by the last time of the run"):
        runs.replay(0, [0.0, 1e3])


def test_a_large_battery_works():
    battery = tb.Battery(20_000, 1.87, 2e5, gamma_plus=10.0)
    times = [0.0, battery.charging_time / 2]
    runs = tb.mcsolve(battery.charge(), times, ntraj=12, seed=1)
    exact = tb.mesolve(battery.charge(), times)
    verdict = tb.compare(runs, exact)
    assert abs(verdict.energy[-1]) < 5
    assert np.abs(verdict.counts[:, -1]).max() < 5
    assert runs.dropped < 1e-13
