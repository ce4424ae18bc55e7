"""The engine for models whose jumps mix neighbours: `method="banded"`."""

import dataclasses

import numpy as np
import oracles
import pytest
from dense import jump_operators, spin_operators
from scipy import stats
from scipy.integrate import solve_ivp
from scipy.linalg import expm
from scripted import Scripted

import trajbatt as tb
from trajbatt.ensembles.plan import Plan
from trajbatt.kernels import banded
from trajbatt.states.initial import prepare
from trajbatt.trajectories import engine as engine_module
from trajbatt.trajectories.banded import BandedEngine
from trajbatt.trajectories.ladder import LadderEngine
from trajbatt.trajectories.records import COUNTS, JZ, Records

EIGHT = tb.Battery(8, 1.87, 60.0, gamma_0=1.3, gamma_plus=10.0)
DRIVEN = tb.Battery(6, 1.2, 20.0)


def plan_of(model, times, initial=None, seed=7, method="banded", rtol=1e-6):
    return Plan(model, prepare(model, initial), np.array(times), seed, method, rtol, True)


def random_states(n):
    rng = np.random.default_rng(n)
    ket = rng.normal(size=n + 1) + 1j * rng.normal(size=n + 1)
    other = rng.normal(size=n + 1)
    ket, other = ket / np.linalg.norm(ket), other / np.linalg.norm(other)
    return ket, 0.3 * np.outer(ket, ket.conj()) + 0.7 * np.outer(other, other)


INITIAL = {
    "ground": tb.ground_state(8),
    "excited": tb.excited_state(8),
    "coherent": tb.coherent_state(8, 1.1, 0.8),
    "ket": random_states(8)[0],
    "mixed": random_states(8)[1],
}


@pytest.mark.parametrize("initial", INITIAL)
@pytest.mark.parametrize("stage", ["charge", "discharge", "store"])
def test_reads_the_same_state_off_a_record_as_the_ladder_engine(stage, initial):
    model = getattr(EIGHT, stage)()
    mixture = prepare(model, INITIAL[initial])
    times = np.array([0.0, 0.01, 0.05, 0.2, 0.6])
    ladder = LadderEngine(model, mixture)
    records = ladder.sample(np.random.default_rng(5), 12, times[-1])
    exact = ladder.observe(records, times, want_kets=True)
    got = BandedEngine(model, mixture, rtol=1e-12).observe(records, times, want_kets=True)
    np.testing.assert_allclose(got.samples, exact.samples, atol=1e-10)
    overlaps = np.abs(np.einsum("ik,ik->i", got.kets.conj(), exact.kets))
    np.testing.assert_allclose(overlaps, 1.0, atol=1e-12)


@pytest.mark.parametrize("stage", ["charge", "discharge"])
def test_another_model_reads_another_state_off_the_same_record(stage):
    # The negative control of the test above: one rate 1 % off.
    times = np.array([0.05, 0.1])
    model = getattr(EIGHT, stage)()
    mixture = prepare(model, INITIAL["coherent"])
    records = LadderEngine(model, mixture).sample(np.random.default_rng(6), 10, times[-1])
    right = LadderEngine(model, mixture).observe(records, times).samples
    off = getattr(dataclasses.replace(EIGHT, gamma_0=1.3 * 1.01), stage)()
    wrong = BandedEngine(off, mixture, rtol=1e-12).observe(records, times).samples
    assert np.abs(right - wrong).max(axis=(1, 2)).min() > 1e-6


def model_of_record(case):
    """Return the model and the initial state of a case of the oracle `records`."""
    rates = case["gamma0"], case["r"] or case["gamma0"], 1.0
    battery = tb.Battery(case["N"], case["theta"], case["Omega_P"], *rates)
    if case["model"] == "eq7":
        return battery.charge(), None
    if case["model"] == "eq5":
        return battery.charge(secular=False), None
    return battery.discharge(), tb.coherent_state(case["N"], np.pi - case["theta"])


def is_pure(case):
    return case["efficiency"] == 1.0 and case["model"] in ("eq7", "eq5", "dis_coherent")


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, id=f"{case['model']}-N{case['N']}-{len(case['clicks'])}-clicks")
        for case in oracles.load()["records"]
        if is_pure(case)
    ],
)
def test_conditional_states_of_given_records(case):
    model, initial = model_of_record(case)
    names = {"dis": "all"}
    channels = [names.get(name, name) for _, name in case["clicks"]]
    records = Records(
        origin=np.array([0]),
        hidden=np.array([-1]),
        offsets=np.array([0, len(channels)]),
        time=np.array([t for t, _ in case["clicks"]], dtype=float),
        channel=np.array([model.channel_names.index(c) for c in channels], dtype=np.int8),
    )
    times = np.array([known["t"] for known in case["cond"]])

    def read(model):
        engine = BandedEngine(model, prepare(model, initial), rtol=1e-12)
        return engine.observe(records, times).samples[0]

    expected = [[c["E"] - case["N"] / 2, c["varE"], c["Jp"][0], c["Jp"][1]] for c in case["cond"]]
    rows = read(model)[[JZ, 2, 3, 4]].T
    np.testing.assert_allclose(rows, expected, atol=2e-10)
    if case["model"] == "eq5":  # negative control
        off = read(dataclasses.replace(model, rate=1.01 * model.rate))[[JZ, 2, 3, 4]].T
        assert np.abs(off - expected).max() > 1e-4


def samples_of(battery, method, n, seed, times):
    plan = plan_of(battery.charge(), times, seed=seed, method=method, rtol=1e-5)
    return plan.engine.run(plan.generator(0), n, plan.times)[1].samples


def smallest_p_value(a, b):
    """Of all samples at all times of two sets of trajectories (Kolmogorov-Smirnov)."""
    _, rows, times = a.shape
    p_values = [
        stats.ks_2samp(a[:, row, t], b[:, row, t]).pvalue
        for row in range(rows)
        for t in range(times)
    ]
    return min(p_values)


def test_samples_the_law_of_the_ladder_engine():
    battery = tb.Battery(20, 1.87, 200.0, gamma_plus=10.0)
    times = [0.36 * battery.charging_time, battery.charging_time]
    ours = samples_of(battery, "banded", 5000, 1, times)
    assert smallest_p_value(ours, samples_of(battery, "ladder", 5000, 2, times)) > 1e-4
    # Negative control: one rate 5 % off.
    for rate in ("gamma_0", "gamma_plus"):
        off = dataclasses.replace(battery, **{rate: 1.05 * getattr(battery, rate)})
        assert smallest_p_value(ours, samples_of(off, "ladder", 5000, 2, times)) < 1e-6


def driven_operators(battery):
    """Return the bare H of the pump frame and the jump operators of Eq. (5) (DESIGN 2)."""
    j_z, j_plus = spin_operators(battery.n_atoms)
    hamiltonian = battery.detuning * j_z - battery.rabi * (j_plus + j_plus.T) / 2
    return hamiltonian, (np.sqrt(battery.gamma_0) * j_plus.T,)


class DenseTrajectory:
    """A normalised ket that goes on by matrix exponentials, from click to click."""

    def __init__(self, operators, ket):
        hamiltonian, self.jumps = operators
        damping = sum(jump.conj().T @ jump for jump in self.jumps)
        self.generator = -1j * hamiltonian - 0.5 * damping
        self.ket, self.time = ket, 0.0

    def wait_until(self, time):
        """Return -ln of the squared norm that is left."""
        ket = expm(self.generator * (time - self.time)) @ self.ket
        norm = np.linalg.norm(ket)
        self.ket, self.time = ket / norm, time
        return -2.0 * np.log(norm)

    def click(self, channel):
        ket = self.jumps[channel] @ self.ket
        self.ket = ket / np.linalg.norm(ket)

    def rates(self):
        return np.array([np.linalg.norm(jump @ self.ket) ** 2 for jump in self.jumps])

    def sample(self):
        """Return <J_z>, <J_z^2>, Var(J_z), Re <J_+>, Im <J_+>."""
        j_z, j_plus = spin_operators(self.ket.size - 1)
        mean, square, dipole = (
            np.vdot(self.ket, operator @ self.ket) for operator in (j_z, j_z @ j_z, j_plus)
        )
        return [mean.real, square.real, square.real - mean.real**2, dipole.real, dipole.imag]


DENSE_CASES = [
    (tb.Battery(3, 1.2, 6.0), "charge5"),
    (tb.Battery(4, np.pi / 2, 3.0, 0.5, 0.5, 0.5), "charge5"),
    (tb.Battery(6, 2.2, 40.0), "charge5"),
    (tb.Battery(5, 1.87, 15.0, gamma_0=1.3, gamma_plus=4.0), "charge7"),
]
DENSE_TIMES = np.array([0.0, 0.013, 0.2, 0.5, 1.1, 1.5])


def dense_case(battery, kind):
    """Return the model of a case, its dense operators and a complex initial ket."""
    start = tb.coherent_state(battery.n_atoms, 2.0, 0.9)
    if kind == "charge5":
        return battery.charge(secular=False), driven_operators(battery), start
    return battery.charge(), jump_operators(battery), start


@pytest.mark.parametrize(("battery", "kind"), DENSE_CASES, ids=str)
def test_conditional_states_against_matrix_exponentials(battery, kind):
    model, operators, start = dense_case(battery, kind)
    plan = plan_of(model, DENSE_TIMES, start, rtol=1e-11)
    records, seen = plan.engine.run(plan.generator(0), 5, plan.times)
    assert np.diff(records.offsets).min() > 1
    for i in range(5):
        record, dense = records.one(i), DenseTrajectory(operators, start)
        clicks = [*zip(record.time, record.channel, strict=True), (np.inf, None)]
        counts = np.zeros(len(model.channel_names))
        for j, time in enumerate(DENSE_TIMES):
            while clicks[0][0] <= time:
                at, channel = clicks.pop(0)
                dense.wait_until(at)
                dense.click(channel)
                counts[channel] += 1
            dense.wait_until(time)
            np.testing.assert_allclose(seen.samples[i, :COUNTS, j], dense.sample(), atol=1e-8)
            np.testing.assert_array_equal(seen.samples[i, COUNTS:, j], counts)


@pytest.mark.parametrize(("battery", "kind"), DENSE_CASES, ids=str)
def test_clicks_come_when_the_norm_has_fallen_to_the_draw(battery, kind):
    model, operators, start = dense_case(battery, kind)
    plan = plan_of(model, DENSE_TIMES, start, rtol=1e-11)
    records = plan.engine.sample(plan.generator(0), 5, 1.5)
    rng = plan.generator(0)  # the same stream again
    for i in range(5):
        record, dense = records.one(i), DenseTrajectory(operators, start)
        rng.random()  # the pure state of the mixture
        draw = rng.standard_exponential()
        for time, channel in zip(record.time, record.channel, strict=True):
            assert dense.wait_until(time) == pytest.approx(draw, rel=1e-9, abs=1e-9)
            if len(model.channel_names) > 1:
                rates = dense.rates()
                assert channel == np.searchsorted(np.cumsum(rates), rng.random() * rates.sum())
            dense.click(channel)
            draw = rng.standard_exponential()
        assert dense.wait_until(1.5) < draw


@pytest.fixture
def plain(monkeypatch):
    """Make the kernel's main loop plain Python, to which scripted draws can be given."""
    for name in ("run", "draw_channel"):
        kernel = getattr(banded, name)
        monkeypatch.setattr(banded, name, getattr(kernel, "py_func", kernel))


def test_waiting_times_follow_the_script(plain):
    # From the inverted state at Omega_P = 0 each photon takes one quantum, at known rates.
    model = tb.Battery(4, 0.0, 0.0).charge(secular=False)
    engine = BandedEngine(model, prepare(model, tb.excited_state(4)), rtol=1e-10)
    draws = np.array([0.7, 1e-12, 0.0, 25.0])
    rng = Scripted([0.5], [*draws, 1e300])
    records, seen = engine.run(rng, 1, np.array([1e3]))
    assert rng.used_up  # with one channel, nothing is drawn for it
    k = np.arange(4, 0, -1)
    np.testing.assert_allclose(records.time, np.cumsum(draws / (k * (5 - k))), rtol=1e-14)
    assert seen.samples[0, JZ, 0] == -2.0


def test_a_dark_state_waits_for_ever(plain):
    # Theta = 0: the drive only precesses, and the ground state is dark.
    model = tb.Battery(4, 0.0, 3.0).charge(secular=False)
    engine = BandedEngine(model, prepare(model, None))
    rng = Scripted([0.5], [1e-9])
    records, _ = engine.run(rng, 1, np.array([1e6]))
    assert rng.used_up
    assert records.time.size == 0


def test_plain_python_and_compiled_kernels_draw_the_same(plain, monkeypatch):
    def run():
        plan = plan_of(DRIVEN.charge(secular=False), [0.3, 1.0], rtol=1e-8)
        return plan.engine.run(plan.generator(0), 3, plan.times)

    records, seen = run()
    monkeypatch.undo()
    compiled_records, compiled_seen = run()
    assert records.time.size > 10
    np.testing.assert_allclose(records.time, compiled_records.time, rtol=1e-11)
    np.testing.assert_allclose(seen.samples, compiled_seen.samples, atol=1e-9)


@pytest.mark.parametrize(("n", "end"), [(30, 0.2), (100, 0.06)])
@pytest.mark.parametrize("theta", [1.2, np.pi / 2])
def test_states_read_off_a_record_are_good_to_rtol(n, end, theta):
    # The clicks are given, so nothing is ill-conditioned: all trajectories, at all times.
    model = tb.Battery(n, theta, 5.0 * n).charge(secular=False)
    times = np.linspace(0, end, 61)
    mixture = prepare(model, None)
    fine = BandedEngine(model, mixture, rtol=1e-11)
    records, exact = fine.run(np.random.default_rng(1), 60, times)
    errors = {}
    for rtol in (1e-4, 1e-6, 1e-8):
        rough = BandedEngine(model, mixture, rtol=rtol).observe(records, times).samples
        errors[rtol] = np.abs(rough[:, JZ] - exact.samples[:, JZ]).max(axis=1)
        assert errors[rtol].max() < 3.0 * rtol * n
    assert np.median(errors[1e-4]) > 10.0 * np.median(errors[1e-6])
    assert np.median(errors[1e-6]) > 10.0 * np.median(errors[1e-8])


def energies(battery, rtol, times, n):
    plan = plan_of(battery.charge(secular=False), times, rtol=rtol)
    return plan.engine.run(plan.generator(0), n, plan.times)[1].samples[:, JZ]


@pytest.mark.parametrize(("n", "end"), [(30, 0.2), (100, 0.06)])
def test_halving_rtol_changes_little(n, end):
    # Not for all trajectories: the time of a click out of a nearly dark state is ill-conditioned.
    battery, times = tb.Battery(n, 1.2, 5.0 * n), np.linspace(0, end, 61)
    exact = energies(battery, 1e-11, times, 60)
    medians = []
    for rtol in (1e-4, 1e-6):
        rough = energies(battery, rtol, times, 60)
        halved = energies(battery, rtol / 2, times, 60)
        change = np.abs(rough - halved).max(axis=1)
        assert np.mean(change < rtol * n) > 0.75
        error = np.abs(rough - exact).max(axis=1)
        assert np.mean(error < 2.0 * rtol * n) > 0.75
        medians.append(np.median(error))
    assert medians[0] > 10.0 * medians[1]


@pytest.mark.parametrize("theta", [1.2, np.pi / 2])
def test_rtol_matters_less_than_as_much_in_the_rate(theta):
    # At resonance the times of the clicks are ill-conditioned throughout, so the error of a
    # trajectory is judged by what a relative change `rtol` of gamma does to it.
    battery, times = tb.Battery(30, theta, 150.0), np.linspace(0, 0.2, 61)
    exact = energies(battery, 1e-12, times, 100)
    for rtol in (1e-5, 1e-7):
        error = np.abs(energies(battery, rtol, times, 100) - exact).max(axis=1)
        rate = 1.0 + rtol
        off = dataclasses.replace(battery, gamma_0=rate, gamma_plus=rate, gamma_minus=rate)
        moved = np.abs(energies(off, 1e-12, times, 100) - exact).max(axis=1)
        for quantile in (0.25, 0.5, 0.75):
            assert np.quantile(error, quantile) < np.quantile(moved, quantile)


BOTH_MODELS = pytest.mark.parametrize(
    "model", [DRIVEN.charge(secular=False), EIGHT.charge()], ids=["eq5", "eq7"]
)


@BOTH_MODELS
def test_clicks_do_not_depend_on_the_requested_times(model):
    end = 0.8
    options = dict(ntraj=40, seed=3, keep_clicks=True, method="banded")
    few = tb.mcsolve(model, [end], **options)
    many = tb.mcsolve(model, np.linspace(0, end, 333), **options)
    assert len(few.clicks) > 100
    np.testing.assert_array_equal(few.clicks.time, many.clicks.time)
    np.testing.assert_array_equal(few.clicks.channel, many.clicks.channel)
    np.testing.assert_allclose(few.energy[-1], many.energy[-1], rtol=1e-12)


@BOTH_MODELS
def test_replay_is_the_same_trajectory_on_any_grid(model):
    times = np.linspace(0, 0.8, 9)
    options = dict(ntraj=30, seed=4, keep_clicks=True, method="banded", rtol=1e-10)
    runs = tb.mcsolve(model, times, **options)
    fine_times = np.unique(np.concatenate((times[:7], np.linspace(0.01, 0.6, 57))))
    for trajectory in (0, 11, 29):
        coarse, fine = runs.replay(trajectory), runs.replay(trajectory, tlist=fine_times)
        for one in (coarse, fine):
            kept = runs.clicks.of_trajectory(trajectory)
            np.testing.assert_array_equal(one.clicks.time, kept.time)
            np.testing.assert_array_equal(one.clicks.channel, kept.channel)
        at = np.searchsorted(fine_times, times[:7])
        np.testing.assert_allclose(fine.energy[at], coarse.energy[:7], atol=1e-9)
        np.testing.assert_allclose(fine.energy_variance[at], coarse.energy_variance[:7], atol=1e-9)
        np.testing.assert_allclose(fine.dipole[at], coarse.dipole[:7], atol=1e-9)
        np.testing.assert_array_equal(fine.counts[:, at], coarse.counts[:, :7])
    everyone = np.array([runs.replay(i).energy for i in range(30)])
    np.testing.assert_allclose(everyone.mean(axis=0), runs.energy, atol=1e-7)
    assert np.ptp(everyone[:, -1]) > 0.1


@BOTH_MODELS
def test_clicks_are_sorted_and_counted(model):
    runs = tb.mcsolve(model, [0.4, 0.8], ntraj=100, seed=5, keep_clicks=True, method="banded")
    clicks = runs.clicks
    assert np.all((clicks.time > 0) & (clicks.time <= 0.8))
    assert np.all(np.diff(clicks.trajectory) >= 0)
    assert np.all(np.diff(clicks.time)[np.diff(clicks.trajectory) == 0] > 0)
    table = np.zeros((100, len(model.channel_names)), dtype=int)
    np.add.at(table, (clicks.trajectory, clicks.channel), 1)
    np.testing.assert_array_equal(table, runs.final_counts)
    early = [np.sum(clicks.of_trajectory(i).time <= 0.4) for i in range(100)]
    assert runs.counts[:, 0].sum() == pytest.approx(np.mean(early), rel=1e-12)


@BOTH_MODELS
def test_nothing_depends_on_the_size_of_the_buffers(model, monkeypatch):
    plan = plan_of(model, [0.2, 0.5])
    records, seen = plan.engine.run(plan.generator(0), 30, plan.times)
    monkeypatch.setattr(engine_module, "MOST_CLICKS", -63)  # one slot to begin with
    cramped_records, cramped_seen = plan.engine.run(plan.generator(0), 30, plan.times)
    assert records.time.size > 64
    for a, b in zip(records, cramped_records, strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(seen.samples, cramped_seen.samples)


@BOTH_MODELS
def test_workers_do_not_change_a_bit(model):
    arguments = dict(ntraj=9000, seed=3, method="banded", rtol=1e-4)
    times = [0.05, 0.1]
    one = tb.mcsolve(model, times, threads=1, **arguments)
    two = tb.mcsolve(model, times, threads=2, **arguments)
    np.testing.assert_array_equal(one.moments.comoment, two.moments.comoment)
    np.testing.assert_array_equal(one.checkpoints.comoment, two.checkpoints.comoment)
    np.testing.assert_array_equal(one.energy, two.energy)
    np.testing.assert_array_equal(one.final_counts, two.final_counts)
    other = tb.mcsolve(model, times, threads=2, **{**arguments, "seed": 4})
    assert not np.array_equal(one.energy, other.energy)


def test_without_decay_there_are_no_clicks():
    battery = tb.Battery(40, 1.1, 7.0, 0.0, 0.0, 0.0)
    times = np.linspace(0, 5, 13)
    swing = 40 * np.sin(1.1) ** 2 / 2 * (1 - np.cos(7.0 * times))
    for model in (battery.charge(), battery.charge(secular=False)):
        runs = tb.mcsolve(model, times, ntraj=2, seed=1, method="banded")
        np.testing.assert_allclose(runs.energy, swing, atol=1e-10)
        assert not runs.final_counts.any()


def test_storage_keeps_the_energy_and_precesses():
    battery = tb.Battery(30, 1.87, 40.0, gamma_plus=10.0)
    times, start = np.linspace(0, 3, 7), tb.coherent_state(30, 1.1, 0.4)
    runs = tb.mcsolve(battery.store(), times, ntraj=3, initial=start, seed=1, method="banded")
    np.testing.assert_allclose(runs.energy, 30 * np.cos(0.55) ** 2, rtol=1e-12)
    np.testing.assert_allclose(runs.energy_variance, 30 * np.sin(1.1) ** 2 / 4, rtol=1e-11)
    phase = np.exp(1j * (battery.detuning * times + 0.4))
    np.testing.assert_allclose(runs.dipole, 15 * np.sin(1.1) * phase, atol=1e-10)
    assert runs.final_counts.shape == (3, 0)


def worst_score(battery, case, times, ntraj):
    """Return the largest z-score of mean and variance over trajectories of the energy."""
    runs = tb.mcsolve(battery.charge(secular=False), case["t"], ntraj=ntraj, seed=5)
    mean_se, var_se = (np.array(case.get(name, 0.0)) for name in ("mean_se", "var_se"))
    mean = (runs.energy - case["mean"]) / np.hypot(runs.energy_sem, mean_se)
    variance = runs.trajectory_variance - case["var"]
    variance /= np.hypot(runs.trajectory_variance_sem, var_se)
    return max(np.abs(mean[times]).max(), np.abs(variance[times]).max())


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, id=f"{name}-N{case['N']}-{case['theta']:.1f}-{case['Omega_P']}")
        for name in ("eq5_exact", "eq5_mc")
        for case in oracles.load()["cond"][name]
        if name == "eq5_exact" or case["N"] > 1
    ],
)
def test_conditional_energies_of_another_program(case):
    battery, ntraj = tb.Battery(case["N"], case["theta"], case["Omega_P"]), 20_000 // case["N"]
    # A standard error means nothing while a handful of photons carry the variance.
    photons = tb.mesolve(battery.charge(secular=False), case["t"]).counts[0]
    times = ntraj * photons > 150
    assert times[-1]
    assert worst_score(battery, case, times, ntraj) < 5
    # Negative controls.
    off = dataclasses.replace(battery, omega_p=1.05 * battery.omega_p)
    assert worst_score(off, case, times, ntraj) > 5
    off = dataclasses.replace(battery, gamma_0=1.1, gamma_plus=1.1, gamma_minus=1.1)
    assert worst_score(off, case, times, ntraj) > 5


@pytest.mark.parametrize("case", oracles.load()["counts5"], ids=oracles.name)
def test_photon_numbers_follow_the_exact_distribution(case):
    ntraj, entry = 8000, case["T"][-1]

    def p_value(omega_p):
        model = tb.Battery(case["N"], case["theta"], omega_p).charge(secular=False)
        counts = tb.mcsolve(model, [entry["T"]], ntraj, seed=9, rtol=1e-5).final_counts[:, 0]
        expected = ntraj * np.array(entry["pmf"])
        # Rare numbers go together, from the first on that is not expected 10 times.
        last = np.flatnonzero(expected >= 10)[-1] + 1
        first = np.flatnonzero(expected >= 10)[0]
        seen = np.bincount(np.clip(counts, first, last), minlength=last + 1)[first:]
        wanted = [expected[: first + 1].sum(), *expected[first + 1 : last]]
        return stats.chisquare(seen, [*wanted, ntraj - sum(wanted)]).pvalue

    assert p_value(case["Omega_P"]) > 1e-4
    assert p_value(1.1 * case["Omega_P"]) < 1e-6


@pytest.mark.parametrize("case", oracles.load()["counts5"], ids=oracles.name)
def test_first_photons_come_in_time(case):
    times, cdf = (np.array(case["first_photon"][name]) for name in ("t", "cdf"))
    useful = cdf < 0.995
    times, cdf = times[useful], cdf[useful]

    def worst_score(omega_p):
        model = tb.Battery(case["N"], case["theta"], omega_p).charge(secular=False)
        runs = tb.mcsolve(model, times[-1:], ntraj=10_000, seed=10, keep_clicks=True, rtol=1e-5)
        emitters, at = np.unique(runs.clicks.trajectory, return_index=True)
        assert emitters.size > 2500
        found = np.searchsorted(np.sort(runs.clicks.time[at]), times) / 10_000
        known = 10_000 * cdf * (1 - cdf) > 100
        error = np.sqrt(cdf * (1 - cdf) / 10_000)
        return np.abs((found - cdf) / error)[known].max()

    assert worst_score(case["Omega_P"]) < 5
    assert worst_score(1.1 * case["Omega_P"]) > 5


@pytest.mark.parametrize("kind", ["excited", "coherent", "ket", "mixed", "steady"])
def test_initial_states(kind):
    model, times = DRIVEN.charge(secular=False), [0.0, 0.05, 0.2, 0.6]
    ket, mixed = random_states(6)
    start = {
        "excited": tb.excited_state(6),
        "coherent": tb.coherent_state(6, 1.1, 0.8),
        "ket": ket,
        "mixed": mixed,
        "steady": tb.steady_state(DRIVEN.charge()),
    }[kind]
    runs = tb.mcsolve(model, times, ntraj=6000, initial=start, seed=3)
    assert tb.compare(runs, tb.mesolve(model, times, initial=start)).p_value > 1e-4
    # Negative controls: another rate, another initial state.
    off = dataclasses.replace(model, rate=1.06)
    assert tb.compare(runs, tb.mesolve(off, times, initial=start)).p_value < 1e-6
    other = tb.mesolve(model, times, initial=tb.coherent_state(6, 1.0, 0.8))
    assert tb.compare(runs, other).p_value < 1e-6


@pytest.mark.parametrize(
    ("battery", "secular"),
    [
        (tb.Battery(1, 1.0, 1.0), False),
        (tb.Battery(1, 1.0, 0.0), False),
        (tb.Battery(5, 0.0, 1.0), False),
        (tb.Battery(5, np.pi, 1.0), False),
        (tb.Battery(5, np.pi / 2, 0.1), False),
        (tb.Battery(2, 2.8, 100.0), False),
        (tb.Battery(1, 1.0, 1.0), True),
        (tb.Battery(5, 0.0, 1.0), True),
        (tb.Battery(5, np.pi, 1.0), True),
        (tb.Battery(5, 1.0, 1.0, gamma_0=0.0), True),
        (tb.Battery(5, 1.0, 1.0, gamma_plus=0.0, gamma_0=0.0), True),
    ],
    ids=str,
)
def test_edges_agree_with_the_exact_solution(battery, secular):
    model, times = battery.charge(secular=secular), [0.0, 0.4, 1.0, 3.0]
    start = tb.excited_state(battery.n_atoms)
    runs = tb.mcsolve(model, times, ntraj=800, initial=start, seed=2, method="banded")
    verdict = tb.compare(runs, tb.mesolve(model, times, initial=start))
    assert verdict.p_value > 1e-4
    for z in (verdict.energy, verdict.energy_variance, verdict.dipole, *verdict.counts):
        assert np.nanmax(np.abs([np.real(z), np.imag(z)])) < 5


def test_a_battery_of_some_hundred_atoms_agrees_with_the_exact_solution():
    # The window of levels moves and its ends are cut.
    battery, times = tb.Battery(200, 2.0, 2000.0), [0.004, 0.01, 0.02]
    runs = tb.mcsolve(battery.charge(secular=False), times, ntraj=500, seed=2)
    exact = tb.mesolve(battery.charge(secular=False), times, rtol=1e-8)
    assert 0 < runs.dropped < 1e-13
    assert tb.compare(runs, exact).p_value > 1e-4
    off = dataclasses.replace(battery, omega_p=2010.0).charge(secular=False)
    assert tb.compare(runs, tb.mesolve(off, times, rtol=1e-8)).p_value < 1e-6


def classical_energy(battery, times):
    """Return E/N of the classical spin that Eq. (5) describes at large N, without fluctuations."""
    detuning, rabi = (part / battery.n_atoms for part in (battery.detuning, battery.rabi))

    def slope(_, spin):
        lower, z = spin
        rise = -1j * detuning * lower - 1j * rabi * z + battery.gamma_0 * z * lower
        return [rise, rabi * lower.imag - battery.gamma_0 * abs(lower) ** 2]

    scaled = np.array(times) * battery.n_atoms
    found = solve_ivp(slope, (0, scaled[-1]), [0j, -0.5 + 0j], t_eval=scaled, rtol=1e-9, atol=1e-9)
    return found.y[1].real + 0.5


def test_a_large_battery_is_a_classical_spin():
    n = 20_000
    battery = tb.Battery(n, 1.2, 3.0 * n)
    times = np.array([0.1, 0.3, 0.7, 1.0]) / n
    runs = tb.mcsolve(battery.charge(secular=False), times, ntraj=10, seed=1)
    assert runs.dropped < 1e-13
    np.testing.assert_allclose(runs.energy / n, classical_energy(battery, times), atol=0.003)
    off = tb.Battery(n, 1.2, 3.1 * n)
    assert np.abs(runs.energy / n - classical_energy(off, times)).max() > 0.01
