"""Models as QuTiP takes them, and clicks of its results."""

import sys
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from oracle import dense
from oracle.clicks import NAMES, of_rows, same_clicks

import trajbatt as tb
from trajbatt import exchange

BATTERY = tb.Battery(3, 1.87, 30.0, 1.5, 10.0, 0.7)


def test_clicks_of_a_qutip_result():
    result = SimpleNamespace(
        times=[0.0, 1.0, 2.0],
        col_times=[[0.5, 1.5], [], np.array([0.25])],
        col_which=[[2, 0], [], np.array([1])],
    )
    expected = of_rows((0, 0.5, "blue"), (0, 1.5, "red"), (2, 0.25, "center"), ntraj=3,
                       duration=2.0)  # fmt: skip
    same_clicks(exchange.from_qutip(result, NAMES), expected)
    same_clicks(exchange.from_qutip(result, NAMES, duration=3.0), replace(expected, duration=3.0))
    with pytest.raises(ValueError, match="`channels` must name 3 collapse operators or more, but "):
        exchange.from_qutip(result, ("a", "b"))
    for which, message in (
        ([[-1]], "numbers of collapse operators >= 0 in col_which, but has -1"),
        ([[0.5]], "numbers of collapse operators in col_which, but has float64"),
        ([[0, 1]], "a collapse operator for each time, but has not"),
    ):
        wrong = SimpleNamespace(times=[0.0, 1.0], col_times=[[0.5]], col_which=which)
        with pytest.raises((ValueError, TypeError), match=message):
            exchange.from_qutip(wrong, NAMES)
    dark = SimpleNamespace(times=[0.0, 1.0], col_times=[[], []], col_which=[[], []])
    found = exchange.from_qutip(dark, ("all",))
    assert (len(found), found.ntraj, found.duration) == (0, 2, 1.0)


class Operator:
    """As much of a Qobj as a bridge needs."""

    def __init__(self, array):
        self.array = np.asarray(array)

    def __add__(self, other):
        other = other.array if isinstance(other, Operator) else other * np.eye(len(self.array))
        return Operator(self.array + other)

    def __sub__(self, other):
        return self + (-1) * other

    def __mul__(self, other):
        return Operator(
            self.array @ other.array if isinstance(other, Operator) else self.array * other
        )

    __rmul__ = __mul__


@pytest.fixture
def stand_in(monkeypatch):
    def jmat(j):
        j_z, j_plus = (one[::-1, ::-1] for one in dense.spin_operators(round(2 * j)))
        return [Operator(one) for one in ((j_plus + j_plus.T) / 2, (j_plus - j_plus.T) / 2j, j_z)]

    monkeypatch.setitem(sys.modules, "qutip", SimpleNamespace(jmat=jmat, Qobj=Operator))


DRIVEN = tb.Battery(3, 1.2, 20.0, 1.3, 1.3, 1.3)
MIXED = np.diag([0.4, 0.1, 0.0, 0.5]) + 0.1 * np.eye(4)[[3, 1, 2, 0]] * [[1j], [0], [0], [-1j]]

MODELS = {
    "charge": (BATTERY.charge(), None),
    "charge, complex": (BATTERY.charge(), tb.coherent_state(3, 1.0, 0.7)),
    "charge, steady": (BATTERY.charge(), tb.steady_state(BATTERY.charge())),
    "charge, mixed": (BATTERY.charge(), MIXED),
    "driven": (DRIVEN.charge(secular=False), None),
    "driven, complex": (DRIVEN.charge(secular=False), tb.coherent_state(3, 2.0, -0.4)),
    "driven, steady": (
        DRIVEN.charge(secular=False), tb.steady_state(DRIVEN.charge(secular=False)),
    ),
    "discharge": (BATTERY.discharge(0.8), None),
    "discharge, complex": (BATTERY.discharge(0.8), tb.coherent_state(3, 1.0, 0.7)),
    "store": (BATTERY.store(), MIXED),
}  # fmt: skip


@pytest.mark.parametrize("case", MODELS)
def test_the_problem_is_that_of_mesolve(case, stand_in):
    model, initial = MODELS[case]
    problem = tb.to_qutip(model, initial)
    hamiltonian, jumps, observables, state = problem
    assert len(jumps) == len(model.channel_names)
    rho = state.array
    if rho.shape == (4, 1):
        rho = rho @ rho.conj().T
    assert np.trace(rho) == pytest.approx(1.0)
    jumps = dict(zip(model.channel_names, (jump.array for jump in jumps), strict=True))
    twin = dense.Twin([dense.Stage(hamiltonian.array, jumps, np.inf)])
    times = [0.0, 0.13, 0.4]
    rhos = [twin.evolve(rho, 0.0, t) for t in times]
    exact = tb.mesolve(model, times, initial, keep_states=True)
    energy, square, dipole = (
        np.array([np.trace(observables[name].array @ rho) for rho in rhos])
        for name in ("energy", "energy_squared", "dipole")
    )
    np.testing.assert_allclose(energy, exact.energy, atol=1e-8)
    np.testing.assert_allclose(square - energy**2, exact.energy_variance, atol=1e-7)
    np.testing.assert_allclose(dipole, exact.dipole, atol=1e-8)
    flipped = np.array(rhos)[:, ::-1, ::-1]
    np.testing.assert_allclose(flipped, exact.states, atol=1e-8)


def test_operators_one_by_one(stand_in):
    hamiltonian, jumps = dense.jump_operators(BATTERY)
    problem = tb.to_qutip(BATTERY.charge())
    np.testing.assert_allclose(problem.H.array[::-1, ::-1], hamiltonian, atol=1e-12)
    for found, expected in zip(problem.c_ops, jumps, strict=True):
        np.testing.assert_allclose(found.array[::-1, ::-1], expected, atol=1e-12)
    _, j_plus = dense.spin_operators(3)
    problem = tb.to_qutip(DRIVEN.charge(secular=False))
    np.testing.assert_allclose(
        problem.H.array[::-1, ::-1], dense.jump_operators(DRIVEN)[0], atol=1e-12
    )
    (found,) = problem.c_ops
    np.testing.assert_allclose(found.array[::-1, ::-1], np.sqrt(1.3) * j_plus.T, atol=1e-12)
    np.testing.assert_allclose(problem.psi0.array.ravel(), [0, 0, 0, 1], atol=1e-12)
    problem = tb.to_qutip(BATTERY.discharge(0.8), tb.excited_state(3))
    (found,) = problem.c_ops
    np.testing.assert_allclose(found.array[::-1, ::-1], np.sqrt(0.8) * j_plus.T, atol=1e-12)
    np.testing.assert_allclose(np.abs(problem.psi0.array.ravel()), [1, 0, 0, 0], atol=1e-12)
    assert tb.to_qutip(BATTERY.store()).c_ops == []


def test_what_qutip_does_not_take(stand_in):
    cycle = tb.Protocol([(BATTERY.charge(), 1.0), (BATTERY.discharge(), 1.0)])
    for wrong, name in ((cycle, "Protocol"), (BATTERY, "Battery"), (None, "NoneType")):
        with pytest.raises(TypeError, match=f"`model` must be a single model .* is a {name}"):
            tb.to_qutip(wrong)
    with pytest.raises(ValueError, match="`initial` must"):
        tb.to_qutip(BATTERY.charge(), np.zeros(7))


def test_without_qutip(monkeypatch):
    monkeypatch.setitem(sys.modules, "qutip", None)
    with pytest.raises(ImportError, match="qutip is needed for this: pip install qutip"):
        tb.to_qutip(BATTERY.charge())


@pytest.mark.slow
@pytest.mark.parametrize("case", MODELS)
def test_qutip_agrees(case):
    qutip = pytest.importorskip("qutip")
    model, initial = MODELS[case]
    hamiltonian, jumps, observables, state = tb.to_qutip(model, initial)
    times = np.linspace(0.0, 0.4, 5)
    options = {"atol": 1e-12, "rtol": 1e-10, "nsteps": 100_000, "progress_bar": ""}
    found = qutip.mesolve(hamiltonian, state, times, jumps, e_ops=observables, options=options)
    exact = tb.mesolve(model, times, initial)
    energy = np.array(found.e_data["energy"])
    np.testing.assert_allclose(energy, exact.energy, atol=1e-7)
    variance = np.array(found.e_data["energy_squared"]) - energy**2
    np.testing.assert_allclose(variance, exact.energy_variance, atol=1e-6)
    np.testing.assert_allclose(found.e_data["dipole"], exact.dipole, atol=1e-7)


@pytest.mark.slow
@pytest.mark.parametrize("case", ["charge", "driven", "discharge, complex"])
def test_clicks_of_qutip_have_the_exact_statistics(case):
    qutip = pytest.importorskip("qutip")
    model, initial = MODELS[case]
    hamiltonian, jumps, _, state = tb.to_qutip(model, initial)
    options = {"norm_t_tol": 1e-12, "norm_tol": 1e-4, "norm_steps": 50, "progress_bar": ""}
    times = [0.0, 0.2, 0.4]
    found = qutip.mcsolve(hamiltonian, state, times, jumps, ntraj=300, seeds=1, options=options)
    clicks = exchange.from_qutip(found, model.channel_names)
    assert clicks.channels == model.channel_names
    assert (clicks.ntraj, clicks.duration) == (300, 0.4)
    exact = tb.mesolve(model, times[1:], initial).counts
    for row, name in zip(exact, clicks.channels, strict=True):
        mean = tb.photons.mean(clicks, times[1:], name)
        assert np.abs((mean.value - row) / mean.sem).max() < 4
        assert np.abs((mean.value - 1.5 * row) / mean.sem).max() > 4
    # One of its trajectories tells the filter something.
    one = tb.filter(model, clicks.of_trajectory(0), times, initial=initial)
    assert np.all(np.isfinite(one.log_likelihood))
