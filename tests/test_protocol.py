"""Protocols: several models, one after the other."""

import dataclasses
import pickle

import numpy as np
import oracles
import pytest
from dense import jump_operators, spin_operators
from scipy.linalg import expm

import trajbatt as tb
from trajbatt.numerics import spin

CASES = [pytest.param(case, id=oracles.name(case)) for case in oracles.load()["protocol"]]
BATTERY = tb.Battery(8, 1.2, 30.0)
STRONG = tb.Battery(8, 1.87, 40.0, gamma_0=1.2, gamma_plus=10.0)


def cycle_of(battery, durations, gamma=None):
    models = battery.charge(), battery.store(), battery.discharge(gamma)
    return tb.Protocol(list(zip(models, durations, strict=True)))


CYCLE = cycle_of(STRONG, (0.1, 0.2, 0.3))
DRIVEN_CYCLE = tb.Protocol([(BATTERY.charge(secular=False), 0.3), (BATTERY.discharge(2.0), 0.4)])
# Charged and discharged twice, by both equations, with storage in between.
LONG = tb.Protocol(
    [
        (BATTERY.charge(), 0.1),
        (BATTERY.discharge(), 0.05),
        (BATTERY.charge(secular=False), 0.1),
        (BATTERY.store(), 0.1),
        (BATTERY.discharge(3.0), 0.1),
    ]
)


def of_oracle(case, r=None):
    battery = tb.Battery(case["N"], case["theta"], case["Omega_P"], case["gamma0"], r or case["r"])
    durations = case["T1"], case["T2"], case["T3"][-1]
    protocol = cycle_of(battery, durations, case["gamma_discharge"])
    charged, stored = (stage.end for stage in protocol.stages()[:2])
    return protocol, np.array([charged, stored, *(stored + np.array(case["T3"]))])


def expected(case):
    return [case["after_charge"], case["after_store"], *case["discharge"]]


def covariance_of(obs, names):
    return np.array(
        [[obs["cov"].get(f"{a},{b}", obs["cov"].get(f"{b},{a}")) for a in names] for b in names]
    )


@pytest.mark.parametrize("keep_states", [False, True])
@pytest.mark.parametrize("case", CASES)
def test_oracles(case, keep_states):
    protocol, times = of_oracle(case)
    exact = tb.mesolve(protocol, times, covariances=True, keep_states=keep_states)
    assert exact.channels == ("red", "center", "blue", "dis")
    close = {"rel": 1e-10, "abs": 1e-10}
    for i, obs in enumerate(expected(case)):
        assert exact.energy[i] == pytest.approx(obs["E"], **close)
        assert exact.energy_variance[i] == pytest.approx(obs["varE"], **close)
        assert exact.dipole[i] == pytest.approx(complex(*obs["Jp"]), **close)
        assert exact.ergotropy[i] == pytest.approx(obs["ergotropy"], **close)
        mean = [obs["mean"][name] for name in exact.channels]
        np.testing.assert_allclose(exact.counts[:, i], mean, rtol=1e-10, atol=1e-10)
        covariance = covariance_of(obs, exact.channels)
        np.testing.assert_allclose(
            exact.counts_covariance[..., i], covariance, rtol=1e-10, atol=1e-10
        )
    assert np.all(exact.coherent_energy[:2] == 0)
    np.testing.assert_allclose(exact.coherent_energy[2:], case["W"], rtol=1e-9)


@pytest.mark.parametrize("case", CASES)
def test_trajectories_against_oracles(case):
    protocol, times = of_oracle(case)
    runs = tb.mcsolve(protocol, times, ntraj=6000, seed=1)
    exact = tb.mesolve(protocol, times)
    assert tb.compare(runs, exact).p_value > 1e-4
    known = expected(case)
    early = slice(0, 4)  # later hardly any trajectory is not in the ground state
    score = (runs.energy - [obs["E"] for obs in known]) / runs.energy_sem
    assert np.abs(score[early]).max() < 5
    mean = np.array([[obs["mean"][name] for obs in known] for name in runs.channels])
    difference = runs.counts - mean
    np.testing.assert_array_less(np.abs(difference), 5 * runs.counts_sem + 1e-12)
    emitted = (runs.coherent_energy - [0, 0, *case["W"]])[2:]
    assert np.abs(emitted / runs.coherent_energy_sem[2:]).max() < 5
    assert np.all(runs.coherent_energy[:2] == 0)
    check_covariance(runs, covariance_of(known[-1], runs.channels))
    # Negative control: gamma_+ 20 % off.
    off, _ = of_oracle(case, r=1.2 * case["r"])
    assert tb.compare(runs, tb.mesolve(off, times)).p_value < 1e-6


def check_covariance(runs, covariance, limit=5.0):
    """Compare the covariances of the counts at the last time with exact ones."""
    variance = covariance.diagonal()
    sem = np.sqrt((np.outer(variance, variance) + covariance**2) / runs.ntraj)
    difference = np.abs(runs.counts_covariance[..., -1] - covariance)
    assert np.all(difference <= limit * sem + 1e-12)


def test_coherent_energy_tells_protocols_apart():
    times = [0.35, 0.6]
    runs = tb.mcsolve(CYCLE, times, ntraj=5000, seed=2)
    exact = tb.mesolve(CYCLE, times)
    score = (runs.coherent_energy - exact.coherent_energy) / runs.coherent_energy_sem
    assert np.abs(score).max() < 5
    # Negative control: charged 10 % longer.
    off = cycle_of(STRONG, (0.11, 0.2, 0.3))
    emitted = tb.mesolve(off, np.array(times) + 0.01).coherent_energy
    assert np.abs((runs.coherent_energy - emitted) / runs.coherent_energy_sem).max() > 5


QUANTITIES = [
    "energy",
    "energy_variance",
    "dipole",
    "counts",
    "counts_covariance",
    "states",
    "ergotropy",
]


@pytest.mark.parametrize(
    "model",
    [
        STRONG.charge(),
        STRONG.store(),
        STRONG.discharge(),
        BATTERY.charge(secular=False),
    ],
    ids=["eq7", "store", "discharge", "eq5"],
)
def test_a_protocol_of_one_model_is_the_model(model):
    protocol, times = tb.Protocol([(model, 0.4)]), np.linspace(0, 0.4, 5)
    options = dict(covariances=True, keep_states=True)
    one, other = (tb.mesolve(m, times, **options) for m in (model, protocol))
    for name in QUANTITIES:
        np.testing.assert_allclose(getattr(other, name), getattr(one, name), atol=1e-10)
    lean = tb.mesolve(protocol, times)
    np.testing.assert_allclose(lean.energy_variance, one.energy_variance, atol=1e-9)
    one, other = (
        tb.mcsolve(m, times, ntraj=3000, seed=5, keep_clicks=True) for m in (model, protocol)
    )
    for name in ("energy", "energy_variance", "dipole", "counts", "final_counts"):
        np.testing.assert_array_equal(getattr(other, name), getattr(one, name))
    np.testing.assert_array_equal(other.clicks.time, one.clicks.time)
    np.testing.assert_array_equal(other.clicks.trajectory, one.clicks.trajectory)


@pytest.mark.parametrize("secular", [True, False])
def test_a_stage_in_two_parts_is_one(secular):
    model, times = BATTERY.charge(secular=secular), np.linspace(0, 0.4, 9)
    parts = tb.Protocol([(model, 0.13), (model, 0.27)])
    options = dict(covariances=True, keep_states=True, initial=tb.coherent_state(8, 2.5, 0.4))
    whole, split = (tb.mesolve(m, times, **options) for m in (model, parts))
    assert split.channels == whole.channels
    for name in QUANTITIES:
        np.testing.assert_allclose(getattr(split, name), getattr(whole, name), atol=1e-9)
    runs = tb.mcsolve(parts, times, ntraj=4000, seed=3, initial=options["initial"])
    assert tb.compare(runs, split).p_value > 1e-4
    off = tb.mesolve(tb.Protocol([(model, 0.13), (BATTERY.discharge(), 0.27)]), times)
    assert np.abs(off.energy - whole.energy).max() > 0.1


def operators(battery, name, gamma=1.0):
    """Return the bare H and the jump operators by name, of a kind of stage."""
    j_z, j_plus = spin_operators(battery.n_atoms)
    if name == "charge7":
        hamiltonian, jumps = jump_operators(battery)
        return hamiltonian, dict(zip(("red", "center", "blue"), jumps, strict=True))
    hamiltonian = battery.detuning * j_z
    if name == "charge5":
        hamiltonian = hamiltonian - battery.rabi * (j_plus + j_plus.T) / 2
        return hamiltonian, {"all": np.sqrt(battery.gamma_0) * j_plus.T}
    return hamiltonian, {} if name == "store" else {"dis": np.sqrt(gamma) * j_plus.T}


def propagator(operators, duration, fields):
    """Return the dense exponential of a stage's Liouvillian, its jumps tilted by e^field."""
    hamiltonian, jumps = operators
    one = np.eye(len(hamiltonian))
    liouvillian = -1j * (np.kron(hamiltonian, one) - np.kron(one, hamiltonian.T))
    for jump, field in zip(jumps.values(), fields, strict=True):
        square = jump.conj().T @ jump
        liouvillian += np.exp(field) * np.kron(jump, jump.conj())
        liouvillian -= 0.5 * (np.kron(square, one) + np.kron(one, square.T))
    return expm(liouvillian * duration)


def dense_state(stages, rho):
    """Return the bare density matrix after `stages` [(operators, duration)]."""
    for operators, duration in stages:
        forward = propagator(operators, duration, [0.0] * len(operators[1]))
        rho = (forward @ rho.ravel()).reshape(rho.shape)
    return rho


def dense_counts(stages, rho, names):
    """Return means and covariances of the counts by differences of their cumulant function."""
    h, known = 1e-3, {}

    def cumulant(*steps):
        fields = dict.fromkeys(names, 0.0)
        for name, sign in steps:
            fields[name] += sign * h
        state = rho.ravel()
        for i, (operators, duration) in enumerate(stages):
            key = i, *(fields[name] for name in operators[1])
            if key not in known:
                known[key] = propagator(operators, duration, key[1:])
            state = known[key] @ state
        return np.log(np.trace(state.reshape(rho.shape)).real)

    mean = [(cumulant((a, 1)) - cumulant((a, -1))) / (2 * h) for a in names]
    signs = [(s, t) for s in (1, -1) for t in (1, -1)]
    covariance = [
        [sum(s * t * cumulant((a, s), (b, t)) for s, t in signs) / (4 * h**2) for b in names]
        for a in names
    ]
    return np.array(mean), np.array(covariance)


def long_protocol(n):
    """Return a protocol of all kinds of stages and two dressing angles, and its dense stages."""
    first = tb.Battery(n, 1.87, 9.0, gamma_0=0.7, gamma_plus=4.0, gamma_minus=1.5)
    second = tb.Battery(n, 1.1, 7.0, 0.8, 0.8, 0.8)
    steps = [
        (first.charge(), operators(first, "charge7"), 0.3),
        (first.discharge(2.0), operators(first, "discharge", 2.0), 0.1),
        (second.charge(secular=False), operators(second, "charge5"), 0.4),
        (second.charge(), operators(second, "charge7"), 0.2),
        (first.store(), operators(first, "store"), 0.3),
        (second.discharge(), operators(second, "discharge", 0.8), 0.25),
    ]
    protocol = tb.Protocol([(model, duration) for model, _, duration in steps])
    return protocol, [(dense, duration) for _, dense, duration in steps]


@pytest.mark.parametrize("n", [1, 3])
def test_states_and_counts_against_dense_liouvillians(n):
    protocol, stages = long_protocol(n)
    start = tb.coherent_state(n, 2.2, 0.7)
    rho_0 = np.outer(start, start.conj())
    ends = [stage.end for stage in protocol.stages()]
    inside = [stage.start + 0.4 * stage.duration for stage in protocol.stages()]
    times = np.sort([0.0, *ends, *inside])
    exact = tb.mesolve(protocol, times, initial=start, covariances=True, keep_states=True)
    assert exact.channels == ("red", "center", "blue", "dis", "all")
    for i, time in enumerate(times):
        done = [
            (dense, min(duration, time - stage.start))
            for (dense, duration), stage in zip(stages, protocol.stages(), strict=True)
            if time > stage.start
        ]
        np.testing.assert_allclose(exact.states[i], dense_state(done, rho_0), atol=1e-10)
    mean, covariance = dense_counts(stages, rho_0, exact.channels)
    np.testing.assert_allclose(exact.counts[:, -1], mean, atol=1e-6)
    np.testing.assert_allclose(exact.counts_covariance[..., -1], covariance, atol=1e-6)
    runs = tb.mcsolve(protocol, times, ntraj=4000, initial=start, seed=4)
    assert tb.compare(runs, exact).p_value > 1e-4
    check_covariance(runs, covariance)


def test_driven_charge_then_discharge():
    times = np.array([0.0, 0.1, 0.3, 0.35, 0.5, 0.7])
    assert DRIVEN_CYCLE.channel_names == ("all", "dis")
    exact = tb.mesolve(DRIVEN_CYCLE, times, covariances=True)
    runs = tb.mcsolve(DRIVEN_CYCLE, times, ntraj=8000, seed=1)
    assert tb.compare(runs, exact).p_value > 1e-4
    covariance = exact.counts_covariance[..., -1]
    check_covariance(runs, covariance)
    assert covariance[0, 1] < -0.5
    # Counts of a later stage know of an earlier one; energy that is stored comes out.
    assert exact.counts[1, -1] + exact.energy[-1] == pytest.approx(exact.energy[2], rel=1e-9)
    # Negative control: the drive 3 % stronger.
    battery = dataclasses.replace(BATTERY, omega_p=30.9)
    off = tb.Protocol([(battery.charge(secular=False), 0.3), (BATTERY.discharge(2.0), 0.4)])
    assert tb.compare(runs, tb.mesolve(off, times)).p_value < 1e-6
    with pytest.raises(AssertionError):
        check_covariance(runs, 1.2 * covariance)


@pytest.mark.parametrize("method", [None, "ladder", "mcwf", "banded"])
def test_every_method_has_the_same_law(method):
    times = [0.05, 0.1, 0.2, 0.35, 0.6]
    runs = tb.mcsolve(CYCLE, times, ntraj=4000, seed=6, method=method)
    assert tb.compare(runs, tb.mesolve(CYCLE, times)).p_value > 1e-4
    off = cycle_of(dataclasses.replace(STRONG, gamma_plus=11.0), (0.1, 0.2, 0.3))
    assert tb.compare(runs, tb.mesolve(off, times)).p_value < 1e-6


@pytest.mark.parametrize("protocol", [CYCLE, LONG], ids=["cycle", "long"])
def test_clicks_are_sorted_and_belong_to_their_stages(protocol):
    runs = tb.mcsolve(protocol, [protocol.duration], ntraj=300, seed=7, keep_clicks=True)
    clicks = runs.clicks
    assert np.all(np.diff(clicks.trajectory) >= 0)
    assert np.all(np.diff(clicks.time)[np.diff(clicks.trajectory) == 0] > 0)
    table = np.zeros_like(runs.final_counts)
    np.add.at(table, (clicks.trajectory, clicks.channel), 1)
    np.testing.assert_array_equal(table, runs.final_counts)
    allowed = 0
    for stage in protocol.stages():
        within = (clicks.time > stage.start) & (clicks.time <= stage.end)
        assert set(clicks.channel[within]) == set(stage.tags)
        allowed += within.sum()
    assert allowed == len(clicks)


@pytest.mark.parametrize("protocol", [CYCLE, LONG], ids=["cycle", "long"])
def test_replay_is_the_same_trajectory_on_any_grid(protocol):
    end = protocol.duration
    times = np.linspace(0, end, 8)
    runs = tb.mcsolve(protocol, times, ntraj=40, seed=8, keep_clicks=True, rtol=1e-9)
    fine_times = np.union1d(times, [*(stage.end for stage in protocol.stages()), 0.3 * end])
    for trajectory in (0, 23, 39):
        coarse, fine = runs.replay(trajectory), runs.replay(trajectory, tlist=fine_times)
        short = runs.replay(trajectory, tlist=times[:3])  # it ends in an early stage
        kept = runs.clicks.of_trajectory(trajectory)
        for one in (coarse, fine, short):
            np.testing.assert_array_equal(one.clicks.time, kept.time)
            np.testing.assert_array_equal(one.clicks.channel, kept.channel)
        at = np.searchsorted(fine_times, times)
        for name in ("energy", "energy_variance", "dipole"):
            values = getattr(coarse, name)
            np.testing.assert_allclose(getattr(fine, name)[at], values, atol=1e-9)
            np.testing.assert_allclose(getattr(short, name), values[:3], atol=1e-9)
        np.testing.assert_array_equal(fine.counts[:, at], coarse.counts)
        np.testing.assert_array_equal(coarse.counts[:, -1], runs.final_counts[trajectory])
        np.testing.assert_array_equal(
            short.counts[:, -1],
            [np.sum(kept.time[kept.channel == c] <= times[2]) for c in range(len(runs.channels))],
        )
    energy = np.array([runs.replay(i).energy for i in range(40)])
    np.testing.assert_allclose(energy.mean(axis=0), runs.energy, atol=1e-6)


def test_storage_keeps_energy_and_bare_amplitudes():
    times = np.linspace(0.1, 0.3, 6)  # the stage, with both ends
    exact = tb.mesolve(CYCLE, times, keep_states=True)
    np.testing.assert_allclose(exact.energy, exact.energy[0], rtol=1e-11)
    np.testing.assert_allclose(
        np.abs(exact.states), np.abs(exact.states[:1]).repeat(6, 0), atol=1e-11
    )
    phase = np.exp(1j * STRONG.detuning * (times - 0.1))
    np.testing.assert_allclose(exact.dipole, exact.dipole[0] * phase, atol=1e-10)
    assert np.ptp(exact.counts, axis=1).max() == pytest.approx(0, abs=1e-12)
    runs = tb.mcsolve(CYCLE, times, ntraj=20, seed=9)
    for i in range(20):
        one = runs.replay(i)
        np.testing.assert_allclose(one.energy, one.energy[0], rtol=1e-12)
        np.testing.assert_allclose(one.energy_variance, one.energy_variance[0], rtol=1e-10)
        np.testing.assert_allclose(one.dipole, one.dipole[0] * phase, atol=1e-11)
        assert np.all(np.ptp(one.counts, axis=1) == 0)


@pytest.mark.parametrize("protocol", [CYCLE, LONG], ids=["cycle", "long"])
def test_nothing_jumps_at_a_boundary(protocol):
    boundaries = np.array([stage.end for stage in protocol.stages()[:-1]])
    gap = 1e-9
    times = np.sort(np.concatenate((boundaries - gap, boundaries, boundaries + gap)))
    runs = tb.mcsolve(protocol, [*times, protocol.duration], ntraj=20, seed=10, rtol=1e-10)
    exact = tb.mesolve(protocol, times)
    for one in [exact, *(runs.replay(i, tlist=times) for i in range(20))]:
        for name in ("energy", "energy_variance", "dipole"):
            near = getattr(one, name).reshape(-1, 3)
            np.testing.assert_allclose(near, near[:, 1:2].repeat(3, 1), atol=1e-5)
        changes = np.diff(one.counts, axis=1).reshape(len(one.channels), -1)
        assert np.abs(changes[:, 0::3]).max() < 1e-6
    assert np.abs(np.diff(exact.dipole)).max() > 0.1


def test_change_of_basis_is_a_rotation():
    _, j_plus = spin_operators(5)
    i_j_y = (j_plus - j_plus.T) / 2
    for before, after in ((0.0, 1.87), (1.87, 0.0), (0.4, 1.1), (2.0, 0.3), (0.0, np.pi)):
        # The dressed kets of an angle are the columns of exp(i angle J_y).
        expected = expm(before * i_j_y).T @ expm(after * i_j_y)
        got = spin.change_of_basis(5, before, after)
        np.testing.assert_allclose(got, expected, atol=1e-13)
    np.testing.assert_array_equal(spin.change_of_basis(5, 0.7, 0.7), np.eye(6))


@pytest.mark.parametrize("n", [1, 300, 2000])
def test_change_of_basis_is_orthogonal(n):
    there, back = (spin.change_of_basis(n, *angles) for angles in ((0.4, 1.87), (1.87, 0.4)))
    np.testing.assert_allclose(there @ there.T, np.eye(n + 1), atol=1e-12)
    np.testing.assert_array_equal(back, there.T)
    if n <= 300:
        whole = spin.change_of_basis(n, 0.4, 1.1) @ spin.change_of_basis(n, 1.1, 1.87)
        np.testing.assert_allclose(whole, there, atol=1e-11)


def test_times_do_not_matter():
    many = np.linspace(0, 0.6, 61)
    everything = tb.mesolve(CYCLE, many, covariances=True)
    for times in ([0.05], [0.1], [0.02, 0.2], [0.3], [0.1, 0.3, 0.6], [0.45], [0.0]):
        few = tb.mesolve(CYCLE, times, covariances=True)
        at = np.array([np.abs(many - time).argmin() for time in times])
        for name in ("energy", "energy_variance", "dipole", "counts", "counts_covariance"):
            np.testing.assert_allclose(
                getattr(few, name), getattr(everything, name)[..., at], atol=1e-8, err_msg=name
            )
        np.testing.assert_allclose(few.coherent_energy, everything.coherent_energy[at], atol=1e-9)
        runs = tb.mcsolve(CYCLE, times, ntraj=2000, seed=11)
        assert np.all(np.abs(runs.energy - few.energy) < 5 * runs.energy_sem + 1e-9)


def test_times_may_end_before_the_last_stage():
    shorter = cycle_of(STRONG, (0.1, 0.2, 0.3)).steps[:2]
    whole, part = CYCLE, tb.Protocol(shorter)
    times = np.array([0.05, 0.1, 0.25])
    for solve in (tb.mesolve, lambda m, t: tb.mcsolve(m, t, ntraj=200, seed=12)):
        one, other = solve(whole, times), solve(part, times)
        np.testing.assert_allclose(one.energy, other.energy, rtol=1e-12)
        np.testing.assert_allclose(one.counts[:3], other.counts, rtol=1e-12)
        assert np.all(one.counts[3] == 0)
        assert np.all(one.coherent_energy == 0)
        assert other.coherent_energy is None


def test_earlier_times_do_not_change_the_clicks():
    # So many times that the trajectories are drawn in several blocks.
    options = dict(ntraj=300, seed=13, keep_clicks=True)
    many = tb.mcsolve(LONG, np.linspace(0, LONG.duration, 101), **options)
    few = tb.mcsolve(LONG, [LONG.duration], **options)
    np.testing.assert_array_equal(many.clicks.time, few.clicks.time)
    np.testing.assert_allclose(many.energy[-1], few.energy[0], rtol=1e-10)


@pytest.mark.parametrize("protocol", [CYCLE, LONG], ids=["cycle", "long"])
def test_workers_do_not_change_a_bit(protocol):
    times = [0.1, 0.3, 0.44]
    arguments = dict(ntraj=5000, seed=14, rtol=1e-4)  # more than one chunk
    one, two = (tb.mcsolve(protocol, times, threads=n, **arguments) for n in (1, 2))
    for name in ("energy", "energy_variance", "dipole", "counts", "final_counts"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))
    np.testing.assert_array_equal(one.moments.comoment, two.moments.comoment)
    other = tb.mcsolve(protocol, times, **{**arguments, "seed": 15})
    assert not np.array_equal(one.energy, other.energy)


@pytest.mark.parametrize("protocol", [CYCLE, LONG], ids=["cycle", "long"])
def test_more_trajectories_do_not_change_the_first_ones(protocol):
    few, many = (tb.mcsolve(protocol, [0.4], ntraj=n, seed=20) for n in (50, 80))
    np.testing.assert_array_equal(few.final_counts, many.final_counts[:50])


def test_workers_do_not_change_the_coherent_energy():
    one, two = (tb.mcsolve(CYCLE, [0.4], 5000, seed=14, threads=n) for n in (1, 2))
    np.testing.assert_array_equal(one.coherent_energy, two.coherent_energy)
    np.testing.assert_array_equal(one.coherent_energy_sem, two.coherent_energy_sem)


def test_a_protocol_travels_to_other_processes():
    copy = pickle.loads(pickle.dumps(LONG))
    assert copy == LONG
    one, other = (tb.mcsolve(p, [0.2, 0.4], ntraj=20, seed=16) for p in (LONG, copy))
    np.testing.assert_array_equal(one.energy, other.energy)


def test_coherent_energy_counts_from_the_start_of_the_discharge():
    exact = tb.mesolve(CYCLE, [0.05, 0.1, 0.3, 0.35, 0.6])
    assert np.all(exact.coherent_energy[:3] == 0)
    assert 0 < exact.coherent_energy[3] < exact.coherent_energy[4]
    # It is less than what the battery loses.
    assert exact.coherent_energy[4] < exact.energy[2] - exact.energy[4]
    # As from a discharge that begins in the state after the storage.
    state = tb.mesolve(CYCLE, [0.3], keep_states=True).states[0]
    alone = tb.mesolve(STRONG.discharge(), [0.05, 0.3], initial=state)
    np.testing.assert_allclose(exact.coherent_energy[3:], alone.coherent_energy, rtol=1e-9)
    # The driven charge emits from the same dipole, but does not count.
    driven = tb.mesolve(DRIVEN_CYCLE, [0.1, 0.3, 0.5])
    assert np.all(driven.coherent_energy[:2] == 0)
    assert driven.coherent_energy[2] > 0
    charging = tb.Protocol([(BATTERY.charge(), 0.1), (BATTERY.store(), 0.1)])
    assert tb.mesolve(charging, [0.1]).coherent_energy is None
    runs = tb.mcsolve(charging, [0.1], ntraj=10, seed=1)
    assert runs.coherent_energy is None
    assert runs.coherent_energy_sem is None


def test_initial_states():
    rng = np.random.default_rng(17)
    root = rng.normal(size=(9, 9)) + 1j * rng.normal(size=(9, 9))
    mixed = root @ root.conj().T / np.linalg.norm(root) ** 2
    times = [0.0, 0.05, 0.25, 0.35]
    for start in (mixed, tb.excited_state(8), tb.steady_state(BATTERY.charge(secular=False))):
        runs = tb.mcsolve(CYCLE, times, ntraj=3000, initial=start, seed=18)
        assert tb.compare(runs, tb.mesolve(CYCLE, times, initial=start)).p_value > 1e-4
        assert tb.compare(runs, tb.mesolve(CYCLE, times)).p_value < 1e-6
    # A protocol that begins with storage begins charged.
    late = tb.Protocol([(STRONG.store(), 0.2), (STRONG.discharge(), 0.1)])
    exact = tb.mesolve(late, [0.0, 0.2, 0.3])
    stored = tb.steady_state(STRONG.charge()).energy
    np.testing.assert_allclose(exact.energy[:2], stored, rtol=1e-11)
    alone = tb.mesolve(STRONG.discharge(), [0.1])
    assert exact.energy[2] == pytest.approx(alone.energy[0], rel=1e-10)


def test_a_large_cycle():
    battery = tb.Battery(200, 1.87, 2000.0, gamma_plus=10.0)
    protocol = cycle_of(battery, (battery.charging_time, 0.01, 0.02))
    times = np.linspace(0, protocol.duration, 12)
    runs = tb.mcsolve(protocol, times, ntraj=1000, seed=19)
    assert tb.compare(runs, tb.mesolve(protocol, times, rtol=1e-8)).p_value > 1e-4
    assert runs.dropped < 1e-13
    off = dataclasses.replace(battery, gamma_plus=10.5)
    off = cycle_of(off, (battery.charging_time, 0.01, 0.02))
    assert tb.compare(runs, tb.mesolve(off, times, rtol=1e-8)).p_value < 1e-6


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


@pytest.mark.parametrize("method", ["ladder", "mcwf"])
def test_bad_method(method):
    with pytest.raises(
        ValueError, match=rf"`method` must be 'banded' for the driven Eq. \(5\), but is '{method}'"
    ):
        tb.mcsolve(DRIVEN_CYCLE, [0.1], ntraj=2, method=method)


def test_a_protocol_has_no_steady_state():
    with pytest.raises(
        TypeError, match=r"`model` must be a single model such as .* but is a Protocol"
    ):
        tb.steady_state(CYCLE)


def test_results_of_different_protocols_cannot_be_compared():
    runs = tb.mcsolve(CYCLE, [0.4], ntraj=20, seed=1)
    for other in (LONG, STRONG.charge()):
        with pytest.raises(ValueError, match="`exact` must solve the same model"):
            tb.compare(runs, tb.mesolve(other, [0.4]))
