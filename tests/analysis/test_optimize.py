"""The best ramp: its slopes, its optimum, and that trajectories find it, too."""

import numpy as np
import pytest

import trajbatt as tb

BATTERY = tb.Battery(6, 1.2, 60.0, gamma_plus=3.0)
KNOTS = {"theta": (0.6, 1.2, 2.2), "gamma_plus": (1.0, 3.0)}
OBJECTIVES = ("energy", "work", "work_per_photon")


def value_of(ramp, objective, in_period=True):
    exact = tb.mesolve(ramp, [ramp.duration])
    energy = exact.energy_in_period[1, 0] if in_period else exact.energy[0]
    if objective == "energy":
        return energy
    work = energy - ramp.n_atoms / 2 + np.linalg.norm(exact.mean_spin[:, 0])
    return work / exact.counts.sum() if objective == "work_per_photon" else work


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("in_period", [True, False])
def test_slopes_are_those_of_the_solver(objective, in_period):
    """Five solutions of the whole for each knot, which share nothing with them."""
    how = {"iterations": 1, "stages": 5, "in_period": in_period}
    found = tb.optimize(BATTERY, 0.3, KNOTS, objective, **how)
    for name, knots in found.knots.items():
        for i in range(knots.size):
            values, h = [], 2e-3
            for steps in (-2, -1, 1, 2):
                moved = {one: np.array(row) for one, row in found.knots.items()}
                moved[name][i] += steps * h
                ramp = BATTERY.ramp(0.3, **moved, stages=5)
                values.append(value_of(ramp, objective, in_period))
            slope = np.dot(values, [1.0, -8.0, 8.0, -1.0]) / (12.0 * h)
            assert found.slopes[name][i] == pytest.approx(slope, abs=2e-6), (name, i)
    assert found.value == pytest.approx(value_of(found.ramp, objective, in_period), abs=1e-8)
    assert found.value >= found.before


def test_it_finds_an_optimum():
    knots = {"theta": (0.6, 1.5, 2.2)}
    how = {"stages": 6, "bounds": {"theta": (0.2, 2.8)}, "in_period": False}
    found = tb.optimize(BATTERY, 0.3, knots, **how)
    assert found.converged
    start = BATTERY.ramp(0.3, **knots, stages=6)
    assert found.before == pytest.approx(value_of(start, "energy", False))
    assert found.value > found.before + 0.3
    for knot, slope in zip(found.knots["theta"], found.slopes["theta"], strict=True):
        inside = 0.201 < knot < 2.799
        assert abs(slope) < 0.02 or not inside
    for _ in range(5):  # nothing near it is better
        near = found.knots["theta"] + np.random.default_rng(1).normal(0.0, 0.05, 3)
        near = np.clip(near, 0.2, 2.8)
        other = BATTERY.ramp(0.3, theta=near, stages=6)
        assert value_of(other, "energy", False) <= found.value + 1e-4
    runs = tb.mcsolve(found.ramp, [0.3], 4000, seed=1)
    assert abs(runs.energy[0] - found.value) < 4.5 * runs.energy_sem[0]
    assert abs(runs.energy[0] - found.before) > 4.5 * runs.energy_sem[0]
    assert "before" in repr(found)


def test_a_gradient_costs_a_few_solutions(monkeypatch):
    """Counted in stages that are solved: 20 parameters within 10 solutions."""
    from trajbatt.analysis import optimize as module

    solved = []
    for name in ("forwards", "backwards"):
        one = getattr(module, name)
        monkeypatch.setattr(module, name, lambda *a, one=one: (solved.append(1), one(*a))[1])
    aim = module.Aim("energy", True, 6)
    task = module._Task.of(BATTERY, 0.3, {"theta": np.linspace(0.5, 2.5, 20)}, 20, aim, None)
    task.value(np.linspace(0.5, 2.5, 20), with_slopes=True)
    assert len(solved) <= 10 * 20


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"objective": "fun"}, "`objective` must be"),
        ({"bounds": {"omega_p": (1.0, 2.0)}}, "`bounds` must be"),
        ({"bounds": {"theta": (2.0, 1.0)}}, "`bounds` of theta must ascend"),
        (
            {"bounds": {"theta": (1.0, 2.0)}},
            "`knots` of theta must begin from 1 to 2, but",
        ),
        ({"iterations": 0}, "`iterations` must be"),
        ({"knots": {}}, "must have a parameter that changes"),
        ({"knots": {"theta": 3}}, "`theta` must be two or more values"),
        ({"battery": tb.Battery(3, 1.2, 9.0, local_0=1.0)}, "no noise of single atoms"),
    ],
)
def test_bad_input(given, message):
    arguments = {"battery": BATTERY, "duration": 0.3, "knots": {"theta": (0.6, 1.2)}, **given}
    with pytest.raises(ValueError, match=message):
        tb.optimize(**arguments)
    with pytest.raises(TypeError, match="`battery` must be a Battery"):
        tb.optimize(BATTERY.charge(), 0.3, {"theta": (0.6, 1.2)})
