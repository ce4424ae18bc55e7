"""Likelihoods, scores, profile intervals and residuals of records."""

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.stats import chi2, kstest

import trajbatt as tb

BATTERY = tb.Battery(4, 1.87, 40.0, gamma_plus=3.0)
ATOM = tb.Battery(1, 1.3, 10.0, gamma_plus=2.0)
EXCITED = tb.excited_state(1)


def watched(model, duration, ntraj=1, seed=1, initial=None):
    return tb.mcsolve(model, [duration], ntraj, initial, seed=seed, keep_clicks=True).clicks


MODELS = {
    "charge": BATTERY.charge(),
    "driven": tb.DrivenDicke(3, 2.0, 0.4),
    "cycle": tb.Protocol([(BATTERY.charge(), 0.3), (BATTERY.discharge(), 0.4)]),
    "noisy": tb.Battery(3, 1.87, 40.0, local_0=0.5, local_plus=1.0).charge(),
    "homodyne": tb.Homodyne(1.0).of(tb.DrivenDicke(2, 2.0, 0.4)),
}


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("efficiency", [1.0, 0.4])
def test_it_is_that_of_the_filter(name, efficiency):
    model = MODELS[name]
    clicks = watched(model, 0.6, 4)
    if efficiency < 1.0:
        clicks = tb.Detectors(efficiency).see(clicks, 3, model=model)
    total = 0.0
    for i in range(4):
        one = clicks.of_trajectory(i)
        total += tb.filter(model, one, [0.6], efficiency).log_likelihood[-1]
    assert tb.log_likelihood(model, clicks, efficiency) == pytest.approx(total, abs=1e-9)


def test_currents_have_one():
    model = tb.Homodyne(np.inf).of(tb.DrivenDicke(2, 2.0, 0.4))
    times = np.linspace(0.0, 1.0, 201)
    record = tb.HomodyneRecord.of(tb.mcsolve(model, times, 1, seed=2).replay(0))
    found = tb.filter(model, record, times).log_likelihood[-1]
    assert tb.log_likelihood(model, record) == pytest.approx(found, abs=1e-9)


def test_an_impossible_record_has_none():
    model = ATOM.discharge()
    clicks = tb.Clicks([0, 0], [0.1, 0.2], [0, 0], model.channel_names)  # of one atom
    assert tb.log_likelihood(model, clicks, initial=EXCITED) == -np.inf
    with pytest.raises(ValueError, match=r"click 1 .* has probability zero"):
        tb.score(model, clicks, ["gamma"], initial=EXCITED)


def test_the_score_of_one_atom():
    """ln p = n ln gamma - gamma (all time spent excited)."""
    model = ATOM.discharge(0.7)
    clicks = watched(model, 1.3, 30, initial=EXCITED)
    counts = np.bincount(clicks.trajectory, minlength=30)
    excited = np.full(30, 1.3)
    excited[clicks.trajectory] = clicks.time
    found = tb.score(model, clicks, ["gamma"], initial=EXCITED)
    np.testing.assert_allclose(found[:, 0], counts / 0.7 - excited, rtol=1e-9)


@pytest.mark.parametrize("name", ["charge", "driven", "cycle"])
def test_scores_are_slopes(name):
    model, rng = MODELS[name], np.random.default_rng(1)
    clicks = watched(model, 0.6, 3)
    names = {"driven": ("rabi", "gamma")}.get(name, ("theta", "gamma_plus", "gamma_0"))
    names = names if name != "cycle" else ("theta",)
    values = {one: model.stages()[0].model.parameters()[one] for one in names}
    direction = dict(zip(names, rng.normal(size=len(names)), strict=True))

    def along(x):
        moved = {one: value + x * direction[one] for one, value in values.items()}
        return tb.log_likelihood(model.with_parameters(**moved), clicks)

    h = 1e-3
    slope = (8 * (along(h) - along(-h)) - along(2 * h) + along(-2 * h)) / (12 * h)
    found = tb.score(model, clicks, names).sum(axis=0)
    assert found @ np.array(list(direction.values())) == pytest.approx(slope, rel=1e-6, abs=1e-6)


def test_profile_intervals_in_closed_form():
    """Center photons of one atom come at gamma_0 sin^2(theta)/4, whatever its state."""
    clicks = watched(ATOM.charge(), 20.0)
    n, share = np.sum(clicks.channel == 1), 20.0 * np.sin(ATOM.theta) ** 2 / 4
    assert 1 < n < 12  # so few that it is lopsided
    for level in (0.68, 0.95):
        found = tb.fit(ATOM, clicks, ["gamma_0"], level=level)

        def excess(x, level=level):
            return 2 * (x - n - n * np.log(x / n)) - chi2.ppf(level, 1)

        low, high = brentq(excess, 1e-9, n) / share, brentq(excess, n, 100.0) / share
        error = found.errors["gamma_0"]
        np.testing.assert_allclose(found.intervals["gamma_0"], (low, high), atol=0.02 * error)
        assert high - n / share > 1.05 * (n / share - low)
    assert f"({low:.3g}"[:4] in repr(found)
    assert tb.fit(ATOM, clicks, ["gamma_0"]).intervals == {}


@pytest.mark.slow
def test_profile_intervals_of_two_parameters():
    clicks = watched(BATTERY.charge(), 0.6, 60)
    found = tb.fit(BATTERY, clicks, level=0.68)
    for name in found.parameters:
        low, high = found.intervals[name]
        width = 0.5 * (high - low)
        assert low < found.values[name] < high
        assert width == pytest.approx(0.994 * found.errors[name], rel=0.15)
        # At an end no value of the other parameter does better than the level allows.
        other = next(one for one in found.parameters if one != name)
        held = BATTERY.charge().with_parameters(**{name: high, other: found.values[other]})
        best = tb.fit(held, clicks, [other]).log_likelihood
        assert found.log_likelihood - best == pytest.approx(0.5 * chi2.ppf(0.68, 1), abs=0.02)


def test_an_open_side_is_the_end_of_the_range():
    """Without a click the rate may be nothing."""
    clicks = tb.Clicks([], [], [], ATOM.discharge().channel_names, ntraj=3, duration=1.0)
    found = tb.fit(ATOM.discharge(0.5), clicks, ["gamma"], initial=EXCITED, level=0.95)
    low, high = found.intervals["gamma"]
    assert low == 0.0
    assert high == pytest.approx(0.5 * chi2.ppf(0.95, 1) / 3.0, rel=0.05)
    assert not found.converged


@pytest.mark.parametrize("name", ["charge", "driven", "noisy", "cycle"])
def test_residuals_of_the_right_model_are_exponential(name):
    model = MODELS[name]
    clicks = watched(model, 0.6, 40, seed=7)
    seen = np.isin(clicks.channel, np.flatnonzero(model.photons > 0)).sum()
    found = tb.residuals(model, clicks)
    assert found.waits.size == len(clicks) >= seen
    assert found.waits.sum() <= found.expected
    assert found.p_value > 1e-3
    assert abs(found.z) < 4.0
    assert found.p_value == kstest(found.waits, "expon").pvalue


def test_residuals_of_a_wrong_model_are_not():
    model = MODELS["charge"]
    clicks = watched(model, 0.6, 100, seed=7)
    wrong = tb.residuals(tb.Battery(4, 1.87, 40.0, gamma_plus=8.0).charge(), clicks)
    assert wrong.p_value < 1e-3 or abs(wrong.z) > 5.0
    detectors = tb.Detectors(0.4, dark_rate=0.5)
    dimmed = detectors.see(clicks, 2)
    assert tb.residuals(model, dimmed, detectors=detectors).p_value > 1e-3
    assert tb.residuals(model, dimmed, 0.4).z > 4.0
    assert tb.residuals(model, dimmed, 0.4).p_value < 1e-3


def test_p_values_of_residuals_are_even():
    model, values = MODELS["charge"], []
    for seed in range(60):
        values.append(tb.residuals(model, watched(model, 0.6, 8, seed=seed)).p_value)
    assert kstest(values, "uniform").pvalue > 1e-3


def test_few_or_no_clicks():
    none = tb.Clicks([], [], [], ATOM.discharge().channel_names, duration=1.0)
    found = tb.residuals(ATOM.discharge(), none, initial=EXCITED)
    assert found.waits.size == 0
    assert found.expected == pytest.approx(1.0)
    assert np.isnan(found.p_value)
    assert found.z == pytest.approx(-1.0)
    assert "expected  1" in repr(found)


def test_bad_input():
    model, clicks = MODELS["charge"], watched(MODELS["charge"], 0.6)
    for level in (0.0, 1.0, -3.0):
        with pytest.raises(ValueError, match="`level` must be"):
            tb.fit(model, clicks, level=level)
    with pytest.raises(ValueError, match="`parameters` must be"):
        tb.score(model, clicks, ["gamma"])
    with pytest.raises(TypeError, match="sequence of names"):
        tb.score(model, clicks, "theta")
    diffusive, times = tb.Homodyne(np.inf).of(tb.DrivenDicke(2, 2.0, 0.4)), [0.0, 0.5, 1.0]
    record = tb.HomodyneRecord.of(tb.mcsolve(diffusive, times, 1).replay(0))
    with pytest.raises(ValueError, match="has homodyne currents"):
        tb.residuals(diffusive, record)


LADDERS = {
    "charge": (BATTERY.charge(), None, ("theta", "gamma_0", "gamma_plus", "gamma_minus")),
    "warm": (tb.Battery(5, 1.1, 30.0, thermal_plus=0.4).charge(), None, ("theta", "gamma_plus")),
    "from a coherent state": (BATTERY.charge(), tb.coherent_state(4, 1.0, 0.7), ("theta",)),
    "discharge": (BATTERY.discharge(0.7), None, ("gamma", "theta")),
    "emptied": (BATTERY.discharge(0.7), tb.excited_state(4), ("gamma",)),
}


@pytest.mark.parametrize("name", LADDERS)
def test_closed_forms_are_what_differences_give(name, monkeypatch):
    model, initial, parameters = LADDERS[name]
    parameters = [one for one in parameters if one in model.parameters()]
    clicks = watched(model, 0.6, 6, initial=initial)
    known = {"initial": initial}
    quick = tb.log_likelihood(model, clicks, **known), tb.score(model, clicks, parameters, **known)
    monkeypatch.setattr("trajbatt.inference.seen.MOST_ELEMENTS", 0)  # branch by branch
    slow = tb.log_likelihood(model, clicks, **known), tb.score(model, clicks, parameters, **known)
    assert quick[0] == pytest.approx(slow[0], abs=1e-10)
    np.testing.assert_allclose(quick[1], slow[1], rtol=1e-7, atol=1e-7)
    assert np.any(quick[1] != slow[1])  # they are two ways


def test_a_fit_by_gradients_is_that_of_a_simplex(monkeypatch):
    start = tb.Battery(4, 1.7, 40.0, gamma_plus=2.0)
    clicks = watched(BATTERY.charge(), 0.6, 40)
    parameters = "theta", "gamma_plus", "gamma_minus"
    quick = tb.fit(start, clicks, parameters)
    monkeypatch.setattr("trajbatt.inference.seen.MOST_ELEMENTS", 0)
    monkeypatch.setattr("trajbatt.inference.seen._ways", lambda *_: ())
    slow = tb.fit(start, clicks, parameters)
    assert quick.converged
    assert quick.log_likelihood == pytest.approx(slow.log_likelihood, abs=1e-4)
    for name in parameters:
        assert quick.values[name] == pytest.approx(slow.values[name], abs=0.02 * slow.errors[name])
        assert quick.errors[name] == pytest.approx(slow.errors[name], rel=1e-3)


def test_no_click_is_a_record_too():
    model = BATTERY.charge()
    clicks = tb.Clicks([], [], [], model.channel_names, ntraj=2, duration=0.01)
    found = tb.filter(model, clicks.of_trajectory(0), [0.01]).log_likelihood[-1]
    assert tb.log_likelihood(model, clicks) == pytest.approx(2.0 * found, abs=1e-12)
    assert np.all(np.isfinite(tb.score(model, clicks, ["theta", "gamma_plus"])))


def _detectors(name, n_channels):
    share = np.linspace(0.3, 0.8, n_channels)
    return {
        "missed": {"efficiency": share},
        "one line alone": {"efficiency": share * (np.arange(n_channels) == 0)},
        "dark": {"efficiency": share, "dark_rate": 2.0},
    }[name]


@pytest.mark.parametrize("detectors", ["missed", "one line alone", "dark"])
@pytest.mark.parametrize("name", LADDERS)
def test_with_missed_photons_populations_are_enough(name, detectors, monkeypatch):
    model, initial, parameters = LADDERS[name]
    parameters = [one for one in parameters if one in model.parameters()]
    known = _detectors(detectors, len(model.channel_names))
    clicks = tb.Detectors(**known).see(watched(model, 0.6, 6, initial=initial), 2, model=model)
    known["initial"] = initial
    quick = tb.log_likelihood(model, clicks, **known), tb.score(model, clicks, parameters, **known)
    with monkeypatch.context() as patch:
        patch.setattr("trajbatt.inference.seen._of_populations", lambda *_: None)
        slow = (
            tb.log_likelihood(model, clicks, **known),
            tb.score(model, clicks, parameters, **known),
        )
    assert quick[0] == pytest.approx(slow[0], abs=1e-10)
    np.testing.assert_allclose(quick[1], slow[1], rtol=1e-7, atol=1e-7)
    assert np.any(quick[1] != slow[1])  # they are two ways
    turns = "theta" in parameters and name in ("charge", "warm", "from a coherent state")
    if turns:  # the basis turns under the state that is given
        monkeypatch.setattr(
            "trajbatt.inference.seen.change_of_populations", lambda *_: np.zeros(model.n_levels)
        )
        assert np.abs(tb.score(model, clicks, ["theta"], **known) - slow[1][:, :1]).max() > 1e-3


def test_cross_talk_and_many_clicks(monkeypatch):
    # Longer than one piece of the series, with clicks that may be of any line.
    model = tb.Battery(30, 1.87, 600.0, gamma_plus=3.0).charge()
    seen = tb.Detectors(efficiency=0.7, crosstalk=0.1)
    clicks = seen.see(watched(model, 0.3, 4), 2, model=model)
    known = {"detectors": seen}
    quick = tb.score(model, clicks, ["theta", "gamma_plus"], **known)
    monkeypatch.setattr("trajbatt.inference.seen._of_populations", lambda *_: None)
    slow = tb.score(model, clicks, ["theta", "gamma_plus"], **known)
    np.testing.assert_allclose(quick, slow, rtol=1e-9, atol=1e-9)
    monkeypatch.setattr("trajbatt.inference.seen._ways", lambda *_: ())
    monkeypatch.setattr("trajbatt.inference.seen.LONGEST_STEP", 1e-2)
    monkeypatch.setattr("trajbatt.inference.seen.TURN", np.inf)
    wider = tb.score(model, clicks, ["theta", "gamma_plus"], **known)
    assert np.abs(wider - slow).max() > 1e-6  # which differences of long steps are not


def test_a_fit_with_missed_photons_is_that_of_a_simplex(monkeypatch):
    start = tb.Battery(4, 1.7, 40.0, gamma_plus=2.0)
    clicks = tb.Detectors(0.6).see(watched(BATTERY.charge(), 0.6, 60), 2)
    quick = tb.fit(start, clicks, efficiency=0.6)
    monkeypatch.setattr("trajbatt.inference.seen._of_populations", lambda *_: None)
    monkeypatch.setattr("trajbatt.inference.seen._ways", lambda *_: ())
    slow = tb.fit(start, clicks, efficiency=0.6)
    assert quick.converged
    assert quick.log_likelihood == pytest.approx(slow.log_likelihood, abs=1e-4)
    for name in quick.parameters:
        assert quick.values[name] == pytest.approx(slow.values[name], abs=0.02 * slow.errors[name])
        assert quick.errors[name] == pytest.approx(slow.errors[name], rel=1e-3)


@pytest.mark.parametrize("efficiency", [0.9, 1.0])
def test_scores_where_the_start_hangs_on_the_parameters(efficiency, monkeypatch):
    # Of a record that makes rare levels of the steady state matter.
    model = tb.Battery(300, 1.5, 100.0, gamma_minus=2.0).discharge()
    n, duration = 270, 5.0 / 300
    clicks = tb.Clicks(
        np.zeros(n, int), np.linspace(duration / n, duration, n), np.zeros(n, int), ["all"], 0, 1
    )
    known = {"efficiency": efficiency, "duration": duration}
    quick = tb.score(model, clicks, ["theta"], **known)
    monkeypatch.setattr("trajbatt.inference.seen._of_populations", lambda *_: None)
    monkeypatch.setattr("trajbatt.inference.seen._ways", lambda *_: ())
    assert quick == pytest.approx(tb.score(model, clicks, ["theta"], **known), rel=1e-7)


@pytest.mark.parametrize("start", [1e-300, 1e-3, 50.0])
def test_a_fit_that_begins_far_off_ends(start):
    model = tb.Battery(6, 1.2, 100.0, gamma_plus=2.0).charge()
    clicks = tb.Detectors(0.5).see(watched(model, 1.0, 30, seed=3), 1, model=model)
    begun = model.with_parameters(gamma_plus=start)
    found = tb.fit(begun, clicks, ["gamma_plus"], efficiency=0.5)
    known = tb.fit(model, clicks, ["gamma_plus"], efficiency=0.5)
    assert found.converged
    assert found.log_likelihood == pytest.approx(known.log_likelihood, abs=1e-6)
    assert found.errors["gamma_plus"] == pytest.approx(known.errors["gamma_plus"], rel=1e-4)


def test_an_interval_may_be_open_towards_what_is_too_fast():
    # Clicks come in bunches: of an atom that is pumped at once, as far as they tell.
    channels = [tb.Channel("down", shift=-1, rate=1.0), tb.Channel("up", shift=1, rate=1e3)]
    model = tb.LadderModel("pumped", 1, 0.0, 1.0, channels)
    times = np.array([0.05, 0.1, 0.2, 0.3, 2.5, 2.6, 6.0, 6.1, 9.0])
    clicks = tb.Clicks(np.zeros(9, int), times, np.zeros(9, int), ("down", "up"), 0, 1)
    seen = {"efficiency": {"down": 1.0, "up": 0.0}, "initial": EXCITED}
    found = tb.fit(model, clicks, ["rate_up"], duration=9.5, level=0.68, **seen)
    low, high = found.intervals["rate_up"]
    assert 1.0 < low < 1e3
    assert high == np.inf
