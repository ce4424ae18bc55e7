"""Light that is mixed with local oscillators: the models, and what they refuse."""

import math

import numpy as np
import pytest

import trajbatt as tb
from tests.oracle.dense import Stage, Twin, driving, jump_operators

BATTERY = tb.Battery(3, 1.1, 7.0)
DRIVEN, SECULAR = BATTERY.charge(secular=False), BATTERY.charge()
T = np.array([0.25, 0.6])


def mixed(jump, name, beta, phase, efficiency):
    """Return the jump operators behind a beam splitter, by channel."""
    one, oscillator = np.eye(len(jump)), beta * np.exp(1j * phase) / np.sqrt(2)
    found = {
        f"{name}_plus": jump * np.sqrt(efficiency / 2) + oscillator * one,
        f"{name}_minus": jump * np.sqrt(efficiency / 2) - oscillator * one,
    }
    return found | ({f"{name}_lost": jump * np.sqrt(1 - efficiency)} if efficiency < 1 else {})


def twin(model, beta, phase, efficiency):
    """Return the dense twin of mixed light; of lines in the picture that turns with H."""
    if model is DRIVEN:
        hamiltonian, jumps, _ = driving(BATTERY, np.inf)
    else:
        hamiltonian, found = jump_operators(BATTERY)
        hamiltonian, jumps = 0 * hamiltonian, dict(zip(model.channel_names, found, strict=True))
    every = {}
    for name, jump in jumps.items():
        every |= mixed(jump, name, beta, phase, efficiency)
    return Twin([Stage(hamiltonian, every, np.inf)])


@pytest.mark.parametrize("model", [DRIVEN, SECULAR], ids=["driven", "lines"])
@pytest.mark.parametrize("detector", [(1.3, 0.7, 1.0), (4.0, -2.0, 0.6)])
def test_counts_against_the_dense_twin(model, detector):
    own = tb.Homodyne(*detector).of(model)
    found = tb.mesolve(own, T, covariances=True, rtol=1e-10)
    plain = tb.mesolve(model, T, rtol=1e-10)
    np.testing.assert_allclose(found.energy, plain.energy, atol=1e-9)
    dense = twin(model, *detector)
    rho = np.zeros((4, 4), dtype=complex)
    rho[0, 0] = 1.0
    nodes, weights = np.polynomial.legendre.leggauss(24)
    times = 0.5 * T[-1] * (nodes + 1.0)
    for i, name in enumerate(own.channel_names):
        rates = [dense.rate(dense.evolve(rho, 0.0, t), t, name) for t in times]
        mean = 0.5 * T[-1] * weights @ rates
        assert found.counts[i, -1] == pytest.approx(mean, abs=1e-8)
    # The whole distribution of one detector's clicks, by its generating function.
    distribution = tb.counting.distribution(own, T[-1], own.channel_names[1])
    z = 0.4
    generating = np.trace(dense.evolve(rho, 0.0, T[-1], **{own.channel_names[1]: z})).real
    assert distribution @ z ** np.arange(distribution.size) == pytest.approx(generating, abs=1e-9)
    variance = distribution @ np.arange(distribution.size) ** 2 - found.counts[1, -1] ** 2
    assert found.counts_covariance[1, 1, -1] == pytest.approx(variance, abs=1e-6)


def test_quadratures_of_a_heterodyne():
    one = tb.Homodyne(2.0, 0.3, 0.5).of(DRIVEN)
    both = tb.Heterodyne(2.0, 0.3).of(DRIVEN)
    assert both.channel_names == ("all_x_plus", "all_x_minus", "all_y_plus", "all_y_minus")
    other = tb.Homodyne(2.0, 0.3 + np.pi / 2, 0.5).of(DRIVEN)
    currents = [tb.mesolve(model, T).current for model in (one, other)]
    np.testing.assert_allclose(tb.mesolve(both, T).current, np.concatenate(currents), atol=1e-7)


def test_each_line_may_have_its_own():
    first = tb.Homodyne(2.0).of(SECULAR, ["red"])
    model = tb.Heterodyne(1.0).of(first, "blue")
    assert model.channel_names == (
        "red_plus",
        "red_minus",
        "center",
        "blue_x_plus",
        "blue_x_minus",
        "blue_y_plus",
        "blue_y_minus",
    )
    assert [one.name for one in model.currents] == ["red", "blue_x", "blue_y"]


def test_protocols():
    model = tb.Homodyne(2.0).of(
        tb.Protocol([(DRIVEN, 0.3), (BATTERY.store(), 0.2), (BATTERY.discharge(), 0.4)])
    )
    assert model.channel_names == ("all_plus", "all_minus", "dis_plus", "dis_minus")
    assert [one.name for one in model.currents] == ["all", "dis"]
    exact = tb.mesolve(model, [0.3, 0.5, 0.9])
    assert exact.current.shape == (2, 2)
    assert exact.current[0, 1] == pytest.approx(0.0, abs=1e-9)


def test_no_oscillator_no_current():
    assert tb.mesolve(DRIVEN, T).current is None
    assert tb.mcsolve(DRIVEN, T, 2, seed=1).current is None


def test_waste_is_not_told():
    model = tb.Homodyne(2.0).of(DRIVEN)
    assert np.isnan(tb.mesolve(model, T).waste).all()  # the oscillator's clicks are no photons


def test_qutip_has_the_same_operators():
    pytest.importorskip("qutip")
    model = tb.Homodyne(1.3, 0.7, 0.6).of(DRIVEN)
    problem, dense = tb.to_qutip(model), twin(DRIVEN, 1.3, 0.7, 0.6)
    for ours, theirs in zip(problem.c_ops, dense.stages[0].jumps.values(), strict=True):
        np.testing.assert_allclose(ours.full()[::-1, ::-1], theirs, atol=1e-12)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: tb.Homodyne(0.0), "`beta` must be a finite number above zero"),
        (lambda: tb.Homodyne(-math.inf), "`beta`"),
        (lambda: tb.Homodyne(1.0, efficiency=1.5), "`efficiency`"),
        (lambda: tb.Homodyne(1.0).of(SECULAR, "green"), "`channels` must be"),
        (lambda: tb.Homodyne(1.0).of(BATTERY), "`model` must be"),
        (
            lambda: tb.Homodyne(1.0).of(tb.Protocol([(DRIVEN, 0.1), (SECULAR, 0.1)]), "al"),
            "`channels` must be 'all', 'red', 'center' or 'blue'",
        ),
        (lambda: tb.Homodyne(1.0).of(tb.Battery(3, 1.1, 7.0, local_0=0.1).charge()), "J = N/2"),
        (
            lambda: tb.Homodyne(1.0).of(tb.Homodyne(math.inf).of(SECULAR, "red"), "blue"),
            "`beta` must be inf for all",
        ),
        (
            lambda: tb.mcsolve(tb.Homodyne(math.inf).of(DRIVEN), T, 4, keep_clicks=True),
            "`keep_clicks` must be false",
        ),
        (
            lambda: tb.counting.distribution(tb.Homodyne(math.inf).of(DRIVEN), 0.5, "all"),
            "`model` must have clicks",
        ),
        (
            lambda: tb.mcsolve(DRIVEN, T, 4, keep_samples=("current",)),
            "`keep_samples` must be",
        ),
    ],
)
def test_what_is_refused(wrong, message):
    with pytest.raises((ValueError, TypeError), match=message):
        wrong()


def test_the_steady_state_is_that_without_oscillators():
    mixed = tb.steady_state(tb.Homodyne(2.0).of(SECULAR))
    assert mixed.energy == tb.steady_state(SECULAR).energy


@pytest.mark.parametrize(("beta", "word"), [(3.0, "clicks"), (math.inf, "currents")])
def test_cards_and_pictures_say_what_is_counted(beta, word):
    model = tb.Homodyne(beta).of(DRIVEN)
    runs = tb.mcsolve(model, np.linspace(0.0, 0.3, 5), 40, seed=1)
    one, exact = runs.replay(0), tb.mesolve(model, runs.times)
    for result in (runs, one, exact, tb.compare(runs, exact)):
        assert word in repr(result)
        assert "photons, all" not in repr(result)
    axes = one.plot().axes[-1]
    assert word in axes.get_ylabel()
    assert len(axes.lines) == (0 if model.has_clicks else 1)
