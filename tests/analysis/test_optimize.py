"""The best ramp: its slopes, its optimum, and that trajectories find it, too."""

import numpy as np
import pytest

import trajbatt as tb

BATTERY = tb.Battery(6, 1.2, 60.0, gamma_plus=3.0)
KNOTS = {"theta": (0.6, 1.2, 2.2), "gamma_plus": (1.0, 3.0)}
OBJECTIVES = ("energy", "work", "work_per_photon")


def value_of(ramp, objective):
    exact = tb.mesolve(ramp, [ramp.duration])
    if objective == "energy":
        return exact.energy[0]
    work = exact.ergotropy_rotation[0]
    return work / exact.counts.sum() if objective == "work_per_photon" else work


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_slopes_are_those_of_the_solver(objective):
    """Five solutions of the whole for each knot, which share nothing with them."""
    found = tb.optimize(BATTERY, 0.3, KNOTS, objective, iterations=1, stages=5)
    for name, knots in found.knots.items():
        for i in range(knots.size):
            values, h = [], 2e-3
            for steps in (-2, -1, 1, 2):
                moved = {one: np.array(row) for one, row in found.knots.items()}
                moved[name][i] += steps * h
                values.append(value_of(BATTERY.ramp(0.3, **moved, stages=5), objective))
            slope = np.dot(values, [1.0, -8.0, 8.0, -1.0]) / (12.0 * h)
            assert found.slopes[name][i] == pytest.approx(slope, abs=2e-6), (name, i)
    assert found.value == pytest.approx(value_of(found.ramp, objective), abs=1e-8)
    assert found.value >= found.before


def test_it_finds_an_optimum():
    knots = {"theta": (0.6, 1.5, 2.2)}
    found = tb.optimize(BATTERY, 0.3, knots, stages=6, bounds={"theta": (0.2, 2.8)})
    assert found.converged
    assert found.before == pytest.approx(value_of(BATTERY.ramp(0.3, **knots, stages=6), "energy"))
    assert found.value > found.before + 0.3
    for knot, slope in zip(found.knots["theta"], found.slopes["theta"], strict=True):
        inside = 0.201 < knot < 2.799
        assert abs(slope) < 0.02 or not inside
    for _ in range(5):  # nothing near it is better
        near = found.knots["theta"] + np.random.default_rng(1).normal(0.0, 0.05, 3)
        near = np.clip(near, 0.2, 2.8)
        assert value_of(BATTERY.ramp(0.3, theta=near, stages=6), "energy") <= found.value + 1e-4
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
    task = module._Task.of(BATTERY, 0.3, {"theta": np.linspace(0.5, 2.5, 20)}, 20, "energy", None)
    task.value(np.linspace(0.5, 2.5, 20), with_slopes=True)
    assert len(solved) <= 10 * 20


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"objective": "fun"}, "`objective` must be"),
        ({"bounds": {"omega_p": (1.0, 2.0)}}, "`bounds` must be"),
        ({"bounds": {"theta": (2.0, 1.0)}}, "`bounds` of theta must ascend"),
        ({"bounds": {"theta": (1.0, 2.0)}}, "`knots` must begin within the bounds"),
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
