"""Maximum likelihood: closed forms, every kind of model, and errors that are right."""

import types
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from oracle.statistics import p_of_scores

import trajbatt as tb
from trajbatt import exchange

BATTERY = tb.Battery(3, 1.87, 30.0, gamma_plus=10.0)
ATOM = tb.Battery(1, 1.3, 10.0, gamma_plus=2.0)


def watched(model, duration, ntraj=1, seed=1, initial=None):
    return tb.mcsolve(model, [duration], ntraj, initial, seed=seed, keep_clicks=True).clicks


def near(found, name, value, error):
    assert found.values[name] == pytest.approx(value, abs=0.01 * error)
    assert found.errors[name] == pytest.approx(error, rel=0.01)
    assert found.converged


# Closed forms -------------------------------------------------------------------------------------


@pytest.mark.slow
def test_one_atom_that_discharges():
    model, excited = ATOM.discharge(), tb.excited_state(1)
    clicks = watched(model, 0.8, 80, initial=excited)
    # gamma^n exp(-gamma (all time that was spent excited))
    first = [clicks.of_trajectory(i).time for i in range(80)]
    time = sum(float(at[0]) if at.size else 0.8 for at in first)
    n = len(clicks)
    assert 20 < n < 80
    found = tb.fit(ATOM.discharge(3.0), clicks, ["gamma"], initial=excited)
    near(found, "gamma", n / time, n**0.5 / time)
    assert found.log_likelihood == pytest.approx(n * np.log(n / time) - n)
    assert (found.n_clicks, found.ntraj, found.parameters) == (n, 80, ("gamma",))
    assert found.covariance[0, 0] == pytest.approx(found.errors["gamma"] ** 2)
    # Trajectories that did not click count: without them the rate is larger.
    bright = clicks.of_trajectory(clicks.trajectory[0])
    lone = tb.fit(ATOM.discharge(3.0), bright, ["gamma"], initial=excited)
    near(lone, "gamma", 1 / bright.time[0], 1 / bright.time[0])


@pytest.mark.slow
@pytest.mark.parametrize(("efficiency", "dark_rate"), [(1.0, 0.0), (0.4, 0.0), (0.4, 0.05)])
def test_center_photons_of_one_atom(efficiency, dark_rate):
    # They come at the rate gamma_0 sin^2(theta)/4, whatever the state.
    clicks = watched(ATOM.charge(), 1000.0, 2)
    clicks = tb.Detectors(efficiency, dark_rate).see(clicks, seed=1)
    n = np.sum(clicks.channel == 1)
    seen = efficiency * np.sin(ATOM.theta) ** 2 / 4
    found = tb.fit(ATOM, clicks, ["gamma_0"], efficiency, dark_rate=dark_rate)
    near(found, "gamma_0", (n / 2000 - dark_rate) / seen, n**0.5 / 2000 / seen)
    # Without a click for longer, the rate is lower.
    longer = tb.fit(ATOM, clicks, ["gamma_0"], efficiency, dark_rate=dark_rate, duration=1100.0)
    near(longer, "gamma_0", (n / 2200 - dark_rate) / seen, n**0.5 / 2200 / seen)


def test_the_curvature_of_two_parameters():
    clicks = watched(BATTERY.charge(), 100.0)
    found = tb.fit(BATTERY, clicks)
    names, steps = found.parameters, [0.02 * found.errors[name] for name in found.parameters]

    def log_likelihood(*shifts):
        changed = {
            name: found.values[name] + shift * step
            for name, shift, step in zip(names, shifts, steps, strict=True)
        }
        model = replace(BATTERY, **changed).charge()
        return tb.filter(model, clicks, [100.0]).log_likelihood[-1]

    best = log_likelihood(0, 0)
    assert best == pytest.approx(found.log_likelihood, abs=1e-9)
    information = -np.array(
        [
            [
                (log_likelihood(1, 0) - 2 * best + log_likelihood(-1, 0)) / steps[0] ** 2,
                (
                    log_likelihood(1, 1)
                    - log_likelihood(1, -1)
                    - log_likelihood(-1, 1)
                    + log_likelihood(-1, -1)
                )
                / (4 * steps[0] * steps[1]),
            ],
            [0.0, (log_likelihood(0, 1) - 2 * best + log_likelihood(0, -1)) / steps[1] ** 2],
        ]
    )
    information[1, 0] = information[0, 1]
    np.testing.assert_allclose(found.covariance, np.linalg.inv(information), rtol=0.02)
    np.testing.assert_allclose(list(found.errors.values()), np.sqrt(np.diag(found.covariance)))
    # It is the maximum.
    assert best > max(log_likelihood(*at) for at in [(1, 0), (-1, 0), (0, 1), (0, -1), (1, -1)])


# Every kind of model ------------------------------------------------------------------------------


def cycle(battery, gamma):
    return tb.Protocol(
        [(battery.charge(), 0.5), (battery.store(), 0.1), (battery.discharge(gamma), 1.0)]
    )


START = replace(BATTERY, gamma_0=1.3, gamma_plus=8.0, gamma_minus=1.2)
DRIVEN = tb.Battery(2, 1.2, 5.0)
CASES = {
    "battery": (BATTERY.charge(), START, 300.0, 1, ("gamma_0", "gamma_plus", "gamma_minus")),
    "model": (BATTERY.charge(), replace(BATTERY, theta=1.7).charge(), 200.0, 1, ("theta",)),
    "transient": (BATTERY.charge(), START, 0.4, 40, ("gamma_plus", "gamma_0", "gamma_minus")),
    "discharge": (BATTERY.discharge(), BATTERY.discharge(2.0), 1.0, 40, ("gamma",)),
    "before the discharge": (
        BATTERY.discharge(),
        replace(BATTERY, theta=2.1).discharge(1.3),
        1.0,
        40,
        ("theta", "gamma"),
    ),
    "driven": (
        DRIVEN.charge(secular=False),
        tb.Battery(2, 1.2, 5.0, 1.5, 1.5, 1.5).charge(secular=False),
        20.0,
        1,
        ("gamma",),
    ),
    "protocol": (
        cycle(BATTERY, 1.0),
        cycle(replace(BATTERY, gamma_plus=8.0), 1.5),
        1.6,
        15,
        ("gamma_plus", "gamma"),
    ),
}


QUICK = {"model", "discharge", "driven"}


@pytest.mark.parametrize(
    "case",
    [pytest.param(case, marks=[pytest.mark.slow] * (case not in QUICK)) for case in CASES],
)
def test_parameters_are_recovered(case):
    model, start, duration, ntraj, names = CASES[case]
    clicks = watched(model, duration, ntraj)
    found = tb.fit(start, clicks, names)
    assert found.converged
    assert found.parameters == names
    truth = {"theta": 1.87, "gamma_0": 1.0, "gamma_plus": 10.0, "gamma_minus": 1.0, "gamma": 1.0}
    for name in names:
        pull = (found.values[name] - truth[name]) / found.errors[name]
        assert abs(pull) < 3.5, (name, pull)
        assert found.errors[name] < 0.6 * truth[name]
    # The model has the values that were found, and what was not fitted stays.
    first = found.battery
    for name in ("theta", "gamma_0", "gamma_plus", "gamma_minus"):
        kept = start if isinstance(start, tb.Battery) else tb.Battery.from_model(start)
        expected = found.values.get(name, getattr(kept, name))
        if case == "driven" and name != "theta":
            expected = found.values["gamma"]
        assert getattr(first, name) == pytest.approx(expected, rel=1e-9)
    if case == "protocol":
        rates = found.values
        fitted = cycle(replace(BATTERY, gamma_plus=rates["gamma_plus"]), rates["gamma"])
        assert repr(found.model) == repr(fitted)
        for (one, _), (other, _) in zip(found.model.steps, fitted.steps, strict=True):
            np.testing.assert_allclose(one.click_rates, other.click_rates)
    likeliest = sum(
        tb.filter(found.model, clicks.of_trajectory(i), [duration]).log_likelihood[-1]
        for i in range(ntraj)
    )
    assert likeliest == pytest.approx(found.log_likelihood, abs=1e-6)
    lines = str(found).splitlines()
    assert lines[0] == f"FitResult: {len(clicks)} clicks of {ntraj} trajectories"
    assert [line.split()[0] for line in lines[1:]] == [*names, "log-likelihood"]


def test_records_of_other_kinds():
    clicks = watched(BATTERY.charge(), 50.0)
    expected = tb.fit(BATTERY, clicks, ["gamma_plus"])
    names = [clicks.channels[i] for i in clicks.channel]
    for record in (
        SimpleNamespace(time=clicks.time.tolist(), channel=names),
        exchange.to_structured(clicks),
    ):
        found = tb.fit(BATTERY, record, ["gamma_plus"], duration=50.0)
        assert found.values == expected.values
        assert found.errors == expected.errors
        assert found.ntraj == 1
    # By default until the last click.
    early = tb.fit(BATTERY, record, ["gamma_plus"])
    until = tb.fit(BATTERY, replace(clicks, duration=clicks.time[-1]), ["gamma_plus"])
    assert early.values == until.values != expected.values


# Errors -------------------------------------------------------------------------------------------


def pulls(found, truth):
    """How many errors the values are off, on the scale on which rates are searched."""
    return [
        np.log(found.values[name] / true) / (found.errors[name] / found.values[name])
        for name, true in truth.items()
    ]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("efficiency", "dark_rate", "names", "sets"),
    [(1.0, 0.0, ("gamma_plus", "gamma_minus"), 70), (0.6, 0.2, ("gamma_minus",), 50)],
)
def test_errors_cover_the_true_values(efficiency, dark_rate, names, sets):
    runs, start = watched(BATTERY.charge(), 120.0, sets), replace(BATTERY, gamma_plus=9.0)
    seen = tb.Detectors(efficiency, dark_rate).see(runs, seed=2)
    found = [
        tb.fit(start, seen.of_trajectory(i), names, efficiency, dark_rate=dark_rate)
        for i in range(sets)
    ]
    assert all(one.converged for one in found)

    def judged(factor):
        truth = {name: factor * getattr(BATTERY, name) for name in names}
        off = np.array([pulls(one, truth) for one in found])
        return np.mean(np.abs(off) < 1), p_of_scores(off), off.mean(axis=0)

    coverage, p_value, mean = judged(1.0)
    assert 0.55 < coverage < 0.8
    assert 1e-3 < p_value < 0.999
    assert np.abs(mean).max() < 4 / np.sqrt(sets)
    # Negative control: other rates than the true ones.
    assert np.abs(judged(1.1)[2]).max() > 4 / np.sqrt(sets)


@pytest.mark.slow
def test_a_wrong_efficiency_is_seen():
    clicks = watched(BATTERY.charge(), 300.0)
    seen = tb.Detectors(efficiency=0.5).see(clicks, seed=1)
    names = ("gamma_plus", "gamma_minus")
    right = tb.fit(BATTERY, seen, names, efficiency=0.5)
    assert np.abs(pulls(right, {"gamma_plus": 10.0, "gamma_minus": 1.0})).max() < 3.5
    wrong = tb.fit(BATTERY, seen, names, efficiency=0.8)
    assert np.abs(pulls(wrong, {"gamma_plus": 10.0, "gamma_minus": 1.0})).max() > 5
    # Less light, larger errors.
    whole = tb.fit(BATTERY, clicks, names)
    assert right.errors["gamma_minus"] > 1.2 * whole.errors["gamma_minus"]


@pytest.mark.parametrize("names", [("omega_p",), ("gamma_plus", "omega_p")])
def test_what_the_clicks_do_not_tell(names):
    found = tb.fit(BATTERY, watched(BATTERY.charge(), 20.0), names)
    assert not found.converged
    assert np.isnan(list(found.errors.values())).all()
    assert np.isnan(found.covariance).all()
    assert "not converged" in str(found)


def test_records_without_clicks():
    nothing = watched(BATTERY.charge(), 1.0).where(slice(0))
    found = tb.fit(BATTERY, nothing, ["gamma_plus"])
    # The rate falls as far as it goes.
    assert found.values["gamma_plus"] < 1e-3
    assert not found.converged
    assert found.n_clicks == 0


CLICKS = watched(BATTERY.charge(), 1.0, 3)
WRONG = SimpleNamespace(time=[0.1, 0.2], channel=["red", "green"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"parameters": ()}, r"`parameters` must be a sequence of names, but is \(\)"),
        ({"parameters": "theta"}, "`parameters` must be a sequence of names, but is 'theta'"),
        (
            {"parameters": ("gama",)},
            "`parameters` must be 'theta', 'omega_p', 'gamma_0', 'gamma_plus' or 'gamma_minus', "
            "but is 'gama'",
        ),
        (
            {"parameters": ("gamma",)},
            "`parameters` must be 'theta', 'omega_p', 'gamma_0', 'gamma_plus' or 'gamma_minus', ",
        ),
        (
            {"model": DRIVEN.charge(secular=False), "parameters": ("gamma_0",)},
            "`parameters` must be 'theta', 'omega_p' or 'gamma', but is 'gamma_0'",
        ),
        (
            {"parameters": ("theta", "theta")},
            "`parameters` must name each parameter once, but has 'theta' twice",
        ),
        (
            {"model": replace(BATTERY, gamma_0=0.0), "parameters": ("gamma_0",)},
            "`gamma_0` must not begin at an end of its range, but is 0",
        ),
        ({"efficiency": 1.5}, "`efficiency` must lie in .* but is 1.5"),
        ({"efficiency": [1.0, 1.0]}, "`efficiency` must be one number or one for each of 3"),
        ({"dark_rate": -1.0}, "`dark_rate` must .* but is -1.0"),
        ({"duration": 0.01}, r"clicks must end by 0.01, but click 0 is at"),
        ({"duration": 0.0}, "`duration` must be a finite number above zero, but is 0.0"),
        ({"initial": np.zeros(9)}, "`initial` must"),
        (
            {"clicks": WRONG},
            "clicks must be of the channels 'red', 'center', 'blue', but click 1 is of 'green'",
        ),
        (
            {"clicks": SimpleNamespace(time=[0.2, 0.1], channel=["red", "red"])},
            "clicks must be in the order of time, but click 1 at 0.1 follows one at 0.2",
        ),
        (
            {"clicks": exchange.to_structured(CLICKS)},
            "`clicks` must be of one trajectory, such as clicks.of_trajectory",
        ),
        (
            {"efficiency": {"red": 1.0, "center": 0.0, "blue": 1.0}},
            r"`clicks` must be possible under the model, but click \d+ \(center at t = ",
        ),
    ],
)
def test_bad_input(arguments, message):
    usual = {"model": BATTERY, "clicks": CLICKS, "parameters": ("gamma_plus",)}
    with pytest.raises((ValueError, TypeError), match=message):
        tb.fit(**usual | arguments)


@pytest.mark.slow
def test_stages_of_different_batteries_keep_what_is_not_fitted():
    first, second = (tb.Battery(6, *one) for one in ((1.6, 60.0, 1, 10, 1), (1.2, 60.0, 1, 3, 1)))
    model = tb.Protocol([(first.charge(), 0.1), (second.charge(), 0.1)])
    clicks = tb.mcsolve(model, [0.2], 30, seed=1, keep_clicks=True).clicks
    found = tb.fit(model, clicks, ("gamma_0",))
    assert abs(found.values["gamma_0"] - 1.0) < 4 * found.errors["gamma_0"]
    for (one, _), battery in zip(found.model.steps, (first, second), strict=True):
        kept = replace(battery, gamma_0=found.values["gamma_0"])
        assert one.theta == battery.theta
        np.testing.assert_allclose(one.click_rates, kept.charge().click_rates, rtol=1e-12)
    for name in ("theta", "gamma_plus"):
        with pytest.raises(ValueError, match=f"`{name}` must be one of all stages to be fitted"):
            tb.fit(model, clicks, (name,))
    slow, fast = first.discharge(1.0), first.discharge(3.0)
    with pytest.raises(
        ValueError, match="`gamma` must be one of all stages to be fitted, but is 1"
    ):
        tb.fit(tb.Protocol([(slow, 0.1), (fast, 0.1)]), clicks, ("gamma",))


@pytest.mark.slow
def test_light_that_says_nothing():
    battery = tb.Battery(4, 1.87, 40.0, gamma_plus=5.0)
    cycle = tb.Protocol([(battery.charge(), 0.1), (battery.discharge(), 0.1)])
    clicks = tb.mcsolve(cycle, [0.2], 5, seed=1, keep_clicks=True).clicks
    with pytest.raises(ValueError, match="`efficiency` must be above zero somewhere"):
        tb.fit(cycle, clicks, efficiency=0.0)
    with pytest.raises(ValueError, match="`duration` must end by the end of the protocol"):
        tb.fit(cycle, clicks, duration=1.0)
    # Where only the discharge is seen, the rate of the center line is hardly known.
    seen = {"red": 0.0, "center": 0.0, "blue": 0.0, "dis": 1e-9}
    only = clicks.where(slice(0))
    found = tb.fit(cycle, only, ("gamma_0",), efficiency=seen)
    assert not found.converged


def test_a_time_beyond_all_numbers():
    model = tb.Battery(3, 1.0, 3.0).charge()
    clicks = tb.mcsolve(model, [0.5], 20, seed=1, keep_clicks=True).clicks
    with pytest.raises(ValueError, match=r"`duration` must be at most .*, but is"):
        tb.fit(model, clicks, ["gamma_plus"], duration=1e308)


def test_how_long_any_record_was_watched():
    model = tb.LadderModel("two", 1, 0.0, 0.0, (tb.Channel("down", -1, 1.0),))
    record = types.SimpleNamespace(time=np.array([2.5]), channel=np.array([0]), duration=30.0)
    told = tb.fit(model, record, ["rate_down"], initial=tb.excited_state(1), duration=30.0)
    found = tb.fit(model, record, ["rate_down"], initial=tb.excited_state(1))
    assert found.values == told.values
    with pytest.raises(ValueError, match="because nobody watched after it"):
        tb.filter(model, record, [31.0], initial=tb.excited_state(1))
    with pytest.raises(ValueError, match="`model` must have a channel to be fitted"):
        tb.fit(tb.Battery(3, 1.0, 3.0).store(), record, ["theta"])
