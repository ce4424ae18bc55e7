"""Means of operators and functions that users give, beside their exact twins."""

import numpy as np
import pytest
from oracle.dense import spin_operators
from scipy.sparse import csr_array, diags_array

import trajbatt as tb
from trajbatt.states import expectations

N = 6
BATTERY = tb.Battery(N, 1.87, 60.0, gamma_plus=10.0)
CYCLE = tb.Protocol([(BATTERY.charge(), 0.5), (BATTERY.store(), 0.2), (BATTERY.discharge(), 0.2)])
DRIVEN = tb.Battery(N, 1.2, 30.0).charge(secular=False)
CASES = [
    pytest.param(BATTERY.charge(), None, id="ladder"),
    pytest.param(BATTERY.charge(), "mcwf", id="mcwf"),
    pytest.param(DRIVEN, None, id="driven"),
    pytest.param(CYCLE, None, id="cycle"),
]
J_Z, J_PLUS = spin_operators(N)
J_X, J_Y = (J_PLUS + J_PLUS.T) / 2, (J_PLUS - J_PLUS.T) / 2j
RNG = np.random.default_rng(3)
ANY = RNG.normal(size=(N + 1, N + 1)) + 1j * RNG.normal(size=(N + 1, N + 1))
ANY = ANY + ANY.conj().T
OPERATORS = {
    "Jx": (tb.observables.jx, J_X),
    "Jx^2": (tb.observables.jx**2, J_X @ J_X),
    "Jy^2": (tb.observables.jy**2, J_Y @ J_Y),
    "JxJy": (tb.observables.jx * tb.observables.jy, (J_X @ J_Y + J_Y @ J_X) / 2),
    "JyJz": (tb.observables.jz * tb.observables.jy, (J_Y @ J_Z + J_Z @ J_Y) / 2),
    "JxJz": (tb.observables.jx * tb.observables.jz, (J_X @ J_Z + J_Z @ J_X) / 2),
    "sum": (1 + 2 * tb.observables.jz**2 - tb.observables.jy, np.eye(N + 1) + 2 * J_Z @ J_Z - J_Y),
    "parity": (tb.observables.parity, np.diag((-1.0) ** np.arange(N + 1))),
    "full": (tb.observables.population(N), np.diag(1.0 * (np.arange(N + 1) == N))),
    "any": (ANY, ANY),
    "sparse": (diags_array(np.arange(N + 1.0) ** 3), np.diag(np.arange(N + 1.0) ** 3)),
}
E_OPS = {name: given for name, (given, _) in OPERATORS.items()}


@pytest.mark.parametrize(("model", "method"), CASES[::2] + CASES[3:])
def test_exact_means_are_those_in_the_density_matrix(model, method):
    times = np.linspace(0.0, 0.8 if model is CYCLE else 0.3, 7)
    exact = tb.mesolve(model, times, keep_states=True, e_ops=E_OPS)
    for name, (_, matrix) in OPERATORS.items():
        expected = np.einsum("ij,tji->t", matrix, exact.states).real
        np.testing.assert_allclose(exact.expect[name], expected, atol=1e-11, err_msg=name)
    # Without the states, and with functions of the matrix.
    purity = {"purity": lambda rho: float(np.trace(rho @ rho).real)}
    again = tb.mesolve(model, times, e_ops={"Jx": tb.observables.jx, **purity})
    np.testing.assert_allclose(again.expect["Jx"], exact.expect["Jx"], atol=1e-12)
    purities = np.einsum("tij,tji->t", exact.states, exact.states).real
    np.testing.assert_allclose(again.expect["purity"], purities, atol=1e-11)


@pytest.mark.slow
@pytest.mark.parametrize(("model", "method"), CASES)
def test_ensembles_have_the_exact_means(model, method):
    times = np.linspace(0.0, 0.8 if model is CYCLE else 0.3, 5)[1:]
    exact = tb.mesolve(model, times, e_ops=E_OPS)
    runs = tb.mcsolve(model, times, 2000, seed=2, method=method, e_ops=E_OPS)
    for name in E_OPS:
        z = (runs.expect[name] - exact.expect[name]) / runs.expect_sem[name]
        assert np.abs(z).max() < 4.5, name
    # Negative control: the wrong sign of a component.
    wrong = runs.expect["any"] - tb.mesolve(model, times, e_ops={"any": ANY.conj()}).expect["any"]
    assert np.abs(wrong / runs.expect_sem["any"]).max() > 10


@pytest.mark.parametrize(("model", "method"), CASES)
def test_a_trajectory_has_the_means_of_its_states(model, method):
    times = np.linspace(0.0, 0.8 if model is CYCLE else 0.3, 5)
    options = dict(seed=2, method=method, rtol=1e-11)  # of the banded engine alone
    runs = tb.mcsolve(model, times, 3, e_ops=E_OPS, **options)
    every = [runs.replay(i, keep_states=True) for i in range(3)]
    for name, (_, matrix) in OPERATORS.items():
        for one in every:
            expected = np.einsum("ti,ij,tj->t", one.states.conj(), matrix, one.states).real
            np.testing.assert_allclose(one.expect[name], expected, atol=1e-11, err_msg=name)
        mean = np.mean([one.expect[name] for one in every], axis=0)
        np.testing.assert_allclose(runs.expect[name], mean, atol=1e-10)
    # What is read off in any case does not change by a bit, nor by how many workers there are.
    plain = tb.mcsolve(model, times, 3, **options)
    np.testing.assert_array_equal(plain.replay(1).energy, every[1].energy)


def test_errors_are_those_of_the_mean():
    model = BATTERY.charge()
    means, sems = [], []
    for seed in range(100):
        runs = tb.mcsolve(model, [0.2], 50, seed=seed, threads=1, e_ops={"any": ANY})
        means.append(runs.expect["any"][0])
        sems.append(runs.expect_sem["any"][0])
    assert np.std(means, ddof=1) / np.mean(sems) == pytest.approx(1.0, abs=0.3)


def test_stores_hold_them(tmp_path):
    model, times = BATTERY.charge(), [0.1, 0.2]
    e_ops = {name: E_OPS[name] for name in ("Jx", "any", "full")}
    tb.mcsolve(model, times, 100, seed=2, e_ops=e_ops, store=tmp_path)
    runs = tb.mcsolve(model, times, 6000, seed=2, e_ops=e_ops, store=tmp_path)
    loaded, at_once = tb.load(tmp_path), tb.mcsolve(model, times, 6000, seed=2, e_ops=e_ops)
    for name in e_ops:
        for other in (loaded, at_once):
            np.testing.assert_array_equal(other.expect[name], runs.expect[name])
            np.testing.assert_array_equal(other.expect_sem[name], runs.expect_sem[name])
        again = loaded.replay(2).expect[name]
        np.testing.assert_array_equal(again, runs.replay(2).expect[name])
    for others in ({"Jx": tb.observables.jx}, {**e_ops, "any": 2 * ANY}):
        with pytest.raises(ValueError, match="`store` must hold the same run"):
            tb.mcsolve(model, times, 100, seed=2, e_ops=others, store=tmp_path)
    with pytest.raises(ValueError, match="must be operators where there is a store, but 'f' is a"):
        tb.mcsolve(model, times, 100, seed=2, e_ops={"f": np.linalg.norm}, store=tmp_path)


def test_sums_of_runs_and_functions_of_kets():
    def spread(ket):
        return float((np.abs(ket) ** 4).sum())

    runs = [tb.mcsolve(BATTERY.charge(), [0.2], 40, seed=s, e_ops={"s": spread}) for s in (1, 2)]
    both = sum(runs)
    mean = np.mean([one.expect["s"] for one in runs])
    assert both.expect["s"][0] == pytest.approx(mean)
    states = [runs[0].replay(i, keep_states=True).states[0] for i in range(40)]
    assert runs[0].expect["s"][0] == pytest.approx(np.mean([spread(ket) for ket in states]))


@pytest.mark.parametrize(
    ("name", "cheap"),
    [
        ("Jx", True),
        ("sum", True),
        ("Jx^2", True),
        ("JxJz", True),
        ("JxJy", True),
        ("parity", False),
        ("any", False),
        ("full", False),
    ],
)
def test_which_operators_cost_nothing(name, cheap):
    (one,) = expectations.checked({name: E_OPS[name]}, N, True)
    assert (one.combination is not None) == cheap


@pytest.mark.parametrize("n", [1, 2, 3, 40])
def test_combinations_are_found(n):
    rng = np.random.default_rng(n)
    jx, jy, jz = tb.observables.jx, tb.observables.jy, tb.observables.jz
    terms = jz, jz**2, jx, jy, jz * jx, jz * jy, jx**2, jx * jy
    numbers = rng.normal(size=9)
    one = numbers[0] + sum((c * term for c, term in zip(numbers[1:], terms, strict=True)), 0.0)
    (found,) = expectations.checked({"one": one}, n, True)
    if n > 1:
        np.testing.assert_allclose(found.combination, [*numbers, 0.0], atol=1e-11)
    else:  # J_z^2 is a number
        assert found.combination is not None
    # Without operators of the same diagonal that are no parabola.
    other = csr_array(one.matrix(n) + np.diag(1e-6 * (np.arange(n + 1) == 1)))
    assert (expectations.checked({"one": other}, n, True)[0].combination is None) == (n > 2)


def test_qutip_runs_the_other_way():
    qutip = pytest.importorskip("qutip")
    e_ops = {"x": qutip.jmat(N / 2, "x"), "y": qutip.jmat(N / 2, "y"), "z": qutip.jmat(N / 2, "z")}
    exact = tb.mesolve(DRIVEN, [0.1, 0.3], e_ops=e_ops)
    dipole = exact.expect["x"] + 1j * exact.expect["y"]
    np.testing.assert_allclose(dipole, exact.dipole, atol=1e-12)
    np.testing.assert_allclose(exact.expect["z"], exact.energy - N / 2, atol=1e-12)


def test_datasets_have_them(tmp_path):
    xarray = pytest.importorskip("xarray")
    e_ops = {"Jx": tb.observables.jx, "any": ANY}
    runs = tb.mcsolve(BATTERY.charge(), [0.1, 0.2], 100, seed=1, e_ops=e_ops)
    runs.save(tmp_path / "runs.nc")
    with xarray.open_dataset(tmp_path / "runs.nc") as found:
        for name in e_ops:
            one = found.sel(observable=name)
            np.testing.assert_array_equal(one["expect"], runs.expect[name])
            np.testing.assert_array_equal(one["expect_sem"], runs.expect_sem[name])
    exact = tb.mesolve(BATTERY.charge(), [0.1, 0.2], e_ops=e_ops).to_xarray()
    assert exact["expect"].dims == ("observable", "time")
    assert "expect_sem" not in exact


@pytest.mark.parametrize("solve", [tb.mesolve, tb.mcsolve])
@pytest.mark.parametrize(
    ("e_ops", "message"),
    [
        ([J_X], "`e_ops` must be a dict of names and operators"),
        ({1: J_X}, "`e_ops` must have names, but one is 1"),
        ({"a": "Jx"}, "`e_ops` must hold operators or functions of a state, but 'a' is 'Jx'"),
        ({"a": np.eye(3)}, r"of the shape \(7, 7\), but 'a' has \(3, 3\)"),
        ({"a": np.ones(7)}, r"of the shape \(7, 7\), but 'a' has \(7,\)"),
        ({"a": J_PLUS}, "must hold Hermitian operators, but 'a' deviates by"),
        ({"a": np.diag([np.nan] * 7)}, "must hold finite numbers, but 'a' does not"),
        ({"a": tb.observables.population(8)}, "`k` must be at most the number of atoms, 6"),
        ({"a": lambda _: 1j}, "must give real numbers, but 'a' gives 1j"),
    ],
)
def test_bad_operators(solve, e_ops, message):
    with pytest.raises((ValueError, TypeError, RuntimeError), match=message):
        solve(BATTERY.charge(), [0.1], e_ops=e_ops)


@pytest.mark.parametrize("scale", [1e-25, 1e-13, 1.0, 1e20])
def test_means_scale_with_the_operator(scale):
    # In SI units an energy is 1e-25: an absolute tolerance took it for a constant.
    e_ops = {name: scale * E_OPS[name] for name in ("parity", "full", "Jx^2", "sum", "any")}
    scaled = tb.mesolve(BATTERY.charge(), [0.1, 0.3], e_ops=e_ops)
    exact = tb.mesolve(BATTERY.charge(), [0.1, 0.3], e_ops=E_OPS)
    for name in e_ops:
        np.testing.assert_allclose(scaled.expect[name] / scale, exact.expect[name], rtol=1e-9)


def test_functions_of_one_name_are_not_mixed():
    runs = [
        tb.mcsolve(BATTERY.charge(), [0.1], 20, seed=seed, e_ops={"f": function})
        for seed, function in ((1, np.linalg.norm), (2, lambda ket: 100.0))
    ]
    with pytest.raises(ValueError, match="'f' of `e_ops` is another function"):
        sum(runs)


def test_functions_cannot_spoil_what_others_look_at():
    def spoil(state):
        state *= 0.0
        return 0.0

    with pytest.raises(ValueError, match="read-only"):
        tb.mesolve(BATTERY.charge(), [0.1], e_ops={"f": spoil}, keep_states=True)


@pytest.mark.parametrize("value", [None, "3"])
def test_functions_give_numbers(value):
    with pytest.raises(TypeError, match="`e_ops` must give real numbers, but 'f' gives"):
        tb.mesolve(BATTERY.charge(), [0.1], e_ops={"f": lambda _: value})


def test_one_operator_however_it_is_given(tmp_path):
    given = tb.observables.jx, J_X.astype(complex), csr_array(J_X)
    results = [
        tb.mcsolve(BATTERY.charge(), [0.1], 20, seed=1, e_ops={"x": one}, store=tmp_path)
        for one in given
    ]
    assert len({result.expect["x"].tobytes() for result in results}) == 1


def test_too_many_atoms_for_states_bind_no_store(tmp_path):
    model = tb.Battery(12_000, 1.87, 1e5).charge()
    with pytest.raises(ValueError, match=r"`e_ops` other than sums of .* up to 10000 atoms"):
        tb.mcsolve(model, [1e-7], 1, e_ops={"p": tb.observables.parity}, store=tmp_path / "store")
    assert not (tmp_path / "store").exists()


def test_names_of_observables():
    x, y = tb.observables.jx, tb.observables.jy
    assert (x * (y + 1)).name == "jx*(jy + 1)"
    assert ((2 * x) ** 2).name == "(2 jx)**2"
    np.testing.assert_allclose((x / 2).matrix(N), J_X / 2)


def test_products_of_many_atoms():
    n = 10_000
    battery = tb.Battery(n, 1.87, 10.0 * n, gamma_plus=10.0)
    model, times = battery.charge(), battery.charging_time * np.array([0.3, 1.0])
    jx, jy, jz = tb.observables.jx, tb.observables.jy, tb.observables.jz
    e_ops = {"x": jx**2, "y": jy**2, "z": jz**2, "xz": jx * jz}
    runs = tb.mcsolve(model, times, 64, seed=1, e_ops=e_ops)
    exact = tb.mesolve(model, times, e_ops=e_ops)
    for found in (runs, exact):
        total = found.expect["x"] + found.expect["y"] + found.expect["z"]
        np.testing.assert_allclose(total, n / 2 * (n / 2 + 1), rtol=1e-11)
    for name in e_ops:
        z = (runs.expect[name] - exact.expect[name]) / runs.expect_sem[name]
        assert np.abs(z).max() < 4.5, name
