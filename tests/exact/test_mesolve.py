"""The master equation of the ladder: oracles, the dense twin, limits, bad input."""

import copy
import pickle

import numpy as np
import pytest
from oracle import references
from oracle.dense import evolve, jump_operators, random_states, spin_operators

import trajbatt as tb

CASES = [pytest.param(case, id=references.name(case)) for case in references.load()["eq7"]]


@pytest.mark.parametrize("keep_states", [False, True])
@pytest.mark.parametrize("case", CASES)
def test_oracles(case, keep_states):
    model = references.battery(case).charge()
    exact = tb.mesolve(model, case["t"], covariances=True, keep_states=keep_states)
    for i, obs in enumerate(case["obs"]):
        close = dict(rel=1e-10, abs=1e-10)
        assert exact.energy[i] == pytest.approx(obs["E"], **close)
        assert exact.energy_variance[i] == pytest.approx(obs["varE"], **close)
        assert exact.dipole[i] == pytest.approx(complex(*obs["Jp"]), **close)
        assert exact.ergotropy[i] == pytest.approx(obs["ergotropy"], **close)
        assert exact.ergotropy_global[i] == pytest.approx(obs["ergotropy_full2N"], **close)
        for a, name in enumerate(exact.channels):
            assert exact.counts[a, i] == pytest.approx(obs["mean"][name], **close)
            for b, other in enumerate(exact.channels):
                pair = obs["cov"].get(f"{name},{other}", obs["cov"].get(f"{other},{name}"))
                assert exact.counts_covariance[a, b, i] == pytest.approx(pair, **close)


@pytest.mark.parametrize("case", references.load()["counts7"], ids=references.name)
def test_mean_counts_of_the_distributions(case):
    model = references.battery(case).charge()
    times = [entry["T"] for entry in case["T"]]
    exact = tb.mesolve(model, times)
    for i, entry in enumerate(case["T"]):
        assert exact.counts[:, i].sum() == pytest.approx(entry["mean_total"], rel=1e-9)
        for a, name in enumerate(exact.channels):
            pmf = np.array(entry["pmf"][name])
            assert exact.counts[a, i] == pytest.approx(pmf @ np.arange(pmf.size), abs=1e-9)


@pytest.mark.parametrize("n", [1, 2, 4])
@pytest.mark.parametrize("initial", ["ground", "coherent", "ket", "mixed", "excited"])
def test_states_against_a_dense_liouvillian(n, initial):
    battery = tb.Battery(n, 2.1, 3.0, gamma_0=0.7, gamma_plus=2.0, gamma_minus=1.5)
    ket, mixed = random_states(n)
    start = {
        "ground": tb.ground_state(n),
        "excited": tb.excited_state(n),
        "coherent": tb.coherent_state(n, 1.1, 0.8),
        "ket": ket,
        "mixed": mixed,
    }[initial]
    rho = start if start.ndim == 2 else np.outer(start, start.conj())
    times = [0.1, 0.35, 0.9, 2.0]
    expected = evolve(battery, rho, times)
    exact = tb.mesolve(battery.charge(), times, initial=start, keep_states=True)
    lean = tb.mesolve(battery.charge(), times, initial=start)
    j_z, j_plus = spin_operators(n)
    h0 = j_z + n / 2 * np.eye(n + 1)
    for i, rho in enumerate(expected):
        np.testing.assert_allclose(exact.states[i], rho, atol=1e-11)
        energy = np.trace(rho @ h0).real
        variance = np.trace(rho @ h0 @ h0).real - energy**2
        for result in (exact, lean):
            assert result.energy[i] == pytest.approx(energy, abs=1e-11)
            assert result.energy_variance[i] == pytest.approx(variance, abs=1e-11)
            assert result.dipole[i] == pytest.approx(np.trace(rho @ j_plus), abs=1e-11)


def test_steady_state_is_stationary_and_reached():
    battery = tb.Battery(30, 1.87, 100.0, gamma_plus=10.0)
    model, steady = battery.charge(), tb.steady_state(battery.charge())
    late = tb.mesolve(model, [60 / battery.gamma_net], rtol=1e-12)
    assert late.energy[0] == pytest.approx(steady.energy, rel=1e-10)
    assert late.energy_variance[0] == pytest.approx(steady.energy_variance, rel=1e-9)
    stays = tb.mesolve(model, [0.1, 1.0], initial=steady)
    np.testing.assert_allclose(stays.energy, steady.energy, rtol=1e-11)
    np.testing.assert_allclose(stays.dipole, steady.dipole, atol=1e-10)
    np.testing.assert_allclose(stays.ergotropy, steady.ergotropy, rtol=1e-10)
    # Downward and upward jumps balance in the steady state.
    red, _, blue = stays.counts
    np.testing.assert_allclose(red, blue, rtol=1e-10)


def test_means_of_a_large_battery_scale():
    # E/N and Var(E)/N at equal N Gamma t tend to constants with corrections of order 1/N.
    values = []
    for n in (1000, 2000, 4000):
        battery = tb.Battery(n, 1.87, 10.0 * n, gamma_plus=10.0)
        exact = tb.mesolve(battery.charge(), [2.0 / (n * battery.gamma_net)])
        values.append((exact.energy[0] / n, exact.energy_variance[0] / n))
    (e1, v1), (e2, v2), (e4, v4) = values
    assert (e1 - e2) / (e2 - e4) == pytest.approx(2.0, rel=0.02)
    assert (v1 - v2) / (v2 - v4) == pytest.approx(2.0, rel=0.02)


@pytest.mark.parametrize(
    "battery",
    [
        tb.Battery(1, 1.0, 1.0),
        tb.Battery(5, 0.0, 1.0),
        tb.Battery(5, np.pi, 1.0),
        tb.Battery(5, 1.0, 1.0, 0.0, 0.0, 0.0),
        tb.Battery(200, 1.0, 1.0, 0.0, 0.0, 0.0),
        tb.Battery(200, 1.0, 0.0, gamma_0=0.0),
        tb.Battery(200, 1.0, 1.0, gamma_plus=0.0),
        tb.Battery(200, np.pi / 2, 1.0),
    ],
    ids=str,
)
def test_edges_work(battery):
    exact = tb.mesolve(battery.charge(), [0.3, 0.5], covariances=True)
    assert np.all(np.isfinite(exact.energy))
    assert np.all(exact.energy_variance > -1e-9)
    assert np.all(np.isfinite(exact.counts_covariance))
    if battery.dressed_rates == (0.0, 0.0, 0.0):
        swing = battery.n_atoms * np.sin(battery.theta) ** 2 / 2
        np.testing.assert_allclose(
            exact.energy, swing * (1 - np.cos(battery.omega_p * exact.times)), rtol=1e-9
        )
        assert np.all(exact.counts == 0)


def test_channels_of_the_dense_liouvillian_are_those_of_the_model():
    battery = tb.Battery(4, 2.1, 3.0, gamma_0=0.7, gamma_plus=2.0, gamma_minus=1.5)
    rho = evolve(battery, np.diag([1.0, 0, 0, 0, 0]), [0.4])[0]
    _, jumps = jump_operators(battery)
    rates = [np.trace(jump @ rho @ jump.conj().T).real for jump in jumps]
    step = 1e-4
    counts = tb.mesolve(battery.charge(), [0.4 - step, 0.4 + step]).counts
    np.testing.assert_allclose(np.diff(counts)[:, 0] / (2 * step), rates, rtol=1e-7)


@pytest.mark.parametrize("n", [1, 100])
def test_long_times(n):
    # Everything but the counts is steady, and their covariances grow linearly.
    battery = tb.Battery(n, 1.87, 10.0 * n, gamma_plus=10.0)
    model, steady = battery.charge(), tb.steady_state(battery.charge())
    unit = 1 / (n * battery.gamma_net)
    times = np.array([1e3, 2e3, 3e3, 1e5]) * unit
    exact = tb.mesolve(model, times, covariances=True)
    np.testing.assert_allclose(exact.energy, steady.energy, rtol=1e-10)
    np.testing.assert_allclose(exact.energy_variance, steady.energy_variance, rtol=1e-9)
    rate = np.diff(exact.counts)[:, 0] / np.diff(times)[0]
    np.testing.assert_allclose(rate, model.click_rates @ steady.populations, rtol=1e-8)
    slope = np.diff(exact.counts_covariance) / np.diff(times)
    np.testing.assert_allclose(slope[..., 0], slope[..., 1], rtol=1e-6, atol=1e-6 * slope.max())
    np.testing.assert_allclose(slope[..., 0], slope[..., 2], rtol=1e-5, atol=1e-5 * slope.max())


def test_units_scale():
    base = tb.Battery(30, 1.87, 300.0, 1.0, 10.0, 1.0)
    times = np.array([0.0, 0.03, 0.1])
    expected = tb.mesolve(base.charge(), times, covariances=True)
    for unit in (1e-6, 1e9):
        battery = tb.Battery(30, 1.87, 300.0 * unit, unit, 10.0 * unit, unit)
        got = tb.mesolve(battery.charge(), times / unit, covariances=True)
        np.testing.assert_allclose(got.energy, expected.energy, rtol=1e-10)
        np.testing.assert_allclose(got.counts_covariance, expected.counts_covariance, rtol=1e-7)


BAD_TIMES = [
    ([], "is empty"),
    ([0.0, 0.2, 0.1], "0.1 follows 0.2"),
    ([0.0, 0.1, 0.1], "0.1 follows 0.1"),
    ([-0.1, 0.1], "starts at -0.1"),
    ([0.0, np.nan], "holds nan"),
    ([0.0, np.inf], "holds inf"),
    ([[0.0, 0.1]], "has 2 dimensions"),
    ("soon", "is 'soon'"),
    (None, "is None"),
    (["0.1"], r"is \['0.1'\]"),
    ([True], r"is \[True\]"),
    ([0.1j], r"is \[0.1j\]"),
]


@pytest.mark.parametrize("solve", [tb.mesolve, tb.mcsolve])
@pytest.mark.parametrize(("times", "message"), BAD_TIMES)
def test_bad_times(solve, times, message):
    model = tb.Battery(3, 1.0, 1.0).charge()
    with pytest.raises((ValueError, TypeError), match=f"`tlist` must hold finite.*{message}"):
        solve(model, times)


@pytest.mark.parametrize("solve", [tb.mesolve, tb.mcsolve])
@pytest.mark.parametrize(
    ("initial", "message"),
    [
        (np.ones(3), r"`initial` must have the shape \(4,\) or \(4, 4\), but has \(3,\)"),
        (np.ones(4), "`initial` must be a ket of norm 1, but its norm is 2"),
        (np.eye(4), "density matrix of trace 1, but has 4"),
        (np.diag([1.5, -0.5, 0, 0]), "positive density matrix, but has the eigenvalue -0.5"),
        (np.triu(np.full((4, 4), 0.25)), "Hermitian density matrix, but deviates by 0.25"),
        (np.array([np.nan, 0, 0, 0]), "`initial` must be finite"),
        ("ground", "`initial` must be a ket, a density matrix or a steady state, but is 'ground'"),
        (["1", "0", "0", "0"], "but is .'1', '0', '0', '0'."),
        ([True, False, False, False], "but is .True, False"),
        (np.ma.array([1.0, 0, 0, 0], mask=[1, 0, 0, 0]), "but is masked_array"),
        (tb.ground_state(4), r"but has \(5,\)"),
        (
            tb.steady_state(tb.Battery(4, 1.0, 1.0).charge()),
            "`initial` must have 3 atoms, but has 4",
        ),
    ],
)
def test_bad_initial_states(solve, initial, message):
    model = tb.Battery(3, 1.0, 1.0).charge()
    with pytest.raises((ValueError, TypeError), match=message):
        solve(model, [0.1], initial=initial)


def test_results_cannot_be_changed():
    initial = tb.excited_state(3)
    exact = tb.mesolve(tb.Battery(3, 1.0, 1.0).charge(), [0.1], initial, True, True)
    initial[:] = 0.0  # neither by what it was made from
    assert exact.initial[3] == 1.0
    for array in (exact.initial, exact.energy, exact.counts, exact.counts_covariance, exact.states):
        with pytest.raises(ValueError, match="read-only"):
            array[..., 0] = 0.0


def test_a_battery_is_not_a_model():
    with pytest.raises(TypeError, match=r"`model` must be a model such as battery\.charge"):
        tb.mesolve(tb.Battery(3, 1.0, 1.0), [0.1])


def test_states_of_qutip_are_turned_round():
    qutip = pytest.importorskip("qutip")
    model = tb.Battery(3, 1.0, 3.0).charge()
    excited = qutip.basis(4, 0)  # J_z = 3/2 comes first in qutip.jmat
    for state in (excited, qutip.ket2dm(excited)):
        assert tb.mesolve(model, [0.0], state).energy[0] == pytest.approx(3.0)


def test_results_that_travelled_cannot_be_changed():
    exact = tb.mesolve(tb.Battery(3, 1.0, 3.0).charge(), [0.1], covariances=True)
    for again in (pickle.loads(pickle.dumps(exact)), copy.deepcopy(exact)):
        assert not again.energy.flags.writeable
        assert not again.counts_covariance.flags.writeable


@pytest.mark.parametrize("name", ["covariances", "keep_states"])
def test_flags_are_true_or_false(name):
    with pytest.raises(TypeError, match=f"`{name}` must be True or False, but is 'no'"):
        tb.mesolve(tb.Battery(3, 1.0, 3.0).charge(), [0.1], **{name: "no"})
