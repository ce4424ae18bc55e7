"""States, observables and distributions with noise of single atoms, against all 2^N states."""

import numpy as np
import pytest
from oracle import atoms

import trajbatt as tb
from trajbatt.numerics import spin_blocks
from trajbatt.states import expectations
from trajbatt.states.spin_noise import _information

ob = tb.observables
NOISY = {"local_0": 0.7, "local_plus": 2.0, "local_minus": 0.4, "dephasing": 1.1, "pump": 0.3}
TIMES = np.array([0.0, 0.05, 0.2, 0.6])
E_OPS = {
    **ob.second_moments,
    "jy^2": ob.jy**2,
    "sum": 0.3 * ob.jz * ob.jx - 2.0 + ob.j_square,
    "parity": ob.parity,
    "one excited": ob.population(1),
    "jz^3": ob.jz**3,
}


def battery(n_atoms, **given):
    return tb.Battery(n_atoms, 1.87, 60.0, gamma_plus=3.0, **(given or NOISY))


def dense(twin):
    """Return the same operators on all atoms."""
    x, y, z = twin.x, twin.y, twin.z
    n, one = twin.model.n_atoms, np.eye(len(z))
    excited = np.rint(np.diag(z).real + n / 2)
    square = x @ x + y @ y + z @ z

    def both(a, b):
        return (a @ b + b @ a) / 2

    found = {
        "jx": x,
        "jy": y,
        "jz": z,
        "jz^2": z @ z,
        "jz*jx": both(z, x),
        "jz*jy": both(z, y),
        "jx^2": x @ x,
        "jx*jy": both(x, y),
        "j^2": square,
        "jy^2": y @ y,
        "sum": 0.3 * both(z, x) - 2.0 * one + square,
        "parity": np.diag((-1.0) ** excited),
        "one excited": np.diag((excited == 1).astype(float)),
        "jz^3": z @ z @ z,
    }
    return found, excited


@pytest.mark.parametrize("n_atoms", [1, 2, 3, 4])
def test_observables_and_distributions_of_all_atoms(n_atoms):
    model, ket = battery(n_atoms).charge(), tb.coherent_state(n_atoms, 2.0, 0.4)
    found = tb.mesolve(model, TIMES, ket, e_ops=E_OPS)
    twin = atoms.Atoms(model)
    operators, excited = dense(twin)
    assert set(operators) == set(E_OPS)
    for i, rho in enumerate(twin.evolve(twin.symmetric(ket), TIMES)):
        for name, operator in operators.items():
            known = twin.mean(operator, rho).real
            assert found.expect[name][i] == pytest.approx(known, abs=1e-9), name
        p = np.bincount(excited.astype(int), np.diag(rho).real, n_atoms + 1)
        np.testing.assert_allclose(found.energy_distribution[i], p, atol=1e-10)
        information = _information_of_all(rho, (twin.x, twin.y, twin.z))
        assert found.qfi[i] == pytest.approx(np.linalg.eigvalsh(information)[-1], abs=1e-7)


def _information_of_all(rho, parts):
    p, kets = np.linalg.eigh(rho)
    p = np.maximum(p, 0.0)
    total = p[:, None] + p
    weights = np.where(total > 1e-13, 2.0 * (p[:, None] - p) ** 2 / np.maximum(total, 1e-13), 0.0)
    turned = [kets.conj().T @ one @ kets for one in parts]
    return np.array([[(weights * a * b.conj()).sum().real for b in turned] for a in turned])


def test_states_have_the_moments():
    model, k = battery(5).charge(), np.arange(6)
    found = tb.mesolve(model, TIMES, keep_states=True)
    assert found.states.shape == (4, 3, 6, 6)
    traces = np.einsum("tjkk->tj", found.states).real
    np.testing.assert_allclose(traces, found.spin_distribution, atol=1e-12)
    p = np.einsum("tjkk->tk", found.states).real
    np.testing.assert_allclose(p, found.energy_distribution, atol=1e-10)
    np.testing.assert_allclose(p @ k, found.energy, atol=1e-10)
    n = spin_blocks.lengths(5).tolist()
    for state, dipole in zip(found.states, found.dipole, strict=True):
        plus = 0.0
        for spin, block in zip(n, state, strict=True):
            at = spin_blocks.excited(5, spin)
            plus += np.trace((ob.jx.matrix(5, spin) + 1j * ob.jy.matrix(5, spin)) @ block[at, at])
        assert plus == pytest.approx(dipole, abs=1e-10)


def test_ensembles_have_the_exact_means(tmp_path):
    model = battery(6).charge()
    exact = tb.mesolve(model, TIMES, e_ops=E_OPS)
    runs = tb.mcsolve(model, TIMES, 4000, seed=5, e_ops=E_OPS, store=tmp_path / "run")
    other = tb.mesolve(battery(6, local_plus=4.0).charge(), TIMES, e_ops=E_OPS)

    def scores(wanted):
        return {
            name: np.abs(runs.expect[name] - one)[1:] / runs.expect_sem[name][1:]
            for name, one in wanted.expect.items()
        }

    assert max(one.max() for one in scores(exact).values()) < 4.5
    assert min(one.max() for one in scores(other).values()) > 4.5
    d, sem = runs.energy_distribution[1:], runs.energy_distribution_sem[1:]
    assert np.all(np.abs(d - exact.energy_distribution[1:]) < 4.5 * sem)
    stored = tb.load(tmp_path / "run")
    assert stored.expect.keys() == E_OPS.keys()
    assert stored.replay(3, TIMES).expect["jz^3"] == pytest.approx(
        runs.replay(3, TIMES).expect["jz^3"], abs=0.0
    )
    squeezing = tb.mesolve(model, TIMES).spin_squeezing_kitagawa
    error = runs.spin_squeezing_kitagawa_sem
    assert np.all(np.abs(runs.spin_squeezing_kitagawa - squeezing)[1:] < 4.5 * error[1:])


def test_a_trajectory_in_stages_has_states_of_its_spins():
    one = battery(6)
    protocol = tb.Protocol([(one.charge(), 0.3), (one.store(local=2.0), 0.4)])
    times, k = np.linspace(0.0, 0.7, 8), np.arange(7)
    runs = tb.mcsolve(protocol, times, 200, seed=2)
    spins = set()
    for i in range(20):
        found = runs.replay(i, times, keep_states=True)
        p = np.abs(found.states) ** 2
        np.testing.assert_allclose(p @ k, found.energy, atol=1e-10)
        np.testing.assert_allclose(p, found.energy_distribution)
        outside = np.abs(k - 3) > found.spin[:, None] / 2
        assert np.all(p[outside] == 0.0)
        spins |= set(found.spin.tolist())
    assert len(spins) > 1
    exact = tb.mesolve(protocol, times, keep_states=True)
    one_by_one = np.array([exact.ergotropy[3], exact.ergotropy[-1]])
    alone = tb.mesolve(one.charge(), times[:4]).ergotropy[3]
    assert one_by_one[0] == pytest.approx(alone, abs=1e-9)  # fewer blocks than later
    assert one_by_one[1] < alone


def test_a_filter_in_blocks():
    model, times = battery(4).charge(), np.linspace(0.0, 0.6, 5)
    clicks = tb.mcsolve(model, times, 8, seed=2, keep_clicks=True).replay(3).clicks
    for known in (False, True):
        found = tb.filter(model, clicks, times, known_spin=known)
        p = np.einsum("tjkk->tk", found.states).real
        np.testing.assert_allclose(p, found.energy_distribution, atol=1e-12)
        np.testing.assert_allclose(p @ np.arange(5), found.energy, atol=1e-10)
        assert np.all(found.ergotropy_rotation <= found.ergotropy + 1e-9)
        assert np.all(found.ergotropy <= found.ergotropy_global + 1e-9)
        assert np.all(found.purity <= 1.0 + 1e-12)
    # Where J is known, nothing but the ways of adding up to it is mixed.
    last = int(clicks.spin[-1])
    ways = np.exp(spin_blocks.log_multiplicity(4, last))
    assert found.purity[-1] == pytest.approx(1.0 / ways)


@pytest.mark.parametrize("n", [1, 2, 3, 40])
def test_combinations_in_blocks_are_found(n):
    rng = np.random.default_rng(n)
    terms = ob.jz, ob.jz**2, ob.jx, ob.jy, ob.jz * ob.jx, ob.jz * ob.jy, ob.jx**2, ob.jx * ob.jy
    numbers = rng.normal(size=10)
    terms = (*terms, ob.j_square)
    one = numbers[0] + sum((c * term for c, term in zip(numbers[1:], terms, strict=True)), 0.0)
    (found,) = expectations.checked({"one": one}, n, False)
    assert found.operator is None
    if n > 2:
        np.testing.assert_allclose(found.combination, numbers, atol=1e-10)
    (other,) = expectations.checked({"one": one + 1e-6 * ob.population(n // 2)}, n, False)
    assert (other.combination is None) == (n > 2)


def test_what_says_nothing_of_shorter_spins_is_refused(monkeypatch):
    model = battery(4).charge()
    for given in (np.eye(5), lambda _: 0.0):
        for solve in (tb.mesolve, tb.mcsolve):
            with pytest.raises(TypeError, match="`e_ops` must be of trajbatt"):
                solve(model, [0.1], e_ops={"mine": given})
    monkeypatch.setattr(expectations, "MOST_IN_BLOCKS", 3)
    with pytest.raises(ValueError, match="offered up to 3 atoms"):
        tb.mesolve(model, [0.1], e_ops={"p": ob.parity})


def test_states_that_do_not_fit_are_refused(monkeypatch):
    monkeypatch.setattr("trajbatt.base.memory.of_machine", lambda: 10**4)
    with pytest.raises(ValueError, match="`keep_states` must fit into the 0 GB of memory"):
        tb.mesolve(battery(9).charge(), np.linspace(0, 1, 50), keep_states=True)
    tb.mesolve(battery(1).charge(), [1.0], keep_states=True)


def test_information_of_one_block_is_that_of_its_pure_state():
    ket = tb.coherent_state(5, 1.1, 0.3)
    found = _information(5, np.outer(ket, ket.conj()))
    assert np.linalg.eigvalsh(found)[-1] == pytest.approx(5.0)


def test_an_ensemble_out_of_a_mixed_state_knows_its_energy():
    one = battery(5)
    state = tb.steady_state(one.charge())
    runs = tb.mcsolve(one.store(), [0.1], 4, state, seed=1)
    assert runs.energy_at_start == pytest.approx(state.energy, abs=1e-10)
